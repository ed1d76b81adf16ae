//! The command line. Every flag of an instance has a twin in the configuration, which it overrides.

use crate::{
    config::LogFormat,
    remote::{produce::Produce, tail::Tail},
};
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Kafka, live in your browser.
#[derive(Debug, Parser)]
#[command(name = "ottla", version, about)]
pub struct Cli {
    /// What to do; without it: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What the configuration is overridden with.
    #[command(flatten)]
    pub options: Options,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve the page (the default)
    Serve,
    /// Run the embedded broker alone, for several instances on one machine
    Broker,
    /// Print the configuration that is in force, secrets hidden, or what is wrong with it
    CheckConfig,
    /// Follow a feed of a running instance: a line for each record
    Tail(Tail),
    /// Produce through a running instance: a record for each line of standard input
    Produce(Produce),
}

/// Flags that stand for keys of the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Configuration of an instance (serve, broker, check-config)")]
pub struct Options {
    /// Where to listen [server.listen]
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Kafka's addresses, separated by commas; none: the embedded broker [kafka.brokers]
    #[arg(long, global = true, value_name = "HOST:PORT,…")]
    pub brokers: Option<String>,
    /// The topics to consume, separated by commas [feed.topics]
    #[arg(long, global = true, value_name = "NAME,…", value_delimiter = ',')]
    pub topics: Option<Vec<String>>,
    /// The consumer group [feed.group]
    #[arg(long, global = true, value_name = "NAME")]
    pub group: Option<String>,
    /// This instance's name, by default host-port [kafka.instance]
    #[arg(long, global = true, value_name = "NAME")]
    pub instance: Option<String>,
    /// Where the embedded broker keeps its data [embedded.data_dir]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Change nothing in the cluster, whoever asks for it [read_only]
    #[arg(long, global = true)]
    pub read_only: bool,
    /// How log lines look [log.format]
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub log_format: Option<LogFormat>,
    /// The configuration's file; by default ottla.toml, where there is one
    #[arg(long, global = true, value_name = "FILE", env = "OTTLA_CONFIG")]
    pub config: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
