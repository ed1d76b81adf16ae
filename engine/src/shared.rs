//! What many ask for and Kafka is asked for once, and what Kafka says later than a page can wait: the latest answer, and the rule of how
//! long it is good enough.

use parking_lot::Mutex;
use std::{
    collections::HashMap,
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

/// How long somebody waits for Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A page is rendered meanwhile: 300 ms, and what comes later is there for the page after it.
    Page,
    /// A program asked, which knows how long it waits; or a person, who is to be told what became of a form, or followed a link that says
    /// that it takes its time: 5 s.
    Program,
}

impl Patience {
    pub(crate) fn deadline(self) -> Duration {
        match self {
            Self::Page => Duration::from_millis(300),
            Self::Program => Duration::from_secs(5),
        }
    }

    /// What is the matter where there was no answer. A page says it in its reader's language: nothing is said here.
    pub(crate) fn exhausted(self, action: &str) -> String {
        match self {
            Self::Page => String::new(),
            Self::Program => format!("{action}: no answer within {} ms", self.deadline().as_millis()),
        }
    }

    fn unread(self, error: kafka::Error) -> ReadError {
        match error {
            kafka::Error::TimedOut { action, .. } => ReadError::Kafka { reason: self.exhausted(&action) },
            error => unread(error),
        }
    }
}

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
    /// what comes later; who can't wait any longer takes an answer that is somewhat older, if there is one. `late` says what is the
    /// matter otherwise.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get<F>(
        self: &Arc<Self>,
        age: Duration,
        patience: Patience,
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
        self.begin(ask);
        let heard = |heard: &Option<Heard<T>>| heard.as_ref().is_some_and(|heard| heard.at >= began);
        if let Ok(Ok(heard)) = timeout(patience.deadline(), news.wait_for(heard)).await
            && let Some(heard) = &*heard
        {
            return heard.answer.clone();
        }
        self.somewhat_old().ok_or_else(|| ReadError::Kafka { reason: late() })
    }

    /// Has Kafka asked, unless it is being asked already. Nobody waits for it.
    fn begin<F>(self: &Arc<Self>, ask: impl FnOnce() -> F)
    where
        F: Future<Output = Result<T, kafka::Error>> + Send + 'static,
    {
        if !self.is_asking.swap(true, Ordering::AcqRel) {
            let (shared, asked) = (Arc::clone(self), ask());
            tokio::spawn(async move {
                let answer = asked.await.map(Arc::new).map_err(unread);
                shared.is_asking.store(false, Ordering::Release);
                shared.latest.send_replace(Some(Heard { at: Instant::now(), answer }));
            });
        }
    }

    fn somewhat_old(&self) -> Option<Arc<T>> {
        self.latest.borrow().as_ref().and_then(|heard| heard.young(OLD)).cloned()
    }

    /// What was heard is not true any more.
    pub fn forget(&self) {
        self.latest.send_replace(None);
    }
}

/// What Kafka says of things of one kind. Everybody asks for it anew; only where Kafka takes longer than a page can wait, the page after it
/// takes what the longer look found.
pub(crate) struct Looks<T> {
    late: Mutex<HashMap<String, Late<T>>>,
}

/// A look that took longer.
struct Late<T> {
    /// When somebody last asked.
    asked: Instant,
    look: Arc<Shared<T>>,
}

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self { late: Mutex::default() }
    }
}

impl<T: Clone + Send + Sync + 'static> Looks<T> {
    /// What `ask` finds of `name` within the time that it is given. `whom` is what it asks.
    ///
    /// # Errors
    /// Why nothing could be found.
    pub async fn look<A: Clone, F>(
        &self,
        whom: &A,
        name: &str,
        patience: Patience,
        ask: impl Fn(A, String, Duration) -> F,
    ) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, kafka::Error>> + Send + 'static,
    {
        let ask = |patience: Patience| ask(whom.clone(), name.to_owned(), patience.deadline());
        match ask(patience).await {
            Ok(found) => Ok(found),
            Err(error) if error.is_no_answer() && patience == Patience::Page => {
                let late = self.late(name);
                late.begin(|| ask(Patience::Program));
                late.somewhat_old().map(Arc::unwrap_or_clone).ok_or_else(|| patience.unread(error))
            }
            Err(error) => Err(unread(error)),
        }
    }

    fn late(&self, name: &str) -> Arc<Shared<T>> {
        let (mut late, now) = (self.late.lock(), Instant::now());
        late.retain(|_, late| now.duration_since(late.asked) < 2 * OLD);
        let late = late.entry(name.to_owned()).or_insert_with(|| Late { asked: now, look: Arc::default() });
        late.asked = now;
        Arc::clone(&late.look)
    }

    /// What was found is not true any more.
    pub fn forget(&self, name: &str) {
        self.late.lock().remove(name);
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
        assert_eq!(shared.get(AGE, Patience::Page, || async { Ok(3_u32) }, late).await.as_deref(), Ok(&3));
        assert_eq!(shared.get(AGE, Patience::Page, never, late).await.as_deref(), Ok(&3));
        let began = Instant::now();
        let old = shared.get(Duration::ZERO, Patience::Page, never, late).await;
        assert_eq!(old.as_deref(), Ok(&3), "better somewhat old than none");
        let deadline = Patience::Page.deadline();
        assert!(began.elapsed() >= deadline && began.elapsed() < deadline * 3, "{:?}", began.elapsed());
        shared.forget();
        assert_eq!(shared.get(AGE, Patience::Page, never, late).await, Err(ReadError::Kafka { reason: "late".into() }));
    }

    #[tokio::test]
    async fn however_many_ask_kafka_is_asked_once() {
        let (shared, asked) = (Arc::new(Shared::default()), Arc::new(AtomicU32::new(0)));
        let look = || {
            let asked = Arc::clone(&asked);
            shared.get(
                AGE,
                Patience::Page,
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

    #[tokio::test]
    async fn what_a_page_can_not_wait_for_is_there_for_the_next() {
        let looks = Looks::default();
        let slow = |(), _, within: Duration| async move {
            let needed = Duration::from_millis(600);
            tokio::time::sleep(needed.min(within)).await;
            let action = || "looking".to_owned();
            if needed < within { Ok(7_u32) } else { Err(kafka::Error::TimedOut { action: action(), deadline: within }) }
        };
        let late = looks.look(&(), "a", Patience::Page, slow).await;
        assert_eq!(late, Err(ReadError::Kafka { reason: String::new() }), "a page has words of its own for it");
        assert_eq!(looks.look(&(), "a", Patience::Program, slow).await, Ok(7));
        assert_eq!(looks.look(&(), "a", Patience::Page, slow).await, Ok(7));
        assert!(looks.look(&(), "b", Patience::Page, slow).await.is_err(), "another one");
        looks.forget("a");
        assert!(looks.look(&(), "a", Patience::Page, slow).await.is_err());
    }

    #[tokio::test]
    async fn what_kafka_refuses_is_not_asked_for_again() {
        let looks: Looks<u32> = Looks::default();
        let asked = AtomicU32::new(0);
        let refused = looks.look(&(), "a", Patience::Page, |(), _, _| {
            asked.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err(kafka::Error::Refused { action: "looking".into(), reason: "no".into() }))
        });
        assert!(matches!(refused.await, Err(ReadError::Refused(_))));
        assert_eq!(asked.into_inner(), 1);
    }
}
