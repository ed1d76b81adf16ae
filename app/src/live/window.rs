//! The rows that this tab holds: a bounded window over the feed, and what of it the list shows. Pure.
//!
//! Rows come in at one end and wait until they are [published](Window::publish): in the next frame, or when the list is no
//! longer held. Published rows are trimmed at the far end and counted. Rows that had to go before anyone could see them are
//! named by a gap, one for each partition.

use super::query::Asked;
use std::{borrow::Cow, collections::VecDeque, sync::Arc, time::Duration};
use wire::{Change, Consumed, Count, Flag, Flags, Gap, GapPart, Record, Row, Sieved};

/// How much a window holds. What waits is bounded likewise, so that a held list takes at most twice as much.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Rows.
    pub(crate) rows: usize,
    /// What the rows take in memory, in bytes.
    pub(crate) bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { rows: 10_000, bytes: 32 * 1024 * 1024 }
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it tells.
    pub kind: EntryKind,
    /// Whether this tab sent it.
    pub mine: bool,
    /// The instance that consumed it. Nobody did, where it was only read from the log; nobody did yet, where it waits.
    pub instance: Option<Arc<str>>,
    /// When it came, on the tab's own clock. Zero in what the server rendered.
    pub arrived: Duration,
    /// Whether it came while the server left rows out.
    pub(crate) filtered: bool,
    /// A gap that came before, and of which what the filter wants was loaded: it stands here again when the filter goes.
    covered: bool,
    id: u64,
    revision: u32,
}

/// What a row tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A record.
    Record(Record),
    /// Records that are not shown.
    Gap(Gap),
    /// What was looked for in the log, and is not there: deleted before, or never a record.
    Gone {
        /// The offsets.
        gap: Gap,
        /// Whether they lie below the log's start.
        is_deleted: bool,
    },
    /// What was looked through in the log, where the filter did not want all of it. What it wanted are rows of their own.
    Sifted {
        /// The offsets.
        gap: Gap,
        /// How many records there were, and how many are wanted.
        sieved: Sieved,
    },
    /// A change in the stream.
    Change(Change),
    /// The connection came back here.
    Resumed(Resumed),
}

/// A connection that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// Who answers now.
    pub instance: String,
    /// Whether another one answered before.
    pub changed: bool,
    /// How many records this tab will not be sent (at most, where the count is not known); the gaps below name them.
    pub missed: u64,
    /// How long the connection was lost.
    pub after: Duration,
}

impl Entry {
    /// Identifies the row as it is: another key means that it must be rendered anew.
    pub fn key(&self) -> (u64, u32) {
        (self.id, self.revision)
    }

    /// Identifies the row, whatever becomes known of it later.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The record, where it is one.
    pub fn record(&self) -> Option<&Record> {
        if let EntryKind::Record(record) = &self.kind { Some(record) } else { None }
    }

    /// Whether it is in the log and was not consumed yet, as far as is known.
    pub fn waits(&self) -> bool {
        self.instance.is_none() && self.record().is_some() && !self.is_loaded()
    }

    /// The row as it stands in a file: records, and what is not here of them.
    pub fn row(&self) -> Option<Row<'_>> {
        match &self.kind {
            EntryKind::Record(record) => Some(Row::Record {
                record: Cow::Borrowed(record),
                consumed_by: self.instance.as_deref().map(Cow::Borrowed),
            }),
            EntryKind::Gap(gap) | EntryKind::Gone { gap, is_deleted: true } => Some(Row::Gap(Cow::Borrowed(gap))),
            _ => None,
        }
    }

    fn is_loaded(&self) -> bool {
        self.record().is_some_and(|record| record.flags.contains(Flags::LOADED))
    }

    fn is_at(&self, topic: &str, partition: i32, offset: i64) -> bool {
        self.record()
            .is_some_and(|record| record.offset == offset && record.partition == partition && record.topic == topic)
    }

    fn bytes(&self) -> usize {
        let of = |record: &Record| record.topic.len() + size_of_val(record.headers.as_slice()) + record.bytes();
        let inside = self.record().map_or(0, of);
        size_of::<Self>() + inside
    }
}

/// What a row is made of when it comes.
pub(crate) struct Arrival<'a> {
    /// The instance that consumed it, where that is known.
    pub(crate) instance: Option<&'a Arc<str>>,
    /// When it came.
    pub(crate) at: Duration,
}

type Place = (String, i32, i64);

/// The rows that this tab holds.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bounds: Bounds,
    asked: Asked,
    /// Whether the server is asked with a filter.
    is_filtered: bool,
    next_id: u64,
    /// Published, the oldest first.
    rows: VecDeque<Arc<Entry>>,
    rows_bytes: usize,
    /// Those of `rows` that are asked for.
    wanted: VecDeque<Arc<Entry>>,
    waiting: VecDeque<Arc<Entry>>,
    waiting_bytes: usize,
    /// How many records that are asked for came since the last publishing.
    came: u64,
    /// What went before it could be published, one for each partition, and one more if it came while the server left rows out
    /// (then with `true`). It belongs before `waiting`.
    skipped: Vec<(bool, Gap)>,
    /// The places of the rows that were loaded from the log, sorted. (A tree would take two kilobytes of the WebAssembly.)
    loaded: Vec<Place>,
    records: u64,
    trimmed: u64,
}

impl Window {
    /// A window with other bounds than the usual ones.
    #[cfg(test)]
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// A record came. `mine`: this tab sent it.
    pub(crate) fn push_record(&mut self, record: Record, mine: bool, arrival: &Arrival<'_>) {
        self.came += u64::from(self.asked.matches(&record));
        self.push(EntryKind::Record(record), mine, arrival);
    }

    /// Something else came.
    pub(crate) fn push_note(&mut self, note: EntryKind, arrival: &Arrival<'_>) {
        self.push(note, false, arrival);
    }

    fn push(&mut self, kind: EntryKind, mine: bool, arrival: &Arrival<'_>) {
        let entry = self.entry(kind, mine, arrival.instance.cloned(), arrival.at);
        self.waiting_bytes += entry.bytes();
        self.waiting.push_back(entry);
        while self.is_waiting_full() {
            let Some(entry) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= entry.bytes();
            self.skip(&entry);
        }
    }

    /// The gaps count too, or the publishing would trim them before anyone saw them.
    fn is_waiting_full(&self) -> bool {
        self.waiting.len() + self.skipped.len() > self.bounds.rows
            || self.waiting_bytes + self.skipped.len() * size_of::<Entry>() > self.bounds.bytes
    }

    fn entry(&mut self, kind: EntryKind, mine: bool, instance: Option<Arc<str>>, arrived: Duration) -> Arc<Entry> {
        let id = self.next_id;
        self.next_id += 1;
        let filtered = self.is_filtered;
        Arc::new(Entry { kind, mine, instance, arrived, filtered, covered: false, id, revision: 0 })
    }

    /// A row that came with no event. `filtered`: it goes with the filter.
    fn old_entry(&mut self, kind: EntryKind, filtered: bool) -> Arc<Entry> {
        let mut entry = self.entry(kind, false, None, Duration::ZERO);
        Arc::make_mut(&mut entry).filtered = filtered;
        entry
    }

    /// Remembers records that nobody could see. Changes and resumptions are not kept: they say nothing about records
    /// which the gap does not say.
    fn skip(&mut self, entry: &Entry) {
        let gap = match &entry.kind {
            EntryKind::Record(record) => Gap {
                topic: record.topic.clone(),
                partition: record.partition,
                first: record.offset,
                last: record.offset,
                count: Count::Exact(1),
                now_with: None,
            },
            EntryKind::Gap(gap) => gap.clone(),
            EntryKind::Gone { .. } | EntryKind::Sifted { .. } | EntryKind::Change(_) | EntryKind::Resumed(_) => return,
        };
        let is_of_it = |(filtered, named): &&mut (bool, Gap)| {
            *filtered == entry.filtered && named.partition == gap.partition && named.topic == gap.topic
        };
        match self.skipped.iter_mut().find(is_of_it) {
            Some((_, named)) => {
                named.first = named.first.min(gap.first);
                named.last = named.last.max(gap.last);
                named.count = sum(named.count, gap.count);
                named.now_with = gap.now_with;
            }
            None => self.skipped.push((entry.filtered, gap)),
        }
    }

    /// How many records that are asked for came since the last publishing.
    pub(crate) fn waiting(&self) -> u64 {
        self.came
    }

    /// Moves what waits into the list. Trims the list at its far end.
    pub(crate) fn publish(&mut self) {
        for (filtered, gap) in std::mem::take(&mut self.skipped) {
            let entry = self.old_entry(EntryKind::Gap(gap), filtered);
            self.append(entry);
        }
        for entry in std::mem::take(&mut self.waiting) {
            self.replace_loaded(&entry);
            self.append(entry);
        }
        self.waiting_bytes = 0;
        self.came = 0;
        self.trim();
    }

    fn append(&mut self, entry: Arc<Entry>) {
        self.rows_bytes += entry.bytes();
        self.records += u64::from(entry.record().is_some());
        if self.wants(&entry) {
            self.wanted.push_back(Arc::clone(&entry));
        }
        self.rows.push_back(entry);
    }

    /// A record that was loaded from the log and is consumed only now is shown as consumed, not twice.
    fn replace_loaded(&mut self, entry: &Entry) {
        let Some(record) = entry.record() else { return };
        // Cheap while nothing is loaded, which is nearly always.
        if self.loaded.is_empty() || !self.forget_loaded(record) {
            return;
        }
        let is_it = |row: &Arc<Entry>| row.is_loaded() && row.is_at(&record.topic, record.partition, record.offset);
        if let Some(at) = self.rows.iter().position(is_it) {
            let row = self.rows.remove(at).expect("its position was just found");
            self.rows_bytes -= row.bytes();
            self.records -= 1;
            self.wanted.retain(|other| other.id != row.id);
        }
    }

    /// The row at this place is no loaded one any more; whether it was.
    fn forget_loaded(&mut self, record: &Record) -> bool {
        let found = self.loaded.binary_search(&place(record));
        found.map(|at| self.loaded.remove(at)).is_ok()
    }

    fn trim(&mut self) {
        while self.rows.len() > self.bounds.rows || self.rows_bytes > self.bounds.bytes {
            let Some(row) = self.rows.pop_front() else { break };
            self.rows_bytes -= row.bytes();
            if self.wanted.front().is_some_and(|front| front.id == row.id) {
                self.wanted.pop_front();
            }
            if let Some(record) = row.record() {
                self.records -= 1;
                self.trimmed += 1;
                if row.is_loaded() {
                    self.forget_loaded(record);
                }
            } else if let EntryKind::Gap(gap) = &row.kind {
                // What it named is not named any more.
                self.trimmed += number(gap.count);
            }
        }
    }

    /// What the list shows, the newest first.
    pub(crate) fn visible(&self) -> Vec<Arc<Entry>> {
        self.wanted.iter().rev().cloned().collect()
    }

    /// How many records the list holds, wanted or not.
    pub(crate) fn total(&self) -> u64 {
        self.records
    }

    /// How many records were shown, or named by a gap, and then trimmed.
    pub(crate) fn trimmed(&self) -> u64 {
        self.trimmed
    }

    /// What is asked for.
    pub(crate) fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Shows what is asked for.
    pub(crate) fn ask(&mut self, asked: Asked) {
        if self.asked.filter() != asked.filter() {
            self.asked = asked;
            self.count_waiting();
            self.sift();
        }
    }

    fn count_waiting(&mut self) {
        let records = self.waiting.iter().filter(|row| row.record().is_some() && self.wants(row)).count() as u64;
        let skipped = self.skipped.iter().filter(|(_, gap)| self.asked.may_be_in(gap));
        self.came = records + skipped.map(|(_, gap)| number(gap.count)).sum::<u64>();
    }

    /// From here on come only rows that the filter lets through, or all of them again, from where the first filter began.
    /// What came while there was one goes: between those rows others were left out, and the server names them all anew.
    pub(crate) fn filter_from_here(&mut self, is_filtered: bool) {
        if std::mem::replace(&mut self.is_filtered, is_filtered) {
            for rows in [&mut self.waiting, &mut self.rows] {
                rows.retain(|row| !row.filtered);
            }
            for row in self.rows.iter_mut().filter(|row| row.covered) {
                Arc::make_mut(row).covered = false;
            }
            self.skipped.retain(|(filtered, _)| !filtered);
            self.recount();
        }
        self.count_waiting();
        self.sift();
    }

    /// How many records came before the filter, and how many of them it lets through.
    pub(crate) fn found(&self) -> (u64, u64) {
        let mut found = (0, 0);
        if !self.asked.is_for_the_server() {
            for row in
                [&self.waiting, &self.rows].into_iter().flatten().filter(|row| !row.filtered && row.record().is_some())
            {
                found.0 += 1;
                found.1 += u64::from(self.wants(row));
            }
        }
        found
    }

    fn recount(&mut self) {
        let bytes = |rows: &VecDeque<Arc<Entry>>| rows.iter().map(|row| row.bytes()).sum();
        self.rows_bytes = bytes(&self.rows);
        self.waiting_bytes = bytes(&self.waiting);
        self.records = self.rows.iter().filter(|row| row.record().is_some()).count() as u64;
    }

    fn sift(&mut self) {
        self.wanted = self.rows.iter().filter(|row| self.wants(row)).cloned().collect();
    }

    fn wants(&self, entry: &Entry) -> bool {
        match &entry.kind {
            _ if self.is_not_judged(entry) || entry.covered => false,
            EntryKind::Record(record) => self.asked.matches(record),
            EntryKind::Gap(gap) | EntryKind::Gone { gap, .. } | EntryKind::Sifted { gap, .. } => {
                self.asked.may_be_in(gap)
            }
            EntryKind::Change(_) | EntryKind::Resumed(_) => self.asked.is_empty(),
        }
    }

    /// Whether it is not known what the row is worth: only the server can judge, and it was not asked.
    fn is_not_judged(&self, entry: &Entry) -> bool {
        self.is_filtered && !entry.filtered && self.asked.is_for_the_server()
    }

    /// Forgets all rows, also those that wait.
    pub(crate) fn clear(&mut self) {
        // Not the ids: a list that is keyed by them must not take a new row for an old one.
        *self = Self {
            bounds: self.bounds,
            asked: std::mem::take(&mut self.asked),
            is_filtered: self.is_filtered,
            next_id: self.next_id,
            ..Self::default()
        };
    }

    /// Adds records that were read from the log at the far end, the oldest first.
    pub(crate) fn add_loaded(&mut self, records: Vec<Record>) {
        self.insert_loaded(0, false, records);
    }

    /// Inserts records that were read from the log; those that are held already are left out. The list is trimmed at the next publishing
    /// only, or it could drop what was asked for before anyone saw it.
    fn insert_loaded(&mut self, mut at: usize, filtered: bool, records: Vec<Record>) {
        for mut record in records {
            let is_it = |row: &Arc<Entry>| row.is_at(&record.topic, record.partition, record.offset);
            if self.rows.iter().chain(&self.waiting).any(|row| is_it(row) && !self.is_not_judged(row)) {
                continue;
            }
            let place = place(&record);
            if let Err(at) = self.loaded.binary_search(&place) {
                self.loaded.insert(at, place);
            }
            record.flags = record.flags.with(Flags::LOADED);
            let entry = self.old_entry(EntryKind::Record(record), filtered);
            self.rows.insert(at, entry);
            at += 1;
        }
        self.recount();
        self.sift();
    }

    /// Puts what the log has of a gap's end in its place, as far as the filter wants it; what was not looked at yet stays a gap. When the
    /// filter goes, a gap from before it is what it was. Nothing, where the row is not here any more.
    pub(crate) fn fill_gap(&mut self, id: u64, part: GapPart) {
        let Some(mut at) = self.rows.iter().position(|row| row.id == id && !row.covered) else { return };
        let filtered = self.is_filtered;
        let EntryKind::Gap(gap) = self.rows[at].kind.clone() else { return };
        let GapPart { sieved, .. } = part;
        let (mut kinds, from) = (Vec::new(), part.from.max(gap.first));
        let deleted = gap.first..=gap.last.min(part.log_start - 1);
        if !deleted.is_empty() {
            let count = gap.count_of(*deleted.start(), *deleted.end());
            let gap = Gap { last: *deleted.end(), count, ..gap.clone() };
            kinds.push(EntryKind::Gone { gap, is_deleted: true });
        }
        let rest = gap.first.max(part.log_start)..=from - 1;
        if !rest.is_empty() {
            let (first, last) = (*rest.start(), *rest.end());
            kinds.push(EntryKind::Gap(Gap { first, last, count: gap.count_of(first, last), ..gap.clone() }));
        }
        let looked_at = from.max(part.log_start)..=gap.last;
        if sieved.looked == 0 && !looked_at.is_empty() {
            let (first, last) = (*looked_at.start(), *looked_at.end());
            let gap = Gap { first, last, count: gap.count_of(first, last), ..gap.clone() };
            kinds.push(EntryKind::Gone { gap, is_deleted: false });
        } else if sieved.matched < sieved.looked {
            let (gap, sieved) = self.with_the_next(at, Gap { first: *looked_at.start(), ..gap }, sieved);
            kinds.push(EntryKind::Sifted { gap, sieved });
        }
        if filtered && !self.rows[at].filtered {
            Arc::make_mut(&mut self.rows[at]).covered = true;
            at += 1;
        } else {
            self.rows.remove(at);
        }
        let (notes, GapPart { records, .. }) = (kinds.len(), part);
        for (nth, kind) in kinds.into_iter().enumerate() {
            let entry = self.old_entry(kind, filtered);
            self.rows.insert(at + nth, entry);
        }
        self.insert_loaded(at + notes, filtered, records);
    }

    /// What was looked through, together with what was before it in the same gap, where no row stands between the two. That row
    /// goes.
    fn with_the_next(&mut self, at: usize, gap: Gap, sieved: Sieved) -> (Gap, Sieved) {
        if let Some(next) = self.rows.get(at + 1)
            && sieved.matched == 0
            && let EntryKind::Sifted { gap: of, sieved: before } = &next.kind
            && (of.partition, of.first) == (gap.partition, gap.last + 1)
            && of.topic == gap.topic
        {
            let both = (Gap { last: of.last, ..gap }, sieved.with(before));
            self.rows.remove(at + 1);
            return both;
        }
        (gap, sieved)
    }

    /// Marks what this tab sent. Returns who consumed it and when it came, where the row is here.
    pub(crate) fn mark_mine(&mut self, topic: &str, partition: i32, offset: i64) -> Option<(Arc<str>, Duration)> {
        let is_it = |row: &Entry| !row.is_loaded() && row.is_at(topic, partition, offset);
        let row = self.waiting.iter().rev().chain(self.rows.iter().rev()).find(|row| is_it(row))?;
        let found = row.instance.clone().map(|instance| (instance, row.arrived));
        self.revise(is_it, |row| row.mine = true);
        found
    }

    /// What became known of records that are here.
    pub(crate) fn flag(&mut self, flag: &Flag) {
        let is_meant = |row: &Entry| {
            row.record().is_some_and(|record| {
                (flag.first..=flag.last).contains(&record.offset)
                    && record.partition == flag.partition
                    && record.topic == flag.topic
                    && !record.flags.contains(Flags::LOADED)
            })
        };
        self.revise(is_meant, |row| {
            if let EntryKind::Record(record) = &mut row.kind {
                record.flags = flag.flags;
            }
        });
    }

    /// Someone consumed records that are here.
    pub(crate) fn consumed(&mut self, consumed: &Consumed) {
        let instance: Arc<str> = consumed.instance.as_str().into();
        let is_meant = |row: &Entry| {
            row.waits()
                && row.record().is_some_and(|record| {
                    (consumed.first..=consumed.last).contains(&record.offset)
                        && record.partition == consumed.partition
                        && record.topic == consumed.topic
                })
        };
        self.revise(is_meant, |row| {
            row.instance = Some(Arc::clone(&instance));
            if let EntryKind::Record(record) = &mut row.kind {
                record.received = consumed.at;
            }
        });
    }

    fn revise(&mut self, is_meant: impl Fn(&Entry) -> bool, change: impl Fn(&mut Entry)) {
        for row in self.rows.iter_mut().chain(&mut self.waiting).filter(|row| is_meant(row)) {
            let row = Arc::make_mut(row);
            change(row);
            row.revision += 1;
        }
        self.sift();
    }
}

fn place(record: &Record) -> Place {
    (record.topic.clone(), record.partition, record.offset)
}

fn number(count: Count) -> u64 {
    match count {
        Count::Exact(count) | Count::UpTo(count) => count,
    }
}

fn sum(one: Count, other: Count) -> Count {
    match (one, other) {
        (Count::Exact(one), Count::Exact(other)) => Count::Exact(one + other),
        (one, other) => Count::UpTo(number(one).saturating_add(number(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::tests::record;
    use proptest::prelude::*;

    fn push(window: &mut Window, offsets: std::ops::Range<i64>) {
        let instance = Arc::from("ottla-1");
        for offset in offsets {
            let arrival = Arrival { instance: Some(&instance), at: Duration::from_millis(offset.unsigned_abs()) };
            window.push_record(record("t", 0, offset), false, &arrival);
        }
    }

    fn push_gap(window: &mut Window, first: i64, last: i64, count: Count) {
        let gap = Gap { topic: "t".into(), partition: 0, first, last, count, now_with: None };
        window.push_note(EntryKind::Gap(gap), &Arrival { instance: Some(&Arc::from("ottla-1")), at: Duration::ZERO });
    }

    /// The list in a few letters: the newest first; gaps as `first-last:count`, `~` where it is at most so many.
    fn shown(window: &Window) -> String {
        let row = |row: &Arc<Entry>| match &row.kind {
            EntryKind::Record(record) => {
                format!(
                    "{}{}{}",
                    record.offset,
                    if row.is_loaded() { "L" } else { "" },
                    if row.mine { "M" } else { "" }
                )
            }
            EntryKind::Gap(Gap { first, last, count: Count::Exact(count), .. }) => format!("{first}-{last}:{count}"),
            EntryKind::Gap(Gap { first, last, count: Count::UpTo(count), .. }) => format!("{first}-{last}:~{count}"),
            EntryKind::Gone { gap: Gap { first, last, .. }, is_deleted: true } => format!("{first}-{last} deleted"),
            EntryKind::Gone { gap: Gap { first, last, .. }, is_deleted: false } => format!("{first}-{last} empty"),
            EntryKind::Sifted { gap: Gap { first, last, .. }, sieved } => {
                format!("{first}-{last}:{}of{}", sieved.matched, sieved.looked)
            }
            EntryKind::Change(_) => "change".into(),
            EntryKind::Resumed(_) => "resumed".into(),
        };
        window.visible().iter().map(row).collect::<Vec<_>>().join(" ")
    }

    fn window(rows: usize) -> Window {
        Window::new(Bounds { rows, bytes: usize::MAX })
    }

    #[test]
    fn rows_wait_until_they_are_published() {
        let mut window = window(10);
        push(&mut window, 0..3);
        assert_eq!((shown(&window).as_str(), window.waiting(), window.total()), ("", 3, 0));
        window.publish();
        assert_eq!((shown(&window).as_str(), window.waiting(), window.total()), ("2 1 0", 0, 3));
    }

    /// All that the log has from there on.
    fn part(from: i64, records: Vec<Record>, log_start: i64) -> GapPart {
        let looked = records.len() as u64;
        GapPart { from, sieved: Sieved { looked, matched: looked, failed: 0 }, records, log_start }
    }

    /// A window of 4, 50 and a gap in between, of which the end was loaded.
    fn filled(log_start: i64, from: i64, offsets: &[i64]) -> (Window, String) {
        let mut window = window(100);
        push(&mut window, 4..5);
        push_gap(&mut window, 5, 49, Count::Exact(45));
        push(&mut window, 50..51);
        window.publish();
        let id = window.visible()[1].id();
        let loaded = |offset: &i64| Record { flags: Flags::LOADED, ..record("t", 0, *offset) };
        window.fill_gap(id, part(from, offsets.iter().map(loaded).collect(), log_start));
        let shown = shown(&window);
        (window, shown)
    }

    #[test]
    fn a_loaded_part_of_a_gap_takes_its_place_and_the_rest_stays_a_gap() {
        let (mut window, shown_first) = filled(0, 47, &[47, 48, 49]);
        assert_eq!(shown_first, "50 49L 48L 47L 5-46:42 4");
        assert_eq!(window.total(), 5);
        let id = window.visible()[4].id();
        window.fill_gap(id, part(5, vec![], 0));
        assert_eq!(shown(&window), "50 49L 48L 47L 5-46 empty 4");
        window.fill_gap(id, part(5, vec![record("t", 0, 9)], 0));
        assert_eq!(shown(&window), "50 49L 48L 47L 5-46 empty 4", "the gap is gone");
    }

    #[test]
    fn what_the_log_has_no_more_is_said_to_be_deleted() {
        assert_eq!(filled(48, 30, &[48]).1, "50 48L 5-47 deleted 4");
        assert_eq!(filled(20, 47, &[47]).1, "50 47L 20-46:27 5-19 deleted 4");
        assert_eq!(filled(1_000, 5, &[]).1, "50 5-49 deleted 4");
    }

    #[test]
    fn a_record_that_is_held_is_not_loaded_a_second_time() {
        assert_eq!(filled(0, 0, &[4, 6, 50]).1, "50 6L 4");
    }

    #[test]
    fn a_record_waits_until_someone_consumed_it() {
        let mut window = window(10);
        for offset in 0..3 {
            window.push_record(record("t", 0, offset), false, &Arrival { instance: None, at: Duration::ZERO });
        }
        window.publish();
        let consumed = |first, last, instance: &str| Consumed {
            topic: "t".into(),
            partition: 0,
            first,
            last,
            instance: instance.into(),
            at: 77,
        };
        window.consumed(&consumed(0, 1, "ottla-2"));
        window.consumed(&consumed(0, 0, "ottla-3"));
        let by: Vec<_> = window.visible().iter().rev().map(|row| row.instance.as_deref().map(str::to_owned)).collect();
        assert_eq!(by, [Some("ottla-2".into()), Some("ottla-2".into()), None]);
        assert_eq!(window.visible()[2].record().unwrap().received, 77);
        assert!(window.visible()[0].waits());
    }

    #[test]
    fn what_was_shown_is_trimmed_and_counted_what_was_not_is_named() {
        let mut window = window(3);
        push(&mut window, 0..2);
        window.publish();
        push(&mut window, 2..4);
        window.publish();
        assert_eq!((shown(&window).as_str(), window.trimmed()), ("3 2 1", 1));
        push(&mut window, 4..9);
        assert_eq!(window.waiting(), 5);
        window.publish();
        assert_eq!(shown(&window), "8 7 4-6:3");
        assert_eq!(window.trimmed(), 4);
    }

    #[test]
    fn the_bytes_are_bounded_too() {
        let one = {
            let mut window = window(1);
            push(&mut window, 0..1);
            window.waiting_bytes
        };
        let mut window = Window::new(Bounds { rows: usize::MAX, bytes: 2 * one });
        push(&mut window, 0..2);
        window.publish();
        push(&mut window, 2..3);
        window.publish();
        assert_eq!((shown(&window).as_str(), window.rows_bytes), ("2 1", 2 * one));
    }

    #[test]
    fn the_query_decides_what_is_shown_and_what_is_said_to_wait() {
        let mut window = window(10);
        push(&mut window, 0..3);
        window.publish();
        push(&mut window, 1..5);
        window.ask(Asked::new("offset:1", None).unwrap());
        assert_eq!((shown(&window).as_str(), window.waiting()), ("1", 1));
        push(&mut window, 1..3);
        assert_eq!(window.waiting(), 2);
        window.publish();
        window.ask(Asked::default());
        assert_eq!(shown(&window), "2 1 4 3 2 1 2 1 0");
    }

    #[test]
    fn what_came_while_the_server_left_rows_out_goes_with_the_filter() {
        let mut window = window(20);
        push(&mut window, 0..3);
        push_gap(&mut window, 3, 5, Count::Exact(3));
        window.publish();
        window.ask(Asked::new("-offset:1", None).unwrap());
        window.filter_from_here(true);
        assert_eq!(window.found(), (3, 2));
        push(&mut window, 7..8);
        window.publish();
        push(&mut window, 9..10);
        let id = window.visible().iter().find(|row| row.record().is_none()).unwrap().id();
        window.fill_gap(id, part(5, vec![record("t", 0, 5)], 0));
        assert_eq!((shown(&window).as_str(), window.waiting()), ("7 5L 3-4:2 2 0", 1));
        window.ask(Asked::default());
        window.filter_from_here(false);
        assert_eq!((shown(&window).as_str(), window.waiting(), window.total()), ("3-5:3 2 1 0", 0, 3));
    }

    /// What the log has from `from` on, of which the filter wants these.
    fn sifted(from: i64, looked: u64, offsets: &[i64]) -> GapPart {
        let records: Vec<_> = offsets.iter().map(|offset| record("t", 0, *offset)).collect();
        let sieved = Sieved { looked, matched: records.len() as u64, failed: 0 };
        GapPart { sieved, ..part(from, records, 0) }
    }

    #[test]
    fn of_a_gap_that_was_looked_through_it_is_said_how_many_matched() {
        let mut window = window(20);
        push(&mut window, 0..1);
        window.publish();
        window.ask(Asked::new("where:offset % 7 == 1", None).unwrap());
        window.filter_from_here(true);
        push_gap(&mut window, 5, 49, Count::UpTo(45));
        push(&mut window, 50..51);
        window.publish();
        let mut fill = |part| {
            let gap = |row: &&Arc<Entry>| matches!(row.kind, EntryKind::Gap(_));
            let id = window.visible().iter().find(gap).unwrap().id();
            window.fill_gap(id, part);
            shown(&window)
        };
        assert_eq!(fill(sifted(40, 10, &[43])), "50 43L 40-49:1of10 5-39:~35");
        assert_eq!(fill(sifted(30, 10, &[])), "50 43L 30-49:1of20 5-29:~25", "what stands side by side is one");
        assert_eq!(fill(sifted(20, 9, &[22])), "50 43L 30-49:1of20 22L 20-29:1of9 5-19:~15");
        assert_eq!(fill(sifted(5, 1, &[15])), "50 43L 30-49:1of20 22L 20-29:1of9 15L", "all of it");
        window.ask(Asked::default());
        window.filter_from_here(false);
        assert_eq!((shown(&window).as_str(), window.total()), ("0", 1));
    }

    #[test]
    fn a_gap_from_before_a_filter_is_whole_again_after_it() {
        let mut window = window(20);
        push(&mut window, 0..1);
        push_gap(&mut window, 1, 9, Count::Exact(9));
        window.publish();
        for text in ["-offset:0", "-offset:3"] {
            window.ask(Asked::new(text, None).unwrap());
            window.filter_from_here(true);
            let id = window.visible()[0].id();
            window.fill_gap(id, sifted(4, 6, &[6]));
            assert!(shown(&window).starts_with("6L 4-9:1of6 1-3:3"), "{}", shown(&window));
        }
        window.ask(Asked::default());
        window.filter_from_here(false);
        assert_eq!((shown(&window).as_str(), window.total()), ("1-9:9 0", 1));
    }

    #[test]
    fn what_is_held_and_not_judged_is_loaded_all_the_same() {
        let mut window = window(20);
        push(&mut window, 3..4);
        window.publish();
        window.ask(Asked::new("where:offset > 1", None).unwrap());
        window.filter_from_here(true);
        push_gap(&mut window, 0, 9, Count::UpTo(10));
        window.publish();
        let id = window.visible()[0].id();
        window.fill_gap(id, sifted(0, 10, &[3]));
        assert_eq!(shown(&window), "3L 0-9:1of10");
        window.ask(Asked::default());
        window.filter_from_here(false);
        assert_eq!(shown(&window), "3");
    }

    #[test]
    fn what_only_the_server_judges_is_not_shown_before_it_did() {
        let mut window = window(20);
        push(&mut window, 0..3);
        window.publish();
        window.ask(Asked::new("where:offset > 1", None).unwrap());
        assert_eq!(shown(&window), "2 1 0", "it is not asked yet");
        window.filter_from_here(true);
        push(&mut window, 2..3);
        window.publish();
        assert_eq!((shown(&window).as_str(), window.found()), ("2", (0, 0)));
        window.ask(Asked::default());
        window.filter_from_here(false);
        assert_eq!(shown(&window), "2 1 0");
    }

    #[test]
    fn what_was_loaded_and_then_comes_is_shown_once() {
        let mut window = window(20);
        window.add_loaded(vec![record("t", 0, 0), record("t", 0, 1)]);
        assert_eq!(shown(&window), "1L 0L");
        push(&mut window, 1..2);
        window.publish();
        assert_eq!((shown(&window).as_str(), window.total()), ("1 0L", 2));
    }

    #[test]
    fn what_becomes_known_of_a_row_changes_its_key_but_not_its_id() {
        let mut window = window(20);
        push(&mut window, 0..2);
        window.publish();
        let before = window.visible();
        assert_eq!(window.mark_mine("t", 0, 1), Some((Arc::from("ottla-1"), Duration::from_millis(1))));
        assert_eq!(window.mark_mine("t", 0, 2), None);
        let flags = Flags::REDELIVERED;
        window.flag(&Flag { topic: "t".into(), partition: 0, first: 0, last: 0, flags });
        let after = window.visible();
        assert_eq!(shown(&window), "1M 0");
        assert_eq!(after[1].record().map(|record| record.flags), Some(flags));
        for (before, after) in before.iter().zip(&after) {
            assert!(before.id() == after.id() && before.key() != after.key());
        }
    }

    #[test]
    fn a_cleared_list_does_not_use_its_keys_again() {
        let mut window = window(2);
        push(&mut window, 0..9);
        window.publish();
        let old = window.visible()[0].id();
        window.clear();
        push(&mut window, 0..1);
        window.publish();
        assert!(window.visible()[0].id() > old);
        assert_eq!((window.total(), window.trimmed()), (1, 0));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(i64),
        Publish,
        Filter(Option<i64>),
    }

    proptest! {
        #[test]
        fn every_record_is_shown_trimmed_or_named(
            rows in 1usize..12,
            steps in prop::collection::vec(prop_oneof![
                4 => (1i64..6).prop_map(Step::Push),
                2 => Just(Step::Publish),
                1 => prop::option::of(0i64..60).prop_map(Step::Filter),
            ], 0..40),
        ) {
            let mut window = window(rows);
            let mut next = 0;
            let (mut published, mut named) = (0, 0);
            for step in steps {
                match step {
                    Step::Push(count) => {
                        push(&mut window, next..next + count);
                        next += count;
                    }
                    Step::Publish => {
                        named += window.skipped.iter().map(|(_, gap)| number(gap.count)).sum::<u64>();
                        published += window.waiting.len() as u64;
                        window.publish();
                    }
                    Step::Filter(offset) => {
                        let text = offset.map(|offset| format!("offset:{offset}")).unwrap_or_default();
                        window.ask(Asked::new(&text, None).unwrap());
                    }
                }
                prop_assert!(window.rows.len() <= rows && window.waiting.len() <= rows);
                let shown_gaps = window.rows.iter().filter_map(|row| match &row.kind {
                    EntryKind::Gap(gap) => Some(number(gap.count)),
                    _ => None,
                });
                prop_assert_eq!(window.trimmed() + window.total() + shown_gaps.sum::<u64>(), published + named);
                let waiting = window.waiting.len() as u64 + window.skipped.iter().map(|(_, gap)| number(gap.count)).sum::<u64>();
                prop_assert_eq!(published + named + waiting, next.unsigned_abs());
                let wanted: VecDeque<_> = window.rows.iter().filter(|row| window.wants(row)).cloned().collect();
                prop_assert_eq!(&window.wanted, &wanted);
            }
            let bytes = |rows: &VecDeque<Arc<Entry>>| rows.iter().map(|row| row.bytes()).sum::<usize>();
            prop_assert_eq!((window.rows_bytes, window.waiting_bytes), (bytes(&window.rows), bytes(&window.waiting)));
        }
    }
}
