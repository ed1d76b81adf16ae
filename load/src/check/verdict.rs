//! What follows from a [`History`]: whether the promise was kept. Pure.
//!
//! The rule. Every acknowledged record is consumed at least once, by a tab's or a mark's word. Inside one assignment of a
//! partition, offsets and numbers go up, and no acknowledged record is passed over unless a gap or missing offsets were
//! declared there. A record that was consumed more than once is flagged on all of its consumptions but one. A consumption is
//! an incarnation's: its tab's rows and its marks speak of the same one.

use super::history::{Fate, History, Incarnation, Log, Range, Shown, Told};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use wire::{Flags, Millis};

/// How many examples of each kind of violation are kept.
const EXAMPLES: usize = 5;

/// What is asked of a run beyond the rule.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rules {
    /// No record may be consumed twice or be flagged at all: nothing happened that could excuse it.
    pub is_clean: bool,
    /// Offsets were set back on purpose.
    pub may_rewind: bool,
}

/// Whether the promise was kept, and the figures.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Verdict {
    pub acknowledged: u64,
    /// Deliveries that failed: nothing is asked of them.
    pub failed: u64,
    /// Rows in tabs.
    pub shown: u64,
    /// Acknowledged records that at least one tab showed.
    pub seen: u64,
    /// Acknowledged records that only a mark shows: consumed, and the instance ended before its tab got them.
    pub by_mark_only: u64,
    /// Acknowledged records that no tab showed, and that a gap declares.
    pub in_gaps: u64,
    /// Acknowledged records that nobody consumed, and that are declared as missing.
    pub missing: u64,
    /// Acknowledged records that were consumed more than once.
    pub repeated: u64,
    /// Rows flagged as redelivered, possibly redelivered, replayed.
    pub redelivered: u64,
    pub possibly_redelivered: u64,
    pub replayed: u64,
    /// Ranges that were flagged after they were sent.
    pub late_flags: u64,
    /// Instances' lives that a tab followed.
    pub incarnations: u64,
    pub marks: u64,
    pub violations: BTreeMap<Kind, Finding>,
}

/// How the promise can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// An acknowledged record that nobody consumed.
    Lost,
    /// A record that was consumed twice, and that more than one consumption calls the first.
    UnflaggedDuplicate,
    /// An offset that came twice without a replay or a change of owner, as the instance itself says.
    Duplicate,
    /// Offsets or numbers that went back inside an assignment.
    Disorder,
    /// Acknowledged records that were passed over inside an assignment without a word.
    SilentGap,
    /// A record that is called redelivered and was consumed once.
    FalseFlag,
    /// A record that was consumed twice or flagged where nothing excuses it.
    Unclean,
    /// A record of an aborted transaction.
    Uncommitted,
    /// A record that is not the one that was acknowledged at its offset.
    Altered,
    /// A committed offset that went back.
    CommittedWentBack,
    /// What a scenario asks beyond all this.
    Scenario,
}

/// How often, and the first examples.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Finding {
    pub count: u64,
    pub examples: Vec<String>,
}

impl Verdict {
    pub fn is_kept(&self) -> bool {
        self.violations.is_empty()
    }

    pub fn violate(&mut self, kind: Kind, example: impl FnOnce() -> String) {
        let finding = self.violations.entry(kind).or_default();
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example());
        }
    }
}

/// One consumption of a record, by the word of a tab or of a mark.
#[derive(Debug, Clone, Copy)]
struct Touch {
    log: Log,
    offset: i64,
    /// The incarnation's number.
    who: usize,
    source: Source,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Tab { flags: Flags, at: Millis },
    Mark { at: Millis },
}

/// What the walk through one stream keeps of one partition, inside one assignment.
#[derive(Debug, Default)]
struct Run {
    /// The last offset and number.
    last: Option<(i64, u64)>,
    /// The last number of each key.
    keys: HashMap<u32, u64>,
    /// Where its rows are among the touches.
    rows: Vec<usize>,
}

/// Offsets that a stream passed over inside an assignment.
struct Hole {
    who: usize,
    range: Range,
}

/// Judges.
pub(crate) fn verify(history: &History, rules: Rules) -> Verdict {
    let mut verdict = Verdict {
        failed: history.failed,
        incarnations: history.streams.len() as u64,
        marks: history.marks.len() as u64,
        ..Verdict::default()
    };
    let expected = Expected::new(history);
    verdict.acknowledged = expected.acknowledged.len() as u64;

    let mut walk = Walk { touches: Vec::new(), holes: Vec::new(), gaps: Vec::new(), missing: Vec::new() };
    for (who, stream) in history.streams.iter().enumerate() {
        walk.stream(who, &stream.told, &stream.by, &mut verdict);
    }
    walk.marks(history, &expected);
    judge_holes(&walk, &expected, history, &mut verdict);
    judge_records(walk, &expected, history, rules, &mut verdict);
    judge_committed(history, rules, &mut verdict);
    verdict
}

/// What the group had to consume, and what it had not to.
struct Expected {
    /// Sorted: log, offset, number.
    acknowledged: Vec<(Log, i64, u64)>,
    aborted: HashSet<(Log, i64)>,
}

impl Expected {
    fn new(history: &History) -> Self {
        let of = |fate| history.sent.iter().filter(move |sent| sent.fate == fate);
        let mut acknowledged: Vec<_> =
            of(Fate::Acknowledged).map(|sent| (sent.log, sent.offset, sent.number)).collect();
        acknowledged.sort_unstable();
        let aborted = of(Fate::Aborted).map(|sent| (sent.log, sent.offset)).collect();
        Self { acknowledged, aborted }
    }

    fn in_range(&self, Range { log, first, last }: Range) -> &[(Log, i64, u64)] {
        let from = self.acknowledged.partition_point(|(at, offset, _)| (*at, *offset) < (log, first));
        let to = self.acknowledged.partition_point(|(at, offset, _)| (*at, *offset) <= (log, last));
        &self.acknowledged[from..to.max(from)]
    }
}

struct Walk {
    touches: Vec<Touch>,
    holes: Vec<Hole>,
    /// Declared by a stream: who, and what.
    gaps: Vec<(usize, Range)>,
    missing: Vec<(usize, Range)>,
}

impl Walk {
    fn stream(&mut self, who: usize, told: &[Told], by: &Incarnation, verdict: &mut Verdict) {
        let mut runs = HashMap::<Log, Run>::new();
        for told in told {
            match told {
                Told::Record(shown) => {
                    let run = runs.entry(shown.log).or_default();
                    self.holes.extend(order(run, shown, who, by, verdict));
                    run.rows.push(self.touches.len());
                    self.touches.push(Touch {
                        log: shown.log,
                        offset: shown.offset,
                        who,
                        source: Source::Tab { flags: shown.flags, at: shown.received },
                    });
                }
                Told::Gap(range) => self.gaps.push((who, *range)),
                Told::Missing(range) => self.missing.push((who, *range)),
                Told::Flag(range, flags) => {
                    verdict.late_flags += 1;
                    // Of the present or the last assignment: what came before it is another consumption.
                    let rows = runs.get(&range.log).map_or(&[][..], |run| &run.rows);
                    for row in rows {
                        let touch = &mut self.touches[*row];
                        if (range.first..=range.last).contains(&touch.offset)
                            && let Source::Tab { flags: now, .. } = &mut touch.source
                        {
                            *now = *flags;
                        }
                    }
                }
                Told::Assigned { logs, .. } => {
                    for log in logs {
                        runs.remove(log);
                    }
                }
                // The rows stay, for what becomes known of them later.
                Told::Taken { logs, .. } => {
                    for log in logs {
                        if let Some(run) = runs.get_mut(log) {
                            (run.last, run.keys) = (None, HashMap::new());
                        }
                    }
                }
            }
        }
    }

    fn marks(&mut self, history: &History, expected: &Expected) {
        let mut numbers: HashMap<_, _> =
            history.streams.iter().enumerate().map(|(number, stream)| (&stream.by, number)).collect();
        for mark in &history.marks {
            let next = numbers.len();
            let who = *numbers.entry(&mark.by).or_insert(next);
            let range = Range { log: mark.log, first: mark.first, last: mark.next - 1 };
            let touches = expected.in_range(range).iter();
            self.touches.extend(touches.map(|&(log, offset, _)| Touch {
                log,
                offset,
                who,
                source: Source::Mark { at: mark.at },
            }));
        }
    }
}

/// Whether a record stands where it must after the last one. A hole before it is returned, to be judged when all that was
/// declared is known.
fn order(run: &mut Run, shown: &Shown, who: usize, by: &Incarnation, verdict: &mut Verdict) -> Option<Hole> {
    let Shown { log, offset, number, key, key_number, flags, .. } = *shown;
    let is_replay = flags.contains(Flags::REPLAYED);
    if is_replay && run.last.is_none_or(|(last, _)| offset != last + 1) {
        // Someone moved the position: whatever comes first is right.
        (run.last, run.keys) = (None, HashMap::new());
    }
    let last = run.last.replace((offset, number));
    let last_of_key = run.keys.insert(key, key_number);
    let (last_offset, last_number) = last?;
    if offset <= last_offset || number <= last_number || last_of_key.is_some_and(|last| key_number <= last) {
        verdict.violate(Kind::Disorder, || {
            format!("{}: offset {offset} (number {number}) after {last_offset} ({last_number})", place(by, log))
        });
    }
    let range = Range { log, first: last_offset + 1, last: offset - 1 };
    (range.first <= range.last).then_some(Hole { who, range })
}

fn place(by: &Incarnation, log: Log) -> String {
    format!("{} partition {}", by.instance, log.partition)
}

fn is_in(ranges: &[(usize, Range)], who: Option<usize>, log: Log, offset: i64) -> bool {
    ranges.iter().any(|(by, range)| {
        who.is_none_or(|who| who == *by) && range.log == log && (range.first..=range.last).contains(&offset)
    })
}

fn judge_holes(walk: &Walk, expected: &Expected, history: &History, verdict: &mut Verdict) {
    for Hole { who, range } in &walk.holes {
        for &(log, offset, number) in expected.in_range(*range) {
            let is_declared =
                is_in(&walk.gaps, Some(*who), log, offset) || is_in(&walk.missing, Some(*who), log, offset);
            if !is_declared {
                verdict.violate(Kind::SilentGap, || {
                    format!("{}: offset {offset} (number {number})", place(&history.streams[*who].by, log))
                });
            }
        }
    }
}

/// What was said of one record.
#[derive(Default)]
struct Account {
    /// Rows in tabs, of whatever incarnation.
    shown: u64,
    unflagged: u64,
    first_unflagged: Option<Millis>,
    is_called_redelivered: bool,
    is_replayed: bool,
    is_flagged: bool,
    /// When each consumption happened that only a mark shows.
    unseen: Vec<Millis>,
}

impl Account {
    /// `touches` are those of one record, sorted by incarnation.
    fn of(touches: &[Touch], verdict: &mut Verdict) -> Self {
        let mut account = Self::default();
        for own in touches.chunk_by(|a, b| a.who == b.who) {
            let mut marked = None;
            let shown_before = account.shown;
            for touch in own {
                match touch.source {
                    Source::Mark { at } => marked = Some(at),
                    Source::Tab { flags, at } => account.show(touch, flags, at, verdict),
                }
            }
            if account.shown == shown_before {
                account.unseen.extend(marked);
            }
        }
        account
    }

    fn show(&mut self, touch: &Touch, flags: Flags, at: Millis, verdict: &mut Verdict) {
        verdict.shown += 1;
        self.shown += 1;
        verdict.redelivered += u64::from(flags.contains(Flags::REDELIVERED));
        verdict.possibly_redelivered += u64::from(flags.contains(Flags::POSSIBLY_REDELIVERED));
        verdict.replayed += u64::from(flags.contains(Flags::REPLAYED));
        self.is_called_redelivered |= flags.contains(Flags::REDELIVERED);
        self.is_replayed |= flags.contains(Flags::REPLAYED);
        self.is_flagged |= flags != Flags::FIRST;
        if flags == Flags::FIRST {
            self.unflagged += 1;
            self.first_unflagged = Some(self.first_unflagged.map_or(at, |first| first.min(at)));
        }
        if flags.contains(Flags::DUPLICATE) {
            verdict.violate(Kind::Duplicate, || {
                format!("partition {} offset {}: flagged as a duplicate", touch.log.partition, touch.offset)
            });
        }
    }

    fn consumptions(&self) -> u64 {
        self.shown + self.unseen.len() as u64
    }

    /// A consumption that no tab showed may have been the first, and then has no flag; but not if it came before one that a
    /// tab was shown without.
    fn is_unflagged_twice(&self) -> bool {
        let is_after = |first: Millis| self.unseen.iter().any(|unseen| *unseen < first);
        self.unflagged > 1 || self.first_unflagged.is_some_and(is_after)
    }
}

fn judge_records(walk: Walk, expected: &Expected, history: &History, rules: Rules, verdict: &mut Verdict) {
    let Walk { mut touches, gaps, missing, .. } = walk;
    touches.sort_unstable_by_key(|touch| (touch.log, touch.offset, touch.who));
    judge_contents(history, expected, verdict);

    let mut records = expected.acknowledged.iter().peekable();
    let untouched = |log: Log, offset: i64, number: u64, verdict: &mut Verdict| {
        if is_in(&missing, None, log, offset) {
            verdict.missing += 1;
        } else if is_in(&gaps, None, log, offset) {
            verdict.in_gaps += 1;
        } else {
            verdict.violate(Kind::Lost, || {
                format!("partition {} offset {offset} (number {number}): nobody consumed it", log.partition)
            });
        }
    };
    for touches in touches.chunk_by(|a, b| (a.log, a.offset) == (b.log, b.offset)) {
        let (log, offset) = (touches[0].log, touches[0].offset);
        while let Some(&(at, passed, number)) = records.next_if(|(at, passed, _)| (*at, *passed) < (log, offset)) {
            untouched(at, passed, number, verdict);
        }
        let is_expected = records.next_if(|(at, record, _)| (*at, *record) == (log, offset)).is_some();
        if expected.aborted.contains(&(log, offset)) {
            verdict.violate(Kind::Uncommitted, || format!("partition {} offset {offset}", log.partition));
        }
        judge_account(&Account::of(touches, verdict), log, offset, is_expected, rules, verdict);
    }
    for &(log, offset, number) in records {
        untouched(log, offset, number, verdict);
    }
}

fn judge_account(account: &Account, log: Log, offset: i64, is_expected: bool, rules: Rules, verdict: &mut Verdict) {
    let consumptions = account.consumptions();
    if is_expected {
        verdict.seen += u64::from(account.shown > 0);
        verdict.by_mark_only += u64::from(account.shown == 0);
        verdict.repeated += u64::from(consumptions > 1);
    }
    let describe = |what: &str| {
        let Account { shown, unflagged, unseen, .. } = account;
        format!(
            "partition {} offset {offset}: {what} (shown {shown} times, {unflagged} of them without a flag; {} more by marks)",
            log.partition,
            unseen.len()
        )
    };
    if consumptions > 1 && account.is_unflagged_twice() {
        verdict.violate(Kind::UnflaggedDuplicate, || describe("consumed twice, and not flagged"));
    }
    if consumptions == 1 && account.is_called_redelivered && !account.is_replayed {
        verdict.violate(Kind::FalseFlag, || describe("called redelivered, and consumed once"));
    }
    if rules.is_clean && (consumptions > 1 || account.is_flagged) {
        verdict.violate(Kind::Unclean, || describe("consumed twice or flagged where nothing excuses it"));
    }
}

/// A record shown at an offset must be the one that was acknowledged there.
fn judge_contents(history: &History, expected: &Expected, verdict: &mut Verdict) {
    for told in history.streams.iter().flat_map(|stream| &stream.told) {
        let Told::Record(shown) = told else { continue };
        let at = Range { log: shown.log, first: shown.offset, last: shown.offset };
        if let [(_, offset, number)] = expected.in_range(at)
            && *number != shown.number
        {
            verdict.violate(Kind::Altered, || {
                format!("partition {} offset {offset}: number {}, not {number}", shown.log.partition, shown.number)
            });
        }
    }
}

fn judge_committed(history: &History, rules: Rules, verdict: &mut Verdict) {
    let mut last = HashMap::new();
    for committed in &history.committed {
        let before = last.insert(committed.log, committed.offset);
        if before.is_some_and(|before| before > committed.offset) && !rules.may_rewind {
            verdict.violate(Kind::CommittedWentBack, || {
                let (partition, to) = (committed.log.partition, committed.offset);
                format!("partition {partition}: from {} to {to}", before.unwrap_or_default())
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::{Committed, Marked, Sent};
    use super::*;

    const LOG: Log = Log { life: 0, partition: 0 };

    fn by(instance: &str) -> Incarnation {
        Incarnation { instance: instance.into(), number: 1 }
    }

    /// A history in which the offsets `0..count` were acknowledged.
    fn produced(count: u64) -> History {
        let mut history = History::default();
        for number in 0..count {
            let offset = i64::try_from(number).unwrap();
            history.sent(Sent { log: LOG, offset, number, fate: Fate::Acknowledged });
        }
        history
    }

    fn shown(offset: i64, flags: Flags) -> Told {
        let number = u64::try_from(offset).unwrap();
        Told::Record(Shown { log: LOG, offset, number, key: 0, key_number: number, flags, received: 1000 + offset })
    }

    fn first(offsets: std::ops::Range<i64>) -> Vec<Told> {
        offsets.map(|offset| shown(offset, Flags::FIRST)).collect()
    }

    fn range(first: i64, last: i64) -> Range {
        Range { log: LOG, first, last }
    }

    fn told(history: &mut History, instance: &str, told: Vec<Told>) {
        let stream = history.begin_stream(by(instance));
        for told in told {
            history.told(stream, told);
        }
    }

    fn mark(history: &mut History, instance: &str, first: i64, next: i64, at: Millis) {
        history.marked(Marked { by: by(instance), log: LOG, first, next, at });
    }

    fn assigned() -> Told {
        Told::Assigned { at: 0, logs: vec![LOG] }
    }

    fn taken() -> Told {
        Told::Taken { at: 0, logs: vec![LOG], is_lost: false }
    }

    /// The violations, by kind and count.
    fn violations(history: &History, rules: Rules) -> Vec<(Kind, u64)> {
        verify(history, rules).violations.into_iter().map(|(kind, finding)| (kind, finding.count)).collect()
    }

    fn kept(history: &History) -> Verdict {
        let verdict = verify(history, Rules::default());
        assert!(verdict.is_kept(), "{:?}", verdict.violations);
        verdict
    }

    #[test]
    fn a_stable_run_is_kept_and_clean() {
        let mut history = produced(10);
        told(&mut history, "a", [vec![assigned()], first(0..6), vec![taken()]].concat());
        told(&mut history, "b", [vec![assigned()], first(6..10)].concat());
        mark(&mut history, "a", 0, 6, 1010);
        mark(&mut history, "b", 6, 10, 1020);
        assert_eq!(violations(&history, Rules { is_clean: true, ..Rules::default() }), []);
        let verdict = kept(&history);
        assert_eq!((verdict.acknowledged, verdict.seen, verdict.repeated, verdict.by_mark_only), (10, 10, 0, 0));
        assert_eq!(history.outstanding(), 0);
    }

    #[test]
    fn a_record_that_nobody_consumed_is_lost() {
        let mut history = produced(10);
        told(&mut history, "a", [first(0..6), vec![taken()]].concat());
        told(&mut history, "b", [vec![assigned()], first(8..10)].concat());
        assert_eq!(violations(&history, Rules::default()), [(Kind::Lost, 2)]);
        assert_eq!(history.outstanding(), 2);
    }

    #[test]
    fn the_last_records_can_be_lost_too() {
        let mut history = produced(10);
        told(&mut history, "a", first(0..9));
        assert_eq!(violations(&history, Rules::default()), [(Kind::Lost, 1)]);
    }

    #[test]
    fn a_record_that_only_a_mark_shows_is_consumed() {
        let mut history = produced(10);
        told(&mut history, "a", first(0..6));
        mark(&mut history, "a", 0, 8, 1008);
        told(&mut history, "b", [vec![assigned()], first(8..10)].concat());
        let verdict = kept(&history);
        assert_eq!((verdict.seen, verdict.by_mark_only, verdict.repeated), (8, 2, 0));
    }

    #[test]
    fn a_silent_hole_is_found_even_where_a_mark_covers_it() {
        let mut history = produced(10);
        told(&mut history, "a", [first(0..4), first(6..10)].concat());
        mark(&mut history, "a", 0, 10, 1010);
        assert_eq!(violations(&history, Rules::default()), [(Kind::SilentGap, 2)]);
    }

    #[test]
    fn a_declared_gap_and_declared_missing_offsets_are_no_violation() {
        for declared in [Told::Gap(range(4, 5)), Told::Missing(range(4, 5))] {
            let mut history = produced(10);
            told(&mut history, "a", [first(0..4), vec![declared], first(6..10)].concat());
            let verdict = kept(&history);
            assert_eq!((verdict.seen, verdict.in_gaps + verdict.missing), (8, 2));
            assert_eq!(history.outstanding(), 0);
        }
    }

    #[test]
    fn another_tabs_gap_excuses_no_hole() {
        let mut history = produced(10);
        told(&mut history, "a", [first(0..4), first(6..10)].concat());
        told(&mut history, "b", vec![Told::Gap(range(4, 5))]);
        assert_eq!(violations(&history, Rules::default()), [(Kind::SilentGap, 2)]);
    }

    #[test]
    fn offsets_that_hold_no_record_of_the_run_are_no_hole() {
        let mut history = History::default();
        for (number, offset) in [0, 1, 4, 5].into_iter().enumerate() {
            history.sent(Sent { log: LOG, offset, number: number as u64, fate: Fate::Acknowledged });
            let number = number as u64;
            let record =
                Shown { log: LOG, offset, number, key: 0, key_number: number, flags: Flags::FIRST, received: 0 };
            told(&mut history, "a", vec![Told::Record(record)]);
        }
        kept(&history);
    }

    #[test]
    fn a_repetition_must_be_flagged_on_all_but_one() {
        for (flags, expected) in [
            (Flags::FIRST, vec![(Kind::UnflaggedDuplicate, 2)]),
            (Flags::REDELIVERED, vec![]),
            (Flags::POSSIBLY_REDELIVERED, vec![]),
            (Flags::REPLAYED, vec![]),
        ] {
            let mut history = produced(10);
            told(&mut history, "a", first(0..10));
            told(&mut history, "b", vec![assigned(), shown(8, flags), shown(9, flags)]);
            assert_eq!(violations(&history, Rules::default()), expected);
            assert_eq!(verify(&history, Rules::default()).repeated, 2);
            assert!(violations(&history, Rules { is_clean: true, ..Rules::default() }).contains(&(Kind::Unclean, 2)));
        }
    }

    #[test]
    fn a_late_flag_counts_as_a_flag() {
        let mut history = produced(10);
        told(&mut history, "a", first(0..10));
        told(&mut history, "b", [vec![assigned()], first(7..10)].concat());
        told(&mut history, "b", vec![Told::Flag(range(7, 9), Flags::REDELIVERED)]);
        let verdict = kept(&history);
        assert_eq!((verdict.late_flags, verdict.redelivered), (1, 3));
    }

    #[test]
    fn a_late_flag_speaks_of_the_last_assignment_only() {
        let mut history = produced(4);
        told(&mut history, "a", [vec![assigned()], first(0..4), vec![taken(), assigned()], first(2..4)].concat());
        told(&mut history, "a", vec![taken(), Told::Flag(range(0, 3), Flags::REDELIVERED)]);
        let verdict = kept(&history);
        assert_eq!((verdict.repeated, verdict.redelivered), (2, 2));
    }

    #[test]
    fn a_mark_of_an_earlier_consumption_asks_for_a_flag() {
        let consumed_again = |flags, at| {
            let mut history = produced(4);
            told(&mut history, "a", first(0..2));
            mark(&mut history, "a", 0, 4, at);
            told(&mut history, "b", vec![assigned(), shown(2, flags), shown(3, flags)]);
            violations(&history, Rules::default())
        };
        assert_eq!(consumed_again(Flags::FIRST, 1001), [(Kind::UnflaggedDuplicate, 2)]);
        assert_eq!(consumed_again(Flags::REDELIVERED, 1001), []);
        // Which of the two was the first is not known, and whether the other was flagged neither: its tab was not told.
        assert_eq!(consumed_again(Flags::FIRST, 5000), []);
    }

    #[test]
    fn called_redelivered_and_consumed_once_is_false_but_possibly_is_not() {
        for (flags, expected) in [
            (Flags::REDELIVERED, vec![(Kind::FalseFlag, 1)]),
            (Flags::POSSIBLY_REDELIVERED, vec![]),
            (Flags::REDELIVERED.with(Flags::REPLAYED), vec![]),
        ] {
            let mut history = produced(3);
            told(&mut history, "a", [first(0..2), vec![shown(2, flags)]].concat());
            assert_eq!(violations(&history, Rules::default()), expected);
        }
    }

    #[test]
    fn the_instances_own_word_of_a_duplicate_is_a_violation() {
        let mut history = produced(3);
        told(&mut history, "a", [first(0..3), vec![shown(1, Flags::DUPLICATE), shown(2, Flags::DUPLICATE)]].concat());
        assert_eq!(violations(&history, Rules::default()), [(Kind::Duplicate, 2), (Kind::Disorder, 1)]);
    }

    #[test]
    fn offsets_go_up_inside_an_assignment_and_anywhere_after_another() {
        let twice = |between: Vec<Told>| {
            let mut history = produced(4);
            let again = vec![shown(1, Flags::REDELIVERED), shown(2, Flags::REDELIVERED)];
            told(&mut history, "a", [first(0..4), between, again].concat());
            violations(&history, Rules::default())
        };
        assert_eq!(twice(vec![]), [(Kind::Disorder, 1)]);
        assert_eq!(twice(vec![taken(), assigned()]), []);
    }

    #[test]
    fn a_replay_may_begin_anywhere_but_keeps_its_order() {
        let replayed = |offsets: [i64; 3]| {
            let mut history = produced(6);
            let again = offsets.map(|offset| shown(offset, Flags::REPLAYED)).to_vec();
            told(&mut history, "a", [first(0..6), again].concat());
            violations(&history, Rules::default())
        };
        assert_eq!(replayed([1, 2, 3]), []);
        assert_eq!(replayed([4, 1, 2]), [], "moved twice");
    }

    #[test]
    fn numbers_and_keys_keep_their_order_too() {
        let mut history = History::default();
        for (offset, number) in [(0, 0), (1, 2), (2, 1)] {
            history.sent(Sent { log: LOG, offset, number, fate: Fate::Acknowledged });
            let record =
                Shown { log: LOG, offset, number, key: 0, key_number: number, flags: Flags::FIRST, received: 0 };
            told(&mut history, "a", vec![Told::Record(record)]);
        }
        assert_eq!(violations(&history, Rules::default()), [(Kind::Disorder, 1)]);
    }

    #[test]
    fn a_record_of_an_aborted_transaction_may_not_be_shown_and_is_not_asked_for() {
        let mut history = produced(2);
        for offset in [2, 3] {
            history.sent(Sent { log: LOG, offset, number: 2, fate: Fate::Aborted });
        }
        told(&mut history, "a", first(0..2));
        kept(&history);
        told(&mut history, "a", first(2..3));
        assert_eq!(violations(&history, Rules::default()), [(Kind::Uncommitted, 1)]);
    }

    #[test]
    fn another_record_at_an_acknowledged_offset_is_found() {
        let mut history = produced(1);
        let record = Shown { log: LOG, offset: 0, number: 7, key: 0, key_number: 7, flags: Flags::FIRST, received: 0 };
        told(&mut history, "a", vec![Told::Record(record)]);
        assert_eq!(violations(&history, Rules::default()), [(Kind::Altered, 1)]);
    }

    #[test]
    fn a_topic_made_anew_begins_again_at_0() {
        let mut history = produced(3);
        told(&mut history, "a", first(0..3));
        history.begin_life(2000);
        let log = history.log(0);
        for number in 0..3 {
            let offset = number as i64;
            history.sent(Sent { log, offset, number, fate: Fate::Acknowledged });
            let record = Shown { log, offset, number, key: 0, key_number: number, flags: Flags::FIRST, received: 2001 };
            told(&mut history, "a", vec![Told::Record(record)]);
        }
        assert_eq!(kept(&history).seen, 6);
        assert_eq!((history.log_at(0, 1999).life, history.log_at(0, 2000).life), (0, 1));
    }

    #[test]
    fn a_committed_offset_may_go_back_only_on_purpose() {
        let mut history = History::default();
        for offset in [5, 9, 7] {
            history.committed.push(Committed { log: LOG, offset });
        }
        assert_eq!(violations(&history, Rules::default()), [(Kind::CommittedWentBack, 1)]);
        assert_eq!(violations(&history, Rules { may_rewind: true, ..Rules::default() }), []);
    }

    #[test]
    fn what_a_partition_needed_to_go_on_with_a_new_owner() {
        let mut history = produced(10);
        told(&mut history, "a", first(0..3));
        let assigned = Told::Assigned { at: 990, logs: vec![LOG] };
        told(&mut history, "b", [vec![assigned], first(3..10)].concat());
        let resumed = history.resumed_since(900);
        assert_eq!(resumed.iter().map(|resumed| (resumed.assigned, resumed.first)).collect::<Vec<_>>(), [(990, 1003)]);
        assert_eq!(
            (history.shown_since("b", 1005), history.moves_since("b", 0), history.longest_silence(0, 998)),
            (5, 1, 2)
        );
        assert_eq!(history.owned("b").len(), 1);
    }
}
