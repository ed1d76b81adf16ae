//! Where log lines go: one line for each event.

use crate::config::{LogConfig, LogFormat};
use std::{
    io::IsTerminal,
    panic,
    sync::atomic::{AtomicBool, Ordering},
};
use tracing_subscriber::EnvFilter;

/// Whether machines read the lines.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Writes log lines to standard error from now on.
///
/// # Errors
/// When the filter's directives can't be read; the default's hold then.
pub fn init(config: &LogConfig) -> anyhow::Result<()> {
    let (filter, result) = match EnvFilter::try_new(&config.filter) {
        Ok(filter) => (filter, Ok(())),
        Err(error) => {
            (EnvFilter::new(LogConfig::default().filter), Err(anyhow::anyhow!("configuration: log.filter: {error}")))
        }
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => {
            lines.json().flatten_event(true).init();
            // What the standard library says of a panic is several lines.
            panic::set_hook(Box::new(|panic| tracing::error!(cause = %panic, "a thread panicked")));
            IS_JSON.store(true, Ordering::Relaxed);
        }
    }
    result
}

/// Why the program ends, as a line like the others.
pub fn last_words(error: &anyhow::Error) {
    if IS_JSON.load(Ordering::Relaxed) {
        tracing::error!(cause = format!("{error:#}"), "Ottla can't go on");
    } else {
        eprintln!("ottla: {error:#}");
    }
}
