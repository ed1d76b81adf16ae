//! What a tab wants to see of a feed.

use crate::{Query, QueryError, QueryFault};
use serde::{Deserialize, Serialize};

/// Conditions that all hold. An empty filter matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// What is said in the language of [`Query`]. Empty: any.
    pub text: String,
    /// The topic's name. Empty: any.
    pub topic: String,
    /// The partitions. Empty: any.
    pub partitions: Vec<i32>,
}

impl Filter {
    /// The longest [`Filter::text`], in bytes: it bounds what one record costs to match.
    pub const MAX_TEXT: usize = 1024;
    /// The most [`Filter::partitions`].
    pub const MAX_PARTITIONS: usize = 1024;

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.topic.is_empty() && self.partitions.is_empty()
    }

    /// Whether topic and partitions are within their limits; the text is judged by [`Filter::query`].
    pub fn is_legal(&self) -> bool {
        self.partitions.len() <= Self::MAX_PARTITIONS
            && (self.topic.is_empty() || crate::check_topic_name(&self.topic).is_ok())
    }

    /// Reads the text.
    ///
    /// # Errors
    /// When it is too long, or [can't be read](Query::read).
    pub fn query(&self) -> Result<Query, QueryError> {
        if self.text.len() > Self::MAX_TEXT {
            return Err(QueryError { at: Self::MAX_TEXT as u32, fault: QueryFault::TooLong });
        }
        Query::read(&self.text)
    }

    /// Whether the records of a partition may be wanted, whatever the text says.
    pub fn wants_partition(&self, topic: &str, partition: i32) -> bool {
        (self.topic.is_empty() || self.topic == topic)
            && (self.partitions.is_empty() || self.partitions.contains(&partition))
    }
}
