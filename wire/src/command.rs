//! What a tab asks of the server.

use crate::{Cursor, Filter, number};
use serde::{Deserialize, Serialize};

/// One message from a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Follow a feed. Replaces the subscription that the tab has.
    Subscribe(Subscribe),
    /// Send no records until [`Command::Resume`]; the counters go on. Only while subscribed.
    Pause,
    /// Go on after [`Command::Pause`], from the same cursor. Only while subscribed.
    Resume,
    /// Answered at once with an [`crate::Event::Pong`] of the same number, for a round-trip time.
    Ping(#[serde(with = "number::text")] u64),
    /// So many [`crate::Event::Records`] were taken in on this connection so far. From the first one on the server sends at most
    /// [`crate::UNTAKEN_RECORDS`] of them ahead, so that a tab which can't keep up is known to be behind, and told how far, before the
    /// network's buffers are full.
    Taken(#[serde(with = "number::text")] u64),
}

/// What to follow, from where and how fast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// The feed's name.
    pub feed: String,
    /// Whose consumption.
    #[serde(default)]
    pub scope: Scope,
    /// What is wanted of it.
    #[serde(default)]
    pub filter: Filter,
    /// How eagerly a busy feed sends.
    #[serde(default)]
    pub pace: Pace,
    /// Where to begin.
    #[serde(default)]
    pub from: From,
}

/// Where a subscription begins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum From {
    /// After everything that the feed has now.
    #[default]
    Now,
    /// At most so many of the newest records, then on.
    Newest(u32),
    /// Where the tab was. What is gone since is named by gap events.
    Cursor(Cursor),
    /// Where the tab was, but at most so many of the newest records: what is passed over is named by gap events too.
    Recent {
        /// Where the tab was.
        cursor: Cursor,
        /// How many records it can hold.
        most: u32,
    },
}

/// Whose consumption a tab sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The group's share that this instance consumed.
    #[default]
    Instance,
    /// All that the group consumes.
    Group,
}

/// How eagerly a busy feed sends to a tab. An idle one always sends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// At most one message in each frame of 16 ms, a display's.
    #[default]
    Display,
    /// Whatever has gathered since the last write, at once.
    Latency,
}
