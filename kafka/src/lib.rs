//! Everything that talks to a Kafka broker, over librdkafka.
//!
//! What lives here: one producer ([`Producer`]), the consumer group's thread ([`Group`]), reads without a group
//! ([`Reader`], [`Tail`]), the cluster's topics and groups ([`Admin`]), the settings that become librdkafka's properties, and the
//! broker that runs inside the process ([`embedded`], a cargo feature). What does not: what becomes of the records, HTTP, the page.
//!
//! Nothing here needs a broker to start, and everything that waits for one has a deadline.

mod admin;
mod context;
mod deliveries;
#[cfg(feature = "embedded")]
pub mod embedded;
mod error;
mod group;
mod message;
mod native;
mod producer;
mod reader;
mod settings;
mod tail;

pub use admin::{Admin, Broker, BrokerTraits, ClusterPicture, Readers, TopicList, TopicSpec, Watermarks};
pub use error::Error;
pub use group::{
    BrokerReport, ClientReport, Consume, Group, Partition, PartitionOffset, PartitionOffsets, SeekResults, Taken,
};
pub use producer::{Producer, check_place};
pub use reader::{Browse, Came, Found, Reader, Stretch, Wants};
pub use settings::{ClientSettings, From, GroupSettings, ProducerSettings, Properties, Protocol, is_secret};
pub use tail::{CaughtUp, Follow, Tail};

use std::time::{SystemTime, UNIX_EPOCH};

/// The id of an embedded broker's cluster. Kafka's own are UUIDs in base64.
const EMBEDDED_CLUSTER: &str = "ottla-embedded";

/// The clock, in Kafka's unit.
fn now() -> wire::Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
