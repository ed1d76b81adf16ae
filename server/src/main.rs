//! Parse the command line, do what it says.

use clap::Parser;
use server::{
    cli::{Cli, Command},
    config::Config,
    log, remote, run,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let configured = |run: fn(Config) -> anyhow::Result<()>| {
        Config::load(&cli.options).map_err(Into::into).and_then(run).map(|()| ExitCode::SUCCESS)
    };
    let result = match cli.command {
        None | Some(Command::Serve) => configured(run::serve),
        Some(Command::Broker) => configured(run::broker),
        Some(Command::CheckConfig) => configured(run::check_config),
        Some(Command::Tail(tail)) => remote::tail::run(tail),
        Some(Command::Produce(produce)) => remote::produce::run(produce),
    };
    result.unwrap_or_else(|error| {
        log::last_words(&error);
        ExitCode::FAILURE
    })
}
