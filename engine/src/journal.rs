//! What the instances of a deployment tell each other through Kafka: *marks* (who consumed which offsets) and *notices* (who
//! is there, who owns what). Written in batches, read by every instance without a group.
//!
//! Nothing here is needed for what the group consumes to be right: where the two topics may not be created or written,
//! everything else works, and pages say what is missing and why.

use crate::{JournalConfig, peers::Peers};
use futures::{StreamExt, stream::FuturesUnordered};
use kafka::{Admin, ClientReport, ClientSettings, Follow, Partition, Producer, Tail};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};
use tokio::sync::{Notify, watch};
use wire::{Author, Happening, Mark, Millis, News, Notice, RecordView, TopicId};

/// The least time between two batches of marks.
const PACE: Duration = Duration::from_millis(50);
/// How many marks of a group are kept for a reader that comes later.
const KEPT: usize = 2_000;
/// How many of the newest marks, and of the newest notices, are read at the start, of each partition.
const READ_BACK: i64 = 5_000;

/// How many orders wait for their turn. People give them.
const ORDERS: usize = 64;

/// The journal of this instance.
pub(crate) struct Journal {
    author: Author,
    config: JournalConfig,
    producer: Producer,
    unwritten: Mutex<Unwritten>,
    /// What was handed to the producer and is not acknowledged, by batch.
    sent: Mutex<BTreeMap<u64, Sent>>,
    wake: Notify,
    heard: Arc<Heard>,
    tail: Mutex<Option<Tail>>,
}

#[derive(Default)]
struct Unwritten {
    /// By the place that a mark is about: what follows on each other is one mark.
    marks: BTreeMap<(String, String, i32), Vec<Mark>>,
    news: Vec<News>,
    /// When the oldest of them came.
    since: Option<Instant>,
}

/// A batch on its way.
struct Sent {
    since: Instant,
    /// How many of it are not acknowledged.
    left: usize,
}

/// What waits to be in the journal: to be written, and to be acknowledged by Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many marks and notices.
    pub length: usize,
    /// For how long the oldest of them has.
    pub oldest: Duration,
}

/// What was read. Shared with the tail's thread.
struct Heard {
    author: Author,
    config: JournalConfig,
    peers: Mutex<Peers>,
    groups: Mutex<HashMap<String, GroupMarks>>,
    /// By name, as far as they are known.
    topic_ids: Mutex<HashMap<String, String>>,
    orders: Mutex<Option<tokio::sync::mpsc::Sender<wire::SeekOrder>>>,
    /// Why the journal can't be read or written, where it can't.
    trouble: watch::Sender<Option<String>>,
}

#[derive(Default)]
struct GroupMarks {
    newest: VecDeque<Mark>,
    listeners: Vec<mpsc::Sender<Said>>,
}

/// What is said of a group's consumption.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Mark(Mark),
    /// What a topic's name means from now on.
    Topic(TopicId),
    /// The topic is another one than that which was spoken of: it was deleted and made anew.
    Anew(String),
    /// Something happened to one of the group's members.
    Happened(Happening),
}

impl Journal {
    /// A journal that says what `author` does, and listens to what is said of `groups`.
    pub fn new(
        author: Author,
        config: JournalConfig,
        producer: Producer,
        groups: impl Iterator<Item = String>,
    ) -> Self {
        let groups = groups.map(|group| (group, GroupMarks::default())).collect();
        let heard = Heard {
            author: author.clone(),
            config: config.clone(),
            peers: Mutex::new(Peers::new(author.clone())),
            groups: Mutex::new(groups),
            topic_ids: Mutex::default(),
            orders: Mutex::new(None),
            trouble: watch::Sender::new(None),
        };
        let (unwritten, sent, wake, tail) = (Mutex::default(), Mutex::default(), Notify::new(), Mutex::default());
        Self { author, config, producer, unwritten, sent, wake, heard: Arc::new(heard), tail }
    }

    /// Who this instance is in it.
    pub fn author(&self) -> &Author {
        &self.author
    }

    /// Whether there is one.
    pub fn is_on(&self) -> bool {
        self.config.is_on
    }

    /// Begins to read.
    pub fn start(&self, client: &ClientSettings, admin: &Admin) -> Result<(), kafka::Error> {
        let topics = vec![self.config.marks_topic.clone(), self.config.events_topic.clone()];
        *self.tail.lock() =
            Some(Tail::spawn(client, admin.clone(), topics, Reading { heard: Arc::clone(&self.heard) })?);
        Ok(())
    }

    /// Waits until all that was said so far is heard; whether that was within `deadline`. Blocks.
    pub fn catch_up(&self, deadline: Duration) -> bool {
        // Not while the lock is held: a stop must not wait for it.
        let waiting = self.tail.lock().as_ref().map(Tail::caught_up);
        waiting.is_some_and(|waiting| waiting.wait(deadline))
    }

    /// What was said of a group lately, and what is said from now on, in the order of the log.
    pub fn listen(&self, group: &str) -> mpsc::Receiver<Said> {
        let (sender, receiver) = mpsc::channel();
        let mut groups = self.heard.groups.lock();
        let marks = groups.entry(group.to_owned()).or_default();
        let topics = self.heard.topic_ids.lock().clone().into_iter().map(topic_id);
        for said in topics.chain(marks.newest.iter().cloned().map(Said::Mark)) {
            // The other end is here.
            let _ = sender.send(said);
        }
        marks.listeners.push(sender);
        receiver
    }

    /// A group is not listened to any more.
    pub fn forget(&self, group: &str) {
        self.heard.groups.lock().remove(group);
    }

    /// These are the topics' ids now, by name. What was said of others of their names says nothing of them.
    pub fn set_topic_ids(&self, ids: HashMap<String, String>) {
        let changed: Vec<_> = {
            let mut known = self.heard.topic_ids.lock();
            let changed = ids.iter().filter(|(topic, id)| known.get(*topic) != Some(*id));
            let changed = changed.map(|(topic, id)| (topic.clone(), id.clone())).collect();
            known.extend(ids);
            changed
        };
        for (topic, id) in changed {
            self.heard.identified(topic, id);
        }
    }

    /// Forgets the instances of which nothing was heard for too long, and says so.
    pub fn forget_silent(&self, now: Millis) {
        let happened = self.peers(|peers| peers.forget_silent(now));
        self.heard.happened(happened);
    }

    /// Hands on the orders that are heard.
    pub fn take_orders(&self) -> tokio::sync::mpsc::Receiver<wire::SeekOrder> {
        let (sender, receiver) = tokio::sync::mpsc::channel(ORDERS);
        *self.heard.orders.lock() = Some(sender);
        receiver
    }

    /// Who is there.
    pub fn peers<T>(&self, look: impl FnOnce(&mut Peers) -> T) -> T {
        look(&mut self.heard.peers.lock())
    }

    /// Why it can't be read or written, where it can't.
    pub fn trouble(&self) -> Option<String> {
        self.heard.trouble.borrow().clone()
    }

    /// It can't be used, for this reason.
    pub fn set_trouble(&self, trouble: Option<String>) {
        self.heard.set_trouble(trouble);
    }

    /// This instance consumed these offsets: `first` up to before `next`.
    pub fn mark(&self, group: &str, partition: &Partition, stretch: Stretch) {
        if !self.config.is_on {
            return;
        }
        let key = (group.to_owned(), partition.topic.clone(), partition.partition);
        let mut unwritten = self.unwritten.lock();
        unwritten.since.get_or_insert_with(Instant::now);
        let marks = unwritten.marks.entry(key).or_default();
        match marks.last_mut() {
            Some(last) if last.next == stretch.first && last.replayed == stretch.is_replayed => {
                (last.next, last.at) = (stretch.next, stretch.at);
            }
            _ => marks.push(Mark {
                by: self.author.clone(),
                group: group.to_owned(),
                topic: partition.topic.clone(),
                topic_id: self.heard.topic_ids.lock().get(&partition.topic).cloned(),
                partition: partition.partition,
                first: stretch.first,
                next: stretch.next,
                at: stretch.at,
                replayed: stretch.is_replayed,
            }),
        }
        drop(unwritten);
        self.wake.notify_one();
    }

    /// Tells all others.
    pub fn tell(&self, news: News) {
        if self.config.is_on {
            let mut unwritten = self.unwritten.lock();
            unwritten.since.get_or_insert_with(Instant::now);
            // While nothing can be written, one a second would come to lie here; the newest says it all.
            if matches!(news, News::Alive { .. }) {
                unwritten.news.retain(|earlier| !matches!(earlier, News::Alive { .. }));
            }
            unwritten.news.push(news);
            drop(unwritten);
            self.wake.notify_one();
        }
    }

    /// What librdkafka says of what writes it.
    pub fn client(&self) -> ClientReport {
        self.producer.report()
    }

    /// What waits now.
    pub fn waiting(&self) -> Waiting {
        let (mut length, mut since) = {
            let Unwritten { marks, news, since } = &*self.unwritten.lock();
            (marks.values().map(Vec::len).sum::<usize>() + news.len(), *since)
        };
        for sent in self.sent.lock().values() {
            length += sent.left;
            since = since.into_iter().chain([sent.since]).min();
        }
        Waiting { length, oldest: since.map_or(Duration::ZERO, |since| since.elapsed()) }
    }

    /// Writes what is to be written, until `stopping` resolves; then the rest.
    pub async fn write(&self, stopping: impl Future<Output = ()>) {
        tokio::pin!(stopping);
        let mut answers = FuturesUnordered::new();
        let (mut batch, mut is_last) = (0, false);
        while !is_last {
            tokio::select! {
                () = self.wake.notified() => {}
                Some((batch, answer)) = answers.next() => {
                    self.acknowledged(batch, answer);
                    continue;
                }
                () = &mut stopping => is_last = true,
            }
            let Unwritten { marks, news, since } = std::mem::take(&mut *self.unwritten.lock());
            let Some(since) = since else { continue };
            batch += 1;
            let number = batch;
            let mut posted = Vec::with_capacity(marks.len() + news.len());
            for mark in marks.into_values().flatten() {
                let key = Mark::key(&mark.group, &mark.topic, mark.partition);
                posted.extend(self.post(&self.config.marks_topic, &key, serde_json::to_vec(&mark)));
            }
            for news in news {
                let notice = Notice { by: self.author.clone(), at: crate::now(), news };
                posted.extend(self.post(&self.config.events_topic, &self.author.instance, serde_json::to_vec(&notice)));
            }
            if !posted.is_empty() {
                self.sent.lock().insert(number, Sent { since, left: posted.len() });
            }
            answers.extend(posted.into_iter().map(|posted| async move { (number, posted.await) }));
            if !is_last {
                tokio::time::sleep(PACE).await;
            }
        }
        while let Some((batch, answer)) = answers.next().await {
            self.acknowledged(batch, answer);
        }
    }

    /// One of a batch is in the journal, or never will be.
    fn acknowledged(&self, batch: u64, answer: Result<(), kafka::Error>) {
        let mut all = self.sent.lock();
        if let Some(sent) = all.get_mut(&batch) {
            sent.left -= 1;
            if sent.left == 0 {
                all.remove(&batch);
            }
        }
        drop(all);
        self.answered(answer);
    }

    fn post(
        &self,
        topic: &str,
        key: &str,
        text: serde_json::Result<Vec<u8>>,
    ) -> Option<impl Future<Output = Result<(), kafka::Error>> + use<>> {
        let text = text.expect("marks and notices have string keys only");
        self.producer.post(topic, key, &text).map_err(|error| self.answered(Err(error))).ok()
    }

    fn answered(&self, answer: Result<(), kafka::Error>) {
        self.heard.set_trouble(answer.err().map(|error| error.to_string()));
    }

    /// Ends the reading.
    pub fn stop(&self) {
        self.tail.lock().take();
    }
}

/// Offsets that were consumed one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub first: i64,
    /// The offset after the last one.
    pub next: i64,
    pub at: Millis,
    /// Whether someone asked for them again.
    pub is_replayed: bool,
}

impl Heard {
    fn set_trouble(&self, trouble: Option<String>) {
        self.trouble.send_if_modified(|known| {
            let is_news = known.is_some() != trouble.is_some();
            if is_news {
                match &trouble {
                    Some(reason) => tracing::warn!(reason, "the instances can't tell each other what they consumed"),
                    None => tracing::info!("the instances can tell each other what they consumed"),
                }
                *known = trouble;
            }
            is_news
        });
    }

    fn mark(&self, mark: Mark) {
        if mark.by.deployment != self.author.deployment || !self.is_of_this_topic(&mark) {
            return;
        }
        let mut groups = self.groups.lock();
        let Some(marks) = groups.get_mut(&mark.group) else { return };
        marks.listeners.retain(|listener| listener.send(Said::Mark(mark.clone())).is_ok());
        if marks.newest.len() == KEPT {
            marks.newest.pop_front();
        }
        marks.newest.push_back(mark);
    }

    fn is_of_this_topic(&self, mark: &Mark) -> bool {
        let (ids, said) = (self.topic_ids.lock(), &mark.topic_id);
        ids.get(&mark.topic).is_none_or(|id| said.as_ref().is_none_or(|said| said == id))
    }

    /// Says what the topic's name means now. Forgets what was said of another one that had this name before, and says what is
    /// left anew.
    fn identified(&self, topic: String, id: String) {
        for marks in self.groups.lock().values_mut() {
            let mut said = vec![topic_id((topic.clone(), id.clone()))];
            let before = marks.newest.len();
            marks.newest.retain(|mark| self.is_of_this_topic(mark));
            if marks.newest.len() < before {
                said.push(Said::Anew(topic.clone()));
                said.extend(marks.newest.iter().filter(|mark| mark.topic == topic).cloned().map(Said::Mark));
            }
            marks.listeners.retain(|listener| said.iter().all(|said| listener.send(said.clone()).is_ok()));
        }
    }

    /// Says what happened in the groups, each with its name.
    fn happened(&self, happened: Vec<(String, Happening)>) {
        let mut groups = self.groups.lock();
        for (group, happening) in happened {
            if let Some(marks) = groups.get_mut(&group) {
                marks.listeners.retain(|listener| listener.send(Said::Happened(happening.clone())).is_ok());
            }
        }
    }

    fn notice(&self, notice: Notice) {
        if notice.by.deployment != self.author.deployment {
            return;
        }
        if let News::Seek(order) = &notice.news
            && let Some(orders) = &*self.orders.lock()
        {
            // Nobody takes orders any more once the instance stops; and of more than it has room for, those who ordered are
            // told that nobody answered.
            let _ = orders.try_send(order.clone());
        }
        let happened = self.peers.lock().hear(notice, crate::now());
        self.happened(happened);
    }
}

fn topic_id((topic, id): (String, String)) -> Said {
    Said::Topic(TopicId { topic, id })
}

/// The tail's end of it.
struct Reading {
    heard: Arc<Heard>,
}

impl Follow for Reading {
    fn begin(&mut self, _: &Partition, first: i64, end: i64) -> i64 {
        first.max(end - READ_BACK)
    }

    fn record(&mut self, record: &RecordView<'_>) {
        let Some(value) = record.value else { return };
        // What others write into these topics is not ours to judge.
        if *record.topic == *self.heard.config.marks_topic {
            if let Ok(mark) = serde_json::from_slice(value.head) {
                self.heard.mark(mark);
            }
        } else if let Ok(notice) = serde_json::from_slice(value.head) {
            self.heard.notice(notice);
        }
    }

    fn end_of_batch(&mut self) {}

    fn turn(&mut self) {}

    fn readable(&mut self, state: Result<(), String>) {
        self.heard.set_trouble(state.err());
    }
}

#[cfg(test)]
impl Journal {
    /// One that is neither written nor read, and listens to what is said of `group`.
    pub fn unread(author: Author, group: &str) -> Self {
        let (brokers, instance, properties) = ("localhost:1".into(), "one".into(), kafka::Properties::new());
        let client = ClientSettings { brokers, instance, properties };
        let producer = Producer::new(&client, &kafka::ProducerSettings::default()).unwrap();
        let (marks_topic, events_topic) = ("marks".into(), "events".into());
        let (retention, replication, deployment) = (Duration::from_secs(3_600), -1, author.deployment.clone());
        let config = JournalConfig { is_on: true, deployment, marks_topic, events_topic, retention, replication };
        Self::new(author, config, producer, [group.to_owned()].into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(deployment: &str) -> Author {
        Author { deployment: deployment.into(), instance: "one".into(), incarnation: 1 }
    }

    fn mark(first: i64, topic_id: Option<&str>) -> Mark {
        let (group, topic, topic_id) = ("g".into(), "t".into(), topic_id.map(str::to_owned));
        let by = author("here");
        Mark { by, group, topic, topic_id, partition: 0, first, next: first + 1, at: 0, replayed: false }
    }

    fn journal() -> Journal {
        Journal::unread(author("here"), "g")
    }

    fn told(said: &mpsc::Receiver<Said>) -> Vec<String> {
        let tell = |said| match said {
            Said::Mark(mark) => mark.first.to_string(),
            Said::Topic(TopicId { topic, id }) => format!("{topic} is {id}"),
            Said::Anew(topic) => format!("{topic} anew"),
            Said::Happened(Happening { member, kind, .. }) => format!("{member} {kind:?}"),
        };
        said.try_iter().map(tell).collect()
    }

    #[test]
    fn what_kafka_has_not_acknowledged_waits_since_the_oldest_of_it_came() {
        let journal = journal();
        assert_eq!(journal.waiting(), Waiting::default());
        let stretch = |first| Stretch { first, next: first + 1, at: 0, is_replayed: false };
        for first in [0, 1, 7] {
            journal.mark("g", &Partition::new("t", 0), stretch(first));
        }
        let waiting = journal.waiting();
        assert_eq!(waiting.length, 2, "what follows on each other is one mark");
        // The two are sent, and a third one comes.
        let since = std::mem::take(&mut *journal.unwritten.lock()).since.unwrap();
        journal.sent.lock().insert(1, Sent { since, left: 2 });
        journal.mark("g", &Partition::new("t", 0), stretch(9));
        assert_eq!(journal.waiting().length, 3);
        assert!(journal.waiting().oldest >= waiting.oldest);
        journal.acknowledged(1, Ok(()));
        journal.acknowledged(1, Err(kafka::Error::Client { reason: "lost".into() }));
        assert_eq!(journal.waiting().length, 1);
        journal.unwritten.lock().since = None;
        journal.unwritten.lock().marks.clear();
        assert_eq!(journal.waiting(), Waiting::default());
    }

    #[test]
    fn of_signs_of_life_that_could_not_be_written_only_the_newest_waits() {
        let journal = journal();
        let alive = |started| News::Alive { started, feeds: Vec::new() };
        journal.tell(alive(1));
        journal.tell(News::Left);
        journal.tell(alive(2));
        journal.tell(alive(3));
        assert_eq!(journal.unwritten.lock().news, [News::Left, alive(3)]);
    }

    #[test]
    fn who_listens_late_hears_what_was_said_lately_and_only_of_its_deployment() {
        let journal = journal();
        journal.heard.mark(mark(1, None));
        journal.heard.mark(Mark { by: author("there"), ..mark(2, None) });
        journal.heard.mark(Mark { group: "other".into(), ..mark(3, None) });
        let said = journal.listen("g");
        journal.heard.mark(mark(4, None));
        assert_eq!(told(&said), ["1", "4"]);
    }

    #[test]
    fn marks_of_a_topic_that_is_no_more_are_forgotten_and_not_heard() {
        let journal = journal();
        let said = journal.listen("g");
        journal.set_topic_ids([("t".to_owned(), "old".to_owned())].into());
        journal.heard.mark(mark(1, Some("old")));
        journal.heard.mark(mark(2, None));
        assert_eq!(told(&said), ["t is old", "1", "2"]);
        journal.set_topic_ids([("t".to_owned(), "new".to_owned())].into());
        assert_eq!(told(&said), ["t is new", "t anew", "2"], "one without an id may be of any");
        journal.heard.mark(mark(3, Some("old")));
        journal.heard.mark(mark(4, Some("new")));
        assert_eq!(told(&said), ["4"]);
        assert_eq!(told(&journal.listen("g")), ["t is new", "2", "4"]);
    }

    #[test]
    fn who_listens_hears_what_happens_to_the_groups_members() {
        let journal = journal();
        let said = journal.listen("g");
        let change = |group: &str| News::Changed {
            group: group.into(),
            change: wire::HappeningKind::Lost,
            partitions: Vec::new(),
        };
        for (at, group) in [(1, "g"), (2, "h")] {
            journal.heard.notice(Notice { by: author("here"), at, news: change(group) });
        }
        assert_eq!(told(&said), ["one Lost"]);
    }
}
