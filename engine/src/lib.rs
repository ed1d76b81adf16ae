//! Puts Kafka and the feeds together behind one handle, `Arc<Engine>`: all that the page and the HTTP side know.
//!
//! What lives here: group → hub ([`Feed`]), the instances' journal and the whole group's view, produce with its validation, reading from the log, one tab's conversation
//! ([`Tab`]) whatever it is carried by. What does not: HTTP, sockets, the page.

mod browse;
mod cluster;
mod config;
mod engine;
mod feed;
mod figures;
mod groups;
mod holes;
mod ingest;
mod journal;
mod meter;
mod peers;
mod produce;
mod rates;
mod replay;
mod shared;
mod state;
mod tab;
mod temporary;
mod topics;
mod whole;

pub use ::feed::Batch;
pub use browse::{
    BrowseError, BrowseFault, BrowseField, BrowseQuery, BrowseRequest, BrowseRule, MOST_RECORDS, RECORDS, Search,
    moment, time,
};
pub use config::{Brokers, Config, FeedConfig, JournalConfig, TopicCreation};
pub use engine::{Engine, StartError};
pub use feed::Feed;
pub use figures::{FeedFigures, Figures, Rebalances};
pub use journal::Waiting;
#[cfg(feature = "embedded")]
pub use kafka::embedded;
pub use kafka::{
    BrokerReport, ClientReport, ClientSettings, From, GroupSettings, ProducerSettings, Protocol, Readers, is_secret,
};
pub use meter::{BOUNDS, Durations, Histogram, Produced};
pub use produce::{AgainError, Fate};
pub use shared::Patience;
pub use state::Announcement;
pub use tab::{Output, Refusal, Tab, check_filter};
pub use topics::{MOST_COUNTED, TopicParts};

/// Milliseconds since 1970 by this machine's clock.
pub fn now() -> wire::Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as wire::Millis)
}

/// What a tab is told by a batch.
#[cfg(test)]
fn events_of(batch: &Batch) -> Vec<wire::Event> {
    wire::codec::decode_events(&batch.postcard().to_vec()).expect("a batch holds events")
}

/// A record of partition 0 of the topic t that holds nothing.
#[cfg(test)]
fn record_at(offset: i64) -> wire::RecordView<'static> {
    wire::RecordView {
        seq: 0,
        topic: "t",
        partition: 0,
        offset,
        timestamp: wire::Timestamp::None,
        received: 0,
        flags: wire::Flags::FIRST,
        key: None,
        value: None,
        headers: &[],
        headers_left_out: 0,
    }
}
