//! Ottla's own client, for programs: what `docs/PROTOCOL.md` says, in either subprotocol.
//!
//! [`connect`] gives one connection; [`Follow`] goes on over many, without a record twice and without one missing that no gap
//! names. What a client has is kept by [`wire::Resume`], as in the page. [`Producer`] produces over the HTTP API. Nothing is stored or
//! printed here.

mod connection;
mod follow;
mod produce;

pub use connection::{Client, Error, Subprotocol, connect};
pub use follow::Follow;
pub use produce::{NotProduced, Producer};
