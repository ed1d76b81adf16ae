//! Ottla's own client, for programs: what `docs/PROTOCOL.md` says, in either subprotocol.
//!
//! [`connect`] gives one connection; [`Follow`] goes on over many, without a record twice and without one missing that no gap
//! names. What a client has is kept by [`wire::Resume`], as in the page. [`Producer`] produces over the HTTP API. Nothing is stored or
//! printed here. None of them follows a redirect: an [`Authorization`] goes to the address that was given, and to no other.

mod answer;
mod authorization;
mod connection;
mod follow;
mod produce;

pub use authorization::{Authorization, NoAuthorization};
pub use connection::{Client, Error, Subprotocol, check_address, connect, connect_as};
pub use follow::Follow;
pub use produce::{NotProduced, Producer};
