//! A whole instance in the test's process, and what it answers to whoever asks. One program, since linking it takes longer than
//! the tests, and most of these wait: each has an instance, a topic and a group of its own. What measures while the machine is
//! busy is in `under_load.rs`, alone.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod api;
mod bulk;
mod clients;
mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod credit;
mod feed;
mod frames;
mod groups;
mod metrics;
mod pages;
mod read_only;
mod records;
mod refusals;
mod remote;
mod slow;
mod topics;
