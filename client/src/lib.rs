//! Ottla's own WebSocket client, for programs: what `docs/PROTOCOL.md` says, in either subprotocol.
//!
//! [`connect`] gives one connection; [`Follow`] goes on over many, without a record twice and without one missing that no gap
//! names. What a client has is kept by [`wire::Resume`], as in the page. Nothing is stored or printed here.

mod connection;
mod follow;

pub use connection::{Client, Error, Subprotocol, connect};
pub use follow::Follow;
