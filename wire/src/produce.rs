//! A message on its way to Kafka: what a person typed, what is sent after it was checked, and how it ended.
//!
//! The check is here, and only here, so that the page (in the browser and on the server) and the HTTP API have one truth.

use crate::{Data, Millis, check_topic_name, number};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A message as a person or a program gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProduceInput {
    /// The topic's name.
    pub topic: String,
    /// A partition's number; empty: by the key's hash.
    pub partition: String,
    /// How [`Self::key`] is meant. `Auto`: a UUID where it is empty, else text.
    pub key_encoding: Encoding,
    /// The key.
    pub key: String,
    /// How [`Self::value`] is meant. `Auto`: as text.
    pub value_encoding: Encoding,
    /// The value.
    pub value: String,
    /// Whether an empty text value is meant.
    pub allow_empty: bool,
    /// The headers.
    pub headers: Vec<HeaderInput>,
}

/// A header as it is given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HeaderInput {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// How [`Self::value`] is meant: `auto` and `text` as text; not as JSON.
    pub encoding: Encoding,
}

/// How a key or a value is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Encoding {
    /// A key: a generated UUID where none is given. A value: text.
    #[default]
    Auto,
    /// UTF-8 text.
    Text,
    /// JSON, checked, and sent as it was typed.
    Json,
    /// Bytes in base64 (RFC 4648, section 4).
    Base64,
    /// Null: no key, or a tombstone.
    Null,
}

impl Encoding {
    /// The name in forms and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Text => "text",
            Self::Json => "json",
            Self::Base64 => "base64",
            Self::Null => "null",
        }
    }
}

/// A message that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic's name.
    pub topic: String,
    /// The partition, or by the key's hash.
    pub partition: Option<i32>,
    /// The key, or null.
    pub key: Option<Bytes>,
    /// The value, or null.
    pub value: Option<Bytes>,
    /// The headers.
    pub headers: Vec<OutgoingHeader>,
}

/// A header that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingHeader {
    /// The name.
    pub name: String,
    /// The value, or null.
    pub value: Option<Bytes>,
}

/// What a message may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Key, value and headers together, in bytes (librdkafka's `message.max.bytes`, the broker's too, less the record's
    /// own few bytes).
    pub message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 1_000_000 }
    }
}

/// A field of [`ProduceInput`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// `topic`
    Topic,
    /// `partition`
    Partition,
    /// `key`
    Key,
    /// `value`
    Value,
    /// `headers`, the one at this index.
    Header(u32),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic => f.write_str("topic"),
            Self::Partition => f.write_str("partition"),
            Self::Key => f.write_str("key"),
            Self::Value => f.write_str("value"),
            Self::Header(index) => write!(f, "headers[{index}]"),
        }
    }
}

/// The rule that a field broke. Its `Display` is the English text; the page has its own words for each language.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Nothing was given.
    #[error("is required")]
    Required,
    /// A topic name that Kafka does not take.
    #[error("must be 1 to 249 letters, digits, '.', '_' or '-', and neither '.' nor '..'")]
    TopicName,
    /// The topic does not exist.
    #[error("does not exist in this cluster")]
    UnknownTopic,
    /// Not a partition's number.
    #[error("must be a whole number from 0")]
    PartitionNumber,
    /// The topic has fewer partitions.
    #[error("must be below {of}: the topic has partitions 0 to {}", of - 1)]
    UnknownPartition {
        /// How many the topic has.
        of: u32,
    },
    /// An empty text value that nobody said was meant.
    #[error("is empty: allow an empty value, or send null")]
    Empty,
    /// Not JSON.
    #[error("is not valid JSON: {reason}")]
    Json {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// Not base64.
    #[error("is not valid base64: {reason}")]
    Base64 {
        /// What the decoder says.
        reason: String,
    },
    /// A key or a header may not be JSON.
    #[error("must be auto, text, base64 or null")]
    KeyEncoding,
    /// A header without a name.
    #[error("needs a name")]
    HeaderName,
    /// Too large.
    #[error("is too large: the message has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// Key, value and headers together.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Not `topic[partition]@offset`.
    #[error("must be topic[partition]@offset")]
    Place,
}

/// A field and the rule that it broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field} {rule}")]
pub struct FieldError {
    /// Which.
    pub field: Field,
    /// Why.
    pub rule: Rule,
}

/// How producing failed. Nothing was stored, unless the variant says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ProduceError {
    /// Fields that broke a rule, in the form's order.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The broker, or the client library, refused.
    #[error("Kafka did not take the message: {reason}")]
    Refused {
        /// In Kafka's words.
        reason: String,
    },
    /// No answer within the delivery time-out. The message may have been stored: the acknowledgement is what is missing.
    #[error("Kafka did not answer within {seconds} s: {reason}. The message may have been stored")]
    TimedOut {
        /// The delivery time-out.
        seconds: u32,
        /// In the client library's words.
        reason: String,
    },
}

/// The broker's acknowledgement of a produced record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The topic's name.
    pub topic: String,
    /// The partition that it went to.
    pub partition: i32,
    /// The offset that it got.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub offset: i64,
    /// The timestamp stored with it.
    #[serde(with = "number::optional")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub timestamp: Option<Millis>,
    /// From handing it to the client library to the acknowledgement, in microseconds.
    #[serde(with = "number::text")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub acked_in: u64,
    /// The key, for it may have been generated.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Data>))]
    pub key: Option<Data>,
}

impl ProduceInput {
    /// Checks everything that can be checked without asking Kafka, and decodes. `generate_key` gives the key of a message
    /// without one.
    ///
    /// # Errors
    /// Every field that broke a rule, in the form's order.
    pub fn check(&self, limits: Limits, generate_key: impl FnOnce() -> String) -> Result<Outgoing, Vec<FieldError>> {
        let mut errors = Vec::new();
        let topic = self.topic.trim();
        if let Err(rule) = check_topic_name(topic) {
            errors.push(FieldError { field: Field::Topic, rule });
        }
        let key = take(self.check_key(generate_key), Field::Key, &mut errors);
        let partition = take(self.check_partition(), Field::Partition, &mut errors);
        let value = take(self.check_value(), Field::Value, &mut errors);
        let headers = self.check_headers(&mut errors);

        let size = |bytes: &Option<Option<Bytes>>| bytes.iter().flatten().map(|bytes| bytes.len() as u64).sum::<u64>();
        let bytes = size(&key)
            + size(&value)
            + headers
                .iter()
                .map(|header| (header.name.len() + header.value.iter().map(Bytes::len).sum::<usize>()) as u64)
                .sum::<u64>();
        if bytes > limits.message_bytes {
            let rule = Rule::TooLarge { bytes, limit: limits.message_bytes };
            errors.push(FieldError { field: Field::Value, rule });
        }
        match (key, partition, value) {
            (Some(key), Some(partition), Some(value)) if errors.is_empty() => {
                Ok(Outgoing { topic: topic.into(), partition, key, value, headers })
            }
            _ => Err(errors),
        }
    }

    fn check_key(&self, generate_key: impl FnOnce() -> String) -> Result<Option<Bytes>, Rule> {
        match self.key_encoding {
            Encoding::Auto if self.key.is_empty() => Ok(Some(generate_key().into())),
            Encoding::Auto | Encoding::Text => Ok(Some(self.key.clone().into())),
            Encoding::Base64 => decode_base64(&self.key).map(Some),
            Encoding::Null => Ok(None),
            Encoding::Json => Err(Rule::KeyEncoding),
        }
    }

    fn check_partition(&self) -> Result<Option<i32>, Rule> {
        match self.partition.trim() {
            "" => Ok(None),
            text => match text.parse::<i32>() {
                Ok(number) if number >= 0 => Ok(Some(number)),
                _ => Err(Rule::PartitionNumber),
            },
        }
    }

    fn check_value(&self) -> Result<Option<Bytes>, Rule> {
        match self.value_encoding {
            Encoding::Null => Ok(None),
            Encoding::Auto | Encoding::Text if self.value.is_empty() && !self.allow_empty => Err(Rule::Empty),
            Encoding::Auto | Encoding::Text => Ok(Some(self.value.clone().into())),
            Encoding::Json => match serde_json::from_str::<serde::de::IgnoredAny>(&self.value) {
                Ok(_) => Ok(Some(self.value.clone().into())),
                Err(error) => Err(Rule::Json { reason: error.to_string() }),
            },
            Encoding::Base64 if self.value.trim().is_empty() && !self.allow_empty => Err(Rule::Empty),
            Encoding::Base64 => decode_base64(&self.value).map(Some),
        }
    }

    /// A header whose name and value are both empty is a line that nobody filled in, and is passed over.
    fn check_headers(&self, errors: &mut Vec<FieldError>) -> Vec<OutgoingHeader> {
        let mut headers = Vec::with_capacity(self.headers.len());
        for (index, HeaderInput { name, value, encoding }) in self.headers.iter().enumerate() {
            let checked = match (encoding, name.is_empty()) {
                (_, true) if value.is_empty() => continue,
                (_, true) => Err(Rule::HeaderName),
                (Encoding::Auto | Encoding::Text, _) => Ok(Some(value.clone().into())),
                (Encoding::Base64, _) => decode_base64(value).map(Some),
                (Encoding::Null, _) => Ok(None),
                (Encoding::Json, _) => Err(Rule::KeyEncoding),
            };
            let field = Field::Header(u32::try_from(index).unwrap_or(u32::MAX));
            headers.extend(take(checked, field, errors).map(|value| OutgoingHeader { name: name.clone(), value }));
        }
        headers
    }
}

fn decode_base64(text: &str) -> Result<Bytes, Rule> {
    let dense: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64_STANDARD.decode(dense).map_err(|error| Rule::Base64 { reason: error.to_string() })?;
    Ok(bytes.into())
}

fn take<T>(result: Result<T, Rule>, field: Field, errors: &mut Vec<FieldError>) -> Option<T> {
    result.map_err(|rule| errors.push(FieldError { field, rule })).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> ProduceInput {
        ProduceInput { topic: "orders".into(), value: "hello".into(), ..Default::default() }
    }

    fn check(input: &ProduceInput) -> Result<Outgoing, Vec<FieldError>> {
        input.check(Limits::default(), || "generated".into())
    }

    #[track_caller]
    fn refuses(input: &ProduceInput, field: Field, rule: Rule) {
        assert_eq!(check(input), Err(vec![FieldError { field, rule }]));
    }

    #[test]
    fn a_message_without_a_key_gets_a_generated_one() {
        assert_eq!(check(&input()).unwrap().key, Some("generated".into()));
        let none = ProduceInput { key_encoding: Encoding::Null, ..input() };
        assert_eq!(check(&none).unwrap().key, None);
        let given = ProduceInput { key: "k".into(), ..input() };
        assert_eq!(check(&given).unwrap().key, Some("k".into()));
    }

    #[test]
    fn an_empty_value_needs_an_explicit_choice() {
        let empty = ProduceInput { value: String::new(), ..input() };
        refuses(&empty, Field::Value, Rule::Empty);
        let meant = ProduceInput { allow_empty: true, ..empty.clone() };
        assert_eq!(check(&meant).unwrap().value, Some(Bytes::new()));
        let null = ProduceInput { value_encoding: Encoding::Null, ..empty };
        assert_eq!(check(&null).unwrap().value, None);
    }

    #[test]
    fn json_is_checked_and_sent_as_it_was_typed() {
        let text = "{ \"n\": 9007199254740993 }";
        let json = ProduceInput { value_encoding: Encoding::Json, value: text.into(), ..input() };
        assert_eq!(check(&json).unwrap().value, Some(text.into()));
        let bad = ProduceInput { value: "{\"n\":}".into(), ..json };
        let errors = check(&bad).unwrap_err();
        assert!(
            matches!(&errors[..], [FieldError { field: Field::Value, rule: Rule::Json { reason } }] if reason.contains("column 6"))
        );
    }

    #[test]
    fn base64_is_decoded() {
        let bytes = ProduceInput { value_encoding: Encoding::Base64, value: "AP\n8=".into(), ..input() };
        assert_eq!(check(&bytes).unwrap().value, Some(Bytes::from_static(&[0, 0xff])));
        let bad = ProduceInput { value: "?".into(), ..bytes };
        assert!(matches!(
            &check(&bad).unwrap_err()[..],
            [FieldError { field: Field::Value, rule: Rule::Base64 { .. } }]
        ));
    }

    #[test]
    fn partitions_are_whole_numbers_from_zero() {
        for bad in ["-1", "x", "1.5", "99999999999"] {
            refuses(&ProduceInput { partition: bad.into(), ..input() }, Field::Partition, Rule::PartitionNumber);
        }
        assert_eq!(check(&ProduceInput { partition: " 2 ".into(), ..input() }).unwrap().partition, Some(2));
    }

    #[test]
    fn a_header_needs_a_name() {
        let header =
            |name: &str, value: &str| HeaderInput { name: name.into(), value: value.into(), ..HeaderInput::default() };
        let headers = vec![header("a", ""), header("", ""), header("", "v")];
        refuses(&ProduceInput { headers, ..input() }, Field::Header(2), Rule::HeaderName);
    }

    #[test]
    fn a_header_is_text_bytes_or_null() {
        let header = |encoding, value: &str| HeaderInput { name: "h".into(), value: value.into(), encoding };
        let headers = [(Encoding::Auto, "a"), (Encoding::Text, ""), (Encoding::Base64, "AP8="), (Encoding::Null, "")];
        let headers = headers.map(|(encoding, value)| header(encoding, value)).to_vec();
        let values: Vec<_> = check(&ProduceInput { headers, ..input() })
            .unwrap()
            .headers
            .into_iter()
            .map(|header| header.value)
            .collect();
        let bytes = |bytes: &'static [u8]| Some(Bytes::from_static(bytes));
        assert_eq!(values, [bytes(b"a"), bytes(b""), bytes(&[0, 0xff]), None]);
        let refused = |encoding, value| {
            let headers = vec![header(encoding, value)];
            check(&ProduceInput { headers, ..input() }).unwrap_err().remove(0)
        };
        assert_eq!(refused(Encoding::Json, "{}"), FieldError { field: Field::Header(0), rule: Rule::KeyEncoding });
        assert!(matches!(refused(Encoding::Base64, "?").rule, Rule::Base64 { .. }));
    }

    #[test]
    fn what_is_too_large_is_refused_with_both_sizes() {
        let large = ProduceInput { value: "x".repeat(1_000_001), key_encoding: Encoding::Null, ..input() };
        refuses(&large, Field::Value, Rule::TooLarge { bytes: 1_000_001, limit: 1_000_000 });
    }

    #[test]
    fn all_errors_are_told_at_once() {
        let bad = ProduceInput { topic: "a b".into(), partition: "x".into(), value: String::new(), ..input() };
        let fields: Vec<_> = check(&bad).unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, [Field::Topic, Field::Partition, Field::Value]);
    }
}
