//! The command line. Every flag has a twin in the configuration, which it overrides.

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
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Command {
    /// Serve the page (the default)
    Serve,
    /// Run the embedded broker alone, for several instances on one machine
    Broker,
    /// Print the configuration that is in force, secrets hidden, or what is wrong with it
    CheckConfig,
}

/// Flags that stand for keys of the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
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
    /// The configuration's file; by default ottla.toml, where there is one
    #[arg(long, global = true, value_name = "FILE", env = "OTTLA_CONFIG")]
    pub config: Option<PathBuf>,
}
