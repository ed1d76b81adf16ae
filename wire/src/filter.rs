//! What a tab wants to see of a feed.

use crate::Record;
use serde::{Deserialize, Serialize};

/// Conditions that all hold. An empty filter matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Text that the key, the value, a header's name or a header's value contains, without regard to ASCII case. Empty:
    /// any.
    pub text: String,
    /// The topic's name. Empty: any.
    pub topic: String,
    /// The partitions. Empty: any.
    pub partitions: Vec<i32>,
}

impl Filter {
    /// The longest [`Filter::text`], in bytes: it bounds what one record costs to match.
    pub const MAX_TEXT: usize = 256;
    /// The most [`Filter::partitions`].
    pub const MAX_PARTITIONS: usize = 1024;

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the filter is within its limits.
    pub fn is_legal(&self) -> bool {
        self.text.len() <= Self::MAX_TEXT
            && self.partitions.len() <= Self::MAX_PARTITIONS
            && (self.topic.is_empty() || crate::check_topic_name(&self.topic).is_ok())
    }

    /// Whether something of this partition may be wanted.
    pub fn wants_partition(&self, topic: &str, partition: i32) -> bool {
        (self.topic.is_empty() || self.topic == topic)
            && (self.partitions.is_empty() || self.partitions.contains(&partition))
    }

    /// Whether `record` is wanted. Of a value that is cut only the head is looked at.
    pub fn matches(&self, record: &Record) -> bool {
        self.wants_partition(&record.topic, record.partition) && (self.text.is_empty() || self.text_matches(record))
    }

    fn text_matches(&self, record: &Record) -> bool {
        let contains = |bytes: &[u8]| contains_ignore_case(bytes, self.text.as_bytes());
        let data = |data: &Option<crate::Data>| data.as_ref().is_some_and(|data| contains(&data.head));
        data(&record.key)
            || data(&record.value)
            || record.headers.iter().any(|header| contains(header.name.as_bytes()) || data(&header.value))
    }
}

fn contains_ignore_case(haystack: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}
