//! What `wire` says in types, in the reader's language. Kafka's own reasons are passed on as they are.

use crate::{
    format::number::{bytes, grouped},
    i18n::Locale,
};
#[cfg(feature = "ssr")]
use engine::{BrowseError, BrowseRule};
use leptos_i18n::td_string;
use wire::{Field, Owned, ProduceError, ReadError, Rule};
#[cfg(feature = "ssr")]
use wire::{
    GroupError, Millis, QueryError, QueryFault, SeekFault, SeekResult, TopicError, TopicField, TopicFieldError,
    TopicRule, lines::LineError,
};

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

/// What is wrong with a field that says which records are looked through. `filter` is the filter's text.
#[cfg(feature = "ssr")]
pub fn browse_rule(locale: Locale, filter: &str, rule: &BrowseRule) -> String {
    match rule {
        BrowseRule::From => td_string!(locale, records.bad_from).into(),
        BrowseRule::Number => td_string!(locale, records.bad_number).into(),
        BrowseRule::Time => td_string!(locale, records.bad_time).into(),
        BrowseRule::After => td_string!(locale, records.bad_until).into(),
        BrowseRule::UnknownPartition { of } => {
            td_string!(locale, rule.unknown_partition, last = of.saturating_sub(1))
        }
        BrowseRule::Filter(error) => query_error(locale, filter, error),
        BrowseRule::Limit { most } => td_string!(locale, topic_rule.range, min = 1, max = *most),
        BrowseRule::Cursor => td_string!(locale, records.bad_cursor).into(),
    }
}

/// Why a topic is not looked through: a title, and what can be said about it.
#[cfg(feature = "ssr")]
pub fn browse_error(locale: Locale, error: &BrowseError) -> (String, String) {
    match error {
        BrowseError::Read(error) => read_error(locale, error),
        BrowseError::Busy => (td_string!(locale, records.busy).into(), td_string!(locale, records.busy_means).into()),
        // It stands at the fields too.
        BrowseError::Invalid(_) => (td_string!(locale, topic.not_done).into(), error.to_string()),
    }
}

/// What is wrong with the text of a filter, and at which character.
#[cfg(feature = "ssr")]
pub fn query_error(locale: Locale, text: &str, error: &QueryError) -> String {
    let why = match &error.fault {
        QueryFault::Path => td_string!(locale, query.bad_path).into(),
        QueryFault::Step => td_string!(locale, query.bad_step).into(),
        QueryFault::Literal => td_string!(locale, query.bad_literal).into(),
        QueryFault::TooLong => td_string!(locale, query.too_long).into(),
        // In the words of what reads expressions.
        QueryFault::Expression(why) => why.clone(),
    };
    let before = text.char_indices().take_while(|(at, _)| *at < error.at as usize).count();
    td_string!(locale, query.at, place = before + 1, why)
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

/// Why a line of many messages can't be read, as a sentence.
#[cfg(feature = "ssr")]
pub fn line_error(locale: Locale, error: &LineError) -> String {
    match error {
        LineError::Json { reason } => td_string!(locale, line.json, reason = reason.as_str()),
        LineError::Csv { reason } => td_string!(locale, line.csv, reason = reason.as_str()),
        LineError::Quote => td_string!(locale, line.quote).into(),
        LineError::NoValue => td_string!(locale, line.no_value).into(),
        LineError::Form { field } => td_string!(locale, line.form, field = field.as_str()),
        LineError::Cut { field } => td_string!(locale, line.cut, field = field.as_str()),
        LineError::Headers { reason } => td_string!(locale, line.headers, reason = reason.as_str()),
        LineError::Field { name } => td_string!(locale, line.field, name = name.as_str()),
        LineError::Column { name } => td_string!(locale, line.column, name = name.as_str()),
        LineError::Encoding { field } => td_string!(locale, line.encoding, field = field.as_str()),
        LineError::Gap => td_string!(locale, line.gap).into(),
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
        // Only a page that the server renders gives up so early.
        #[cfg(feature = "ssr")]
        ReadError::Kafka { reason } if reason.is_empty() => {
            (td_string!(locale, read.kafka).into(), td_string!(locale, read.late).into())
        }
        ReadError::Kafka { reason } => (td_string!(locale, read.kafka).into(), reason.clone()),
        ReadError::Refused(reason) => (td_string!(locale, topic.refused).into(), reason.clone()),
    }
}

/// What is wrong with a field about a topic, as a sentence. Kafka's own words are passed on as they are.
#[cfg(feature = "ssr")]
pub fn topic_rule(locale: Locale, rule: &TopicRule) -> String {
    match rule {
        TopicRule::Required => td_string!(locale, rule.required).into(),
        TopicRule::Name => td_string!(locale, rule.topic_name).into(),
        TopicRule::Exists => td_string!(locale, topic_rule.exists).into(),
        TopicRule::Collides { with } => td_string!(locale, topic_rule.collides, with = with.as_str()),
        TopicRule::Number => td_string!(locale, topic_rule.number).into(),
        TopicRule::Range { min, max } => td_string!(locale, topic_rule.range, min = *min, max = *max),
        TopicRule::Replicas { brokers } => td_string!(locale, topic_rule.replicas, brokers = *brokers),
        TopicRule::Grows { now } => td_string!(locale, topic_rule.grows, now = *now),
        TopicRule::Twice => td_string!(locale, topic_rule.twice).into(),
        TopicRule::Confirm { name } => td_string!(locale, topic_rule.confirm, name = name.as_str()),
        TopicRule::Internal => td_string!(locale, topic.internal).into(),
        TopicRule::Refused { reason } => reason.clone(),
    }
}

/// What is wrong with this field about a topic, if something is.
#[cfg(feature = "ssr")]
pub fn topic_wrong(locale: Locale, errors: &[TopicFieldError], field: TopicField) -> Option<String> {
    let error = errors.iter().find(|error| error.field == field)?;
    Some(topic_rule(locale, &error.rule))
}

/// Why a topic was not made or changed: what happened, and what it means.
#[cfg(feature = "ssr")]
pub fn topic_error(locale: Locale, error: &TopicError) -> (String, String) {
    match error {
        TopicError::Invalid(errors) => {
            let what = match errors.len() {
                1 => td_string!(locale, produce.invalid_one).into(),
                count => td_string!(locale, produce.invalid, count = grouped(count as u64)),
            };
            (td_string!(locale, topic.not_done).into(), what)
        }
        TopicError::Unknown { topic } => (
            td_string!(locale, read.unknown_topic, topic = topic.as_str()),
            td_string!(locale, read.unknown_topic_hint).into(),
        ),
        TopicError::Refused { reason } => (td_string!(locale, topic.refused).into(), reason.clone()),
        TopicError::Compacted => {
            (td_string!(locale, topic.not_done).into(), td_string!(locale, topic.compacted).into())
        }
        TopicError::Partly { done, failed } => {
            let why: Vec<_> = failed.iter().map(|failed| format!("{}: {}", failed.partition, failed.reason)).collect();
            let what = td_string!(locale, topic.partly, done = *done, failed = failed.len());
            (what, why.join("; "))
        }
        TopicError::Unanswered { reason } => {
            (td_string!(locale, read.kafka).into(), format!("{} {reason}", td_string!(locale, topic.unanswered)))
        }
        TopicError::Unread { reason } => {
            (td_string!(locale, read.kafka).into(), format!("{} {reason}", td_string!(locale, topic.unread)))
        }
    }
}

/// What is the matter with something that was to be deleted of a group, and why.
#[cfg(feature = "ssr")]
pub fn group_error(locale: Locale, error: &GroupError) -> (String, String) {
    match error {
        GroupError::Confirm { group } => {
            (td_string!(locale, topic.not_done).into(), td_string!(locale, groups.confirm_rule, name = group.as_str()))
        }
        GroupError::Unknown { group } => {
            (td_string!(locale, groups.unknown, name = group.as_str()), td_string!(locale, groups.unknown_means).into())
        }
        GroupError::NothingCommitted { topic, .. } => {
            let what = td_string!(locale, groups.no_offsets_of, topic = topic.as_str());
            (td_string!(locale, topic.not_done).into(), what)
        }
        GroupError::InUse { reason } => {
            (td_string!(locale, groups.in_use).into(), format!("{} {reason}", td_string!(locale, topic.refused)))
        }
        GroupError::Refused { reason } => (td_string!(locale, topic.refused).into(), reason.clone()),
        GroupError::Unanswered { reason } => {
            (td_string!(locale, read.kafka).into(), format!("{} {reason}", td_string!(locale, topic.unanswered)))
        }
        GroupError::Unread { reason } => {
            (td_string!(locale, read.kafka).into(), format!("{} {reason}", td_string!(locale, topic.unread)))
        }
    }
}

/// Why the position in a partition was not moved.
#[cfg(feature = "ssr")]
pub fn not_sought(locale: Locale, result: &SeekResult) -> String {
    match &result.fault {
        Some(SeekFault::Unanswered) => td_string!(locale, reset.unanswered).into(),
        Some(SeekFault::TakenOver { by, from }) => {
            td_string!(locale, reset.taken_over, by = by.as_str(), from = from.as_str())
        }
        // In Kafka's words.
        None => result.error.clone().unwrap_or_default(),
    }
}

/// How long something takes, no finer than one looks at it: `120 ms`, `1.8 s`, `12 s`, `3 min`, `2 h 5 min`, `4 d 3 h`.
#[cfg(feature = "ssr")]
pub fn span(locale: Locale, millis: Millis) -> String {
    let millis = millis.max(0);
    let (tenths, seconds) = (millis / 100, millis / 1_000);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    match seconds {
        0 => td_string!(locale, span.milliseconds, n = millis),
        1..10 => td_string!(locale, span.seconds, n = format!("{}.{}", tenths / 10, tenths % 10)),
        10..60 => td_string!(locale, span.seconds, n = seconds),
        60..3_600 => td_string!(locale, span.minutes, n = minutes),
        3_600..86_400 => td_string!(locale, span.hours, h = hours, min = minutes % 60),
        _ => td_string!(locale, span.days, d = hours / 24, h = hours % 24),
    }
}

/// How long ago something was, in whole seconds at the finest.
#[cfg(feature = "ssr")]
pub fn ago(locale: Locale, millis: Millis) -> String {
    match millis / 1_000 {
        ..=0 => td_string!(locale, span.now).into(),
        n @ 1..60 => td_string!(locale, span.ago, time = td_string!(locale, span.seconds, n)),
        _ => td_string!(locale, span.ago, time = span(locale, millis)),
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

/// `orders[0–2, 5], audit[1]`
#[cfg(feature = "ssr")]
pub fn ranges(owned: &[Owned]) -> String {
    let of_topic = |Owned { topic, partitions, .. }: &Owned| {
        let mut runs: Vec<(i32, i32)> = Vec::new();
        for &partition in partitions {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == partition => *last = partition,
                _ => runs.push((partition, partition)),
            }
        }
        let runs = runs.iter().map(|(first, last)| match last - first {
            0 => first.to_string(),
            _ => format!("{first}–{last}"),
        });
        format!("{topic}[{}]", runs.collect::<Vec<_>>().join(", "))
    };
    owned.iter().map(of_topic).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_fine_as_one_looks_at_them() {
        const SECOND: Millis = 1_000;
        const MINUTE: Millis = 60 * SECOND;
        for (millis, text) in [
            (-5, "0 ms"),
            (120, "120 ms"),
            (1_821, "1.8 s"),
            (12_900, "12 s"),
            (9 * MINUTE + 59 * SECOND, "9 min"),
            (125 * MINUTE, "2 h 5 min"),
            ((4 * 24 + 3) * 60 * MINUTE, "4 d 3 h"),
        ] {
            assert_eq!(span(Locale::en, millis), text);
        }
        assert_eq!(ago(Locale::en, 400), "now");
        assert_eq!(ago(Locale::en, 4_821), "4 s ago");
        assert_eq!(ago(Locale::zh_Hant, 3 * MINUTE), "3 分鐘前");
    }

    #[test]
    fn what_ottla_says_itself_is_in_the_readers_language_and_what_kafka_says_as_it_is() {
        let late = ReadError::Kafka { reason: String::new() };
        assert_eq!(read_error(Locale::zh_Hant, &late).1, "Kafka 回應之前，本頁等待的時間已過。");
        let said = ReadError::Kafka { reason: "Connection refused".into() };
        assert_eq!(read_error(Locale::zh_Hant, &said).1, "Connection refused");
        let unanswered = SeekResult::failed("t".into(), 0, SeekFault::Unanswered);
        assert_eq!(not_sought(Locale::zh_Hans, &unanswered), "没有所有者及时响应。");
        let said = SeekResult { error: Some("NOT_COORDINATOR".into()), fault: None, ..unanswered };
        assert_eq!(not_sought(Locale::zh_Hans, &said), "NOT_COORDINATOR");
    }

    #[test]
    fn partitions_in_a_row_are_written_as_a_range() {
        let owned =
            |topic: &str, partitions: &[i32]| Owned { topic: topic.into(), partitions: partitions.to_vec(), of: 0 };
        assert_eq!(ranges(&[owned("a", &[0, 1, 2, 5]), owned("b", &[7])]), "a[0–2, 5], b[7]");
        assert_eq!(ranges(&[]), "");
    }
}
