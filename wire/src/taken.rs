//! What a tab says of what it has taken in: the page and every other client count alike.

use crate::Command;

/// The events with records that were taken in on a connection, and whether the server is to be told: see [`Command::Taken`].
#[derive(Debug, Default)]
pub struct Taken {
    records: u64,
    is_due: bool,
}

impl Taken {
    /// Counts one more.
    pub fn count(&mut self) {
        self.is_due |= self.records.is_multiple_of(crate::TAKEN_AT_ONCE);
        self.records += 1;
    }

    /// What to tell the server, if it is time.
    pub fn due(&self) -> Option<Command> {
        self.is_due.then_some(Command::Taken(self.records))
    }

    /// It was told.
    pub fn told(&mut self) {
        self.is_due = false;
    }
}
