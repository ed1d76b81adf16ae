//! The program `ottla`: command line, configuration, HTTP. What it does is in `engine`; what it shows is in `app`.

pub mod cli;
pub mod config;
pub mod http;
pub mod log;
mod memory;
pub mod remote;
pub mod run;
mod text;
