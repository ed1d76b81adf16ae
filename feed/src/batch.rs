//! What a session took: shared pieces of segments, changes and gaps, in order, to be written in either form.

use crate::{message::Message, segment::Segment};
use std::{ops::Range, sync::Arc};
use wire::{Count, Event, Gap, MAX_EVENT_MESSAGE, Record, Records, codec};

/// Events for one message to one tab.
#[derive(Debug)]
pub struct Batch {
    epoch: u64,
    items: Vec<Item>,
    /// How many bytes of the limit are left.
    left: usize,
}

#[derive(Debug)]
enum Item {
    Gap(Gap),
    Change(Arc<Segment>),
    Records { next: u64, count: usize, pieces: Vec<Piece> },
}

/// Consecutive records of one segment.
#[derive(Debug)]
struct Piece {
    segment: Arc<Segment>,
    records: Range<usize>,
}

impl Batch {
    pub(crate) fn new(epoch: u64, limit: usize) -> Self {
        Self { epoch, items: Vec::new(), left: limit.min(MAX_EVENT_MESSAGE) }
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many records are in it.
    pub fn record_count(&self) -> usize {
        let count = |item: &Item| if let Item::Records { count, .. } = item { *count } else { 0 };
        self.items.iter().map(count).sum()
    }

    /// How many records its gaps name: at most, where the count is not known.
    pub fn gap_count(&self) -> u64 {
        let count = |item: &Item| match item {
            Item::Gap(Gap { count: Count::Exact(records) | Count::UpTo(records), .. }) => *records,
            _ => 0,
        };
        self.items.iter().map(count).sum()
    }

    /// How many events with records it is.
    pub fn records_events(&self) -> u64 {
        self.items.iter().filter(|item| matches!(item, Item::Records { .. })).count() as u64
    }

    /// The events in their postcard form: together one message of at most [`MAX_EVENT_MESSAGE`].
    pub fn postcard(&self) -> Message {
        let mut message = Message::default();
        for item in &self.items {
            match item {
                Item::Gap(gap) => message.write(|to| codec::encode_event(&Event::Gap(gap.clone()), to)),
                Item::Change(segment) => message.share(segment.into(), 0..segment.body().len()),
                Item::Records { next, count, pieces } => {
                    message.write(|to| codec::encode_records_head(self.epoch, *next, *count, to));
                    for Piece { segment, records } in pieces {
                        message.share(segment.into(), segment.range(records.clone()));
                    }
                }
            }
        }
        message
    }

    /// The events in their JSON form, each with its name: a message of its own.
    pub fn json(&self) -> impl Iterator<Item = (&'static str, Message)> {
        self.items.iter().map(|item| {
            let mut message = Message::default();
            let mut write = |event: &Event| {
                message.write(|to| to.extend_from_slice(codec::event_to_json(event).as_bytes()));
                event.name()
            };
            let name = match item {
                Item::Gap(gap) => write(&Event::Gap(gap.clone())),
                Item::Change(segment) => write(&decode_change(segment)),
                Item::Records { next, pieces, .. } => {
                    let (head, tail) = codec::records_json_frame(self.epoch, *next);
                    message.write(|to| to.extend_from_slice(head.as_bytes()));
                    for (at, Piece { segment, records }) in pieces.iter().enumerate() {
                        let json = segment.json(records.start);
                        let mut range = json.range(records.clone());
                        // The comma after the very last one.
                        range.end -= usize::from(at + 1 == pieces.len());
                        message.share(json.into(), range);
                    }
                    message.write(|to| to.extend_from_slice(tail.as_bytes()));
                    Records::EVENT
                }
            };
            (name, message)
        })
    }

    /// The records of `segments` from `seq` on.
    pub(crate) fn records_from(segments: &[Arc<Segment>], seq: u64) -> Vec<Record> {
        let mut records = Vec::new();
        for segment in segments {
            decode(segment.bytes(segment.number_of(seq)..segment.index().len()), &mut records);
        }
        records
    }

    /// Takes a gap in, if it fits.
    pub(crate) fn push_gap(&mut self, gap: Gap) -> bool {
        // The variants, five varints of at most ten bytes, two lengths and the texts.
        let bound = 64 + gap.topic.len() + gap.now_with.as_ref().map_or(0, String::len);
        self.spend(bound) && self.push(Item::Gap(gap))
    }

    /// Takes a change in, if it fits.
    pub(crate) fn push_change(&mut self, segment: &Arc<Segment>) -> bool {
        self.spend(segment.body().len()) && self.push(Item::Change(Arc::clone(segment)))
    }

    /// Takes in the records of `segment` from number `from` on that fit; returns the number after the last of them.
    pub(crate) fn push_records(&mut self, segment: &Arc<Segment>, from: usize) -> usize {
        let start = segment.start_of(from);
        let fits = self.left.saturating_sub(self.head_cost());
        let mut to = from + segment.index()[from..].partition_point(|entry| entry.end as usize - start <= fits);
        if to == from && self.is_empty() {
            to += 1;
        }
        if to > from {
            self.add(segment, from..to);
        }
        to
    }

    /// Takes in record number `at` of `segment`, if it fits.
    pub(crate) fn push_record(&mut self, segment: &Arc<Segment>, at: usize) -> bool {
        let fits = self.head_cost() + segment.bytes(at..at + 1).len() <= self.left || self.is_empty();
        if fits {
            self.add(segment, at..at + 1);
        }
        fits
    }

    /// Says that the batch ends at `seq`: its last event does, or, if it `must` be told, an event without records. Returns
    /// the seq that the tab knows after it, where it learns of one.
    pub(crate) fn end_at(&mut self, seq: u64, must: bool) -> Option<u64> {
        if let Some(Item::Records { next, .. }) = self.items.last_mut() {
            *next = seq;
            return Some(seq);
        }
        if must && self.spend(codec::RECORDS_HEAD_MAX) {
            self.items.push(Item::Records { next: seq, count: 0, pieces: Vec::new() });
            return Some(seq);
        }
        match self.items.last() {
            Some(Item::Change(segment)) => Some(segment.end_seq()),
            _ => None,
        }
    }

    fn add(&mut self, segment: &Arc<Segment>, added: Range<usize>) {
        self.left = self.left.saturating_sub(self.head_cost() + segment.bytes(added.clone()).len());
        if self.head_cost() > 0 {
            self.items.push(Item::Records { next: 0, count: 0, pieces: Vec::new() });
        }
        if let Some(Item::Records { count, pieces, next }) = self.items.last_mut() {
            *count += added.len();
            *next = segment.first_seq() + added.end as u64;
            match pieces.last_mut() {
                Some(Piece { segment: last, records }) if Arc::ptr_eq(last, segment) && records.end == added.start => {
                    records.end = added.end;
                }
                _ => pieces.push(Piece { segment: Arc::clone(segment), records: added }),
            }
        }
    }

    /// What records cost besides their bytes: nothing more where they go on in the event before them.
    fn head_cost(&self) -> usize {
        if matches!(self.items.last(), Some(Item::Records { .. })) { 0 } else { codec::RECORDS_HEAD_MAX }
    }

    /// Takes `bytes` from the limit. The first item is let through even where the limit is smaller, or nothing would move.
    fn spend(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.left || self.is_empty();
        if fits {
            self.left = self.left.saturating_sub(bytes);
        }
        fits
    }

    fn push(&mut self, item: Item) -> bool {
        self.items.push(item);
        true
    }
}

fn decode(mut bytes: &[u8], to: &mut Vec<Record>) {
    while !bytes.is_empty() {
        let (record, rest) = codec::decode_record(bytes).expect("the ring holds records that this process encoded");
        to.push(record);
        bytes = rest;
    }
}

fn decode_change(segment: &Segment) -> Event {
    let events = codec::decode_events(segment.body()).expect("the ring holds changes that this process encoded");
    events.into_iter().next().expect("a change's segment holds one event")
}
