//! How talking to Kafka fails, in librdkafka's words where it has some. How one message or one read fails is in `wire`.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
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
    /// Kafka did not answer, or can't now.
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

    /// Whether nobody decided anything: there was no answer, or one that may be another the next time. Else a broker refused, or
    /// the client library before it asked one.
    pub fn is_no_answer(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
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

/// Whether a broker (or librdkafka, before it asks one) decided, and will not decide otherwise the next time.
pub(crate) fn is_refusal(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, InvalidArgument, LeaderNotAvailable, NetworkException,
        NotController, NotCoordinator, NotLeaderForPartition, RebalanceInProgress, RequestTimedOut, Unknown,
        UnsupportedFeature,
    };
    match code {
        InvalidArgument | UnsupportedFeature => true,
        CoordinatorLoadInProgress
        | CoordinatorNotAvailable
        | LeaderNotAvailable
        | NetworkException
        | NotController
        | NotCoordinator
        | NotLeaderForPartition
        | RebalanceInProgress
        | RequestTimedOut => false,
        // librdkafka's own are below 0.
        code => code as i32 > Unknown as i32,
    }
}

/// librdkafka's own words, without the wrapping that rdkafka puts around them.
pub(crate) fn reason(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => code.to_string(),
        None => error.to_string(),
    }
}
