//! Where log lines go.

use crate::config::{LogConfig, LogFormat};
use tracing_subscriber::EnvFilter;

/// What the libraries below say too much of, unless the configuration asks for it.
const QUIET: &str = "librdkafka=warn,nisshi_broker=warn,nisshi_storage=warn,nisshi_service=warn,nisshi_storage_sql=warn,rama=warn,leptos=warn";

/// Writes log lines to standard error from now on.
///
/// # Errors
/// When the filter's directives can't be read.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.filter))
        .map_err(|error| anyhow::anyhow!("configuration: log.filter: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Human => lines.with_target(false).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
