//! What `wire` says in types, in the reader's language. Kafka's own reasons are passed on as they are.

use crate::{
    format::number::{bytes, grouped},
    i18n::Locale,
};
use leptos_i18n::td_string;
use wire::{Field, Owned, ProduceError, ReadError, Rule};

/// What is wrong with a field, as a sentence.
pub fn rule(locale: Locale, rule: &Rule, field: Field) -> String {
    match rule {
        Rule::Required if field == Field::Topic => td_string!(locale, rule.topic_required).into(),
        Rule::Required => td_string!(locale, rule.required).into(),
        Rule::TopicName => td_string!(locale, rule.topic_name).into(),
        Rule::UnknownTopic => td_string!(locale, rule.unknown_topic).into(),
        Rule::PartitionNumber => td_string!(locale, rule.partition_number).into(),
        Rule::UnknownPartition { of } => td_string!(locale, rule.unknown_partition, last = of.saturating_sub(1)),
        Rule::Empty => td_string!(locale, rule.empty).into(),
        Rule::Json { reason } => td_string!(locale, rule.json, reason = reason.as_str()),
        Rule::Base64 { reason } => td_string!(locale, rule.base64, reason = reason.as_str()),
        Rule::KeyEncoding => td_string!(locale, rule.key_encoding).into(),
        Rule::HeaderName => td_string!(locale, rule.header_name).into(),
        Rule::TooLarge { bytes: size, limit } => {
            td_string!(locale, rule.too_large, size = bytes(*size), limit = bytes(*limit))
        }
        Rule::Place => td_string!(locale, rule.place).into(),
    }
}

/// Why a message was not sent: what happened, and what it means.
pub fn produce_error(locale: Locale, error: &ProduceError) -> (String, String) {
    match error {
        ProduceError::Invalid(errors) => {
            let count = grouped(errors.len() as u64);
            let what = match errors.len() {
                1 => td_string!(locale, produce.invalid_one).into(),
                _ => td_string!(locale, produce.invalid, count),
            };
            (td_string!(locale, produce.not_sent).into(), what)
        }
        ProduceError::Refused { reason } => (td_string!(locale, produce.not_sent).into(), reason.clone()),
        ProduceError::TimedOut { seconds, reason } => {
            let what = td_string!(locale, produce.timed_out, seconds = *seconds);
            (td_string!(locale, produce.not_acknowledged).into(), format!("{what} {reason}"))
        }
    }
}

/// Why there is no record to show: a title, and what can be said about it.
pub fn read_error(locale: Locale, error: &ReadError) -> (String, String) {
    match error {
        ReadError::UnknownTopic { topic } => (
            td_string!(locale, read.unknown_topic, topic = topic.as_str()),
            td_string!(locale, read.unknown_topic_hint).into(),
        ),
        ReadError::UnknownPartition { topic, of } => (
            td_string!(locale, read.unknown_partition).into(),
            td_string!(locale, read.unknown_partition_hint, topic = topic.as_str(), last = of.saturating_sub(1)),
        ),
        ReadError::Deleted { place, first } => (
            td_string!(locale, read.deleted, place = place.to_string()),
            td_string!(locale, read.deleted_hint, first = *first),
        ),
        ReadError::NotYet { place, end } => (
            td_string!(locale, read.not_yet, place = place.to_string()),
            td_string!(locale, read.not_yet_hint, end = *end),
        ),
        ReadError::Hole { place } => {
            (td_string!(locale, read.hole, place = place.to_string()), td_string!(locale, read.hole_hint).into())
        }
        ReadError::Kafka { reason } => (td_string!(locale, read.kafka).into(), reason.clone()),
    }
}

/// `orders 0, 1 of 6 · audit 2 of 3`: partitions by topic.
pub fn owned(locale: Locale, owned: &[Owned]) -> String {
    let topics: Vec<_> = owned
        .iter()
        .map(|Owned { topic, partitions, of }| {
            let partitions = partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            match of {
                0 => format!("{topic} {partitions}"),
                _ => td_string!(locale, feed.owned_of, topic = topic.as_str(), partitions, of = *of),
            }
        })
        .collect();
    topics.join(" · ")
}
