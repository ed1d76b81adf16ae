//! librdkafka's administrative requests that rdkafka's safe client lacks, each with a deadline: ListConsumerGroups,
//! DescribeConsumerGroups, ListConsumerGroupOffsets, AlterConsumerGroupOffsets, DescribeTopics. Those that make, change and delete
//! topics are in `requests/topics.rs`, those that delete groups and their offsets in `requests/groups.rs`, those about the cluster
//! itself in `requests/cluster.rs`, those that must be alone in their client (ListOffsets, DeleteRecords) in `requests/alone.rs`.
//!
//! A [`Requester`] keeps the client, [`Requests`] is one call's view of it, a [`Request`] was sent and can be waited for:
//! several that are out at once are answered side by side. What the answers are put together to is not here.

mod alone;
mod cluster;
mod groups;
mod topics;

pub(super) use self::alone::Alone;
use self::{
    alone::Clients,
    topics::{Emptied, read_emptied},
};
use crate::{
    Partition, PartitionOffset,
    context::Context,
    error::{is_refusal, reason},
    native::{Event, Queue, check},
};
use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList, bindings,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{
    cell::Cell,
    collections::BTreeSet,
    ffi::{CStr, CString},
    os::raw::c_char,
    ptr, slice,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use wire::Millis;

/// The longest time-out that librdkafka takes.
const MAX_TIMEOUT: Duration = Duration::from_secs(3600);
/// The wait before a call is made again.
const CALL_AGAIN: Duration = Duration::from_millis(100);
/// How long the client's own news (log lines, errors) are taken in after a call.
const SERVE: Duration = Duration::from_millis(1);
/// So many requests may wait in a client for a coordinator although nobody waits for their answers any more: about a kilobyte each,
/// looked at whenever a broker comes or goes.
const MOST_ABANDONED: usize = 1_000;

/// A consumer that never joins its group. The safe client's producer would not do: when a coordinator has moved, the answer
/// to ListConsumerGroupOffsets makes librdkafka look for the client's own group, and crash where the client has none
/// (confluentinc/librdkafka#5040).
type Client = BaseConsumer<Context>;

/// Keeps the client, which is made at the first call.
pub(super) struct Requester {
    config: ClientConfig,
    context: Context,
    kept: Mutex<Option<Arc<Kept>>>,
    clients: Clients,
}

struct Kept {
    client: Client,
    /// See [`MOST_ABANDONED`]. Some of them may have been answered since.
    abandoned: AtomicUsize,
}

impl Requester {
    pub fn new(config: ClientConfig, context: Context) -> Self {
        let clients = Clients::new(config.clone(), context.clone());
        Self { config, context, kept: Mutex::new(None), clients }
    }

    /// Makes one call of several requests, and makes it again while a coordinator is not one yet, or not any more. Blocks,
    /// until `until` at most.
    pub fn call<T>(
        &self,
        until: Instant,
        mut call: impl FnMut(&Requests<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            let kept = self.kept()?;
            let requests = Requests {
                client: &kept.client,
                clients: &self.clients,
                until,
                is_stale: Cell::new(false),
                unanswered: Cell::new(0),
            };
            let answer = call(&requests);
            let (is_stale, unanswered) = (requests.is_stale.get(), requests.unanswered.get());
            // An error is handed out, what else there is is dealt with inside.
            while kept.client.poll(SERVE).is_some() {}
            let abandoned = kept.abandoned.fetch_add(unanswered, Ordering::Relaxed) + unanswered;
            if is_stale || abandoned > MOST_ABANDONED {
                self.forget(&kept);
            }
            match answer {
                Err(failure) if failure.is_about_the_coordinator() && Instant::now() + CALL_AGAIN < until => {
                    thread::sleep(CALL_AGAIN);
                }
                answer => return answer,
            }
        }
    }

    fn kept(&self) -> Result<Arc<Kept>, Failure> {
        let mut kept = self.kept.lock();
        if let Some(kept) = &*kept {
            return Ok(Arc::clone(kept));
        }
        let client = self.config.create_with_context(self.context.clone()).map_err(Failure::of)?;
        Ok(Arc::clone(kept.insert(Arc::new(Kept { client, abandoned: AtomicUsize::new(0) }))))
    }

    /// librdkafka remembers a group's coordinator for as long as it is asked for, even when that broker answers that it is
    /// not: only a new client asks again. And what waits in a client ends with it.
    fn forget(&self, stale: &Arc<Kept>) {
        let mut kept = self.kept.lock();
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, stale)) {
            *kept = None;
        }
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: RDKafkaErrorCode,
    /// In the broker's or librdkafka's words.
    pub reason: String,
}

impl Failure {
    pub fn new(code: RDKafkaErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    fn code(code: RDKafkaErrorCode) -> Self {
        Self::new(code, code.to_string())
    }

    fn of(error: KafkaError) -> Self {
        Self::new(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail), reason(&error))
    }

    pub fn no_answer() -> Self {
        Self::code(RDKafkaErrorCode::OperationTimedOut)
    }

    pub fn is_no_answer(&self) -> bool {
        use RDKafkaErrorCode::{OperationTimedOut, RequestTimedOut, TimedOutQueue};
        matches!(self.code, OperationTimedOut | RequestTimedOut | TimedOutQueue)
    }

    /// See [`is_refusal`].
    pub fn is_refusal(&self) -> bool {
        is_refusal(self.code)
    }

    fn is_about_the_coordinator(&self) -> bool {
        use RDKafkaErrorCode::{CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator};
        matches!(self.code, CoordinatorLoadInProgress | CoordinatorNotAvailable | NotCoordinator)
    }

    /// Whether who was asked does not lead the partition, or does not know so yet: another look finds the leader.
    pub fn is_no_leader(&self) -> bool {
        use RDKafkaErrorCode::{LeaderNotAvailable, NotLeaderForPartition};
        matches!(self.code, LeaderNotAvailable | NotLeaderForPartition)
    }

    /// Whether the topic or the partition does not exist.
    pub fn is_unknown_partition(&self) -> bool {
        use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
        matches!(self.code, UnknownPartition | UnknownTopic | UnknownTopicOrPartition)
    }
}

/// A group as ListConsumerGroups tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub name: String,
    pub state: State,
    /// Empty where the broker does not tell.
    pub protocol: &'static str,
}

/// A group as DescribeConsumerGroups tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub state: State,
    pub protocol: &'static str,
    pub assignor: String,
    pub coordinator: Option<i32>,
    pub members: Vec<DescribedMember>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DescribedMember {
    /// What its member id begins with, where the broker does not tell (the embedded one).
    pub client_id: String,
    pub member_id: String,
    pub static_id: Option<String>,
    pub host: String,
    pub owned: Vec<Partition>,
}

/// A group's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Empty,
    /// There is no such group.
    Dead,
    /// librdkafka has no name for it.
    Unknown,
}

/// Which offset of a partition is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The first that there is.
    Earliest,
    /// The log end offset.
    Latest,
    /// That of the first record whose timestamp is this or later.
    Time(Millis),
}

/// An offset of a partition as ListOffsets tells it: none where no record has such a timestamp.
pub(super) type Found = (Partition, Result<Option<i64>, Failure>);

/// A topic as DescribeTopics tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DescribedTopic {
    pub name: String,
    /// Its id as Kafka prints it, where it has one (KIP-516).
    pub id: Option<String>,
    pub partitions: u32,
}

/// The requests of one call.
pub(super) struct Requests<'a> {
    client: &'a Client,
    clients: &'a Clients,
    until: Instant,
    /// The client is not to be used any more: a coordinator was asked that is not one any more, or something waits in it that
    /// must not be done later.
    is_stale: Cell<bool>,
    /// How many requests to coordinators were sent and not answered.
    unanswered: Cell<usize>,
}

/// Of each partition, how setting its offset went.
pub type Altered = Vec<(Partition, Result<(), Failure>)>;

impl Requests<'_> {
    /// When the call ends.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// A part of the time that is left, for a step that others follow.
    pub fn part(&self, part: f64) -> Instant {
        let now = Instant::now();
        now + self.until.saturating_duration_since(now).mul_f64(part)
    }

    /// Has the client learn which brokers there are. A new one could know only some of them, and ask only these.
    pub fn learn_brokers(&self, until: Instant) -> Result<(), Failure> {
        learn_brokers(self.client, until)
    }

    /// Every consumer group of the brokers that answer in time.
    pub fn list_groups(&self, until: Instant) -> Request<'_, Vec<Listed>> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT,
        };
        self.send(KIND, until, read_listed, |client, options, answers| {
            // SAFETY: see `send`.
            unsafe { bindings::rd_kafka_ListConsumerGroups(client, options, answers) }
        })
    }

    /// A group; none where it does not exist.
    pub fn describe(&self, group: &str, until: Instant) -> Result<Request<'_, Option<Described>>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
            target: Target::CoordinatorReads,
            event: bindings::RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT,
        };
        let group = c_string(group)?;
        let mut groups = [group.as_ptr()];
        Ok(self.send(KIND, until, read_described, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the names.
            unsafe { bindings::rd_kafka_DescribeConsumerGroups(client, groups.as_mut_ptr(), 1, options, answers) }
        }))
    }

    /// The committed offsets of a group, sorted.
    pub fn committed(&self, group: &str, until: Instant) -> Result<Request<'_, Vec<PartitionOffset>>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
            target: Target::CoordinatorReads,
            event: bindings::RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT,
        };
        let group = c_string(group)?;
        Ok(self.send(KIND, until, read_committed, |client, options, answers| {
            // SAFETY: see `send`; without a list all partitions are meant; librdkafka copies what is asked, which is ours to
            // destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_ListConsumerGroupOffsets_new(group.as_ptr(), ptr::null());
                bindings::rd_kafka_ListConsumerGroupOffsets(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_ListConsumerGroupOffsets_destroy(asked);
            }
        }))
    }

    /// Commits offsets for a group from outside, with `metadata` beside each, and tells of each partition how that went.
    pub fn alter(
        &self,
        group: &str,
        offsets: &[PartitionOffset],
        metadata: &str,
        until: Instant,
    ) -> Result<Request<'_, Altered>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
            target: Target::CoordinatorChanges,
            event: bindings::RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT,
        };
        let group = c_string(group)?;
        let list = list(offsets.iter().map(|at| (&at.partition, Offset::Offset(at.offset))))?;
        for PartitionOffset { partition, .. } in offsets {
            if let Some(mut element) = list.find_partition(&partition.topic, partition.partition) {
                element.set_metadata(metadata);
            }
        }
        Ok(self.send(KIND, until, read_altered, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the list and what is asked, which is ours to destroy.
            unsafe {
                let mut asked = bindings::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), list.ptr());
                bindings::rd_kafka_AlterConsumerGroupOffsets(client, &mut asked, 1, options, answers);
                bindings::rd_kafka_AlterConsumerGroupOffsets_destroy(asked);
            }
        }))
    }

    /// Those of the topics that exist.
    pub fn describe_topics(
        &self,
        names: &BTreeSet<&str>,
        until: Instant,
    ) -> Result<Request<'_, Vec<DescribedTopic>>, Failure> {
        const KIND: Kind = Kind {
            operation: bindings::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
            target: Target::Brokers,
            event: bindings::RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT,
        };
        let names = names.iter().map(|name| c_string(name)).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
        Ok(self.send(KIND, until, read_topics, |client, options, answers| {
            // SAFETY: see `send`; librdkafka copies the names into the collection and that into the request; the collection
            // is ours to destroy.
            unsafe {
                let topics = bindings::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
                bindings::rd_kafka_DescribeTopics(client, topics, options, answers);
                bindings::rd_kafka_TopicCollection_destroy(topics);
            }
        }))
    }

    /// Sends a request, which `send` hands to librdkafka: the client lives as long as the request, options and queue live
    /// through the call, and librdkafka keeps copies or references of its own.
    fn send<T>(&self, kind: Kind, until: Instant, read: Read<T>, send: impl HandOver) -> Request<'_, T> {
        self.send_with(kind, until, |_| {}, read, send)
    }

    /// The same, with further options.
    fn send_with<T>(
        &self,
        kind: Kind,
        until: Instant,
        set: impl FnOnce(&Options),
        read: Read<T>,
        send: impl HandOver,
    ) -> Request<'_, T> {
        let unanswered = kind.target.is_a_coordinator().then_some(&self.unanswered);
        if let Some(unanswered) = unanswered {
            unanswered.update(|unanswered| unanswered + 1);
        }
        let answers = sent(self.client, &kind, until, set, send);
        Request { requests: self, unanswered, answers, kind, read, until }
    }
}

/// Hands a request to librdkafka: by this client, with these options, to be answered in this queue.
trait HandOver:
    FnOnce(*mut bindings::rd_kafka_t, *const bindings::rd_kafka_AdminOptions_t, *mut bindings::rd_kafka_queue_t)
{
}

impl<F> HandOver for F where
    F: FnOnce(*mut bindings::rd_kafka_t, *const bindings::rd_kafka_AdminOptions_t, *mut bindings::rd_kafka_queue_t)
{
}

/// Hands a request over, and gives the queue that its answer comes to.
fn sent(client: &Client, kind: &Kind, until: Instant, set: impl FnOnce(&Options), send: impl HandOver) -> Queue {
    let client = client.client();
    let answers = Queue::new(client);
    let options = Options::new(client.native_ptr(), kind, left(until));
    set(&options);
    send(client.native_ptr(), options.0, answers.ptr());
    answers
}

/// A request's kind, and its answer's.
struct Kind {
    operation: bindings::rd_kafka_admin_op_t,
    target: Target,
    event: bindings::rd_kafka_event_type_t,
}

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Brokers: one or several.
    Brokers,
    /// The brokers that lead some partitions, which librdkafka finds out first.
    Leaders,
    /// A group's coordinator, to tell something.
    CoordinatorReads,
    /// A group's coordinator, to change something.
    CoordinatorChanges,
}

impl Target {
    fn is_a_coordinator(self) -> bool {
        matches!(self, Self::CoordinatorReads | Self::CoordinatorChanges)
    }
}

/// Reads an answer of the right kind that is no error.
type Read<T> = fn(&Event) -> Result<T, Failure>;

/// A request that was sent. One that is dropped is not waited for.
pub(super) struct Request<'a, T> {
    requests: &'a Requests<'a>,
    /// Where it is counted until it is answered.
    unanswered: Option<&'a Cell<usize>>,
    answers: Queue,
    kind: Kind,
    read: Read<T>,
    until: Instant,
}

impl<T> Request<'_, T> {
    /// Waits for the answer. Blocks, until the request's deadline at most.
    pub fn answer(self) -> Result<T, Failure> {
        let answer = self.wait();
        if let Err(failure) = &answer {
            self.requests.note(failure.code);
        }
        answer
    }

    fn wait(&self) -> Result<T, Failure> {
        loop {
            let Some(event) = self.answers.poll(left(self.until)) else {
                // It waits in the client, for an hour: whoever was told that it was not done in time, must not have it done later.
                if self.kind.target == Target::CoordinatorChanges {
                    self.requests.is_stale.set(true);
                }
                return Err(Failure::no_answer());
            };
            if event.kind() == self.kind.event {
                if let Some(unanswered) = self.unanswered {
                    unanswered.update(|unanswered| unanswered - 1);
                }
                if let Err(code) = event.error() {
                    // SAFETY: the text lives as long as the event.
                    let reason = unsafe { text(bindings::rd_kafka_event_error_string(event.ptr())) };
                    return Err(Failure::new(code, reason.unwrap_or_else(|| code.to_string())));
                }
                return (self.read)(&event);
            }
        }
    }
}

impl Requests<'_> {
    /// Notes what a coordinator answered about one of several things.
    pub fn note(&self, code: RDKafkaErrorCode) {
        if matches!(code, RDKafkaErrorCode::NotCoordinator | RDKafkaErrorCode::CoordinatorNotAvailable) {
            self.is_stale.set(true);
        }
    }
}

fn learn_brokers(client: &Client, until: Instant) -> Result<(), Failure> {
    let mut metadata = ptr::null();
    let wait = i32::try_from(left(until).as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client lives through the call; no topic is named; the answer, if there is one, is ours to destroy.
    let answer = unsafe {
        let client = client.client().native_ptr();
        let answer = bindings::rd_kafka_metadata(client, 0, ptr::null_mut(), &mut metadata, wait);
        if !metadata.is_null() {
            bindings::rd_kafka_metadata_destroy(metadata);
        }
        answer
    };
    check(answer).map_err(Failure::code)
}

/// What is left until then, at least a millisecond, for librdkafka takes 0 for "now or never".
fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// A request's options.
struct Options(*mut bindings::rd_kafka_AdminOptions_t);

impl Options {
    fn new(client: *mut bindings::rd_kafka_t, kind: &Kind, left: Duration) -> Self {
        let timeout = match kind.target {
            // What is put together from several brokers comes when the last has answered or its time is over: before ours is.
            Target::Brokers => (left - left / 10).min(MAX_TIMEOUT),
            // The same; but a time-out must not come while librdkafka still hands the request over (see `alone.rs`).
            Target::Leaders => (left - left / 10).clamp(alone::SHORTEST, MAX_TIMEOUT),
            // Never before the coordinator is there. librdkafka 2.12.1 frees a request that is over, and when its group's
            // coordinator is found at last, uses it, which ends the process: `rd_kafka_admin_coord_request` says that there is
            // none any more, for which `rd_kafka_coord_req_fsm` has it answered (confluentinc/librdkafka#5397 is about that answer).
            Target::CoordinatorReads | Target::CoordinatorChanges => MAX_TIMEOUT,
        };
        let timeout = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX).max(1);
        // SAFETY: the client lives through the call. A time-out within its bounds is always taken, and no words are asked
        // for.
        unsafe {
            let options = bindings::rd_kafka_AdminOptions_new(client, kind.operation);
            bindings::rd_kafka_AdminOptions_set_request_timeout(options, timeout, ptr::null_mut(), 0);
            Self(options)
        }
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by `rd_kafka_AdminOptions_new` and dropped once; a request has a copy.
        unsafe { bindings::rd_kafka_AdminOptions_destroy(self.0) };
    }
}

fn c_string(name: &str) -> Result<CString, Failure> {
    CString::new(name)
        .map_err(|_| Failure::new(RDKafkaErrorCode::InvalidArgument, "a name cannot hold the character NUL"))
}

fn list<'a>(offsets: impl Iterator<Item = (&'a Partition, Offset)>) -> Result<TopicPartitionList, Failure> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        // The list would panic.
        c_string(&partition.topic)?;
        list.add_partition_offset(&partition.topic, partition.partition, offset).map_err(Failure::of)?;
    }
    Ok(list)
}

fn read_listed(event: &Event) -> Result<Vec<Listed>, Failure> {
    // SAFETY: the event is of this kind (see `Read`), and what it holds lives as long as it does.
    let (groups, mut failures) = unsafe {
        let result = bindings::rd_kafka_event_ListConsumerGroups_result(event.ptr());
        let groups = elements(|count| bindings::rd_kafka_ListConsumerGroups_result_valid(result, count));
        let groups: Vec<_> = groups
            .map(|group| Listed {
                name: text(bindings::rd_kafka_ConsumerGroupListing_group_id(group)).unwrap_or_default(),
                state: bindings::rd_kafka_ConsumerGroupListing_state(group).into(),
                protocol: protocol(bindings::rd_kafka_ConsumerGroupListing_type(group)),
            })
            .collect();
        let failures = elements(|count| bindings::rd_kafka_ListConsumerGroups_result_errors(result, count));
        (groups, failures.filter_map(|error| failure(error)).collect::<Vec<_>>())
    };
    if groups.is_empty() && !failures.is_empty() {
        return Err(failures.swap_remove(0));
    }
    for failure in failures {
        tracing::debug!(cause = failure.reason, "a broker did not list its groups");
    }
    Ok(groups)
}

fn read_described(event: &Event) -> Result<Option<Described>, Failure> {
    // SAFETY: as in `read_listed`.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeConsumerGroups_result(event.ptr());
        let mut groups = elements(|count| bindings::rd_kafka_DescribeConsumerGroups_result_groups(result, count));
        let Some(group) = groups.next() else { return Ok(None) };
        match failure(bindings::rd_kafka_ConsumerGroupDescription_error(group)) {
            Some(failure) if failure.code == RDKafkaErrorCode::GroupIdNotFound => return Ok(None),
            Some(failure) => return Err(failure),
            None => {}
        }
        let state = State::from(bindings::rd_kafka_ConsumerGroupDescription_state(group));
        if state == State::Dead {
            return Ok(None);
        }
        let coordinator = bindings::rd_kafka_ConsumerGroupDescription_coordinator(group);
        let members = (0..bindings::rd_kafka_ConsumerGroupDescription_member_count(group)).map(|index| {
            let member = bindings::rd_kafka_ConsumerGroupDescription_member(group, index);
            let assignment = bindings::rd_kafka_MemberDescription_assignment(member);
            let owned = bindings::rd_kafka_MemberAssignment_partitions(assignment);
            let member_id = text(bindings::rd_kafka_MemberDescription_consumer_id(member)).unwrap_or_default();
            let client_id = text(bindings::rd_kafka_MemberDescription_client_id(member)).filter(|id| !id.is_empty());
            DescribedMember {
                client_id: client_id.unwrap_or_else(|| client_id_of(&member_id).to_owned()),
                member_id,
                static_id: text(bindings::rd_kafka_MemberDescription_group_instance_id(member)),
                host: text(bindings::rd_kafka_MemberDescription_host(member)).unwrap_or_default(),
                owned: partitions(owned).iter().map(|entry| partition(entry)).collect(),
            }
        });
        Ok(Some(Described {
            state,
            protocol: protocol(bindings::rd_kafka_ConsumerGroupDescription_type(group)),
            assignor: text(bindings::rd_kafka_ConsumerGroupDescription_partition_assignor(group)).unwrap_or_default(),
            coordinator: (!coordinator.is_null()).then(|| bindings::rd_kafka_Node_id(coordinator)),
            members: members.collect(),
        }))
    }
}

/// The client id that a member id tells: a coordinator makes those of the client id, a hyphen and a UUID.
fn client_id_of(member_id: &str) -> &str {
    const UUID: usize = 36;
    let cut = member_id.len().checked_sub(UUID).and_then(|cut| member_id.split_at_checked(cut));
    match cut.and_then(|(name, uuid)| Some((name.strip_suffix('-')?, uuid))) {
        Some((name, uuid)) if !name.is_empty() && uuid::Uuid::try_parse(uuid).is_ok() => name,
        _ => member_id,
    }
}

fn read_committed(event: &Event) -> Result<Vec<PartitionOffset>, Failure> {
    // SAFETY: as in `read_listed`.
    unsafe {
        let result = bindings::rd_kafka_event_ListConsumerGroupOffsets_result(event.ptr());
        let entries = group_result(|count| bindings::rd_kafka_ListConsumerGroupOffsets_result_groups(result, count))?;
        let mut committed = Vec::with_capacity(entries.len());
        for entry in entries {
            check(entry.err).map_err(Failure::code)?;
            // Below 0: there is none.
            if entry.offset >= 0 {
                committed.push(PartitionOffset { partition: partition(entry), offset: entry.offset });
            }
        }
        committed.sort_by(|a, b| a.partition.cmp(&b.partition));
        Ok(committed)
    }
}

fn read_altered(event: &Event) -> Result<Altered, Failure> {
    // SAFETY: as in `read_listed`.
    unsafe {
        let result = bindings::rd_kafka_event_AlterConsumerGroupOffsets_result(event.ptr());
        let entries = group_result(|count| bindings::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, count))?;
        Ok(entries.iter().map(|entry| (partition(entry), check(entry.err).map_err(Failure::code))).collect())
    }
}

fn read_found(event: &Event) -> Result<Vec<Found>, Failure> {
    /// What the broker answers where no record has such a timestamp.
    const NONE: i64 = -1;
    // SAFETY: as in `read_listed`.
    unsafe {
        let result = bindings::rd_kafka_event_ListOffsets_result(event.ptr());
        let infos = elements(|count| bindings::rd_kafka_ListOffsets_result_infos(result, count));
        let found = infos.map(|info| {
            let entry = &*bindings::rd_kafka_ListOffsetsResultInfo_topic_partition(info);
            let offset = match (check(entry.err), entry.offset) {
                (Err(code), _) => Err(Failure::code(code)),
                (Ok(()), NONE) => Ok(None),
                // librdkafka leaves it so, without an error, where the leader did not answer.
                (Ok(()), offset) if offset < 0 => Err(Failure::no_answer()),
                (Ok(()), offset) => Ok(Some(offset)),
            };
            (partition(entry), offset)
        });
        Ok(found.collect())
    }
}

fn read_topics(event: &Event) -> Result<Vec<DescribedTopic>, Failure> {
    // SAFETY: as in `read_listed`.
    unsafe {
        let result = bindings::rd_kafka_event_DescribeTopics_result(event.ptr());
        let topics = elements(|count| bindings::rd_kafka_DescribeTopics_result_topics(result, count));
        let topics = topics.filter(|topic| failure(bindings::rd_kafka_TopicDescription_error(*topic)).is_none());
        let topics = topics.map(|topic| {
            let mut partitions = 0;
            bindings::rd_kafka_TopicDescription_partitions(topic, &mut partitions);
            let id = bindings::rd_kafka_TopicDescription_topic_id(topic);
            let bits =
                (bindings::rd_kafka_Uuid_most_significant_bits(id), bindings::rd_kafka_Uuid_least_significant_bits(id));
            let id = (bits != (0, 0)).then(|| text(bindings::rd_kafka_Uuid_base64str(id))).flatten();
            DescribedTopic {
                name: text(bindings::rd_kafka_TopicDescription_name(topic)).unwrap_or_default(),
                id: id.map(|id| base64url(&id)),
                partitions: u32::try_from(partitions).unwrap_or(u32::MAX),
            }
        });
        Ok(topics.collect())
    }
}

/// Base64 as Kafka prints a topic's id (`Uuid.toString`): the alphabet for URLs, without padding.
fn base64url(base64: &str) -> String {
    base64.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The one group of a result, which is all that librdkafka asks for at a time.
///
/// # Safety
/// As [`elements`].
unsafe fn group_result<'a>(
    groups: impl FnOnce(*mut usize) -> *mut *const bindings::rd_kafka_group_result_t,
) -> Result<&'a [bindings::rd_kafka_topic_partition_t], Failure> {
    // SAFETY: the caller's promise; the group lives as long as its result.
    unsafe {
        let Some(group) = elements(groups).next() else { return Ok(&[]) };
        match failure(bindings::rd_kafka_group_result_error(group)) {
            Some(failure) => Err(failure),
            None => Ok(partitions(bindings::rd_kafka_group_result_partitions(group))),
        }
    }
}

/// The elements of an array, without those that are missing.
///
/// # Safety
/// `array` returns an array of as many pointers as it says, which lives as long as what is made of it.
unsafe fn elements<T: 'static>(array: impl FnOnce(*mut usize) -> *mut *const T) -> impl Iterator<Item = *const T> {
    let mut count = 0;
    let array = array(&mut count);
    let elements: &[*const T] = if array.is_null() {
        &[]
    } else {
        // SAFETY: the caller's promise.
        unsafe { slice::from_raw_parts(array, count) }
    };
    elements.iter().copied().filter(|element| !element.is_null())
}

/// # Safety
/// `list` is null, or lives as long as what is made of it.
unsafe fn partitions<'a>(
    list: *const bindings::rd_kafka_topic_partition_list_t,
) -> &'a [bindings::rd_kafka_topic_partition_t] {
    // SAFETY: the caller's promise.
    unsafe {
        match list.as_ref() {
            Some(list) if !list.elems.is_null() => {
                slice::from_raw_parts(list.elems, usize::try_from(list.cnt).unwrap_or(0))
            }
            _ => &[],
        }
    }
}

/// # Safety
/// The entry's topic is null or a C string.
unsafe fn partition(entry: &bindings::rd_kafka_topic_partition_t) -> Partition {
    // SAFETY: the caller's promise.
    Partition::new(unsafe { text(entry.topic) }.unwrap_or_default(), entry.partition)
}

/// # Safety
/// `error` is null (there is none), or an error.
unsafe fn failure(error: *const bindings::rd_kafka_error_t) -> Option<Failure> {
    if error.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; the text lives as long as the error.
    let (code, reason) =
        unsafe { (bindings::rd_kafka_error_code(error), text(bindings::rd_kafka_error_string(error))) };
    let code = check(code).err()?;
    let reason = reason.unwrap_or_default();
    // Brokers may leave the words after the colon to whoever reads the code.
    let reason = if reason.is_empty() || reason.ends_with(": ") { format!("{reason}{code}") } else { reason };
    Some(Failure::new(code, reason))
}

/// # Safety
/// `text` is null or a C string.
unsafe fn text(text: *const c_char) -> Option<String> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

impl From<bindings::rd_kafka_consumer_group_state_t> for State {
    fn from(state: bindings::rd_kafka_consumer_group_state_t) -> Self {
        use bindings::rd_kafka_consumer_group_state_t as Native;
        match state {
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_PREPARING_REBALANCE => Self::PreparingRebalance,
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_COMPLETING_REBALANCE => Self::CompletingRebalance,
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE => Self::Stable,
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_DEAD => Self::Dead,
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_EMPTY => Self::Empty,
            Native::RD_KAFKA_CONSUMER_GROUP_STATE_UNKNOWN | Native::RD_KAFKA_CONSUMER_GROUP_STATE__CNT => Self::Unknown,
        }
    }
}

fn protocol(kind: bindings::rd_kafka_consumer_group_type_t) -> &'static str {
    use bindings::rd_kafka_consumer_group_type_t as Native;
    match kind {
        Native::RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC => "classic",
        Native::RD_KAFKA_CONSUMER_GROUP_TYPE_CONSUMER => CONSUMER,
        Native::RD_KAFKA_CONSUMER_GROUP_TYPE_UNKNOWN | Native::RD_KAFKA_CONSUMER_GROUP_TYPE__CNT => "",
    }
}

/// The protocol of KIP-848.
pub(super) const CONSUMER: &str = "consumer";

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(RDKafkaErrorCode::GroupAuthorizationFailed, true)]
    #[case(RDKafkaErrorCode::NonEmptyGroup, true)]
    #[case(RDKafkaErrorCode::InvalidArgument, true)]
    #[case(RDKafkaErrorCode::NotCoordinator, false)]
    #[case(RDKafkaErrorCode::OperationTimedOut, false)]
    #[case(RDKafkaErrorCode::BrokerTransportFailure, false)]
    #[case(RDKafkaErrorCode::Unknown, false)]
    fn what_is_no_use_to_try_again_is_a_refusal(#[case] code: RDKafkaErrorCode, #[case] is_refusal: bool) {
        assert_eq!(Failure::code(code).is_refusal(), is_refusal);
    }

    #[rstest]
    #[case("ottla-1-6fa459ea-ee8a-3ca4-894e-db77e160355e", "ottla-1")]
    #[case("6fa459ea-ee8a-3ca4-894e-db77e160355e", "6fa459ea-ee8a-3ca4-894e-db77e160355e")]
    #[case("-6fa459ea-ee8a-3ca4-894e-db77e160355e", "-6fa459ea-ee8a-3ca4-894e-db77e160355e")]
    #[case("資料資料資料資料資料資料資料資料資料", "資料資料資料資料資料資料資料資料資料")]
    #[case("short", "short")]
    fn a_client_id_that_is_not_told_is_read_from_the_member_id(#[case] id: &str, #[case] expected: &str) {
        assert_eq!(client_id_of(id), expected);
    }

    #[test]
    fn a_topic_id_is_printed_as_kafka_does() {
        assert_eq!(base64url("+/8A4ne0QhWPpHkoFO5Msw=="), "-_8A4ne0QhWPpHkoFO5Msw");
    }

    #[test]
    fn a_name_with_nul_is_refused_before_anything_is_asked() {
        assert!(c_string("a\0b").unwrap_err().is_refusal());
        assert!(list([(&Partition::new("a\0b", 0), Offset::End)].into_iter()).is_err());
    }
}
