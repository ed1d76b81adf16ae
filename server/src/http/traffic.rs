//! How many tabs are connected, by what carries them, and how much was sent to them. A few atomic numbers: they are touched once a
//! message, never once a record.

use std::sync::{
    Arc,
    atomic::{AtomicU32, AtomicU64, Ordering},
};

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

/// The counters of a process.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    carriers: [Carrier; Transport::ALL.len()],
}

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
