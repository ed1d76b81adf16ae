//! Wakes fetches that wait for records. nisshi answers an empty fetch by sleeping half of what is left of the client's
//! wait and asking SQLite again, so that a record is late and waiting costs CPU. Here the records are produced in the same
//! process: a fetch reads once, waits until something is appended or its time is over, and reads again.

use nisshi_sans_io::{FetchRequest, FetchResponse, ProduceRequest, ProduceResponse, RequestInput};
use nisshi_storage::Error;
use rama::Service;
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// What the inner service is told to wait: longer than any client's wait, so that after one look at the log it sleeps
/// until it is dropped (it sleeps half of it).
const PARK: Duration = Duration::from_secs(3600);
/// A look at the log that is younger is not abandoned for a new one: it may be about to answer. Doubled each time, so
/// that others' records cannot keep a fetch from ever finishing its look.
const LOOK: Duration = Duration::from_millis(5);

/// Counts the batches that were appended to any partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Appends(watch::Sender<u64>);

/// A produce service that says when it appended.
#[derive(Debug)]
pub(super) struct Announcing<S> {
    pub inner: S,
    pub appends: Appends,
}

impl<S> Service<RequestInput<ProduceRequest>> for Announcing<S>
where
    S: Service<RequestInput<ProduceRequest>, Output = ProduceResponse, Error = Error>,
{
    type Output = ProduceResponse;
    type Error = Error;

    async fn serve(&self, request: RequestInput<ProduceRequest>) -> Result<ProduceResponse, Error> {
        let response = self.inner.serve(request).await;
        self.appends.0.send_modify(|count| *count += 1);
        response
    }
}

/// A fetch service that waits for appends, not for a clock.
#[derive(Debug)]
pub(super) struct Waking<S> {
    pub inner: S,
    pub appends: Appends,
}

impl<S> Waking<S>
where
    S: Service<RequestInput<FetchRequest>, Output = FetchResponse, Error = Error>,
{
    async fn look(&self, request: &RequestInput<FetchRequest>, wait: Duration) -> Result<FetchResponse, Error> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let RequestInput { request, extensions } = request;
        let request = request.clone().max_wait_ms(wait);
        self.inner.serve(RequestInput { request, extensions: extensions.clone() }).await
    }
}

impl<S> Service<RequestInput<FetchRequest>> for Waking<S>
where
    S: Service<RequestInput<FetchRequest>, Output = FetchResponse, Error = Error>,
{
    type Output = FetchResponse;
    type Error = Error;

    async fn serve(&self, request: RequestInput<FetchRequest>) -> Result<FetchResponse, Error> {
        let Ok(wait) = u64::try_from(request.request.max_wait_ms) else {
            // Not a wait: the inner service has an answer for it.
            return self.inner.serve(request).await;
        };
        let deadline = Instant::now() + Duration::from_millis(wait);
        let mut appends = self.appends.0.subscribe();
        let mut patience = LOOK;
        loop {
            // Before the look: what is appended during it is seen, or wakes.
            appends.mark_unchanged();
            let again = Instant::now() + patience;
            tokio::select! {
                biased;
                response = self.look(&request, PARK) => return response,
                // The sender lives in `self`: it cannot be closed.
                _ = async { let _ = appends.changed().await; sleep_until(again).await } => {}
                () = sleep_until(deadline) => break,
            }
            patience *= 2;
        }
        // The client's time is over: one look more, for its empty answer and what may be in it after all.
        self.look(&request, Duration::from_millis(1)).await
    }
}
