//! A second look at the offsets that a group passed over: where a record stands in such a hole, the group was not given it. Read
//! as the group reads (its `isolation.level`), so that aborted records are none.
//!
//! A topic with transactions has a hole after each of them. So only some are looked into, at a bounded pace; the audit says how
//! many were.

use ::feed::Hole;
use kafka::{Found, Reader};
use std::{sync::mpsc, time::Duration};
use tokio::sync::mpsc as channel;

/// How many holes wait for their turn.
const WAITING: usize = 16;
/// The pause between two looks.
const PACE: Duration = Duration::from_millis(100);
/// How long one look may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The group's thread's end of it.
pub(crate) struct Holes {
    to_look: channel::Sender<Hole>,
    looked: mpsc::Receiver<Looked>,
}

/// What a look into a hole gave.
pub(crate) struct Looked {
    pub hole: Hole,
    /// It was looked into up to before this offset.
    pub to: i64,
    /// The records in it.
    pub found: Option<Found>,
}

impl Holes {
    /// Looks with `reader`, until this is dropped.
    pub fn new(reader: Reader) -> Self {
        let (to_look, mut asked) = channel::channel::<Hole>(WAITING);
        let (answer, looked) = mpsc::channel();
        tokio::spawn(async move {
            while let Some(hole) = asked.recv().await {
                match reader.records_in(&hole.topic, hole.partition, hole.offsets.clone(), DEADLINE).await {
                    Ok((to, found)) => {
                        if answer.send(Looked { hole, to, found }).is_err() {
                            return;
                        }
                    }
                    Err(error) => tracing::debug!(%error, ?hole, "a hole could not be looked into"),
                }
                tokio::time::sleep(PACE).await;
            }
        });
        Self { to_look, looked }
    }

    /// Has these looked into, as far as there is room for them.
    pub fn look(&self, holes: Vec<Hole>) {
        for hole in holes {
            if self.to_look.try_send(hole).is_err() {
                return;
            }
        }
    }

    /// What was found since the last call.
    pub fn looked(&self) -> Vec<Looked> {
        self.looked.try_iter().collect()
    }
}

#[cfg(test)]
impl Holes {
    /// One whose holes the test looks into.
    pub fn by_hand() -> (Self, channel::Receiver<Hole>, mpsc::Sender<Looked>) {
        let (to_look, asked) = channel::channel(WAITING);
        let (answer, looked) = mpsc::channel();
        (Self { to_look, looked }, asked, answer)
    }
}
