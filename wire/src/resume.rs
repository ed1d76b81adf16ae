//! How a client comes back: what it has, what of an event is new to it, and how long it waits between two attempts. Pure,
//! and shared by the page and by `client`, so that both keep the promise "no record twice, none missing without a gap".

use crate::{Bye, Change, ChangeKind, Count, Cursor, Event, Flags, Gap, Position, Record, Records, TopicId};
use std::time::Duration;

/// The longest wait before the first attempt to reconnect.
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// The longest wait before any attempt.
pub const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// How long to wait before attempt number `attempt` (from 0): exponential, with full jitter, so that the tabs of a server
/// that went away do not all come back at once. `random` is uniform in `0.0..1.0`.
pub fn back_off(attempt: u32, random: f64) -> Duration {
    // Beyond 2^6 the limit holds in any case.
    (FIRST_DELAY * 2u32.pow(attempt.min(6))).min(LONGEST_DELAY).mul_f64(random.clamp(0.0, 1.0))
}

/// Where a client is in a feed. Fed with every event, it keeps the cursor for the next subscribe, and takes out what the
/// client has already had.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    epoch: u64,
    seq: u64,
    /// Sorted by topic and partition. A tree would take two kilobytes of the page's WebAssembly.
    positions: Vec<(String, i32, Seen)>,
    topics: Vec<TopicId>,
    /// Whether what comes next follows the cursor's offsets, not its `seq`.
    by_offsets: bool,
    /// The gaps since the cursor last moved, and those beyond it. A server that is asked again names them again.
    named: Vec<Gap>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The next offset of the stream. A replay or a redelivery takes it back.
    next: i64,
    /// The next offset that was never seen.
    unseen: i64,
    /// In a new epoch: what lies below was seen in an earlier one. Holds until the partition has passed it.
    floor: Option<i64>,
}

impl Resume {
    /// A client that has everything before `cursor`.
    pub fn new(cursor: &Cursor) -> Self {
        let (epoch, seq, topics) = (cursor.epoch, cursor.seq, cursor.topics.clone());
        let mut resume = Self { epoch, seq, topics, ..Self::default() };
        for position in &cursor.positions {
            resume.advance(&position.topic, position.partition, position.next);
        }
        resume
    }

    /// Where to subscribe from.
    pub fn cursor(&self) -> Cursor {
        let position = |(topic, partition, seen): &(String, i32, Seen)| Position {
            topic: topic.clone(),
            partition: *partition,
            next: seen.next,
        };
        let positions = self.positions.iter().map(position);
        Cursor { epoch: self.epoch, seq: self.seq, positions: positions.collect(), topics: self.topics.clone() }
    }

    /// Takes note of `event`, and returns what of it is new; nothing where the client has had all of it.
    pub fn accept(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Records(records) => self.accept_records(records).map(Event::Records),
            Event::Change(change) => self.accept_change(change).map(Event::Change),
            Event::Gap(gap) => self.accept_gap(gap).map(Event::Gap),
            Event::Positions(positions) => {
                positions.into_iter().for_each(|position| self.begin(position));
                None
            }
            Event::Topics(topics) => {
                topics.into_iter().for_each(|topic| self.identify(topic));
                None
            }
            Event::Bye(bye) => {
                self.accept_bye(&bye);
                Some(Event::Bye(bye))
            }
            Event::Subscribed(subscribed) => {
                // The cursor moves when the records come, not when they are announced, or a connection that breaks in
                // between would lose the gaps that stand between the two.
                self.by_offsets = !subscribed.resumed;
                Some(Event::Subscribed(subscribed))
            }
            other => Some(other),
        }
    }

    fn accept_records(&mut self, mut records: Records) -> Option<Records> {
        self.enter(records.epoch);
        let from = self.seq;
        records.records.retain(|record| record.seq >= from && self.is_new(record));
        if records.next > self.seq {
            self.move_to(records.next);
        }
        (!records.records.is_empty()).then_some(records)
    }

    fn is_new(&mut self, record: &Record) -> bool {
        let next = record.offset + 1;
        // It says itself why it comes again.
        let is_flagged = record.flags != Flags::FIRST;
        let Some(seen) = self.seen(&record.topic, record.partition) else {
            self.advance(&record.topic, record.partition, next);
            return true;
        };
        if !is_flagged && seen.floor.is_some_and(|floor| record.offset < floor) {
            return false;
        }
        // Replays and redeliveries go back, and so does a topic that was deleted and made anew: the stream's order is the
        // truth, and what was seen before is known apart from it.
        seen.next = next;
        seen.unseen = seen.unseen.max(next);
        if !is_flagged {
            seen.floor = None;
        }
        true
    }

    fn accept_change(&mut self, change: Change) -> Option<Change> {
        self.enter(change.epoch);
        if change.seq < self.seq {
            return None;
        }
        self.move_to(change.seq + 1);
        if let ChangeKind::Missing(gap) = &change.kind {
            self.advance(&gap.topic, gap.partition, gap.last + 1);
        }
        Some(change)
    }

    fn accept_gap(&mut self, mut gap: Gap) -> Option<Gap> {
        let (mut first, mut follows) = (gap.first, true);
        if self.by_offsets
            && let Some(seen) = self.seen(&gap.topic, gap.partition)
        {
            // What lies before the gap is still to come: the gap is of what another instance has beyond it.
            follows = gap.first <= seen.unseen;
            // After a replay or a redelivery the cursor asks from below what was seen before it.
            first = first.max(seen.unseen);
        }
        for named in &self.named {
            let is_same_place = named.topic == gap.topic && named.partition == gap.partition;
            if is_same_place && named.first <= first && first <= named.last {
                first = named.last + 1;
            }
        }
        if first > gap.last {
            return None;
        }
        gap.count = gap.count_of(first, gap.last);
        gap.first = first;
        if follows {
            self.advance(&gap.topic, gap.partition, gap.last + 1);
        }
        self.named.push(gap.clone());
        Some(gap)
    }

    /// Everything that the server sent came before its last word, so its cursor is as good, and knows of what a filter
    /// left out.
    fn accept_bye(&mut self, bye: &Bye) {
        let Some(cursor) = &bye.cursor else { return };
        self.enter(cursor.epoch);
        self.seq = self.seq.max(cursor.seq);
        cursor.topics.iter().for_each(|topic| self.identify(topic.clone()));
        for position in &cursor.positions {
            self.advance(&position.topic, position.partition, position.next);
        }
    }

    /// Nothing was seen of the partition, and nothing missed yet.
    fn begin(&mut self, Position { topic, partition, next }: Position) {
        let begun = Seen { next, unseen: i64::MIN, floor: None };
        if let Err(at) = self.find(&topic, partition) {
            self.positions.insert(at, (topic, partition, begun));
        }
    }

    /// What was seen of another topic of this name says nothing of this one.
    fn identify(&mut self, topic: TopicId) {
        match self.topics.iter_mut().find(|known| known.topic == topic.topic) {
            Some(known) if known.id == topic.id => {}
            Some(known) => {
                self.positions.retain(|(of, ..)| *of != topic.topic);
                self.named.retain(|gap| gap.topic != topic.topic);
                *known = topic;
            }
            None => self.topics.push(topic),
        }
    }

    fn move_to(&mut self, seq: u64) {
        self.seq = seq;
        self.by_offsets = false;
        // One that lies beyond what was seen since is still what the next server names.
        let mut named = std::mem::take(&mut self.named);
        named.retain(|gap| self.seen(&gap.topic, gap.partition).is_some_and(|seen| gap.last >= seen.unseen));
        self.named = named;
    }

    fn enter(&mut self, epoch: u64) {
        if epoch == self.epoch {
            return;
        }
        self.epoch = epoch;
        self.seq = 0;
        for (.., seen) in &mut self.positions {
            seen.floor = Some(seen.unseen);
        }
    }

    /// Where a partition is, or where it belongs.
    fn find(&self, topic: &str, partition: i32) -> Result<usize, usize> {
        self.positions.binary_search_by(|(of, number, _)| of.as_str().cmp(topic).then(number.cmp(&partition)))
    }

    fn seen(&mut self, topic: &str, partition: i32) -> Option<&mut Seen> {
        self.find(topic, partition).ok().map(|at| &mut self.positions[at].2)
    }

    fn advance(&mut self, topic: &str, partition: i32, next: i64) {
        match self.find(topic, partition) {
            Ok(at) => {
                let seen = &mut self.positions[at].2;
                seen.next = seen.next.max(next);
                seen.unseen = seen.unseen.max(next);
            }
            Err(at) => self.positions.insert(at, (topic.into(), partition, Seen { next, unseen: next, floor: None })),
        }
    }
}

impl Gap {
    /// How many of this gap's records lie in `first..=last`, a range inside it.
    pub fn count_of(&self, first: i64, last: i64) -> Count {
        if (first, last) == (self.first, self.last) {
            return self.count;
        }
        let part = u64::try_from(last - first + 1).unwrap_or(0);
        let all = u64::try_from(self.last - self.first + 1).unwrap_or(0);
        match self.count {
            // No holes, so the part has none either.
            Count::Exact(count) if count == all => Count::Exact(part),
            Count::Exact(count) | Count::UpTo(count) => Count::UpTo(count.min(part)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ByeReason, Scope, Subscribed, Timestamp};

    fn record(seq: u64, offset: i64, flags: Flags) -> Record {
        Record {
            seq,
            topic: "t".into(),
            partition: 0,
            offset,
            timestamp: Timestamp::None,
            received: 0,
            flags,
            key: None,
            value: None,
            headers: vec![],
            headers_left_out: 0,
        }
    }

    fn records(epoch: u64, records: Vec<Record>) -> Event {
        let next = records.last().map_or(0, |record| record.seq + 1);
        Event::Records(Records { epoch, next, records })
    }

    fn offsets(event: Option<Event>) -> Vec<i64> {
        match event {
            Some(Event::Records(records)) => records.records.iter().map(|record| record.offset).collect(),
            _ => vec![],
        }
    }

    fn gap(first: i64, last: i64) -> Gap {
        let count = Count::Exact(u64::try_from(last - first + 1).expect("a range"));
        Gap { topic: "t".into(), partition: 0, first, last, count, now_with: None }
    }

    fn subscribed(epoch: u64, seq: u64, resumed: bool) -> Subscribed {
        let (feed, group, scope) = ("default".into(), "g".into(), Scope::Instance);
        Subscribed { feed, group, scope, epoch, seq, resumed }
    }

    fn at(epoch: u64, seq: u64, next: i64) -> Cursor {
        Cursor { epoch, seq, positions: vec![Position { topic: "t".into(), partition: 0, next }], topics: vec![] }
    }

    #[test]
    fn what_lies_before_a_gap_of_another_epoch_comes_after_it() {
        let mut resume = Resume::new(&at(1, 10, 100));
        resume.accept(Event::Subscribed(subscribed(2, 1, false)));
        // Another instance has these; 100 and 101 are here.
        assert_eq!(resume.accept(Event::Gap(gap(102, 110))), Some(Event::Gap(gap(102, 110))));
        let here = vec![record(1, 100, Flags::FIRST), record(2, 101, Flags::FIRST)];
        assert_eq!(offsets(resume.accept(records(2, here))), [100, 101]);
        // And once more elsewhere.
        resume.accept(Event::Subscribed(subscribed(3, 1, false)));
        assert_eq!(resume.accept(Event::Gap(gap(102, 112))), Some(Event::Gap(gap(111, 112))));
    }

    #[test]
    fn what_was_sent_before_in_the_same_epoch_is_taken_out() {
        let mut resume = Resume::new(&at(1, 10, 100));
        let sent = vec![record(9, 99, Flags::FIRST), record(10, 100, Flags::FIRST), record(11, 101, Flags::FIRST)];
        assert_eq!(offsets(resume.accept(records(1, sent.clone()))), [100, 101]);
        assert_eq!(resume.accept(records(1, sent)), None);
        assert_eq!(resume.cursor(), at(1, 12, 102));
    }

    #[test]
    fn a_rewind_in_the_same_epoch_is_shown_and_followed() {
        let mut resume = Resume::new(&at(1, 10, 100));
        assert_eq!(offsets(resume.accept(records(1, vec![record(10, 3, Flags::REPLAYED)]))), [3]);
        assert_eq!(resume.cursor(), at(1, 11, 4));
        assert_eq!(offsets(resume.accept(records(1, vec![record(11, 2, Flags::REDELIVERED)]))), [2]);
        assert_eq!(resume.cursor(), at(1, 12, 3));
    }

    #[test]
    fn in_a_new_epoch_offsets_decide_unless_the_record_says_why_it_comes_again() {
        let mut resume = Resume::new(&at(1, 10, 100));
        let sent = vec![
            record(0, 98, Flags::FIRST),
            record(1, 99, Flags::POSSIBLY_REDELIVERED),
            record(2, 100, Flags::FIRST),
            record(3, 7, Flags::FIRST),
        ];
        assert_eq!(offsets(resume.accept(records(2, sent))), [99, 100, 7]);
    }

    #[test]
    fn a_replay_goes_on_in_a_new_epoch_without_showing_again_what_it_had_not_reached() {
        let mut resume = Resume::new(&at(1, 10, 100));
        resume.accept(records(1, vec![record(10, 96, Flags::REPLAYED)]));
        assert_eq!(resume.cursor().positions, at(1, 11, 97).positions);
        let sent = vec![record(0, 97, Flags::FIRST), record(1, 98, Flags::REPLAYED), record(2, 100, Flags::FIRST)];
        assert_eq!(offsets(resume.accept(records(2, sent))), [98, 100]);
    }

    #[test]
    fn a_gap_named_again_after_a_broken_connection_is_new_only_where_it_grew() {
        let mut resume = Resume::new(&at(1, 10, 100));
        assert_eq!(resume.accept(Event::Gap(gap(100, 119))), Some(Event::Gap(gap(100, 119))));
        assert_eq!(resume.accept(Event::Gap(gap(100, 119))), None);
        assert_eq!(resume.accept(Event::Gap(gap(100, 129))), Some(Event::Gap(gap(120, 129))));
        let holey = Gap { partition: 1, count: Count::Exact(3), ..gap(0, 9) };
        assert_eq!(resume.accept(Event::Gap(holey.clone())), Some(Event::Gap(holey)));
        resume.accept(records(1, vec![record(40, 130, Flags::FIRST)]));
        assert_eq!(resume.accept(Event::Gap(gap(100, 119))), Some(Event::Gap(gap(100, 119))), "of a replay");
    }

    #[test]
    fn after_a_replay_a_gap_by_offsets_names_only_what_was_never_seen() {
        let by_offsets = |resumed| {
            let mut resume = Resume::new(&at(1, 10, 100));
            resume.accept(records(1, vec![record(10, 3, Flags::REPLAYED)]));
            resume.accept(Event::Subscribed(subscribed(2, 70, resumed)));
            resume.accept(Event::Gap(gap(4, 119)))
        };
        assert_eq!(by_offsets(false), Some(Event::Gap(gap(100, 119))));
        assert_eq!(by_offsets(true), Some(Event::Gap(gap(4, 119))), "of the replay itself");
    }

    #[test]
    fn what_was_seen_of_a_topic_says_nothing_of_another_one_of_its_name() {
        let topic = |id: &str| TopicId { topic: "t".into(), id: id.into() };
        let mut resume = Resume::new(&Cursor { topics: vec![topic("old")], ..at(1, 10, 100) });
        assert_eq!(resume.accept(Event::Topics(vec![topic("old")])), None);
        assert_eq!(resume.cursor().positions, at(1, 10, 100).positions);
        assert_eq!(resume.accept(Event::Topics(vec![topic("new")])), None);
        assert_eq!(resume.cursor(), Cursor { epoch: 1, seq: 10, positions: vec![], topics: vec![topic("new")] });
        assert_eq!(offsets(resume.accept(records(2, vec![record(1, 0, Flags::FIRST)]))), [0]);
    }

    #[test]
    fn a_partition_of_which_nothing_was_seen_has_a_position_once_it_is_told() {
        let position = |partition, next| Position { topic: "t".into(), partition, next };
        let mut resume = Resume::new(&at(1, 10, 100));
        assert_eq!(resume.accept(Event::Positions(vec![position(0, 7), position(1, 40)])), None);
        assert_eq!(resume.cursor().positions, [position(0, 100), position(1, 40)]);
        let of_1 = |seq, offset| Record { partition: 1, ..record(seq, offset, Flags::FIRST) };
        assert_eq!(offsets(resume.accept(records(2, vec![of_1(1, 38)]))), [38], "it was not seen");
    }

    #[test]
    fn a_topic_whose_id_becomes_known_is_the_same() {
        let mut resume = Resume::new(&at(1, 10, 100));
        resume.accept(Event::Topics(vec![TopicId { topic: "t".into(), id: "new".into() }]));
        assert_eq!(resume.cursor().positions, at(1, 10, 100).positions);
    }

    #[test]
    fn the_cursor_does_not_move_before_the_records_come() {
        let mut resume = Resume::new(&at(1, 10, 100));
        assert!(resume.accept(Event::Subscribed(subscribed(2, 70, false))).is_some());
        assert_eq!(resume.cursor(), at(1, 10, 100));
    }

    #[test]
    fn the_servers_last_cursor_is_taken_over() {
        let mut resume = Resume::new(&at(1, 10, 100));
        resume.accept(Event::Bye(Bye { reason: ByeReason::Stopping, cursor: Some(at(1, 20, 104)) }));
        assert_eq!(resume.cursor(), at(1, 20, 104));
    }

    #[test]
    fn the_wait_grows_to_its_limit_and_is_jittered_in_full() {
        assert_eq!(back_off(0, 1.0), Duration::from_millis(250));
        assert_eq!(back_off(3, 0.5), Duration::from_secs(1));
        assert_eq!(back_off(u32::MAX, 1.0), LONGEST_DELAY);
        assert_eq!(back_off(5, 0.0), Duration::ZERO);
    }
}
