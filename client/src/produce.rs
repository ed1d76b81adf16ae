//! Producing over an instance's HTTP API, many records a request.

use reqwest::{StatusCode, redirect::Policy};
use serde::Deserialize;
use std::time::Duration;
use url::Url;
use wire::{ProduceInput, Receipt, lines};

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
    },
    /// Nobody answered. Once the request was sent, the record may have been stored.
    #[error("the instance does not answer")]
    Unanswered(#[source] reqwest::Error),
    /// Something answered that is no Ottla.
    #[error("what answers is no Ottla: status {0}")]
    Foreign(StatusCode),
}

/// What is read of problem details (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// Produces through one instance. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Producer {
    http: reqwest::Client,
    base: Url,
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
        Ok(Self { http, base })
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
            })?;
            body.extend([line.as_str(), "\n"]);
        }
        let request = self.http.post(url).header("content-type", "application/x-ndjson").body(body);
        let answer = request.send().await.map_err(NotProduced::Unanswered)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(NotProduced::Unanswered)?;
        if !status.is_success() {
            let problem: Problem = serde_json::from_slice(&body).map_err(|_| NotProduced::Foreign(status))?;
            return Err(NotProduced::Refused { status, detail: problem.detail });
        }
        let answer: Answer = serde_json::from_slice(&body).map_err(|_| NotProduced::Foreign(status))?;
        let results: Option<Vec<_>> = answer.results.into_iter().map(Answered::into_result).collect();
        results.filter(|results| results.len() == records.len()).ok_or(NotProduced::Foreign(status))
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
    fn into_result(self) -> Option<Result<Receipt, String>> {
        self.receipt.map(Ok).or_else(|| self.error.map(|problem| Err(problem.detail)))
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
