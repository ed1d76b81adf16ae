//! Producing over an instance's HTTP API, a record a request.

use reqwest::StatusCode;
use serde::Deserialize;
use std::time::Duration;
use url::Url;
use wire::{ProduceInput, Receipt};

/// How long a connection may take to stand.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why a record was not produced, as far as is known.
#[derive(Debug, thiserror::Error)]
pub enum NotProduced {
    /// Not an address that can be asked.
    #[error("{0:?} is no address of an Ottla: {1}")]
    Address(String, String),
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
    /// Will produce through the instance at `url`: `http://host:port`, as for a browser. There is no TLS here.
    ///
    /// # Errors
    /// When that is no such address.
    pub fn new(url: &str) -> Result<Self, NotProduced> {
        let refused = |why: String| NotProduced::Address(url.into(), why);
        let base = Url::parse(url).map_err(|error| refused(error.to_string()))?;
        if base.scheme() != "http" {
            return Err(refused(format!("{} is not http", base.scheme())));
        }
        // Like the WebSocket, it asks nobody on the way.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_WITHIN).build();
        Ok(Self { http: http.map_err(|error| refused(error.to_string()))?, base })
    }

    /// Produces a record to the topic that it names, and waits for Kafka's acknowledgement.
    ///
    /// # Errors
    /// See [`NotProduced`].
    pub async fn send(&self, input: &ProduceInput) -> Result<Receipt, NotProduced> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| NotProduced::Address(self.base.to_string(), "it has no path".into()))?
            .pop_if_empty()
            .extend(["api", "v1", "topics", &input.topic, "records"]);
        let answer = self.http.post(url).json(input).send().await.map_err(NotProduced::Unanswered)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(NotProduced::Unanswered)?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|_| NotProduced::Foreign(status));
        }
        let problem: Problem = serde_json::from_slice(&body).map_err(|_| NotProduced::Foreign(status))?;
        Err(NotProduced::Refused { status, detail: problem.detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_asked_is_an_address() {
        assert!(Producer::new("http://127.0.0.1:3000").is_ok() && Producer::new("http://host/behind/a/proxy").is_ok());
        for bad in ["127.0.0.1:3000", "https://host/", "", "ws://host"] {
            assert!(matches!(Producer::new(bad), Err(NotProduced::Address(..))), "{bad}");
        }
    }
}
