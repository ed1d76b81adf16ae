//! A record as it was consumed: what Kafka stored, and what its consumption adds.

use crate::{Data, DataView, Millis, number};
use serde::{Deserialize, Serialize};

/// A record of a feed. Identified in a tab by the feed's epoch and [`Record::seq`], not by its offset, for offsets repeat
/// in a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Record {
    /// The feed's append counter inside its epoch. 0 in a record that was read straight from the log.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub seq: u64,
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset inside the partition.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub offset: i64,
    /// The timestamp stored with the record.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Timestamp))]
    pub timestamp: Timestamp,
    /// When the group's instance polled the record (or when it was read, for one read straight from the log).
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub received: Millis,
    /// What is known of an earlier consumption.
    pub flags: Flags,
    /// The key, or null.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Data>))]
    pub key: Option<Data>,
    /// The value, or null (a tombstone in a compacted topic).
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Data>))]
    pub value: Option<Data>,
    /// The headers in their order; names may repeat.
    pub headers: Vec<Header>,
    /// How many further headers were left out because the record's headers are too large for one message.
    pub headers_left_out: u32,
}

impl Record {
    /// What its key, its value and its headers take as they are here, in bytes: the heads, not the whole sizes.
    pub fn bytes(&self) -> usize {
        let data = |data: &Option<Data>| data.as_ref().map_or(0, |data| data.head.len());
        let headers = self.headers.iter().map(|header| header.name.len() + data(&header.value));
        data(&self.key) + data(&self.value) + headers.sum::<usize>()
    }
}

/// The timestamp of a record (KIP-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamp {
    /// Written before Kafka 0.10, or by a client that sets none.
    None,
    /// Set by the producer (`message.timestamp.type=CreateTime`).
    Created(#[serde(with = "number::text")] Millis),
    /// Set by the broker (`message.timestamp.type=LogAppendTime`).
    Appended(#[serde(with = "number::text")] Millis),
}

impl Timestamp {
    /// The time, whoever set it.
    pub fn millis(self) -> Option<Millis> {
        match self {
            Self::None => None,
            Self::Created(at) | Self::Appended(at) => Some(at),
        }
    }
}

/// What is known of an earlier consumption of a record by the same group. A bit set; see the constants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flags(pub u8);

impl Flags {
    /// Nothing is known to have consumed it before.
    pub const FIRST: Self = Self(0);
    /// Consumed again because an owner changed: a mark proves the first time.
    pub const REDELIVERED: Self = Self(1);
    /// Consumed before by an owner that could not say so, or not.
    pub const POSSIBLY_REDELIVERED: Self = Self(2);
    /// Consumed again because someone asked for it.
    pub const REPLAYED: Self = Self(4);
    /// The same offset twice, without a replay or a change of owner: what should never be.
    pub const DUPLICATE: Self = Self(8);
    /// Not consumed now: read from the log on request.
    pub const LOADED: Self = Self(16);

    /// Whether all of `other`'s bits are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A header of a record (KIP-82).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Header {
    /// The header's name. Kafka does not ask for UTF-8; what is not is shown with replacement characters.
    pub name: String,
    /// The header's value, or null.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Data>))]
    pub value: Option<Data>,
}

/// The longest head of a value that goes to a tab, in bytes; the rest is loaded on demand.
pub const VALUE_HEAD: usize = 32 * 1024;
/// The longest head of a key that goes to a tab, in bytes.
pub const KEY_HEAD: usize = 4 * 1024;
/// What the names and values of a record's headers may take together in a message to a tab, in bytes. With the value's and
/// the key's head a record stays well below [`crate::MAX_EVENT_MESSAGE`].
pub const HEADERS_BUDGET: usize = 16 * 1024;

/// A borrowed [`Record`], for encoding straight from the client library's memory. The same bytes on the wire: the fields
/// stand in the same order, which a property test holds them to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RecordView<'a> {
    /// See [`Record::seq`].
    #[serde(with = "number::text")]
    pub seq: u64,
    /// See [`Record::topic`].
    pub topic: &'a str,
    /// See [`Record::partition`].
    pub partition: i32,
    /// See [`Record::offset`].
    #[serde(with = "number::text")]
    pub offset: i64,
    /// See [`Record::timestamp`].
    pub timestamp: Timestamp,
    /// See [`Record::received`].
    #[serde(with = "number::text")]
    pub received: Millis,
    /// See [`Record::flags`].
    pub flags: Flags,
    /// See [`Record::key`].
    pub key: Option<DataView<'a>>,
    /// See [`Record::value`].
    pub value: Option<DataView<'a>>,
    /// See [`Record::headers`].
    pub headers: &'a [HeaderView<'a>],
    /// See [`Record::headers_left_out`].
    pub headers_left_out: u32,
}

/// A borrowed [`Header`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct HeaderView<'a> {
    /// See [`Header::name`].
    pub name: &'a str,
    /// See [`Header::value`].
    #[serde(borrow)]
    pub value: Option<DataView<'a>>,
}

/// What was read of an encoded record without copying it: all that a filter looks at.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordRef<'a> {
    seq: u64,
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Timestamp,
    received: Millis,
    flags: Flags,
    #[serde(borrow)]
    key: Option<DataView<'a>>,
    #[serde(borrow)]
    value: Option<DataView<'a>>,
    #[serde(borrow)]
    headers: Vec<HeaderView<'a>>,
    headers_left_out: u32,
}

impl RecordRef<'_> {
    /// The record.
    pub fn view(&self) -> RecordView<'_> {
        let Self {
            seq,
            topic,
            partition,
            offset,
            timestamp,
            received,
            flags,
            key,
            value,
            ref headers,
            headers_left_out,
        } = *self;
        RecordView { seq, topic, partition, offset, timestamp, received, flags, key, value, headers, headers_left_out }
    }
}

impl RecordView<'_> {
    /// An owned copy.
    pub fn to_owned(&self) -> Record {
        Record {
            seq: self.seq,
            topic: self.topic.into(),
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp,
            received: self.received,
            flags: self.flags,
            key: self.key.map(DataView::to_owned),
            value: self.value.map(DataView::to_owned),
            headers: self
                .headers
                .iter()
                .map(|header| Header { name: header.name.into(), value: header.value.map(DataView::to_owned) })
                .collect(),
            headers_left_out: self.headers_left_out,
        }
    }
}
