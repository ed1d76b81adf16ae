//! `ottla-load`: makes traffic for demonstrations and tests, checks that what was produced is consumed as promised, plays
//! through what may go wrong, and measures.

mod bench;
mod browser;
mod check;
mod ingest;
mod reliability;
mod setting;
mod soak;
mod tabs;
mod topics;
mod traffic;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Makes traffic for Ottla, and checks what becomes of it.
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
    /// Produce numbered records, and verify that each is consumed as promised
    Check(check::Options),
    /// Let instances and brokers fail in every way that is promised to be survived, and check
    Reliability(reliability::Options),
    /// Open many tabs, produce at a steady rate, and measure how late and how dear the records are
    Tabs(Box<tabs::Options>),
    /// Measure how fast an instance consumes, beside a bare librdkafka loop, and what the consumption marks cost it
    Ingest(ingest::Options),
    /// Poll librdkafka, and do nothing with the records: what `ingest` compares with
    #[command(hide = true)]
    Bare(ingest::Bare),
    /// Open the page in a real Chromium, produce at a steady rate, and measure its frames and its memory
    Browser(browser::Options),
    /// Make a cluster of thousands of topics, and measure how soon the pages about it answer
    Topics(topics::Options),
    /// Keep one instance busy for long, with many tabs and a real browser: does anything grow, and do the counters add up?
    Soak(soak::Options),
    /// Measure everything, and write docs/BENCHMARKS.md
    Bench(bench::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Traffic(options) => traffic::run(options).await.map(|()| true),
        Command::Check(options) => check::run(options).await,
        Command::Reliability(options) => reliability::run(options).await,
        Command::Tabs(options) => tabs::run(*options).await,
        Command::Ingest(options) => ingest::run(options).await.map(|()| true),
        Command::Bare(options) => ingest::bare(options).await.map(|()| true),
        Command::Browser(options) => browser::run(options).await,
        Command::Topics(options) => topics::run(options).await.map(|()| true),
        Command::Soak(options) => soak::run(options).await,
        Command::Bench(options) => bench::run(options).await,
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        // The promise was broken; what was printed says how.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ottla-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
