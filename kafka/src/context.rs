//! What every client of librdkafka shares: its log goes to `tracing`, and the last trouble with a connection is kept, for
//! "timed out" alone tells nobody why.

use parking_lot::Mutex;
use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the last trouble explains a time-out.
const EXPLAINS_FOR: Duration = Duration::from_secs(30);

/// The context of producer, reader and admin. Clones share what they know.
#[derive(Clone)]
pub(crate) struct Context {
    brokers: Arc<str>,
    trouble: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Context {
    /// The context of a client that is made with `config`.
    pub fn of(config: &ClientConfig) -> Self {
        Self { brokers: config.get("bootstrap.servers").unwrap_or_default().into(), trouble: Arc::default() }
    }

    /// `reason`, and what was wrong with the connection lately: or whom the client asked, for librdkafka may tell of a
    /// connection that failed only after a request has given up.
    pub fn explain(&self, reason: &str) -> String {
        match self.trouble() {
            Some(trouble) => format!("{reason} ({trouble})"),
            None => format!("{reason} (asked {})", self.brokers),
        }
    }

    /// What was wrong with the connection lately.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().as_ref().filter(|(at, _)| at.elapsed() < EXPLAINS_FOR).map(|(_, trouble)| trouble.clone())
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code().is_some_and(is_connection_trouble) {
            *self.trouble.lock() = Some((Instant::now(), reason.to_owned()));
        }
        tracing::debug!(error = %crate::error::reason(&error), reason, "kafka client");
    }
}

impl ConsumerContext for Context {}

/// librdkafka's own log. Its notices about connections come once per broker and retry, and what they mean for Ottla is
/// logged once by who feels it: they are details here.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(target: "librdkafka", facility, "{message}");
        }
        RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning if !matches!(facility, "FAIL" | "ERROR") => {
            tracing::warn!(target: "librdkafka", facility, "{message}");
        }
        _ => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}

/// Whether an error is about reaching a broker, not about what was asked of it.
pub(crate) fn is_connection_trouble(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        AllBrokersDown, Authentication, BrokerTransportFailure, OperationTimedOut, Resolve, SSL,
        SaslAuthenticationFailed,
    };
    matches!(
        code,
        AllBrokersDown
            | Authentication
            | BrokerTransportFailure
            | Resolve
            | OperationTimedOut
            | SaslAuthenticationFailed
            | SSL
    )
}
