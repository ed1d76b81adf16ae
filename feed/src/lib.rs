//! A feed in memory: the group's thread writes into a [`Writer`], and every tab reads through its own [`Session`].
//!
//! What lives here: the ring of encoded segments, the hub (one writer, many readers), the session (one tab's cursor and
//! policy), the sieve (a filter that tabs share) and the audit (counters). What does not: Kafka's client, sockets, clocks, tasks.
//!
//! The writer never waits for a reader: a session holds no records, only a position. A record is encoded once, when it is
//! pushed; a session's [`Batch`] shares the encoded bytes. What the ring evicted before a session came to it is named by
//! gaps, counted per partition.

pub mod audit;
mod batch;
mod change;
mod custody;
mod evicted;
mod expression;
mod hub;
mod json;
mod message;
mod partitions;
mod ring;
mod segment;
mod session;
mod sieve;
mod topics;

pub use audit::{Audit, AuditReader, Hole};
pub use batch::Batch;
pub use custody::Custody;
pub use hub::{Hub, HubConfig, POSITIONS_AT_ONCE, Remark, Writer, hub};
pub use message::Message;
pub use session::{Session, SessionStart};
pub use sieve::Sieve;
