//! A message to a tab, put together of what it says itself and of bytes that every tab shares.

use crate::{json::Json, segment::Segment};
use std::{ops::Range, sync::Arc};

/// Shared bytes up to so many are copied: a part of its own would cost more.
const COPIED_UP_TO: usize = 512;

/// The bytes of one message, in parts: most of them lie in the ring.
#[derive(Debug, Default)]
pub struct Message {
    own: Vec<u8>,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Own(Range<usize>),
    Segment(Arc<Segment>, Range<usize>),
    Json(Arc<Json>, Range<usize>),
}

impl Message {
    /// The parts, one after the other the whole message.
    pub fn parts(&self) -> Vec<&[u8]> {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Own(range) => &self.own[range.clone()],
            Part::Segment(segment, range) => &segment.body()[range.clone()],
            Part::Json(json, range) => &json.text()[range.clone()],
        });
        bytes.collect()
    }

    /// The whole message, copied.
    pub fn to_vec(&self) -> Vec<u8> {
        self.parts().concat()
    }

    /// Goes on with what `write` appends.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let from = self.own.len();
        write(&mut self.own);
        match self.parts.last_mut() {
            Some(Part::Own(range)) => range.end = self.own.len(),
            _ => self.parts.push(Part::Own(from..self.own.len())),
        }
    }

    /// Goes on with these bytes of a segment's body.
    pub(crate) fn share(&mut self, segment: &Arc<Segment>, range: Range<usize>) {
        if range.len() <= COPIED_UP_TO {
            self.write(|own| own.extend_from_slice(&segment.body()[range]));
        } else {
            self.parts.push(Part::Segment(Arc::clone(segment), range));
        }
    }

    /// Goes on with these bytes of a segment's JSON.
    pub(crate) fn share_json(&mut self, json: &Arc<Json>, range: Range<usize>) {
        if range.len() <= COPIED_UP_TO {
            self.write(|own| own.extend_from_slice(&json.text()[range]));
        } else {
            self.parts.push(Part::Json(Arc::clone(json), range));
        }
    }
}
