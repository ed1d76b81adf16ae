//! Commands that talk to a running instance, over its WebSocket and its HTTP API: for terminals, pipes and scripts.
//!
//! Records and receipts go to standard output, everything else that is to be said to standard error. Exit codes: 0 done, 1 refused or
//! failed, 2 a command line that can't be read; 141 where whoever read standard output closed it (as a program that SIGPIPE ends
//! has in a shell), and what signals make of a program that does not handle them.

pub mod produce;
pub mod tail;

use crate::cli::Cli;
use anyhow::Context;
use clap::{CommandFactory, error::ErrorKind as UsageError};
use client::Authorization;
use std::{
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

/// Which running instance to talk to.
#[derive(Debug, Clone, clap::Args)]
pub struct Remote {
    /// The instance, as a browser has it
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000", env = "OTTLA_URL")]
    pub url: String,
    /// What to show to a proxy that asks who it is: the whole value of the `Authorization` header, `Bearer …` or `Basic …`. It goes to
    /// the URL alone. In the environment it is in nobody's list of processes
    #[arg(long, value_name = "VALUE", env = "OTTLA_AUTHORIZATION", hide_env_values = true)]
    authorization: Option<Secret>,
}

impl Remote {
    /// What to show to whoever asks. A command line on which it can't be read ends the process.
    fn authorization(&self, command: &str) -> Option<Authorization> {
        let given = self.authorization.as_ref()?;
        Some(given.0.parse().unwrap_or_else(|error| refuse(command, format_args!("--authorization {error}"))))
    }
}

/// Text that is shown nowhere, not even where it can't be read: what clap reads itself it repeats.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Ends the process as clap does of a command line that it can't read, for what it can't look at itself.
fn refuse(command: &str, why: impl std::fmt::Display) -> ! {
    let mut cli = Cli::command();
    cli.build();
    let cli = cli.find_subcommand_mut(command).expect("a command of this program");
    cli.error(UsageError::ValueValidation, why).exit()
}

/// For `--help`.
const EXIT_CODES: &str = "Exit codes: 0 done; 1 refused or failed, standard error says what; 2 a command line that can't be read; 141 \
    nobody reads standard output any more";
/// What a shell says of a program that SIGPIPE ended: 128 and the signal's number.
const BROKEN_PIPE: i32 = 128 + libc::SIGPIPE;

/// Runs a command to its end, on one thread: there is one connection, or a few.
fn block_on(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the asynchronous runtime can't start")?;
    let result = runtime.block_on(command);
    // A read of standard input that goes on must not keep it from ending.
    runtime.shutdown_background();
    result
}

/// Writes to standard output what `write` says, and leaves nothing in a buffer. Ends the process where nobody reads any more.
fn print(write: impl FnOnce(&mut io::BufWriter<io::StdoutLock<'_>>) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(BROKEN_PIPE),
        result => result.context("standard output can't be written"),
    }
}

/// Writes a line to standard error. Where nobody reads that there is nobody to tell.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Ends the process when whoever reads standard output closes it, also while there is nothing to write: `ottla tail | head -1` is over
/// after one record.
fn end_with_the_reader() {
    std::thread::spawn(|| {
        // Nothing but errors is asked for: the other end of a pipe is closed (poll(2)). On files and terminals nothing comes.
        let mut stdout = libc::pollfd { fd: libc::STDOUT_FILENO, events: 0, revents: 0 };
        loop {
            // SAFETY: one entry, which lives through the call.
            let found = unsafe { libc::poll(&raw mut stdout, 1, -1) };
            match found {
                1 if stdout.revents & libc::POLLERR != 0 => std::process::exit(BROKEN_PIPE),
                -1 if io::Error::last_os_error().kind() == ErrorKind::Interrupted => {}
                // What else there may be is told by the next write.
                _ => return,
            }
        }
    });
}
