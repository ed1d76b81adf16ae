//! How talking to Kafka fails, in librdkafka's words where it has some. How one message or one read fails is in `wire`.

use rdkafka::error::KafkaError;
use std::time::Duration;

/// Why a client could not be made, or an operation on the cluster failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A property that Ottla itself relies on was passed through.
    #[error("{key} cannot be set: {reason}")]
    ReservedProperty {
        /// The librdkafka property.
        key: String,
        /// Who decides it instead.
        reason: &'static str,
    },
    /// librdkafka does not know the property, or not this value. The value is not repeated, for it may be a secret.
    #[error("{key}: {reason}")]
    Property {
        /// The librdkafka property.
        key: String,
        /// In librdkafka's words.
        reason: String,
    },
    /// A client could not be made: two properties contradict each other, a certificate cannot be read, …
    #[error("no Kafka client: {reason}")]
    Client {
        /// In librdkafka's words.
        reason: String,
    },
    /// Kafka refused, or did not answer.
    #[error("{action}: {reason}")]
    Failed {
        /// What was tried.
        action: String,
        /// In Kafka's or librdkafka's words.
        reason: String,
    },
    /// A broker answered, and will not: no use in trying again.
    #[error("{action}: {reason}")]
    Refused {
        /// What was tried.
        action: String,
        /// In the broker's words.
        reason: String,
    },
    /// The deadline passed.
    #[error("{action}: not done within {deadline:?}")]
    TimedOut {
        /// What was tried.
        action: String,
        /// The deadline that was given.
        deadline: Duration,
    },
    /// The embedded broker could not be started.
    #[error("the embedded broker: {reason}")]
    Embedded {
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    pub(crate) fn failed(action: impl Into<String>, error: &KafkaError) -> Self {
        Self::Failed { action: action.into(), reason: reason(error) }
    }

    /// A client could not be configured or made.
    pub(crate) fn client(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, key, _) => Self::Property { key, reason: reason.trim().into() },
            KafkaError::ClientCreation(reason) => Self::Client { reason: reason.trim().into() },
            other => Self::Client { reason: reason(&other) },
        }
    }
}

/// librdkafka's own words, without the wrapping that rdkafka puts around them.
pub(crate) fn reason(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => code.to_string(),
        None => error.to_string(),
    }
}
