//! What a page was rendered from. It travels inside the page, in the binary form that the feed's socket has too, so that the
//! browser begins with exactly what the server showed.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use wire::{Record, Snapshot};

/// The id of the element that carries it.
pub const ID: &str = "rendered";

/// What a page was rendered from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendered {
    /// The feed.
    pub snapshot: Snapshot,
    /// Records that were read from the log for this page, the oldest first.
    pub loaded: Vec<Record>,
}

impl Rendered {
    /// As text that HTML takes as it is.
    #[cfg(any(feature = "ssr", test))]
    pub fn pack(&self) -> String {
        BASE64_STANDARD.encode(postcard::to_stdvec(self).expect("plain data has a postcard form"))
    }

    /// Reads what [`Rendered::pack`] wrote.
    pub fn unpack(text: &str) -> Option<Self> {
        postcard::from_bytes(&BASE64_STANDARD.decode(text.trim()).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Assignment, Cursor, Data, Fellow, Flags, Header, KafkaState, Limits, Owned, Scope, Stats, Timestamp};

    #[test]
    fn the_browser_reads_what_the_server_rendered_from() {
        let record = Record {
            seq: 7,
            topic: "orders".into(),
            partition: 2,
            offset: i64::MAX,
            timestamp: Timestamp::Created(-1),
            received: 1,
            flags: Flags::LOADED,
            key: None,
            value: Some(Data::whole(&b"\xff</script>"[..])),
            headers: vec![Header { name: "h".into(), value: None }],
            headers_left_out: 1,
        };
        let rendered = Rendered {
            snapshot: Snapshot {
                feed: "default".into(),
                feeds: vec!["default".into(), "audit".into()],
                group: "ottla".into(),
                topics: vec!["orders".into()],
                instance: "ottla-1".into(),
                build: "b".into(),
                embedded: true,
                limits: Limits::default(),
                at: 1,
                kafka: KafkaState::Down { since: 1, reason: "no".into() },
                assignment: Assignment { owned: vec![Owned { topic: "orders".into(), partitions: vec![0], of: 1 }] },
                stats: Stats::default(),
                members: vec![Fellow { instance: "ottla-1".into(), rate: 3, owned: vec![] }],
                scope: Scope::Group,
                journal: Some("no".into()),
                cursor: Cursor::default(),
                records: vec![record.clone()],
            },
            loaded: vec![record],
        };
        let packed = rendered.pack();
        assert!(!packed.contains(['<', '&']));
        assert_eq!(Rendered::unpack(&packed), Some(rendered));
        assert_eq!(Rendered::unpack("nonsense"), None);
    }
}
