//! The cluster's topics, as pages and programs see and change them. What may be asked for is checked here, with the rules in `wire`,
//! before Kafka is; what Kafka says beyond that is handed on in its own words.

use crate::{
    Engine, Patience,
    shared::{AGE, Looks},
};
use kafka::{Admin, Readers, TopicList};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{
    ConfigEntry, ConfigInput, NewTopic, PartitionsInput, ReadError, Topic, TopicError, TopicField, TopicInput,
    TopicPage, TopicQuery, TopicRate, TopicRow, TopicRule, TopicSort, check_config, check_confirmed, check_topic_name,
    is_internal,
};

/// How many topics a page of the list has.
const PER_PAGE: usize = 100;
/// How long listing all topics may take in all. A page waits for less, and the next one has what comes later.
const LIST_DEADLINE: Duration = Duration::from_secs(5);
/// How long a change may take, and what has to be looked up for it.
const CHANGE_DEADLINE: Duration = Duration::from_secs(10);
/// Of how many partitions records are counted for one page at most.
pub const MOST_COUNTED: usize = 10_000;
/// Of how many they are for an order by them, of which all have to be known in time.
const MOST_SORTED: usize = 2_000;
/// How many topics a form offers: each is a line of the page.
const MOST_OFFERED: usize = 500;
/// The least time that counting gets, however long the list took.
const COUNT_AT_LEAST: Duration = Duration::from_millis(100);

/// All that a page shows of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicParts {
    /// The topic.
    pub topic: Topic,
    /// How fast records came in: see [`wire::TopicRow::rate`].
    pub rate: Option<TopicRate>,
    /// Its settings, sorted by name, or why they are not known.
    pub config: Result<Vec<ConfigEntry>, ReadError>,
    /// The groups that read it, sorted by name, or why they are not known.
    pub readers: Result<Readers, ReadError>,
}

/// Looks at topics.
#[derive(Default)]
pub(crate) struct TopicLooks {
    topics: Looks<Option<Topic>>,
    configs: Looks<Option<Vec<ConfigEntry>>>,
    pub readers: Looks<Readers>,
}

impl Engine {
    /// A page of the cluster's topics, as a query wants them. Records are counted for the topics of this page alone, unless the
    /// order is by them. Answers within about the time that is given.
    ///
    /// # Errors
    /// When Kafka does not answer. A number of records that is not known in time is none.
    pub async fn topic_page(&self, query: &TopicQuery, patience: Patience) -> Result<TopicPage, ReadError> {
        let until = Instant::now() + patience.deadline();
        let list = self.topic_list(patience).await?;
        let shown = list.topics.iter().filter(|topic| query.internal || !topic.is_internal());
        let (all, troubled) = shown.fold((0, 0), |(all, troubled), topic| {
            (all + 1, troubled + u32::from(topic.offline + topic.under_replicated > 0))
        });
        let mut found = TopicPage::find(&list.topics, query);
        let can_sort_by_records = found.iter().map(|topic| topic.partitions as usize).sum::<usize>() <= MOST_SORTED;
        let mut sort = query.sort;
        if sort == TopicSort::Records && !can_sort_by_records {
            sort = TopicSort::default();
        }
        let left = || until.saturating_duration_since(Instant::now()).max(COUNT_AT_LEAST);
        if sort == TopicSort::Records {
            self.count(&mut found, left()).await;
        }
        TopicPage::order(&mut found, sort, query.descending);
        let count = found.len();
        let pages = count.div_ceil(PER_PAGE).max(1);
        let page = (query.page.max(1) as usize).min(pages);
        let mut topics: Vec<_> = found.into_iter().skip((page - 1) * PER_PAGE).take(PER_PAGE).collect();
        if sort != TopicSort::Records {
            self.count(&mut topics, left()).await;
        }
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(TopicPage {
            topics,
            found: number(count),
            all,
            troubled,
            page: number(page),
            pages: number(pages),
            sort,
            can_sort_by_records,
        })
    }

    /// The names of topics that a form offers: the feed's, then the others of the cluster, without Kafka's own. Only the feed's where
    /// Kafka does not answer within the time that a page has.
    pub async fn offered_topics(&self, feed: &[String]) -> Vec<String> {
        let mut offered = feed.to_vec();
        if let Ok(list) = self.topic_list(Patience::Page).await {
            let others = list.topics.iter().filter(|topic| !topic.is_internal() && !feed.contains(&topic.name));
            offered.extend(others.take(MOST_OFFERED).map(|topic| topic.name.clone()));
        }
        offered
    }

    async fn topic_list(&self, patience: Patience) -> Result<Arc<TopicList>, ReadError> {
        let admin = self.admin.clone();
        let late = || self.admin.trouble().unwrap_or_else(|| patience.exhausted("listing the topics"));
        self.listed.get(AGE, patience, || async move { admin.topic_list(LIST_DEADLINE).await }, late).await
    }

    /// Counts the records of these topics, as far as they have not too many partitions and Kafka tells in time.
    async fn count(&self, topics: &mut [TopicRow], deadline: Duration) {
        let mut counted = countable(topics, |topic| self.rates.last(topic));
        if let Err(error) = self.admin.count_records(&mut counted, deadline).await {
            tracing::debug!(%error, "topics are shown without the number of their records");
        }
        let mut look = self.rates.look(Instant::now());
        for topic in topics {
            topic.rate = topic.written.and_then(|written| look.note(&topic.name, written));
        }
    }

    /// A topic as it is now; none where there is none of this name.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn topic(&self, name: &str, patience: Patience) -> Result<Option<Topic>, ReadError> {
        if check_topic_name(name).is_err() {
            return Ok(None);
        }
        let look = |admin: Admin, name: String, within| async move { admin.topic(&name, within).await };
        self.topic_looks.topics.look(&self.admin, name, patience, look).await
    }

    /// A topic's settings, sorted by name.
    ///
    /// # Errors
    /// When there is no such topic, or Kafka does not answer.
    pub async fn topic_config(&self, name: &str, patience: Patience) -> Result<Vec<ConfigEntry>, ReadError> {
        let look = |admin: Admin, name: String, within| async move { admin.topic_config(&name, within).await };
        let config = self.topic_looks.configs.look(&self.admin, name, patience, look).await?;
        config.ok_or_else(|| ReadError::UnknownTopic { topic: name.into() })
    }

    /// All that a page shows of a topic, asked for side by side; none where there is none of this name.
    ///
    /// # Errors
    /// When Kafka does not answer at all.
    pub async fn topic_parts(&self, name: &str, patience: Patience) -> Result<Option<TopicParts>, ReadError> {
        let (topic, config, readers) =
            tokio::join!(self.topic(name, patience), self.topic_config(name, patience), self.readers(name, patience));
        Ok(topic?.map(|topic| {
            let rate = topic.written().and_then(|written| self.rates.look(Instant::now()).note(name, written));
            TopicParts { topic, rate, config, readers }
        }))
    }

    /// Makes a topic, after everything was checked.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn create_topic(&self, input: &TopicInput) -> Result<NewTopic, TopicError> {
        let topic = input.check().map_err(TopicError::Invalid)?;
        let list = self.admin.topic_list(CHANGE_DEADLINE).await.map_err(unchanged)?;
        let names = list.topics.iter().map(|topic| topic.name.as_str());
        topic.check_against(names, list.brokers).map_err(TopicError::Invalid)?;
        self.admin.create_topic(&topic, CHANGE_DEADLINE).await?;
        tracing::info!(topic = topic.name, "topic created");
        self.forget_topic(&topic.name);
        Ok(topic)
    }

    /// Deletes a topic with all that it holds. `confirm` is its name again.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn delete_topic(&self, name: &str, confirm: &str) -> Result<(), TopicError> {
        may_destroy(name, confirm)?;
        self.admin.delete_topic(name, CHANGE_DEADLINE).await?;
        tracing::info!(topic = name, "topic deleted");
        self.forget_topic(name);
        Ok(())
    }

    /// Deletes every record that a topic has now. `confirm` is its name again. Returns how many partitions were emptied.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn empty_topic(&self, name: &str, confirm: &str) -> Result<u32, TopicError> {
        may_destroy(name, confirm)?;
        let emptied = self.admin.empty_topic(name, CHANGE_DEADLINE).await?;
        tracing::info!(topic = name, partitions = emptied, "topic emptied");
        self.forget_topic(name);
        Ok(emptied)
    }

    /// Adds partitions to a topic.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn add_partitions(&self, name: &str, input: &PartitionsInput) -> Result<(), TopicError> {
        may_change(name)?;
        let topic = self.admin.topic(name, CHANGE_DEADLINE).await.map_err(unchanged)?;
        let topic = topic.ok_or_else(|| TopicError::Unknown { topic: name.into() })?;
        let now = u32::try_from(topic.partitions.len()).unwrap_or(u32::MAX);
        input.check(name, now).map_err(TopicError::Invalid)?;
        let total = input.partitions.unsigned_abs();
        self.admin.add_partitions(name, total, CHANGE_DEADLINE).await?;
        tracing::info!(topic = name, partitions = total, "partitions added");
        self.forget_topic(name);
        Ok(())
    }

    /// Changes the settings of a topic that are named, and no other: all of them or none.
    ///
    /// # Errors
    /// See [`TopicError`].
    pub async fn alter_topic_config(&self, name: &str, changes: &[ConfigInput]) -> Result<(), TopicError> {
        exists(name)?;
        let changes = check_config(changes).map_err(TopicError::Invalid)?;
        self.admin.alter_topic_config(name, &changes, CHANGE_DEADLINE).await?;
        // Without the values: one may be a secret.
        let names: Vec<_> = changes.iter().map(|(name, _)| name.as_str()).collect();
        tracing::info!(topic = name, settings = names.join(", "), "topic settings changed");
        self.forget_topic(name);
        Ok(())
    }

    /// What was found of it is not true any more.
    pub(crate) fn forget_topic(&self, name: &str) {
        self.listed.forget();
        self.topic_looks.topics.forget(name);
        self.topic_looks.configs.forget(name);
        self.topic_looks.readers.forget(name);
    }
}

/// Those of these topics whose partitions can be counted together, those first that were last counted longest ago: what was not known in
/// time at one look is at the next. One that is too large is passed over.
fn countable(topics: &mut [TopicRow], last: impl Fn(&str) -> Option<Instant>) -> Vec<&mut TopicRow> {
    let mut left = MOST_COUNTED;
    let mut waiting: Vec<_> = topics.iter_mut().collect();
    waiting.sort_by_cached_key(|topic| last(&topic.name));
    waiting.retain(|topic| match left.checked_sub(topic.partitions as usize) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    waiting
}

/// No topic can have such a name.
fn exists(name: &str) -> Result<(), TopicError> {
    check_topic_name(name).map_err(|_| TopicError::Unknown { topic: name.into() })
}

/// Groups and transactions stand in Kafka's own topics: they are not changed from here.
fn may_change(name: &str) -> Result<(), TopicError> {
    exists(name)?;
    if is_internal(name) {
        return Err(TopicError::field(TopicField::Name, TopicRule::Internal));
    }
    Ok(())
}

fn may_destroy(name: &str, confirm: &str) -> Result<(), TopicError> {
    may_change(name)?;
    check_confirmed(name, confirm).map_err(|error| TopicError::Invalid(vec![error]))
}

/// Kafka was asked before anything was to be changed, and nothing was.
fn unchanged(error: kafka::Error) -> TopicError {
    let reason = error.to_string();
    if error.is_no_answer() { TopicError::Unread { reason } } else { TopicError::Refused { reason } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::unread;

    fn row(name: &str, partitions: u32) -> TopicRow {
        TopicRow {
            name: name.into(),
            partitions,
            replication: 1,
            under_replicated: 0,
            offline: 0,
            records: None,
            written: None,
            rate: None,
        }
    }

    fn names(topics: &mut [TopicRow], last: impl Fn(&str) -> Option<Instant>) -> Vec<String> {
        countable(topics, last).iter().map(|topic| topic.name.clone()).collect()
    }

    #[test]
    fn a_topic_of_too_many_partitions_hides_no_other_ones_records() {
        let mut topics = [row("a", 9_500), row("b", 10_001), row("c", 499), row("d", 2), row("e", 1)];
        assert_eq!(names(&mut topics, |_| None), ["a", "c", "e"]);
    }

    #[test]
    fn a_page_of_topics_with_fifty_partitions_is_counted_whole() {
        let mut topics: Vec<_> = (0..PER_PAGE).map(|number| row(&format!("t{number:03}"), 50)).collect();
        assert_eq!(names(&mut topics, |_| None).len(), PER_PAGE);
    }

    #[test]
    fn what_one_look_had_no_room_for_the_next_one_counts() {
        let (mut topics, now) = ([row("a", 6_000), row("b", 6_000), row("c", 1)], Instant::now());
        let (mut seen, mut looks) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            looks.push(names(&mut topics, |topic| {
                let at = seen.iter().rposition(|known: &String| known == topic)?;
                Some(now + Duration::from_secs(at as u64))
            }));
            seen.extend(looks.last().unwrap().clone());
        }
        assert_eq!(looks, [["a", "c"], ["b", "c"]]);
    }

    #[test]
    fn kafkas_own_topics_are_not_destroyed_and_others_only_when_confirmed() {
        assert_eq!(may_destroy("orders", " orders"), Ok(()));
        assert!(matches!(may_destroy("orders", ""), Err(TopicError::Invalid(_))));
        let internal = TopicError::field(TopicField::Name, TopicRule::Internal);
        assert_eq!(may_destroy("__consumer_offsets", "__consumer_offsets"), Err(internal));
        assert!(matches!(may_destroy("a b", "a b"), Err(TopicError::Unknown { .. })));
    }

    #[test]
    fn who_does_not_answer_has_refused_nothing() {
        let (action, reason) = ("listing the topics".to_owned(), "why".to_owned());
        let late = kafka::Error::TimedOut { action: action.clone(), deadline: CHANGE_DEADLINE };
        let away = kafka::Error::Failed { action: action.clone(), reason: reason.clone() };
        for error in [late, away] {
            let reason = error.to_string();
            assert_eq!(unchanged(error.clone()), TopicError::Unread { reason: reason.clone() });
            assert_eq!(unread(error), ReadError::Kafka { reason });
        }
        let refused = kafka::Error::Refused { action, reason };
        let reason = "listing the topics: why".to_owned();
        assert_eq!(unchanged(refused.clone()), TopicError::Refused { reason: reason.clone() });
        assert_eq!(unread(refused), ReadError::Refused(reason));
    }
}
