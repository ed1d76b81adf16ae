//! `[log]`: what is written about what happens.

use serde::{Deserialize, Serialize};

/// `[log]`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// What to write, in `tracing`'s directives: `warn,kafka=debug`. The names are those of Ottla's rooms; what else speaks is
    /// a library.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "warn,server=info,engine=info,kafka=info,app=info".into() }
    }
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line to read
    Text,
    /// One JSON object a line
    Json,
}
