//! A tail: reads all partitions of some topics without a group, from a given place on, for as long as it lives. One OS
//! thread, like the group's. What becomes of the records is not here.

use crate::{
    Admin, ClientSettings, Error, Partition,
    context::Context,
    error::reason,
    message::{Extent, lend},
};
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult, RDKafkaErrorCode},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};
use wire::{Flags, RecordView};

/// The longest wait for a message: how soon a stop or a request is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(50);
/// A batch ends after so many records, …
const BATCH_RECORDS: usize = 1_000;
/// … or after so long.
const BATCH_TIME: Duration = Duration::from_millis(2);
/// How often new partitions, and topics made anew, are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// When they are looked for again after no answer, or while a topic does not exist.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a look may take.
const LOOK_DEADLINE: Duration = Duration::from_secs(2);

/// What a tail hands its records to. Everything is called on its thread, in order.
pub trait Follow: Send + 'static {
    /// Where to begin in a partition whose log goes from `first` to `end`; kept between the two.
    fn begin(&mut self, partition: &Partition, first: i64, end: i64) -> i64;

    /// A record, borrowed from librdkafka's memory, cut to what fits a message to a tab.
    fn record(&mut self, record: &RecordView<'_>);

    /// All records since the last one belong together.
    fn end_of_batch(&mut self);

    /// Once a turn: at least every 50 ms.
    fn turn(&mut self);

    /// Whether the topics can be read; the reason, where they can't. Whenever that changes.
    fn readable(&mut self, state: Result<(), String>);
}

/// A running tail. Dropping it ends the thread and does not wait.
pub struct Tail {
    stop: Arc<AtomicBool>,
    requests: mpsc::Sender<mpsc::SyncSender<()>>,
}

impl Tail {
    /// Starts the thread. Needs no broker: the thread waits for one, and for the topics.
    ///
    /// # Errors
    /// When a property cannot be set, or the thread not be made.
    pub fn spawn(
        client: &ClientSettings,
        admin: Admin,
        topics: Vec<String>,
        follow: impl Follow,
    ) -> Result<Self, Error> {
        let config = client.tail()?;
        let consumer = config.create_with_context(Context::of(&config)).map_err(Error::client)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (requests, requested) = mpsc::channel();
        let run = Run {
            consumer,
            admin,
            topics,
            follow,
            stop: Arc::clone(&stop),
            requested,
            positions: BTreeMap::new(),
            look_at: Instant::now(),
            is_readable: None,
            looks: 0,
            waiting: Vec::new(),
        };
        thread::Builder::new()
            .name("kafka-tail".into())
            .spawn(move || run.run())
            .map_err(|error| Error::Client { reason: format!("no thread for a tail: {error}") })?;
        Ok(Self { stop, requests })
    }

    /// Asks to be told when everything was handed on that is in the log now.
    pub fn caught_up(&self) -> CaughtUp {
        let (done, is_done) = mpsc::sync_channel(1);
        // A thread that is gone drops the request, and the wait ends at once.
        let _ = self.requests.send(done);
        CaughtUp(is_done)
    }
}

/// See [`Tail::caught_up`].
pub struct CaughtUp(mpsc::Receiver<()>);

impl CaughtUp {
    /// Whether it was within `deadline`. Blocks.
    pub fn wait(&self, deadline: Duration) -> bool {
        self.0.recv_timeout(deadline).is_ok()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Someone who waits until these offsets are reached.
struct Waiting {
    done: mpsc::SyncSender<()>,
    ends: Vec<(Partition, i64)>,
}

struct Run<F> {
    consumer: BaseConsumer<Context>,
    admin: Admin,
    topics: Vec<String>,
    follow: F,
    stop: Arc<AtomicBool>,
    requested: mpsc::Receiver<mpsc::SyncSender<()>>,
    /// The next offset of each partition that is read.
    positions: BTreeMap<Partition, i64>,
    look_at: Instant,
    /// What was told last.
    is_readable: Option<bool>,
    /// How many looks in a row did not find all topics. The first may: brokers learn of a new topic one by one.
    looks: u32,
    waiting: Vec<Waiting>,
}

impl<F: Follow> Run<F> {
    fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            if self.look_at <= Instant::now() {
                self.look();
            }
            self.take_batch();
            self.answer();
            self.follow.turn();
        }
    }

    /// Finds new partitions, and begins to read them.
    fn look(&mut self) {
        let found = self.find();
        let wait = match &found {
            Ok(true) => LOOK_EVERY,
            Ok(false) | Err(_) => LOOK_AGAIN,
        };
        self.look_at = Instant::now() + wait;
        self.looks = if matches!(found, Ok(false)) { self.looks + 1 } else { 0 };
        if self.looks == 1 {
            return;
        }
        let state = match found {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("the topics do not exist: {}", self.topics.join(", "))),
            Err(error) => Err(self.consumer.context().explain(&reason(&error))),
        };
        if self.is_readable != Some(state.is_ok()) {
            self.is_readable = Some(state.is_ok());
            self.follow.readable(state);
        }
    }

    /// Whether all topics exist.
    fn find(&mut self) -> KafkaResult<bool> {
        let mut is_all = true;
        let mut is_changed = false;
        for topic in self.topics.clone() {
            let count = self.admin.partition_count(&topic, LOOK_DEADLINE)?.unwrap_or(0);
            is_all &= count > 0;
            let known = self.positions.len();
            self.positions.retain(|partition, _| {
                partition.topic != topic || u32::try_from(partition.partition).is_ok_and(|number| number < count)
            });
            is_changed |= self.positions.len() != known;
            for number in 0..i32::try_from(count).unwrap_or(i32::MAX) {
                let partition = Partition::new(topic.as_str(), number);
                let next = self.positions.get(&partition).copied();
                let (first, end) = match next {
                    // Looked at again only when something is wrong with it: see `take_batch`.
                    Some(_) => continue,
                    None => self.admin.watermarks_of(&partition, LOOK_DEADLINE)?,
                };
                let begin = self.follow.begin(&partition, first, end).clamp(first, end);
                self.positions.insert(partition, begin);
                is_changed = true;
            }
        }
        if is_changed {
            let mut list = TopicPartitionList::with_capacity(self.positions.len());
            for (Partition { topic, partition }, next) in &self.positions {
                list.add_partition_offset(topic, *partition, Offset::Offset(*next))?;
            }
            self.consumer.assign(&list)?;
        }
        Ok(is_all)
    }

    fn take_batch(&mut self) {
        let began = Instant::now();
        let mut wait = IDLE_WAIT;
        let mut records = 0;
        while let Some(polled) = self.consumer.poll(wait) {
            wait = Duration::ZERO;
            match polled {
                Ok(message) => {
                    records += 1;
                    if let Some(next) = self.positions.get_mut(&Partition::new(message.topic(), message.partition())) {
                        *next = message.offset() + 1;
                    }
                    let follow = &mut self.follow;
                    lend(&message, crate::now(), Flags::FIRST, Extent::Heads, |record| follow.record(record));
                }
                Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
                    // Retention overtook a position, or a topic was made anew. librdkafka does not say which: all that do not
                    // exist begin again.
                    self.forget_strays();
                    break;
                }
                Err(KafkaError::MessageConsumptionFatal(code)) => {
                    tracing::error!(error = %code, "a tail failed, and begins again");
                    self.positions.clear();
                    self.look_at = Instant::now() + LOOK_AGAIN;
                    break;
                }
                // A connection's trouble passes, and the next look tells of it.
                Err(_) => break,
            }
            if records >= BATCH_RECORDS || began.elapsed() >= BATCH_TIME {
                break;
            }
        }
        if records > 0 {
            self.follow.end_of_batch();
        }
    }

    fn forget_strays(&mut self) {
        let admin = &self.admin;
        self.positions.retain(|partition, next| {
            admin.watermarks_of(partition, LOOK_DEADLINE).is_ok_and(|(first, end)| (first..=end).contains(next))
        });
        self.look_at = Instant::now();
    }

    /// Answers those who wait for the log's present end.
    fn answer(&mut self) {
        while let Ok(done) = self.requested.try_recv() {
            let ends = self.positions.keys().map(|partition| {
                let (_, end) = self.admin.watermarks_of(partition, LOOK_DEADLINE)?;
                Ok((partition.clone(), end))
            });
            // Who gets no answer runs into the deadline.
            if let Ok(ends) = ends.collect::<KafkaResult<Vec<_>>>()
                && self.is_readable == Some(true)
            {
                self.waiting.push(Waiting { done, ends });
            }
        }
        let positions = &self.positions;
        self.waiting.retain(|waiting| {
            let is_there =
                waiting.ends.iter().all(|(partition, end)| positions.get(partition).is_some_and(|at| at >= end));
            if is_there {
                // Nobody waits any more where the deadline is over.
                let _ = waiting.done.send(());
            }
            !is_there
        });
    }
}
