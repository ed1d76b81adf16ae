//! Temporary feeds: a replay with a group of its own, beside the feeds of the configuration. It begins at chosen offsets, touches
//! nobody else's, and ends by itself when no tab followed it for a while. Its group is deleted then.

use crate::{Engine, Feed, FeedConfig, replay::unread};
use kafka::{From, Partition, PartitionOffset};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{ResetError, ResetRow};

/// How many an instance has at most.
const MOST: usize = 4;
/// It ends when no tab followed it for so long.
const IDLE: Duration = Duration::from_secs(300);
/// How many bytes of records one keeps in memory.
const RING_BYTES: usize = 16 * 1024 * 1024;
/// How long looking things up, and committing its first offsets, may take.
const LOOKUP_DEADLINE: Duration = Duration::from_secs(5);
/// How long its consumer may take to stop.
const STOP_DEADLINE: Duration = Duration::from_secs(5);

/// One of them.
pub(crate) struct Temporary {
    pub feed: Arc<Feed>,
    /// When a tab followed it last.
    used: Instant,
}

impl Engine {
    /// Starts a feed with a group of its own that begins at these offsets; what is not named of the topic begins at its end.
    /// Returns the feed's name.
    ///
    /// # Errors
    /// When there are as many as there may be, or Kafka refuses.
    pub async fn replay_apart(self: &Arc<Self>, rows: &[ResetRow]) -> Result<String, ResetError> {
        let unknown = |topic: &str| ResetError::UnknownTopic { topic: topic.into() };
        let topic = rows.first().map(|row| row.topic.clone()).ok_or_else(|| unknown(""))?;
        let topics = self.admin.topics(LOOKUP_DEADLINE).await.map_err(unread)?;
        let known = topics.iter().find(|known| known.name == topic).ok_or_else(|| unknown(&topic))?;
        let count = i32::try_from(known.partitions).unwrap_or(i32::MAX);
        let chosen: HashMap<_, _> = rows.iter().map(|row| (row.partition, row.to)).collect();
        let others = (0..count).filter(|number| !chosen.contains_key(number));
        let others: Vec<_> = others.map(|number| Partition::new(topic.as_str(), number)).collect();
        let mut offsets: Vec<_> = chosen
            .into_iter()
            .map(|(number, offset)| PartitionOffset { partition: Partition::new(topic.as_str(), number), offset })
            .collect();
        for (partition, log) in self.admin.watermarks(&others, LOOKUP_DEADLINE).await.map_err(unread)? {
            let offset = log.map_err(|reason| ResetError::Kafka { reason })?.end;
            offsets.push(PartitionOffset { partition, offset });
        }

        let like = self.default_feed().config();
        let name = format!("replay-{:08x}", rand::random::<u32>());
        let mut group = like.group.clone();
        group.group = format!("{}-{name}", like.group.group);
        (group.topics, group.from, group.group_instance_id) = (vec![topic.clone()], From::Latest, None);
        let group_name = group.group.clone();
        let feed = self.make_feed(FeedConfig { name: name.clone(), group, ring_bytes: RING_BYTES }).map_err(unread)?;
        {
            // Before anything is done, so that no more than so many are begun.
            let mut temporary = self.temporary.lock();
            if temporary.len() >= MOST {
                return Err(ResetError::TooMany { most: MOST as u32 });
            }
            temporary.push(Temporary { feed: Arc::clone(&feed), used: Instant::now() });
        }
        let altered = self.admin.begin_group(&group_name, &offsets, LOOKUP_DEADLINE).await.map_err(unread);
        let altered = altered.and_then(|results| {
            let failed = results.into_iter().find_map(|(_, result)| result.err());
            failed.map_or(Ok(()), |reason| Err(ResetError::Kafka { reason }))
        });
        if let Err(error) = altered {
            self.end_temporary(&feed).await;
            return Err(error);
        }
        tracing::info!(feed = name, group = group_name, topic, "a replay with a group of its own begins");
        self.tasks.spawn(Arc::clone(self).consume(feed));
        Ok(name)
    }

    /// Ends those that nobody followed for a while. Once a second.
    pub(crate) fn end_idle(self: &Arc<Self>) {
        let mut idle = Vec::new();
        for temporary in self.temporary.lock().iter_mut() {
            if temporary.feed.has_tabs() {
                temporary.used = Instant::now();
            } else if temporary.used.elapsed() > IDLE {
                idle.push(Arc::clone(&temporary.feed));
            }
        }
        for feed in idle {
            let engine = Arc::clone(self);
            self.tasks.spawn(async move { engine.end_temporary(&feed).await });
        }
    }

    /// Ends one: its consumer leaves, and its group is deleted.
    pub(crate) async fn end_temporary(&self, feed: &Arc<Feed>) {
        {
            let mut temporary = self.temporary.lock();
            let before = temporary.len();
            temporary.retain(|temporary| !Arc::ptr_eq(&temporary.feed, feed));
            if temporary.len() == before {
                return;
            }
        }
        feed.stop(STOP_DEADLINE).await;
        self.journal.forget(feed.group());
        match self.admin.delete_group(feed.group(), LOOKUP_DEADLINE).await {
            Ok(()) => tracing::info!(feed = feed.name(), group = feed.group(), "a replay ended"),
            // Kafka forgets an empty group by itself, after `offsets.retention.minutes`.
            Err(error) => tracing::warn!(feed = feed.name(), group = feed.group(), %error, "a replay's group is left"),
        }
    }
}
