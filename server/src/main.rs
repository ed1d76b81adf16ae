//! Parse the command line, do what it says.

use clap::Parser;
use server::{
    cli::{Cli, Command},
    config::{Config, LogConfig},
    log, remote, run,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let load = || Config::load(&cli.options).map_err(anyhow::Error::from);
    // What is wrong with the configuration of one that would write a log stands in it like everything else.
    let logged = || {
        load().inspect_err(|_| {
            let format = Config::log_format(&cli.options);
            let _ = log::init(&LogConfig { format, ..LogConfig::default() });
        })
    };
    let done = |()| ExitCode::SUCCESS;
    let result = match cli.command {
        None | Some(Command::Serve) => logged().and_then(run::serve).map(done),
        Some(Command::Broker) => logged().and_then(run::broker).map(done),
        Some(Command::CheckConfig) => load().and_then(run::check_config).map(done),
        Some(Command::Tail(tail)) => remote::tail::run(tail),
        Some(Command::Produce(produce)) => remote::produce::run(produce),
    };
    result.unwrap_or_else(|error| {
        log::last_words(&error);
        ExitCode::FAILURE
    })
}
