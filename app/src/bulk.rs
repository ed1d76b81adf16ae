//! Many messages as a form has them, and what came of them.

use engine::Fate;
use std::collections::HashSet;
use wire::{Encoding, Field, FieldError, ProduceError, ProduceInput, Rule, lines::LineFormat};

/// The most messages that are taken at once.
pub const MOST_LINES: usize = 10_000;
/// The largest text or file, in bytes.
pub const MOST_BYTES: usize = 10 * 1024 * 1024;

/// The form as it was filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkForm {
    /// The topic.
    pub topic: String,
    /// The partition of those that name none.
    pub partition: String,
    /// How the messages are to be read. None: a file by its name, a text as lines.
    pub format: Option<LineFormat>,
    /// Whether messages without a key have none; else each gets a UUID.
    pub keyless: bool,
    /// Whether those that are right are sent although others are wrong.
    pub others_go: bool,
    /// The messages.
    pub text: String,
}

impl BulkForm {
    /// What holds for every message that says nothing else.
    pub fn like(&self) -> ProduceInput {
        ProduceInput {
            topic: self.topic.trim().into(),
            partition: self.partition.trim().into(),
            key_encoding: if self.keyless { Encoding::Null } else { Encoding::Auto },
            ..ProduceInput::default()
        }
    }
}

/// What came of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkOutcome {
    /// Nothing was tried.
    Refused {
        /// The form as it was filled in.
        form: BulkForm,
        /// Why.
        error: BulkError,
    },
    /// Each message has its fate.
    Done {
        /// The form, with the messages that were not stored.
        form: BulkForm,
        /// The messages in their order.
        lines: Vec<BulkLine>,
    },
}

/// Why a form was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkError {
    /// It holds no message.
    Nothing,
    /// A text and a file.
    Both,
    /// More than [`MOST_LINES`].
    TooMany,
    /// More than [`MOST_BYTES`].
    TooLarge,
    /// The name of the file, which is this, does not tell how to read it.
    Ending(String),
    /// It begins like a JSON array and is none, in the parser's words.
    NoArray(String),
    /// It did not come in time.
    Late,
    /// The form could not be read, in the reader's words.
    Broken(String),
}

/// A message, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkLine {
    /// The line on which it begins, from 1.
    pub number: u64,
    /// How it begins.
    pub head: String,
    /// What became of it.
    pub fate: Fate,
}

impl BulkOutcome {
    /// The form, with what is still to be sent.
    pub fn form(&self) -> &BulkForm {
        let (Self::Refused { form, .. } | Self::Done { form, .. }) = self;
        form
    }

    /// How many of the messages that are still in the form may be stored.
    pub fn unknown(&self) -> usize {
        match self {
            Self::Refused { .. } => 0,
            Self::Done { lines, .. } => BulkCount::of(lines).unknown,
        }
    }

    /// What is wrong with a field that all messages share.
    pub fn shared(&self, field: Field) -> Option<&Rule> {
        let Self::Done { lines, form } = self else { return None };
        // Each message may name a partition of its own.
        if field == Field::Partition && form.partition.is_empty() {
            return None;
        }
        let errors = lines.iter().flat_map(|line| match &line.fate {
            Fate::Failed(ProduceError::Invalid(errors)) => errors.as_slice(),
            _ => &[],
        });
        errors.into_iter().find(|FieldError { field: wrong, .. }| *wrong == field).map(|error| &error.rule)
    }
}

/// How many messages came to which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BulkCount {
    /// Acknowledged.
    pub stored: usize,
    /// Not acknowledged in time: nobody knows whether they are stored.
    pub unknown: usize,
    /// Unreadable, wrong, or not taken by Kafka.
    pub failed: usize,
    /// Not sent for others' sake.
    pub held: usize,
}

impl BulkCount {
    /// Of these messages.
    pub fn of(lines: &[BulkLine]) -> Self {
        let mut count = Self::default();
        for line in lines {
            *match line.fate {
                Fate::Stored(_) => &mut count.stored,
                Fate::Held => &mut count.held,
                Fate::Failed(ProduceError::TimedOut { .. }) => &mut count.unknown,
                Fate::Unreadable(_) | Fate::Failed(_) => &mut count.failed,
            } += 1;
        }
        count
    }
}

/// The text without the messages on these lines, which were stored: what is to be mended and sent again. `lines` are all messages,
/// by the line on which each begins.
pub fn left(text: &str, lines: &[u64], stored: &HashSet<u64>) -> String {
    if stored.len() == lines.len() {
        return String::new();
    }
    let mut is_left = true;
    let mut begins = lines.iter().peekable();
    let kept = text.split_inclusive('\n').zip(1..).filter(|(_, number)| {
        // A message may be on more lines than one; what stands before the first one names its columns.
        if begins.next_if(|begin| **begin == *number).is_some() {
            is_left = !stored.contains(number);
        }
        is_left
    });
    kept.map(|(line, _)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_not_to_be_sent_again() {
        let stored = |lines: &[u64]| lines.iter().copied().collect::<HashSet<_>>();
        assert_eq!(left("a\nb\nc", &[1, 2, 3], &stored(&[1, 3])), "b\n");
        assert_eq!(left("a\nb\nc", &[1, 2, 3], &stored(&[1, 2, 3])), "");
        // The names of a table's columns stay, and a row of two lines is one.
        assert_eq!(left("value\n\"a\nb\"\nc\n", &[2, 4], &stored(&[2])), "value\nc\n");
        assert_eq!(left("value\n\"a\nb\"\nc\n", &[2, 4], &stored(&[4])), "value\n\"a\nb\"\n");
    }
}
