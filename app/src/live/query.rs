//! What the filter box says, and which records it matches. Looks only at what the tab holds: of a value that is cut, at its
//! head.
//!
//! Terms are separated by spaces and must all match. `"a phrase"` is one term. A term is one of
//! `key:x`, `value:x`, `header:x` (name or value), `topic:x`, `partition:n`, `offset:n`, a place (`orders[2]@1043`), a
//! partition (`orders[2]`), or plain text, which the key, the value or a header contains. Letters of ASCII match in either
//! case. What is half typed (`key:`) asks for nothing yet.

use wire::{Data, Gap, Header, Place, Record};

/// A filter that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    terms: Vec<Term>,
    /// The partition that was chosen beside the text.
    partition: Option<(String, i32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Text(String),
    Key(String),
    Value(String),
    Header(String),
    Topic(String),
    Partition(i32),
    Offset(i64),
    Of(String, i32),
    At(Place),
}

impl Query {
    /// Reads `text`. Never fails: what follows no rule is plain text.
    pub(crate) fn new(text: &str, partition: Option<(String, i32)>) -> Self {
        Self { terms: words(text).into_iter().filter_map(Term::new).collect(), partition }
    }

    /// Whether a record is wanted.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.wants_partition(&record.topic, record.partition) && self.terms.iter().all(|term| term.matches(record))
    }

    /// Whether a gap may stand for records that are wanted: all that is known of them is where they are.
    pub(crate) fn matches_gap(&self, gap: &Gap) -> bool {
        self.wants_partition(&gap.topic, gap.partition) && self.terms.iter().all(|term| term.may_be_in(gap))
    }

    /// Whether everything is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn wants_partition(&self, topic: &str, partition: i32) -> bool {
        self.partition.as_ref().is_none_or(|(name, number)| *number == partition && name == topic)
    }
}

/// A word, whether it began as a name (`key:`) outside quotes, and the rest.
struct Word {
    name: Option<String>,
    text: String,
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = Word { name: None, text: String::new() };
    let (mut is_quoted, mut was_quoted) = (false, false);
    for c in text.chars() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            _ if c.is_whitespace() && !is_quoted => {
                words.push(std::mem::replace(&mut word, Word { name: None, text: String::new() }));
                was_quoted = false;
            }
            ':' if !was_quoted && word.name.is_none() && Term::is_name(&word.text) => {
                word.name = Some(std::mem::take(&mut word.text));
            }
            _ => word.text.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.text.is_empty());
    words
}

impl Term {
    fn is_name(text: &str) -> bool {
        matches!(text, "key" | "value" | "header" | "topic" | "partition" | "offset")
    }

    fn new(Word { name, text }: Word) -> Option<Self> {
        let Some(name) = name else { return Some(Self::plain(text)) };
        Some(match name.as_str() {
            "key" => Self::Key(text),
            "value" => Self::Value(text),
            "header" => Self::Header(text),
            "topic" => Self::Topic(text),
            "partition" => text.parse().map_or_else(|_| Self::Text(format!("{name}:{text}")), Self::Partition),
            _ => text.parse().map_or_else(|_| Self::Text(format!("{name}:{text}")), Self::Offset),
        })
    }

    fn plain(text: String) -> Self {
        if let Ok(place) = text.parse() {
            return Self::At(place);
        }
        let of = text.strip_suffix(']').and_then(|text| text.split_once('[')).and_then(|(topic, partition)| {
            wire::check_topic_name(topic).ok()?;
            Some((topic.to_owned(), partition.parse().ok()?))
        });
        of.map_or(Self::Text(text), |(topic, partition)| Self::Of(topic, partition))
    }

    fn matches(&self, record: &Record) -> bool {
        match self {
            Self::Text(text) => {
                in_data(&record.key, text) || in_data(&record.value, text) || in_headers(&record.headers, text)
            }
            Self::Key(text) => in_data(&record.key, text),
            Self::Value(text) => in_data(&record.value, text),
            Self::Header(text) => in_headers(&record.headers, text),
            Self::Topic(text) => contains(record.topic.as_bytes(), text),
            Self::Partition(partition) => record.partition == *partition,
            Self::Offset(offset) => record.offset == *offset,
            Self::Of(topic, partition) => record.partition == *partition && record.topic == *topic,
            Self::At(place) => {
                record.offset == place.offset && record.partition == place.partition && record.topic == place.topic
            }
        }
    }

    fn may_be_in(&self, gap: &Gap) -> bool {
        let has = |offset| (gap.first..=gap.last).contains(&offset);
        match self {
            Self::Text(_) | Self::Key(_) | Self::Value(_) | Self::Header(_) => true,
            Self::Topic(text) => contains(gap.topic.as_bytes(), text),
            Self::Partition(partition) => gap.partition == *partition,
            Self::Offset(offset) => has(*offset),
            Self::Of(topic, partition) => gap.partition == *partition && gap.topic == *topic,
            Self::At(place) => has(place.offset) && gap.partition == place.partition && gap.topic == place.topic,
        }
    }
}

fn in_data(data: &Option<Data>, text: &str) -> bool {
    data.as_ref().is_some_and(|data| contains(&data.head, text))
}

fn in_headers(headers: &[Header], text: &str) -> bool {
    headers.iter().any(|header| contains(header.name.as_bytes(), text) || in_data(&header.value, text))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    bytes.len() >= text.len() && bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::tests::record;

    fn matches(query: &str) -> bool {
        let mut record = record("orders", 2, 1043);
        record.key = Some(Data::whole("cust-9"));
        record.value = Some(Data::whole(r#"{"status":"Paid","note":"請於週末配送","url":"https://x/y"}"#));
        record.headers = vec![Header { name: "trace-id".into(), value: Some(Data::whole("abc")) }];
        Query::new(query, None).matches(&record)
    }

    #[test]
    fn each_form_of_a_term_matches_what_it_names() {
        for query in [
            "",
            "paid",
            "CUST-9",
            "trace-ID",
            "週末",
            "key:cust",
            "value:paid",
            "header:ABC",
            "topic:order",
            "partition:2",
            "offset:1043",
            "orders[2]",
            "orders[2]@1043",
            "https://x",
            "paid key:9",
            r#"value:"paid""#,
            r#""週末配送""#,
            "key:",
            "  paid  ",
            "partition:2 offset:1043 paid",
        ] {
            assert!(matches(query), "{query}");
        }
    }

    #[test]
    fn every_term_must_match() {
        for query in [
            "refused",
            "key:paid",
            "value:cust",
            "header:paid",
            "topic:x",
            "partition:1",
            "offset:104",
            "orders[1]",
            "orders[2]@1044",
            "paid key:8",
            r#""paid cust""#,
            "partition:x",
            r#""key:cust""#,
        ] {
            assert!(!matches(query), "{query}");
        }
    }

    #[test]
    fn the_chosen_partition_is_asked_for_besides() {
        let query = |partition| Query::new("", Some(("orders".into(), partition)));
        assert!(query(2).matches(&record("orders", 2, 1)));
        assert!(!query(1).matches(&record("orders", 2, 1)));
        assert!(Query::new(" ", None).is_empty() && !query(1).is_empty());
    }

    #[test]
    fn a_gap_stays_while_it_may_hide_a_match() {
        let gap =
            Gap { topic: "t".into(), partition: 1, first: 5, last: 9, count: wire::Count::Exact(5), now_with: None };
        for (query, expected) in
            [("text", true), ("offset:7", true), ("offset:4", false), ("t[1]", true), ("t[2]", false)]
        {
            assert_eq!(Query::new(query, None).matches_gap(&gap), expected, "{query}");
        }
    }
}
