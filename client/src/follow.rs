//! A feed, followed over as many connections as it takes.

use crate::{Authorization, Client, Error, Subprotocol, connect_as};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use wire::{Command, Cursor, Event, From, Resume, Subscribe, back_off};

/// How long an attempt may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A server that says nothing for so long is asked; it sends its counters every second.
const SILENT: Duration = Duration::from_secs(5);
/// A server that says nothing for so long after that is gone.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// A connection that held so long was a good one: the next attempt comes as soon as the first.
const GOOD_AFTER: Duration = Duration::from_secs(5);

/// Follows a feed: connects when it must, with jittered back-off, goes on where it was, and gives each event once.
#[derive(Debug)]
pub struct Follow {
    url: String,
    subprotocol: Subprotocol,
    authorization: Option<Authorization>,
    subscribe: Subscribe,
    resume: Resume,
    /// Whether `resume` knows where to go on; until then `subscribe.from` says where to begin.
    has_begun: bool,
    line: Option<Line>,
    /// Failed attempts in a row.
    attempt: u32,
    retry_at: Option<Instant>,
    connections: u64,
}

#[derive(Debug)]
struct Line {
    client: Client,
    since: Instant,
    heard: Instant,
    is_asked: bool,
}

impl Follow {
    /// Will follow what `subscribe` says, from where it says. Connects when [`Follow::next`] is called.
    pub fn new(url: impl Into<String>, subprotocol: Subprotocol, subscribe: Subscribe) -> Self {
        let (resume, has_begun) = match &subscribe.from {
            From::Cursor(cursor) | From::Recent { cursor, .. } => (Resume::new(cursor), true),
            From::Now | From::Newest(_) => (Resume::default(), false),
        };
        Self {
            url: url.into(),
            subprotocol,
            authorization: None,
            subscribe,
            resume,
            has_begun,
            line: None,
            attempt: 0,
            retry_at: None,
            connections: 0,
        }
    }

    /// Shows this, if anything, to whoever asks who it is.
    #[must_use]
    pub fn authorized(self, authorization: Option<Authorization>) -> Self {
        Self { authorization, ..self }
    }

    /// Where it is: what was given is everything before.
    pub fn cursor(&self) -> Cursor {
        self.resume.cursor()
    }

    /// How many connections it took so far.
    pub fn connections(&self) -> u64 {
        self.connections
    }

    /// Waits for the next message with something new, through as many lost connections as it takes. May be dropped and
    /// called again without losing anything.
    ///
    /// # Errors
    /// What another attempt would not mend: see [`Error::is_passing`]. Calling it again tries nevertheless.
    pub async fn next(&mut self) -> Result<Vec<Event>, Error> {
        loop {
            match self.try_next().await {
                Err(error) if error.is_passing() => {}
                result => return result,
            }
        }
    }

    /// The same, and tells of each lost connection and of each attempt that failed; calling it again makes the next one when its
    /// time has come. May be dropped and called again, too.
    ///
    /// # Errors
    /// Why there is no connection: whether another attempt may mend it, [`Error::is_passing`] says.
    pub async fn try_next(&mut self) -> Result<Vec<Event>, Error> {
        loop {
            let result = match &mut self.line {
                None => self.connect().await.map(|()| Vec::new()),
                Some(line) => line.next().await,
            };
            match result {
                Ok(events) => {
                    let new: Vec<_> = events.into_iter().filter_map(|event| self.accept(event)).collect();
                    if !new.is_empty() {
                        return Ok(new);
                    }
                }
                Err(error) => {
                    self.lost();
                    return Err(error);
                }
            }
        }
    }

    /// Breaks the connection, as a fault would; the next [`Follow::next`] comes back.
    pub fn disconnect(&mut self) {
        self.line = None;
    }

    async fn connect(&mut self) -> Result<(), Error> {
        if let Some(at) = self.retry_at {
            sleep_until(at).await;
        }
        let attempt = async {
            let mut client = connect_as(&self.url, self.subprotocol, self.authorization.as_ref()).await?;
            let mut subscribe = self.subscribe.clone();
            if self.has_begun {
                subscribe.from = From::Cursor(self.resume.cursor());
            }
            client.send(&Command::Subscribe(subscribe)).await?;
            Ok(client)
        };
        let client = timeout(CONNECT_WITHIN, attempt).await.unwrap_or_else(|_| Err(silent()))?;
        let now = Instant::now();
        self.line = Some(Line { client, since: now, heard: now, is_asked: false });
        self.connections += 1;
        Ok(())
    }

    fn accept(&mut self, event: Event) -> Option<Event> {
        if let Event::Subscribed(subscribed) = &event
            && !self.has_begun
        {
            // Nothing is named before the first records of a fresh subscription, so it begins here, even if the connection
            // breaks before they come.
            self.resume = Resume::new(&Cursor { epoch: subscribed.epoch, seq: subscribed.seq, ..Cursor::default() });
            self.has_begun = true;
        }
        self.resume.accept(event)
    }

    fn lost(&mut self) {
        let was_good = self.line.take().is_some_and(|line| line.since.elapsed() >= GOOD_AFTER);
        self.attempt = if was_good { 0 } else { self.attempt.saturating_add(1) };
        self.retry_at = Some(Instant::now() + back_off(self.attempt.saturating_sub(1), rand::random()));
    }
}

impl Line {
    async fn next(&mut self) -> Result<Vec<Event>, Error> {
        if !self.is_asked {
            match timeout_at(self.heard + SILENT, self.client.next()).await {
                Ok(events) => return self.hear(events),
                Err(_) => {
                    // Before the send, so that a dropped call does not ask twice.
                    self.is_asked = true;
                    // The answer says nothing that its arrival does not.
                    self.client.send(&Command::Ping(0)).await?;
                }
            }
        }
        match timeout_at(self.heard + SILENT + DEAD_AFTER, self.client.next()).await {
            Ok(events) => self.hear(events),
            Err(_) => Err(silent()),
        }
    }

    fn hear(&mut self, events: Result<Vec<Event>, Error>) -> Result<Vec<Event>, Error> {
        self.heard = Instant::now();
        self.is_asked = false;
        events
    }
}

fn silent() -> Error {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "the server does not answer");
    Error::Socket(Box::new(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{SinkExt, StreamExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_tungstenite::{
        WebSocketStream, accept_hdr_async,
        tungstenite::{
            Message,
            handshake::server::{ErrorResponse, Request, Response},
            http::header::SEC_WEBSOCKET_PROTOCOL,
            protocol::{CloseFrame, frame::coding::CloseCode},
        },
    };
    use wire::{Bye, ByeReason, Filter, Flags, Pace, Position, Record, Records, Scope, Subscribed, Timestamp, codec};

    type Socket = WebSocketStream<TcpStream>;

    struct Server {
        listener: TcpListener,
    }

    impl Server {
        async fn start() -> (Self, String) {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
            let url = format!("http://{}", listener.local_addr().expect("it is bound"));
            (Self { listener }, url)
        }

        /// The next tab, and where it wants to begin.
        async fn accept(&self) -> (Socket, From) {
            let (stream, _) = self.listener.accept().await.expect("the listener is open");
            #[expect(clippy::result_large_err, reason = "the library's type")]
            let same = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
                let asked = request.headers()[SEC_WEBSOCKET_PROTOCOL].clone();
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, asked);
                Ok(response)
            };
            let mut socket = accept_hdr_async(stream, same).await.expect("a handshake");
            let command = match socket.next().await.expect("a command").expect("a message") {
                Message::Binary(bytes) => codec::decode_command(&bytes),
                Message::Text(text) => codec::command_from_json(&text),
                other => panic!("no command: {other:?}"),
            };
            match command.expect("a command") {
                Command::Subscribe(subscribe) => (socket, subscribe.from),
                other => panic!("no subscribe: {other:?}"),
            }
        }
    }

    fn subscribe(from: From) -> Subscribe {
        let (scope, filter, pace) = (Scope::Instance, Filter::default(), Pace::Latency);
        Subscribe { feed: "default".into(), scope, filter, pace, from }
    }

    fn subscribed(epoch: u64, seq: u64, resumed: bool) -> Event {
        let (feed, group, scope) = ("default".into(), "g".into(), Scope::Instance);
        Event::Subscribed(Subscribed { feed, group, scope, epoch, seq, resumed })
    }

    /// The offset is the seq plus 100.
    fn records(epoch: u64, seqs: std::ops::Range<u64>) -> Event {
        let record = |seq: u64| Record {
            seq,
            topic: "t".into(),
            partition: 0,
            offset: i64::try_from(seq).expect("small") + 100,
            timestamp: Timestamp::None,
            received: 0,
            flags: Flags::FIRST,
            key: None,
            value: None,
            headers: vec![],
            headers_left_out: 0,
        };
        Event::Records(Records { epoch, next: seqs.end, records: seqs.map(record).collect() })
    }

    async fn send(socket: &mut Socket, events: &[Event]) {
        let mut bytes = Vec::new();
        events.iter().for_each(|event| codec::encode_event(event, &mut bytes));
        socket.send(Message::binary(bytes)).await.expect("the tab is there");
    }

    async fn close(mut socket: Socket, reason: ByeReason) {
        let frame = CloseFrame { code: CloseCode::from(reason.close_code()), reason: reason.text().into() };
        socket.close(Some(frame)).await.expect("the tab is there");
    }

    #[tokio::test]
    async fn it_comes_back_by_its_cursor_and_gives_each_record_once() {
        let (server, url) = Server::start().await;
        let mut follow = Follow::new(url, Subprotocol::Postcard, subscribe(From::Now));
        let serve = async {
            let (mut socket, from) = server.accept().await;
            assert_eq!(from, From::Now);
            send(&mut socket, &[subscribed(1, 5, false), records(1, 5..8)]).await;
            drop(socket);
            let (mut socket, from) = server.accept().await;
            let positions = vec![Position { topic: "t".into(), partition: 0, next: 108 }];
            assert_eq!(from, From::Cursor(Cursor { epoch: 1, seq: 8, positions, ..Cursor::default() }));
            // It sends too much.
            send(&mut socket, &[subscribed(1, 6, true), records(1, 6..8)]).await;
            send(&mut socket, &[records(1, 6..10)]).await;
            socket
        };
        let follow = async {
            let mut seqs = Vec::new();
            while seqs.len() < 5 {
                for event in follow.next().await.expect("nothing lasting") {
                    if let Event::Records(records) = event {
                        seqs.extend(records.records.iter().map(|record| record.seq));
                    }
                }
            }
            (seqs, follow.connections())
        };
        let (_socket, result) = tokio::join!(serve, follow);
        assert_eq!(result, (vec![5, 6, 7, 8, 9], 2));
    }

    #[tokio::test]
    async fn a_connection_that_breaks_before_the_first_record_goes_on_where_it_was_promised() {
        let (server, url) = Server::start().await;
        let mut follow = Follow::new(url, Subprotocol::Postcard, subscribe(From::Now));
        let serve = async {
            let (mut socket, _) = server.accept().await;
            send(&mut socket, &[subscribed(1, 5, false)]).await;
            drop(socket);
            server.accept().await
        };
        let follow = async {
            loop {
                follow.next().await.expect("nothing lasting");
            }
        };
        let (_socket, from) = tokio::select! {
            accepted = serve => accepted,
            () = follow => unreachable!("it follows for ever"),
        };
        assert_eq!(from, From::Cursor(Cursor { epoch: 1, seq: 5, ..Cursor::default() }));
    }

    #[tokio::test]
    async fn a_lost_connection_is_told_to_those_who_ask_and_mended_all_the_same() {
        let (server, url) = Server::start().await;
        let mut follow = Follow::new(url, Subprotocol::Postcard, subscribe(From::Now));
        let serve = async {
            let (mut socket, _) = server.accept().await;
            send(&mut socket, &[subscribed(1, 5, false)]).await;
            close(socket, ByeReason::Stopping).await;
            let (mut socket, _) = server.accept().await;
            send(&mut socket, &[records(1, 5..6)]).await;
            socket
        };
        let follow = async {
            assert!(matches!(follow.try_next().await.as_deref(), Ok([Event::Subscribed(_)])));
            let lost = follow.try_next().await;
            assert!(matches!(lost, Err(Error::Closed { code: 1001, .. })), "{lost:?}");
            follow.try_next().await
        };
        let (_socket, events) = tokio::join!(serve, follow);
        assert_eq!(events.ok(), Some(vec![records(1, 5..6)]));
    }

    #[tokio::test]
    async fn what_another_attempt_does_not_mend_is_an_error() {
        let (server, url) = Server::start().await;
        let mut follow = Follow::new(url, Subprotocol::Postcard, subscribe(From::Now));
        let serve = async {
            let (mut socket, _) = server.accept().await;
            send(&mut socket, &[Event::Bye(Bye { reason: ByeReason::UnknownFeed, cursor: None })]).await;
            close(socket, ByeReason::UnknownFeed).await;
        };
        let follow = async {
            assert!(matches!(follow.next().await.as_deref(), Ok([Event::Bye(_)])));
            follow.next().await
        };
        let ((), result) = tokio::join!(serve, follow);
        assert!(matches!(result, Err(Error::Closed { code: 4404, .. })), "{result:?}");
    }

    #[tokio::test]
    async fn the_json_subprotocol_says_the_same() {
        let (server, url) = Server::start().await;
        let mut follow = Follow::new(url, Subprotocol::Json, subscribe(From::Newest(3)));
        let serve = async {
            let (mut socket, from) = server.accept().await;
            assert_eq!(from, From::Newest(3));
            let text = codec::event_to_json(&records(1, 0..3));
            socket.send(Message::text(text)).await.expect("the tab is there");
            socket
        };
        let (_socket, events) = tokio::join!(serve, follow.next());
        assert_eq!(events.ok(), Some(vec![records(1, 0..3)]));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_tried_again_and_again() {
        let (server, url) = Server::start().await;
        drop(server);
        let mut follow = Follow::new(url, Subprotocol::Postcard, subscribe(From::Now));
        assert!(timeout(Duration::from_secs(1), follow.next()).await.is_err());
        // With the longest waits: at 0, 250 and 750 ms.
        assert!(follow.attempt >= 3 && follow.connections() == 0);
    }
}
