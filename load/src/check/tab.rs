//! One tab: follows an instance over as many connections, and as many lives of the instance, as it takes, and writes down what
//! it was told. Inside one life it comes back with its cursor. A new life is followed from the first record that the instance
//! still has, and nothing is taken out: whether something came twice is what is to be found out. (`client::Follow` takes out
//! what a person has seen before.)

use super::{
    SharedHistory,
    history::{Incarnation, Log, Range, Shown, Told},
    numbered::Numbered,
};
use client::{Client, Error, Subprotocol, connect};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use wire::{
    Change, ChangeKind, Command, Event, Filter, From, Gap, Hello, Owned, Pace, Record, Resume, Scope, Subscribe,
};

/// The pause after an attempt that failed.
const AGAIN: Duration = Duration::from_millis(100);
/// How long connecting and the first words may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The server sends its counters every second: one that is silent for so long is asked again.
const SILENT: Duration = Duration::from_secs(10);

/// What a tab follows.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The instance's address: `http://127.0.0.1:3000`.
    pub url: String,
    pub feed: String,
    pub topic: String,
    /// The run whose records count.
    pub run: String,
}

/// Follows `place` until it is dropped or the feed does not exist.
pub(crate) async fn follow(place: Place, history: SharedHistory) -> Error {
    let mut tab = Tab { place, history, life: None };
    loop {
        match tab.connection().await {
            error if error.is_passing() => sleep(AGAIN).await,
            error => {
                eprintln!("ottla-load: {}: {error}", tab.place.url);
                return error;
            }
        }
    }
}

struct Tab {
    place: Place,
    history: SharedHistory,
    /// The incarnation that was followed last, its stream, and where the tab is in it.
    life: Option<(Incarnation, usize, Resume)>,
}

impl Tab {
    /// One connection, to its end.
    async fn connection(&mut self) -> Error {
        match self.open().await {
            Ok(client) => self.read(client).await,
            Err(error) => error,
        }
    }

    async fn open(&mut self) -> Result<Client, Error> {
        let hello = async {
            let mut client = connect(&self.place.url, Subprotocol::Postcard).await?;
            loop {
                for event in client.next().await? {
                    if let Event::Hello(hello) = event {
                        return Ok((client, hello));
                    }
                }
            }
        };
        let (mut client, hello) = timeout(CONNECT_WITHIN, hello).await.unwrap_or_else(|_| Err(silent()))?;
        let subscribe = self.subscribe(hello);
        timeout(CONNECT_WITHIN, client.send(&Command::Subscribe(subscribe))).await.unwrap_or_else(|_| Err(silent()))?;
        Ok(client)
    }

    fn subscribe(&mut self, Hello { instance, incarnation, .. }: Hello) -> Subscribe {
        let by = Incarnation { instance, number: incarnation };
        let from = match &self.life {
            Some((life, _, resume)) if *life == by => From::Cursor(resume.cursor()),
            _ => {
                let stream = self.history.lock().begin_stream(by.clone());
                self.life = Some((by, stream, Resume::default()));
                From::Newest(u32::MAX)
            }
        };
        let (feed, filter) = (self.place.feed.clone(), Filter::default());
        Subscribe { feed, scope: Scope::Instance, filter, pace: Pace::Latency, from }
    }

    async fn read(&mut self, mut client: Client) -> Error {
        loop {
            match timeout(SILENT, client.next()).await {
                Ok(Ok(events)) => self.take(events),
                Ok(Err(error)) => return error,
                Err(_) => return silent(),
            }
        }
    }

    fn take(&mut self, events: Vec<Event>) {
        let Some((_, stream, resume)) = &mut self.life else { return };
        let mut history = self.history.lock();
        for event in events.into_iter().filter_map(|event| resume.accept(event)) {
            match event {
                Event::Records(records) => {
                    for shown in records.records.iter().filter_map(|record| self.place.shown(record)) {
                        history.told(*stream, Told::Record(shown));
                    }
                }
                Event::Gap(gap) if gap.topic == self.place.topic => {
                    let range = range(history.life, &gap);
                    history.told(*stream, Told::Gap(range));
                }
                Event::Flag(flag) if flag.topic == self.place.topic => {
                    let range = Range { log: history.log(flag.partition), first: flag.first, last: flag.last };
                    history.told(*stream, Told::Flag(range, flag.flags));
                }
                Event::Change(change) => {
                    if let Some(told) = self.place.change(history.life, change) {
                        history.told(*stream, told);
                    }
                }
                _ => {}
            }
        }
    }
}

impl Place {
    fn shown(&self, record: &Record) -> Option<Shown> {
        let value = record.value.as_ref().filter(|_| record.topic == self.topic)?;
        let (numbered, key, key_number) = Numbered::parse(&self.run, &value.head)?;
        let &Record { offset, flags, received, .. } = record;
        Some(Shown { log: numbered.log, offset, number: numbered.number, key, key_number, flags, received })
    }

    fn change(&self, life: u32, Change { at, kind, .. }: Change) -> Option<Told> {
        let logs = |owned: Vec<Owned>| {
            let partitions = owned.into_iter().filter(|owned| owned.topic == self.topic).flat_map(|it| it.partitions);
            partitions.map(|partition| Log { life, partition }).collect()
        };
        Some(match kind {
            ChangeKind::Assigned(owned) => Told::Assigned { at, logs: logs(owned) },
            ChangeKind::Revoked(owned) => Told::Taken { at, logs: logs(owned), is_lost: false },
            ChangeKind::Lost(owned) => Told::Taken { at, logs: logs(owned), is_lost: true },
            ChangeKind::Missing(gap) | ChangeKind::PassedOver(gap) if gap.topic == self.topic => {
                Told::Missing(range(life, &gap))
            }
            ChangeKind::Missing(_) | ChangeKind::PassedOver(_) | ChangeKind::Sought(_) | ChangeKind::Happened(_) => {
                return None;
            }
        })
    }
}

fn range(life: u32, gap: &Gap) -> Range {
    Range { log: Log { life, partition: gap.partition }, first: gap.first, last: gap.last }
}

fn silent() -> Error {
    Error::Closed { code: 1006, reason: "the server does not answer".into() }
}
