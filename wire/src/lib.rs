//! The types that cross a process boundary, and their two codecs.
//!
//! What lives here: [`Record`], [`Receipt`], [`Event`], [`Command`], [`Cursor`], [`Filter`] and what they are made of,
//! with one binary form (postcard: the page's WebSocket, and the feed's ring) and one readable form (JSON: everyone
//! else). What does not: I/O, async, Kafka's client, the page.
//!
//! Enums are tagged from outside, variants are only ever appended, and fields are never added to a type that is already
//! in use (a new variant instead), because postcard is not self-describing. `docs/PROTOCOL.md` is the text for people who
//! write a client.

mod browse;
mod cluster;
pub mod codec;
mod command;
mod cursor;
mod data;
mod event;
mod filter;
mod group;
mod journal;
#[cfg(feature = "lines")]
pub mod lines;
mod number;
mod page;
mod produce;
mod query;
mod record;
mod reset;
mod resume;
#[cfg(feature = "openapi")]
pub mod schema;
mod taken;
mod topic;
mod topics;

pub use browse::{BrowseCursor, BrowseNotice, Direction, LogRange, NoCursor, RecordPage, Unread, UnreadReason};
pub use cluster::{
    Cluster, ClusterBroker, ClusterChange, ClusterChangeKind, ClusterInstance, ClusterQuery, ClusterTotals,
    InstanceGroup, PARTITIONS_PER_BLOCK, PlacedPartition, PlacedTopic,
};
pub use command::{Command, From, Pace, Scope, Subscribe};
pub use cursor::{Cursor, Position, TopicId};
pub use data::{Data, DataView};
pub use event::{
    Assignment, Behind, Bye, ByeReason, Change, ChangeKind, Consumed, Count, Event, Fellow, Flag, Gap, Hello,
    KafkaState, Owned, PartitionStats, Records, Sieved, Sought, Stats, Subscribed,
};
pub use filter::Filter;
pub use group::{Group, GroupError, GroupPartition, GroupSummary, Happening, HappeningKind, Member, MemberOttla};
pub use journal::{Author, FeedNews, Mark, News, Notice, Seek, SeekFault, SeekOrder, SeekResult};
pub use page::{GapPart, ReadError, Row, Snapshot, TopicSummary};
pub use produce::{
    Encoding, Field, FieldError, HeaderInput, Limits, Outgoing, OutgoingHeader, ProduceError, ProduceInput, Receipt,
    Rule,
};
pub use query::{Contents, Expression, Query, QueryError, QueryFault};
pub use record::{Flags, Header, HeaderView, Record, RecordRef, RecordView, Timestamp};
pub use reset::{ResetError, ResetHow, ResetInput, ResetPlan, ResetRow, ResetTo};
pub use resume::{LONGEST_DELAY, Resume, back_off};
pub use taken::Taken;
pub use topic::{Place, check_topic_name};
pub use topics::{
    ConfigEntry, ConfigInput, ConfigSource, MOST_PARTITIONS, NewTopic, PartitionFailure, PartitionsInput,
    TOPIC_SETTINGS, Topic, TopicError, TopicField, TopicFieldError, TopicInput, TopicPage, TopicPartition, TopicQuery,
    TopicRate, TopicRow, TopicRule, TopicSort, check_config, check_confirmed, is_internal,
};

/// How a record is cut to fit a message to a tab.
pub mod record_limits {
    pub use crate::record::{HEADERS_BUDGET, KEY_HEAD, VALUE_HEAD};
}

/// The WebSocket subprotocol that the page speaks: one binary message carries one or more postcard [`Event`]s.
pub const SUBPROTOCOL_POSTCARD: &str = "ottla.v1.postcard";
/// The WebSocket subprotocol for everyone else: one text message carries one JSON [`Event`].
pub const SUBPROTOCOL_JSON: &str = "ottla.v1.json";

/// The largest WebSocket message that the server sends, in bytes. A single record never exceeds it, because its parts
/// are cut as [`record_limits`] says.
pub const MAX_EVENT_MESSAGE: usize = 64 * 1024;
/// The largest WebSocket message that the server takes, in bytes. A subscribe with a cursor over a thousand partitions
/// fits.
pub const MAX_COMMAND_MESSAGE: usize = 64 * 1024;

/// How many [`Event::Records`] the server sends ahead of what a tab says that it has taken in: see [`Command::Taken`].
pub const UNTAKEN_RECORDS: u64 = 32;
/// How many a tab takes in before it says so again. It says so of the very first one too.
pub const TAKEN_AT_ONCE: u64 = 8;

/// Milliseconds since 1970-01-01T00:00:00Z, Kafka's unit for time.
pub type Millis = i64;
