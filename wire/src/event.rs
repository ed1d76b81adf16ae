//! What the server tells a tab.

use crate::{Cursor, Happening, Millis, Position, Record, Scope, TopicId, number};
use serde::{Deserialize, Serialize};

/// One message to a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first message: who answers.
    Hello(Hello),
    /// The answer to a subscribe: where the records begin.
    Subscribed(Subscribed),
    /// Records in the order of their `seq`.
    Records(Records),
    /// Records that this tab is not sent.
    Gap(Gap),
    /// What became known of an earlier consumption after the records were sent.
    Flag(Flag),
    /// Who consumed a range that this tab saw waiting.
    Consumed(Consumed),
    /// Which partitions this instance owns. After a subscribe, and whenever it changes.
    Assignment(Assignment),
    /// A change in the stream itself, at its place among the records.
    Change(Change),
    /// Counters, once a second.
    Stats(Stats),
    /// Whether Kafka answers. After a subscribe, and whenever it changes.
    Kafka(KafkaState),
    /// The answer to a ping.
    Pong(#[serde(with = "number::text")] u64),
    /// The last message: why the server closes, and where to go on.
    Bye(Bye),
    /// The instances that consume the feed's group now, sorted by name. After a subscribe, and whenever it changes.
    Members(Vec<Fellow>),
    /// What these topics' names mean from here on. After `subscribed`, and at its place among the records where a topic was
    /// deleted and made anew: what was seen of the offsets of another topic of that name says nothing any more.
    Topics(Vec<TopicId>),
    /// Where the stream stands in these partitions, or begins: a tab that knew nothing of one of them knows it now, and is told what
    /// it missed of it should it come back too late.
    Positions(Vec<Position>),
    /// What the subscription's filter has left out so far. While there is one: at most once a second, when it changed.
    Sieved(Sieved),
    /// How far the tab is behind. Once a second while it is, and once with nothing when it has kept up for three seconds.
    Behind(Behind),
}

/// What waits for a tab that does not keep up: appends of the feed that are older than a second and were not sent, or not taken in, yet,
/// and all that came after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Behind {
    /// How many records, before filtering.
    #[serde(with = "number::text")]
    pub records: u64,
    /// What they take in their postcard form, in bytes.
    #[serde(with = "number::text")]
    pub bytes: u64,
    /// How long ago the oldest of them was consumed, in milliseconds.
    #[serde(with = "number::text")]
    pub millis: u64,
}

/// What a filter did since its subscription began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sieved {
    /// Records that were looked at.
    #[serde(with = "number::text")]
    pub looked: u64,
    /// Those of them that match: they are sent.
    #[serde(with = "number::text")]
    pub matched: u64,
    /// Those of them on which the filter's expression failed: they are not sent.
    #[serde(with = "number::text")]
    pub failed: u64,
}

impl Sieved {
    /// Both together.
    pub fn with(&self, other: &Self) -> Self {
        Self {
            looked: self.looked + other.looked,
            matched: self.matched + other.matched,
            failed: self.failed + other.failed,
        }
    }

    /// What came after `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            looked: self.looked - before.looked,
            matched: self.matched - before.matched,
            failed: self.failed - before.failed,
        }
    }
}

/// An instance that consumes a group, as the others hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fellow {
    /// Its name.
    pub instance: String,
    /// Records consumed in the last second.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub rate: u64,
    /// What it owns.
    pub owned: Vec<Owned>,
}

impl Event {
    /// The variant's name, as it stands in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Subscribed(_) => "subscribed",
            Self::Records(_) => Records::EVENT,
            Self::Gap(_) => "gap",
            Self::Flag(_) => "flag",
            Self::Consumed(_) => "consumed",
            Self::Assignment(_) => "assignment",
            Self::Change(_) => "change",
            Self::Stats(_) => "stats",
            Self::Kafka(_) => "kafka",
            Self::Pong(_) => "pong",
            Self::Bye(_) => "bye",
            Self::Members(_) => "members",
            Self::Topics(_) => "topics",
            Self::Positions(_) => "positions",
            Self::Sieved(_) => "sieved",
            Self::Behind(_) => "behind",
        }
    }
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The instance's name: the group member's `client.id`.
    pub instance: String,
    /// Random per start of the instance.
    #[serde(with = "number::text")]
    pub incarnation: u64,
    /// The build of the server's page; a page of another build offers to reload.
    pub build: String,
    /// The feeds that can be subscribed to.
    pub feeds: Vec<String>,
    /// The server's clock.
    #[serde(with = "number::text")]
    pub now: Millis,
}

/// Where a subscription begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribed {
    /// The feed's name.
    pub feed: String,
    /// The consumer group.
    pub group: String,
    /// Whose consumption follows. While one instance owns everything, its share is the whole group's, and is what a tab gets
    /// that asks for the whole group; when that ends, another `subscribed` comes, and the stream goes on from there.
    pub scope: Scope,
    /// The epoch of what follows.
    #[serde(with = "number::text")]
    pub epoch: u64,
    /// The first append that follows (after the gaps, if there are any).
    #[serde(with = "number::text")]
    pub seq: u64,
    /// Whether a cursor was given and could be followed by `seq`: the same epoch.
    pub resumed: bool,
}

/// Records of a feed, in order. The range that they were taken from is `seq` of the first (or earlier, where a filter
/// left some out) up to `next`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Records {
    /// The epoch that `seq` counts in.
    #[serde(with = "number::text")]
    pub epoch: u64,
    /// The append after this range: where the tab's cursor is now.
    #[serde(with = "number::text")]
    pub next: u64,
    /// The records.
    pub records: Vec<Record>,
}

impl Records {
    /// The name of [`Event::Records`]: see [`Event::name`].
    pub const EVENT: &str = "records";
}

/// Records of one partition that a tab is not sent. They are in the log (unless retention or compaction took them) and can
/// be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset not sent.
    #[serde(with = "number::text")]
    pub first: i64,
    /// The last offset not sent.
    #[serde(with = "number::text")]
    pub last: i64,
    /// How many records that is.
    pub count: Count,
    /// The instance that owns the partition now, where it is known to be another one.
    pub now_with: Option<String>,
}

/// How many records a gap has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Counted.
    Exact(#[serde(with = "number::text")] u64),
    /// At most so many: compaction and transaction markers leave holes, and a filter would have left some out.
    UpTo(#[serde(with = "number::text")] u64),
}

/// What became known of records after they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    #[serde(with = "number::text")]
    pub first: i64,
    /// The last offset.
    #[serde(with = "number::text")]
    pub last: i64,
    /// The flags that they have now.
    pub flags: crate::Flags,
}

/// Who consumed a range of offsets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumed {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The first offset.
    #[serde(with = "number::text")]
    pub first: i64,
    /// The last offset.
    #[serde(with = "number::text")]
    pub last: i64,
    /// The instance that consumed them.
    pub instance: String,
    /// When.
    #[serde(with = "number::text")]
    pub at: Millis,
}

/// What this instance owns of a feed's topics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assignment {
    /// By topic, sorted by name.
    pub owned: Vec<Owned>,
}

impl Assignment {
    /// What all of a group's instances own together.
    pub fn of_all(fellows: &[Fellow]) -> Self {
        let mut owned: Vec<Owned> = Vec::new();
        for share in fellows.iter().flat_map(|fellow| &fellow.owned) {
            let at = owned.partition_point(|before| before.topic < share.topic);
            if owned.get(at).is_none_or(|owned| owned.topic != share.topic) {
                owned.insert(at, Owned { partitions: Vec::new(), ..share.clone() });
            }
            // Inserted where they belong: a sort would take 2 kB of the page's WebAssembly.
            let partitions = &mut owned[at].partitions;
            for partition in &share.partitions {
                partitions.insert(partitions.partition_point(|before| before < partition), *partition);
            }
        }
        Self { owned }
    }

    /// Whether it is all partitions of all `topics`.
    pub fn is_all(&self, topics: &[String]) -> bool {
        topics.iter().all(|topic| {
            let owned = self.owned.iter().find(|owned| owned.topic == *topic);
            owned.is_some_and(|owned| owned.of > 0 && owned.partitions.len() == owned.of as usize)
        })
    }
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Owned {
    /// The topic's name.
    pub topic: String,
    /// The partitions, sorted.
    pub partitions: Vec<i32>,
    /// How many partitions the topic has; 0 while that is not known.
    pub of: u32,
}

/// A change in the stream, as a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The epoch that `seq` counts in.
    #[serde(with = "number::text")]
    pub epoch: u64,
    /// Its place among the records.
    #[serde(with = "number::text")]
    pub seq: u64,
    /// When.
    #[serde(with = "number::text")]
    pub at: Millis,
    /// What.
    pub kind: ChangeKind,
}

/// What changed in the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The group gave this instance partitions.
    Assigned(Vec<Owned>),
    /// The group took partitions back; what was consumed is committed.
    Revoked(Vec<Owned>),
    /// The instance was out of the group for too long; what was not committed will be consumed by others.
    Lost(Vec<Owned>),
    /// Offsets that the group should have consumed and did not: they were deleted (retention) before.
    Missing(Gap),
    /// Someone had the group go on at another offset: a replay.
    Sought(Sought),
    /// Records that stand in the log and that the group's consumer was not given: found by a second look at skipped offsets.
    PassedOver(Gap),
    /// Something happened to another member of the group. In the whole group's stream only.
    Happened(Happening),
}

/// A position that was moved on request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sought {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// The offset that would have come.
    #[serde(with = "number::text")]
    pub from: i64,
    /// The offset that comes instead.
    #[serde(with = "number::text")]
    pub to: i64,
}

/// Counters of a feed on this instance since its start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stats {
    /// The server's clock.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub at: Millis,
    /// Records consumed.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub consumed: u64,
    /// Records consumed again because an owner changed: a mark proves the first time.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub redelivered: u64,
    /// Records that an owner before, which could not say so, may have consumed.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub possibly_redelivered: u64,
    /// Records consumed again because someone asked for it.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub replayed: u64,
    /// The same offset twice without a replay or an owner change.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub duplicates: u64,
    /// Offsets that the log passed over: compaction, markers of transactions, aborted records, or loss.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub skipped: u64,
    /// Of the skipped: those that were looked for in the log a second time, and where no record stands.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub empty: u64,
    /// Offsets that the group should have consumed and did not: deleted before, or passed over.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub missing: u64,
    /// Records consumed in the last second.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub rate: u64,
    /// Records that tabs of this instance were not sent (at most, where the count is not known).
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub gaps: u64,
    /// Tabs connected to this instance.
    pub tabs: u32,
    /// Per partition that this instance owns, sorted by topic and partition.
    pub partitions: Vec<PartitionStats>,
}

/// Counters of one owned partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartitionStats {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// Records consumed since it was assigned.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub consumed: u64,
    /// The committed offset, where one is known.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub committed: Option<i64>,
    /// The log end offset, where it is known. Lag is this less `committed`.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub end: Option<i64>,
}

/// Whether Kafka answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum KafkaState {
    /// Not heard of yet.
    Connecting,
    /// It answers.
    Up,
    /// It does not, since then and for this reason, in the client library's words.
    Down {
        /// Since when.
        #[serde(with = "number::text")]
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        since: Millis,
        /// Why.
        reason: String,
    },
}

/// The server's last words on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// Why.
    pub reason: ByeReason,
    /// Where to go on; null where the tab's own cursor is as good.
    pub cursor: Option<Cursor>,
}

/// Why the server closes a connection. Each has a WebSocket close code (RFC 6455, section 7.4.2: 4000–4999 are private).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeReason {
    /// The instance stops; reconnect, another one may answer.
    Stopping,
    /// A message that is no command, or too large.
    BadMessage,
    /// A command that does not fit the connection's state: pause before subscribe, for one.
    WrongState,
    /// The feed that was asked for does not exist.
    UnknownFeed,
    /// A filter or a scope that this server does not take.
    BadSubscription,
    /// The tab did not read for too long.
    Stalled,
}

impl ByeReason {
    /// The WebSocket close code.
    pub fn close_code(self) -> u16 {
        match self {
            Self::Stopping => 1001,
            Self::BadMessage => 4400,
            Self::UnknownFeed => 4404,
            Self::Stalled => 4408,
            Self::WrongState => 4409,
            Self::BadSubscription => 4422,
        }
    }

    /// The close reason's text (at most 123 bytes, RFC 6455, section 5.5).
    pub fn text(self) -> &'static str {
        match self {
            Self::Stopping => "the instance is stopping: reconnect",
            Self::BadMessage => "not a command of this subprotocol",
            Self::UnknownFeed => "no such feed",
            Self::Stalled => "the tab did not read for too long",
            Self::WrongState => "this command needs a subscription first",
            Self::BadSubscription => "this filter or scope is not taken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_own_together_is_by_topic_and_sorted() {
        let share =
            |topic: &str, partitions: &[i32]| Owned { topic: topic.into(), partitions: partitions.into(), of: 4 };
        let fellow = |owned| Fellow { instance: "one".into(), rate: 0, owned };
        let fellows =
            [fellow(vec![share("orders", &[1, 3])]), fellow(vec![share("orders", &[0]), share("bills", &[2])])];
        assert_eq!(Assignment::of_all(&fellows).owned, [share("bills", &[2]), share("orders", &[0, 1, 3])]);
    }
}
