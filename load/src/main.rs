//! `ottla-load`: makes traffic for demonstrations and tests.

mod traffic;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Makes traffic for Ottla.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Produce believable orders until told to stop
    Traffic(traffic::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Traffic(options) => traffic::run(options).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ottla-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
