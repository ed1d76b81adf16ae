//! The crate against a broker: the embedded one, or those that `OTTLA_TEST_BROKERS` names (`host:port,host:port`). One
//! program, since linking the broker takes longer than the tests.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and figures are printed")]

mod browse;
mod cluster;
mod describe;
mod embedded;
mod figures;
mod group;
mod groups;
mod produce;
mod read;
mod topics;
