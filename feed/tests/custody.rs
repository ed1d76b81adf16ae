//! A model of a group: a log, a coordinator, members that crash, sleep too long, give partitions back, lose them. In any order
//! of what can happen, of the consumptions of an offset all but one are flagged, at once or late.
//!
//! One partition is enough, for partitions share nothing. The members follow the same rules as `kafka::group` and
//! `engine::ingest`: claim before the first hand-off, commit after it, never more than [`BOUND`] uncommitted, a mark for each
//! hand-off, marks read to their end at a take-over that was not clean.

use feed::Custody;
use proptest::prelude::*;
use std::{collections::BTreeMap, ops::Range};
use wire::Flags;

const MEMBERS: usize = 3;
const BOUND: i64 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// Records are written.
    Produce(i64),
    /// The member consumes as many as it may. One that lost its partition and does not know yet goes on with what it had
    /// fetched.
    Consume(usize, i64),
    WriteMarks(usize),
    ReadMarks(usize),
    Commit(usize),
    /// The group gives the partition to this member: the owner gives it back.
    Move(usize),
    /// The same, but the owner was silent for too long.
    Expire(usize),
    /// The member learns that it lost the partition.
    Notice(usize),
    /// Killed, and started again.
    Crash(usize),
}

/// What is committed: the offset, whether the one who committed it still holds the partition, and up to where someone before
/// may have consumed without a word.
#[derive(Debug, Clone, Copy)]
struct Committed {
    offset: i64,
    is_claimed: bool,
    suspect_below: i64,
}

#[derive(Debug, Default)]
struct Member {
    /// Which of its lives this is.
    life: usize,
    custody: Custody,
    /// The generation in which it owns the partition.
    owns: Option<u64>,
    next: i64,
    committed: i64,
    suspect_below: i64,
    /// What it has fetched, and may hand on before it learns that the partition is lost.
    fetched: i64,
    unmarked: Vec<Range<i64>>,
    /// How far it has read the marks.
    read: usize,
}

#[derive(Debug)]
struct World {
    end: i64,
    generation: u64,
    owner: Option<usize>,
    committed: Option<Committed>,
    marks: Vec<(usize, usize, Range<i64>)>,
    members: Vec<Member>,
    /// By offset: who, in which life, and the flags.
    history: BTreeMap<i64, Vec<(usize, usize, Flags)>>,
}

impl World {
    fn new() -> Self {
        Self {
            end: 0,
            generation: 0,
            owner: None,
            committed: None,
            marks: Vec::new(),
            members: (0..MEMBERS).map(|_| Member::default()).collect(),
            history: BTreeMap::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Produce(n) => self.end += n,
            Step::Consume(who, n) => self.consume(who, n),
            Step::WriteMarks(who) => self.write_marks(who),
            Step::ReadMarks(who) => self.read_marks(who),
            Step::Commit(who) => {
                self.commit(who, true);
            }
            Step::Move(who) => {
                if let Some(owner) = self.owner.filter(|owner| *owner != who) {
                    self.commit(owner, false);
                    self.members[owner].owns = None;
                }
                self.give(who);
            }
            Step::Expire(who) => self.give(who),
            Step::Notice(who) => {
                if self.members[who].owns != Some(self.generation) {
                    self.members[who].owns = None;
                }
            }
            Step::Crash(who) => {
                let life = self.members[who].life + 1;
                self.members[who] = Member { life, ..Member::default() };
                if self.owner == Some(who) {
                    self.owner = None;
                    self.generation += 1;
                }
            }
        }
    }

    fn is_owner(&self, who: usize) -> bool {
        self.owner == Some(who) && self.members[who].owns == Some(self.generation)
    }

    fn consume(&mut self, who: usize, n: i64) {
        let is_owner = self.is_owner(who);
        let member = &mut self.members[who];
        if member.owns.is_none() {
            return;
        }
        if is_owner {
            member.fetched = self.end;
        }
        let first = member.next;
        for _ in 0..n {
            if member.next >= member.fetched || member.next - member.committed >= BOUND {
                break;
            }
            let flags = member.custody.consumed(member.next);
            self.history.entry(member.next).or_default().push((who, member.life, flags));
            member.next += 1;
        }
        if first < member.next {
            member.unmarked.push(first..member.next);
        }
    }

    fn write_marks(&mut self, who: usize) {
        let member = &mut self.members[who];
        self.marks.extend(member.unmarked.drain(..).map(|range| (who, member.life, range)));
    }

    fn read_marks(&mut self, who: usize) {
        let member = &mut self.members[who];
        for (by, life, range) in &self.marks[member.read..] {
            if (*by, *life) != (who, member.life) {
                member.custody.heard_other(range.clone());
                continue;
            }
            for late in member.custody.heard_own(range.clone()) {
                for offset in late {
                    // The latest consumption of it in this life: that is the row which the tabs find.
                    let rows = self.history.get_mut(&offset).into_iter().flatten().rev();
                    if let Some((.., flags)) = rows.into_iter().find(|row| (row.0, row.1) == (who, *life)) {
                        *flags = flags.with(Flags::REDELIVERED);
                    }
                }
            }
        }
        member.read = self.marks.len();
    }

    fn commit(&mut self, who: usize, is_claimed: bool) {
        if self.is_owner(who) {
            let member = &mut self.members[who];
            member.committed = member.next;
            let suspect_below = member.suspect_below;
            self.committed = Some(Committed { offset: member.next, is_claimed, suspect_below });
        }
    }

    fn give(&mut self, who: usize) {
        if self.is_owner(who) {
            return;
        }
        self.generation += 1;
        self.owner = Some(who);
        let (first, suspect_below) = match self.committed {
            None => (0, 0),
            Some(Committed { offset, is_claimed: true, suspect_below }) => {
                (offset, suspect_below.max(self.end.min(offset + BOUND)))
            }
            Some(Committed { offset, suspect_below, .. }) => (offset, suspect_below),
        };
        if first < suspect_below {
            self.read_marks(who);
        }
        self.committed = Some(Committed { offset: first, is_claimed: true, suspect_below });
        let member = &mut self.members[who];
        member.custody.taken(first..suspect_below);
        member.suspect_below = suspect_below;
        (member.owns, member.next, member.committed, member.fetched) = (Some(self.generation), first, first, first);
    }

    /// Everyone who is alive says all and hears all.
    fn settle(&mut self) {
        for who in 0..MEMBERS {
            self.write_marks(who);
        }
        for who in 0..MEMBERS {
            self.read_marks(who);
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for (offset, rows) in &self.history {
            let unflagged = rows.iter().filter(|(.., flags)| *flags == Flags::FIRST).count();
            prop_assert!(unflagged <= 1, "offset {offset}: {rows:?}");
        }
        if let Some(committed) = self.committed {
            for offset in 0..committed.offset {
                prop_assert!(self.history.contains_key(&offset), "offset {offset} is committed and was never consumed");
            }
        }
        Ok(())
    }
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..MEMBERS;
    prop_oneof![
        3 => (1..4i64).prop_map(Step::Produce),
        8 => (who.clone(), 1..5i64).prop_map(|(who, n)| Step::Consume(who, n)),
        3 => who.clone().prop_map(Step::WriteMarks),
        2 => who.clone().prop_map(Step::ReadMarks),
        3 => who.clone().prop_map(Step::Commit),
        2 => who.clone().prop_map(Step::Move),
        2 => who.clone().prop_map(Step::Expire),
        1 => who.clone().prop_map(Step::Notice),
        1 => who.prop_map(Step::Crash),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn of_each_offset_all_consumptions_but_one_are_flagged(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        world.check()?;
    }

    #[test]
    fn while_partitions_are_given_back_nothing_is_consumed_twice(
        steps in prop::collection::vec(step().prop_filter("clean", |step| !matches!(step, Step::Expire(_) | Step::Crash(_))), 1..80),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        for (offset, rows) in &world.history {
            prop_assert_eq!(rows.len(), 1, "offset {}: {:?}", offset, rows);
            prop_assert_eq!(rows[0].2, Flags::FIRST);
        }
    }
}
