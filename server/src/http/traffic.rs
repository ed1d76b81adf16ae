//! How many tabs are connected, by what carries them, how much was sent to them, and why they went; and how long requests took. A few
//! atomic numbers: they are touched once a message, never once a record; the requests' are behind a lock, once a request.

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use engine::{Durations, Histogram};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};
use wire::ByeReason;

/// What carries a tab's conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    ServerSentEvents,
    Ndjson,
}

impl Transport {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::ServerSentEvents, Self::Ndjson];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::ServerSentEvents => "sse",
            Self::Ndjson => "ndjson",
        }
    }
}

/// Why a WebSocket was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The other side closed it.
    Left,
    /// The other side was gone without a word.
    Gone,
    /// What the other side sent was against the protocol of WebSockets.
    Broken,
    Stopping,
    BadMessage,
    WrongState,
    UnknownFeed,
    BadSubscription,
    Stalled,
}

impl Close {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Left,
        Self::Gone,
        Self::Broken,
        Self::Stopping,
        Self::BadMessage,
        Self::WrongState,
        Self::UnknownFeed,
        Self::BadSubscription,
        Self::Stalled,
    ];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Gone => "gone",
            Self::Broken => "broken",
            Self::Stopping => "stopping",
            Self::BadMessage => "bad_message",
            Self::WrongState => "wrong_state",
            Self::UnknownFeed => "unknown_feed",
            Self::BadSubscription => "bad_subscription",
            Self::Stalled => "stalled",
        }
    }
}

impl From<ByeReason> for Close {
    fn from(reason: ByeReason) -> Self {
        match reason {
            ByeReason::Stopping => Self::Stopping,
            ByeReason::BadMessage => Self::BadMessage,
            ByeReason::WrongState => Self::WrongState,
            ByeReason::UnknownFeed => Self::UnknownFeed,
            ByeReason::BadSubscription => Self::BadSubscription,
            ByeReason::Stalled => Self::Stalled,
        }
    }
}

/// The counters of a process.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    carriers: [Carrier; Transport::ALL.len()],
    closes: [AtomicU64; Close::ALL.len()],
    /// As many as there are routes and classes of statuses, whatever is asked for.
    requests: Mutex<BTreeMap<Asked, Arc<Durations>>>,
}

/// A route's template, none for what has no route, and a status's first digit.
type Asked = (Option<String>, u16);

/// How long it took until such answers began.
pub(crate) type RequestFigures = (Asked, Histogram);

#[derive(Debug, Default)]
struct Carrier {
    tabs: AtomicU32,
    bytes: AtomicU64,
}

impl Traffic {
    /// A tab is connected, until what is returned is dropped.
    pub fn connect(self: &Arc<Self>, transport: Transport) -> Connected {
        self.carriers[transport as usize].tabs.fetch_add(1, Ordering::Relaxed);
        Connected { traffic: Arc::clone(self), transport }
    }

    /// How many tabs there are, and how many bytes of messages were sent to such tabs so far.
    pub fn read(&self, transport: Transport) -> (u32, u64) {
        let carrier = &self.carriers[transport as usize];
        (carrier.tabs.load(Ordering::Relaxed), carrier.bytes.load(Ordering::Relaxed))
    }

    /// A WebSocket is over.
    pub fn closed(&self, why: Close) {
        self.closes[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many WebSockets were over for this.
    pub fn closes(&self, why: Close) -> u64 {
        self.closes[why as usize].load(Ordering::Relaxed)
    }

    /// What was asked for so far.
    pub fn requests(&self) -> Vec<RequestFigures> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().map(|(of, took)| (of.clone(), took.read())).collect()
    }

    fn durations(&self, route: Option<String>, class: u16) -> Arc<Durations> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(requests.entry((route, class)).or_default())
    }
}

/// The middleware: how long it took until an answer began. A stream's goes on after that.
pub(super) async fn measure(State(traffic): State<Arc<Traffic>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let response = next.run(request).await;
    traffic.durations(route, response.status().as_u16() / 100).note(began.elapsed());
    response
}

/// A tab that is connected.
#[derive(Debug)]
pub(crate) struct Connected {
    traffic: Arc<Traffic>,
    transport: Transport,
}

impl Connected {
    /// A message of so many bytes was sent to it.
    pub fn sent(&self, bytes: usize) {
        self.traffic.carriers[self.transport as usize].bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.traffic.carriers[self.transport as usize].tabs.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_are_counted_while_they_are_there_and_bytes_for_good() {
        let traffic = Arc::<Traffic>::default();
        let (one, other) = (traffic.connect(Transport::Ndjson), traffic.connect(Transport::Ndjson));
        one.sent(3);
        other.sent(4);
        drop(one);
        assert_eq!(traffic.read(Transport::Ndjson), (1, 7));
        assert_eq!(traffic.read(Transport::WebSocket), (0, 0));
        drop(other);
        assert_eq!(traffic.read(Transport::Ndjson), (0, 7));
    }
}
