//! Producing over an instance's HTTP API, many records a request.

use crate::{
    Authorization,
    answer::{Problem, Said, words},
};
use reqwest::{StatusCode, header, redirect::Policy};
use serde::Deserialize;
use std::{
    error::Error,
    io::{self, ErrorKind},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use url::Url;
use wire::{ProduceInput, Receipt, back_off, lines};

/// How long a connection may take to stand.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a record was not produced, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum NotProduced {
    /// Not an address that can be asked.
    #[error("{0:?} is no address of an Ottla: {1}")]
    Address(String, String),
    /// There is no way to ask: no certificates to trust, for one.
    #[error("no HTTP client")]
    Client(#[source] reqwest::Error),
    /// The instance, or Kafka behind it, says why. Of [`StatusCode::GATEWAY_TIMEOUT`] the record may have been stored.
    #[error("{detail}")]
    Refused {
        /// The answer's status.
        status: StatusCode,
        /// The problem's detail, in the instance's words.
        detail: String,
        /// Whether it is not about these records: others would fare no better.
        is_lasting: bool,
    },
    /// Nobody takes the connection: nothing was sent.
    #[error("the instance is not there")]
    Absent(#[source] reqwest::Error),
    /// Nobody answered. Once the request was sent, the record may have been stored.
    #[error("the instance does not answer")]
    Unanswered(#[source] reqwest::Error),
    /// Something answered that is no Ottla.
    #[error("what answers is no Ottla: {}", Said(status.as_u16(), words))]
    Foreign {
        /// The answer's status.
        status: StatusCode,
        /// What was said with it; may be empty.
        words: String,
    },
}

impl NotProduced {
    fn foreign(status: StatusCode, body: &[u8]) -> Self {
        Self::Foreign { status, words: words(body).unwrap_or_default() }
    }

    fn unanswered(error: reqwest::Error) -> Self {
        if is_absent(&error) { Self::Absent(error) } else { Self::Unanswered(error) }
    }
}

/// Whether a connection was not taken, as it is not while an instance is restarted. A certificate that does not do is another thing, and a
/// name that nobody has.
fn is_absent(error: &reqwest::Error) -> bool {
    const NOT_TAKEN: [ErrorKind; 6] = [
        ErrorKind::ConnectionRefused,
        ErrorKind::ConnectionReset,
        ErrorKind::ConnectionAborted,
        ErrorKind::HostUnreachable,
        ErrorKind::NetworkUnreachable,
        ErrorKind::TimedOut,
    ];
    let causes = || std::iter::successors(error.source(), |error| (*error).source());
    let is_not_taken = |error: &io::Error| NOT_TAKEN.contains(&error.kind());
    error.is_connect()
        && (error.is_timeout() || causes().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_not_taken)))
}

/// Whether a refusal is about who asks, whom, or for which topic.
fn is_lasting(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::PROXY_AUTHENTICATION_REQUIRED
            | StatusCode::MISDIRECTED_REQUEST
    )
}

/// Produces through one instance. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Producer {
    http: reqwest::Client,
    base: Url,
    authorization: Option<Authorization>,
}

impl Producer {
    /// Will produce through the instance at `url`: `http://host:port`, as for a browser, or `https` with TLS, trusting whom the system
    /// trusts. Once it is connected, the instance may take `answer_within` for each answer: longer than Kafka may take to acknowledge
    /// (`producer.delivery_timeout_ms`).
    ///
    /// # Errors
    /// When that is no such address.
    pub fn new(url: &str, answer_within: Duration) -> Result<Self, NotProduced> {
        let refused = |why: String| NotProduced::Address(url.into(), why);
        let base = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refused(format!("{} is neither http nor https", base.scheme())));
        }
        // Like the WebSocket, it asks nobody on the way, and goes where it was told to.
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none());
        let http = http.connect_timeout(CONNECT_WITHIN).read_timeout(answer_within);
        // The system's certificates are not looked for where nobody needs them: there may be none.
        let http = if base.scheme() == "http" { http.tls_certs_only([]) } else { http };
        let http = http.build().map_err(NotProduced::Client)?;
        Ok(Self { http, base, authorization: None })
    }

    /// Shows this, if anything, to whoever asks who it is.
    #[must_use]
    pub fn authorized(self, authorization: Option<Authorization>) -> Self {
        Self { authorization, ..self }
    }

    /// The same as [`Producer::send`]; while nobody takes the connection it is tried again, with growing waits and for `patience` at most.
    /// `absent` is told of the first time.
    ///
    /// # Errors
    /// Those of [`Producer::send`].
    pub async fn send_within(
        &self,
        patience: Duration,
        topic: &str,
        records: &[ProduceInput],
        mut absent: impl FnMut(&NotProduced),
    ) -> Result<Vec<Result<Receipt, String>>, NotProduced> {
        let began = Instant::now();
        let mut attempt = 0;
        loop {
            let error = match self.send(topic, records).await {
                Err(error @ NotProduced::Absent(_)) => error,
                result => return result,
            };
            let left = patience.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(error);
            }
            if attempt == 0 {
                absent(&error);
            }
            sleep(back_off(attempt, rand::random()).min(left)).await;
            attempt += 1;
        }
    }

    /// Produces records to a topic in their order, and waits for Kafka's acknowledgements. They may take 10 MiB together, written as
    /// JSON. Each has an answer of its own.
    ///
    /// # Errors
    /// See [`NotProduced`]: none of them was produced, or nobody knows.
    pub async fn send(
        &self,
        topic: &str,
        records: &[ProduceInput],
    ) -> Result<Vec<Result<Receipt, String>>, NotProduced> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| NotProduced::Address(self.base.to_string(), "it has no path".into()))?
            .pop_if_empty()
            .extend(["api", "v1", "topics", topic, "records", "bulk"]);
        url.set_query(Some("partial=true"));
        let mut body = String::new();
        for record in records {
            let line = lines::written(record).map_err(|error| NotProduced::Refused {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                detail: error.to_string(),
                is_lasting: false,
            })?;
            body.extend([line.as_str(), "\n"]);
        }
        let mut request = self.http.post(url).header(header::CONTENT_TYPE, "application/x-ndjson").body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization.value());
        }
        let answer = request.send().await.map_err(NotProduced::unanswered)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(NotProduced::Unanswered)?;
        let foreign = || NotProduced::foreign(status, &body);
        if !status.is_success() {
            let problem = Problem::read(&body).ok_or_else(foreign)?;
            let is_lasting = is_lasting(status) || problem.is_of_the_topic();
            return Err(NotProduced::Refused { status, detail: problem.detail, is_lasting });
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| foreign())?;
        let results: Option<Vec<_>> = answer.results.into_iter().map(Answered::into_result).collect();
        let results = results.filter(|results| results.len() == records.len()).ok_or_else(foreign)?;
        // All of them have the one topic.
        if let Some(Err(problem)) = results.first()
            && results.iter().all(|result| result.as_ref().is_err_and(Problem::is_of_the_topic))
        {
            return Err(NotProduced::Refused { status, detail: problem.detail.clone(), is_lasting: true });
        }
        Ok(results.into_iter().map(|result| result.map_err(|problem| problem.detail)).collect())
    }
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Answered>,
}

#[derive(Deserialize)]
struct Answered {
    receipt: Option<Receipt>,
    error: Option<Problem>,
}

impl Answered {
    fn into_result(self) -> Option<Result<Receipt, Problem>> {
        self.receipt.map(Ok).or_else(|| self.error.map(Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_asked_is_an_address() {
        let producer = |url: &str| Producer::new(url, Duration::from_secs(1));
        for good in ["http://127.0.0.1:3000", "http://host/behind/a/proxy", "https://host/"] {
            assert!(producer(good).is_ok(), "{good}");
        }
        for bad in ["127.0.0.1:3000", "ftp://host/", "", "ws://host"] {
            assert!(matches!(producer(bad), Err(NotProduced::Address(..))), "{bad}");
        }
    }
}
