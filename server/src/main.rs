//! Parse the configuration, build the application, run it.

use clap::Parser;
use server::{
    cli::{Cli, Command},
    config::Config,
    run,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None | Some(Command::Serve) => Config::load(&cli.options).map_err(Into::into).and_then(run::serve),
        Some(Command::Broker) => Config::load(&cli.options).map_err(Into::into).and_then(run::broker),
        Some(Command::CheckConfig) => Config::load(&cli.options).map_err(Into::into).and_then(run::check_config),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla: {error:#}");
            ExitCode::FAILURE
        }
    }
}
