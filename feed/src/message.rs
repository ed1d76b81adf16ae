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
    Shared(Shared, Range<usize>),
}

/// What holds bytes that every tab shares.
#[derive(Debug)]
pub(crate) enum Shared {
    Segment(Arc<Segment>),
    Json(Arc<Json>),
}

impl Shared {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Segment(segment) => segment.body(),
            Self::Json(json) => json.text(),
        }
    }
}

impl From<&Arc<Segment>> for Shared {
    fn from(segment: &Arc<Segment>) -> Self {
        Self::Segment(Arc::clone(segment))
    }
}

impl From<Arc<Json>> for Shared {
    fn from(json: Arc<Json>) -> Self {
        Self::Json(json)
    }
}

impl Message {
    /// The parts, one after the other the whole message.
    pub fn parts(&self) -> Vec<&[u8]> {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Own(range) => &self.own[range.clone()],
            Part::Shared(shared, range) => &shared.bytes()[range.clone()],
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

    /// Goes on with these of the shared bytes.
    pub(crate) fn share(&mut self, shared: Shared, range: Range<usize>) {
        if range.len() <= COPIED_UP_TO {
            self.write(|own| own.extend_from_slice(&shared.bytes()[range]));
        } else {
            self.parts.push(Part::Shared(shared, range));
        }
    }
}
