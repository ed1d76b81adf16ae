//! What a subscription wants of a feed that has it not: nothing would ever come, and nobody would hear why.

use engine::Engine;
use wire::{Filter, Rule};

/// The field of a [`Filter`] that names what is not there; the text is the rule.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotThere {
    /// The topic.
    #[error("must be one of the feed's topics: {}", .0.join(", "))]
    Topic(Vec<String>),
    /// A partition.
    #[error("{0}")]
    Partition(Rule),
}

/// Whether the feed has the topic and the partitions that a filter names. What is not known is no reason to refuse.
pub(super) async fn check(engine: &Engine, feed: &str, filter: &Filter) -> Result<(), NotThere> {
    // A feed that is not there is told in its own words.
    let Some(feed) = engine.feed(feed) else { return Ok(()) };
    let is_wanted = |topic: &&String| filter.topic.is_empty() || **topic == filter.topic;
    let topics: Vec<_> = feed.topics().iter().filter(is_wanted).collect();
    if topics.is_empty() {
        return Err(NotThere::Topic(feed.topics().to_vec()));
    }
    let Some(highest) = filter.partitions.iter().copied().max() else { return Ok(()) };
    let Ok(highest) = u32::try_from(highest) else { return Err(NotThere::Partition(Rule::PartitionNumber)) };
    // A thousand tabs that come back must not ask Kafka; who would be refused may.
    if topics.iter().any(|topic| highest < feed.partition_count(topic)) {
        return Ok(());
    }
    let mut most = 0;
    for topic in topics {
        match engine.partition_count(topic).await {
            // One that does not exist yet may come to have it.
            None | Some(0) => return Ok(()),
            Some(of) if highest < of => return Ok(()),
            Some(of) => most = most.max(of),
        }
    }
    Err(NotThere::Partition(Rule::UnknownPartition { of: most }))
}
