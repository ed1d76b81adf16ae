//! What many ask for and Kafka is asked for once: the latest answer, and the rule of how long it is good enough.

use crate::config::RENDER_DEADLINE;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};
use wire::ReadError;

/// How long an answer is taken for true: many may look at it.
pub(crate) const AGE: Duration = Duration::from_millis(900);
/// How old an answer may be that a page shows where Kafka takes longer than it can wait.
const OLD: Duration = Duration::from_secs(5);

/// The latest answer to one question. Nobody asks: Kafka is left alone.
pub(crate) struct Shared<T> {
    latest: watch::Sender<Option<Heard<T>>>,
    /// Whether it is asked for just now.
    is_asking: AtomicBool,
}

struct Heard<T> {
    at: Instant,
    answer: Result<Arc<T>, ReadError>,
}

impl<T> Heard<T> {
    fn young(&self, age: Duration) -> Option<&Arc<T>> {
        self.answer.as_ref().ok().filter(|_| self.at.elapsed() < age)
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { latest: watch::Sender::new(None), is_asking: AtomicBool::new(false) }
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// The answer, at most `age` old. Kafka is asked once, whoever waits, and for longer than a page can wait, so that the next page has
    /// what comes later; a page that can't wait any longer takes an answer that is somewhat older, if there is one. `late` says what
    /// is the matter otherwise.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get<F>(
        self: &Arc<Self>,
        age: Duration,
        ask: impl FnOnce() -> F,
        late: impl FnOnce() -> String,
    ) -> Result<Arc<T>, ReadError>
    where
        F: Future<Output = Result<T, kafka::Error>> + Send + 'static,
    {
        let began = Instant::now();
        let mut news = self.latest.subscribe();
        if let Some(answer) = news.borrow().as_ref().and_then(|heard| heard.young(age)) {
            return Ok(Arc::clone(answer));
        }
        if !self.is_asking.swap(true, Ordering::AcqRel) {
            let (shared, asked) = (Arc::clone(self), ask());
            tokio::spawn(async move {
                let answer = asked.await.map(Arc::new).map_err(unread);
                shared.is_asking.store(false, Ordering::Release);
                shared.latest.send_replace(Some(Heard { at: Instant::now(), answer }));
            });
        }
        let heard = |heard: &Option<Heard<T>>| heard.as_ref().is_some_and(|heard| heard.at >= began);
        if let Ok(Ok(heard)) = timeout(RENDER_DEADLINE, news.wait_for(heard)).await
            && let Some(heard) = &*heard
        {
            return heard.answer.clone();
        }
        if let Some(answer) = self.latest.borrow().as_ref().and_then(|heard| heard.young(OLD)) {
            return Ok(Arc::clone(answer));
        }
        Err(ReadError::Kafka { reason: late() })
    }

    /// What was heard is not true any more.
    pub fn forget(&self) {
        self.latest.send_replace(None);
    }
}

/// Why something could not be looked up, for pages and programs.
pub(crate) fn unread(error: kafka::Error) -> ReadError {
    if error.is_no_answer() {
        ReadError::Kafka { reason: error.to_string() }
    } else {
        ReadError::Refused(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    fn late() -> String {
        "late".into()
    }

    async fn never() -> Result<u32, kafka::Error> {
        std::future::pending().await
    }

    #[tokio::test]
    async fn what_was_heard_is_not_asked_for_again_until_it_is_old_or_forgotten() {
        let shared = Arc::new(Shared::default());
        assert_eq!(shared.get(AGE, || async { Ok(3_u32) }, late).await.as_deref(), Ok(&3));
        assert_eq!(shared.get(AGE, never, late).await.as_deref(), Ok(&3));
        let began = Instant::now();
        let old = shared.get(Duration::ZERO, never, late).await;
        assert_eq!(old.as_deref(), Ok(&3), "better somewhat old than none");
        assert!(began.elapsed() >= RENDER_DEADLINE && began.elapsed() < RENDER_DEADLINE * 3, "{:?}", began.elapsed());
        shared.forget();
        assert_eq!(shared.get(AGE, never, late).await, Err(ReadError::Kafka { reason: "late".into() }));
    }

    #[tokio::test]
    async fn however_many_ask_kafka_is_asked_once() {
        let (shared, asked) = (Arc::new(Shared::default()), Arc::new(AtomicU32::new(0)));
        let look = || {
            let asked = Arc::clone(&asked);
            shared.get(
                AGE,
                move || async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok(asked.fetch_add(1, Ordering::Relaxed))
                },
                late,
            )
        };
        let found = futures::future::join_all((0..50).map(|_| look())).await;
        assert!(found.iter().all(|found| found.as_deref() == Ok(&0)), "{found:?}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
