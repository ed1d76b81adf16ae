//! How connections are served: HTTP/1.1, and within bounds of time. Who reads nothing of an answer, who does not get to the end of a
//! request, and who holds a connection without a request is given up; a stop waits for none of them.

use super::{HttpLimits, problem::Problem};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use hyper::{
    body::{Body as _, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    future::Future,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Sleep, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// How many stall limits a connection may be without the whole head of a request. One that waits for its next request has none either,
/// and proxies keep those for up to two minutes: they are to be the first who close.
const HEAD: u32 = 5;
/// How much of a body buys a further second, in bytes: slow links are no stall.
const A_SECOND: usize = 16 * 1024;
/// How much later than a tab's own limit the kernel gives a reader up: where it can, the tab is told.
#[cfg(target_os = "linux")]
const KERNEL_WAITS: Duration = Duration::from_secs(5);
/// How long a stop waits for those who have an answer still to read.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The pause after no connection could be taken, for want of file descriptors mostly.
const OUT_OF_FILES: Duration = Duration::from_secs(1);
/// How much may lie in the kernel that was not sent yet, in bytes: two of the largest messages. What a slow tab can't take stays in the
/// ring then, where all tabs share it, and not in a buffer of megabytes, where it grows old.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 2 * wire::MAX_EVENT_MESSAGE as u32;

/// Serves `app` until `shutdown` resolves, every request is answered, and the answers are read or were not for a while.
/// `stall` is [`crate::config::ServerConfig::stall_limit_seconds`].
pub async fn serve(listener: TcpListener, app: Router, stall: Duration, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(stall * HEAD);
    let (answering, stopping) = (TaskTracker::new(), CancellationToken::new());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Err(error) = set_options(&stream, stall) {
                    tracing::debug!(%error, "a connection's options could not be set");
                }
                let (http, app) = (http.clone(), app.clone());
                connections.spawn(converse(stream, http, app, answering.clone(), stopping.clone()));
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection could be taken");
                sleep(OUT_OF_FILES).await;
            }
        }
    }
    drop(listener);
    stopping.cancel();
    answering.close();
    answering.wait().await;
    // Who reads no more keeps nobody from stopping: those who are left are dropped.
    let _ = timeout(LAST_WORDS, async { while connections.join_next().await.is_some() {} }).await;
}

/// One connection, until it ends or is a WebSocket. Once `stopping` it takes no further request.
async fn converse(
    stream: TcpStream,
    http: http1::Builder,
    app: Router,
    answering: TaskTracker,
    stopping: CancellationToken,
) {
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (app, answering) = (app.clone(), answering.token());
        async move {
            let answer = app.oneshot(request.map(Body::new)).await;
            drop(answering);
            answer
        }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Whether one client is the reason, and the next one can be taken.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg_attr(not(target_os = "linux"), expect(unused_variables, reason = "other systems have no such option"))]
fn set_options(stream: &TcpStream, stall: Duration) -> io::Result<()> {
    // Without it small frames to a busy tab wait for its acknowledgements: p99 38–48 ms instead of 15.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(stream);
        socket.set_tcp_notsent_lowat(UNSENT)?;
        // Of streams and files nobody else sees that their reader stands still: a full connection is not written to. It counts while
        // the other side has no room as well (tcp(7), TCP_USER_TIMEOUT; RFC 5482).
        socket.set_tcp_user_timeout(Some(stall + KERNEL_WAITS))?;
    }
    Ok(())
}

/// The middleware that gives a request's body so long to come: [`HttpLimits::stall`], and a second more for each [`A_SECOND`] of it
/// that has come. Whoever reads the body, it is answered 408.
pub(super) async fn in_time(State(limits): State<HttpLimits>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let timed = |body| Timed { body, patience: limits.stall, due: None, is_late: Arc::clone(&is_late) };
    let response = next.run(request.map(|body| Body::new(timed(body)))).await;
    if !is_late.load(Ordering::Relaxed) {
        return response;
    }
    let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "body", "the body did not come in time");
    // The rest of it may still come: it is no request (RFC 9110, section 15.5.9).
    ([(header::CONNECTION, HeaderValue::from_static("close"))], problem).into_response()
}

/// A body that has to come in time.
struct Timed {
    body: Body,
    /// How long the next wait may be, before there was one.
    patience: Duration,
    /// Runs from the first time that somebody waits for the body.
    due: Option<Pin<Box<Sleep>>>,
    is_late: Arc<AtomicBool>,
}

impl hyper::body::Body for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len);
            let bought = Duration::from_secs_f64(bytes as f64 / A_SECOND as f64);
            match &mut this.due {
                Some(due) => {
                    let later = due.deadline() + bought;
                    due.as_mut().reset(later);
                }
                None => this.patience += bought,
            }
            return Poll::Ready(frame);
        }
        let patience = this.patience;
        let due = this.due.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(due.as_mut().poll(cx));
        this.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
