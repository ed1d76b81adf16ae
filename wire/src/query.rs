//! The language of filters: what the filter box, the WebSocket and the stream of events are asked with. One reader and one
//! evaluator for the server and the page, so that both agree on what matches.
//!
//! Terms are separated by spaces and must all match. `"a phrase"` is one term, and a `-` before a term turns it round; a quote elsewhere
//! is a letter. A term is one of
//!
//! - plain text: the key, the value, a header's name or a header's value contains it;
//! - `key:x`, `value:x`, `topic:x`: it contains x; `header:x`: a header's name or value does;
//! - `key=x`, `value=x`, `topic=x`: it is x, letter by letter; `header:n=x`: a header n has the value x;
//! - `partition:n`, `offset:n`, a partition (`orders[2]`), a place (`orders[2]@1043`);
//! - `json:$.a.b`: the value is JSON and has that; `json:$.a.b>100` and `=`, `!=`, `<`, `<=`, `>=` compare it: see `json`;
//! - `where:` and an expression, which is all the rest of the text. It is read here and judged on the server alone.
//!
//! Letters of ASCII match in either case, but after `=`. What is half typed (`key:`) asks for nothing yet, and what follows no
//! rule is plain text; only a JSON condition that can't be read is an error, for as text it would match nothing and not say why.
//! Of a value that is cut only the head is looked at.

mod json;

use crate::{DataView, Gap, Place, Record, RecordView};
use json::Condition;
use serde::{Deserialize, Serialize};

/// A filter's text that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
    expression: Option<Expression>,
}

/// What follows `where:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Where it begins in the filter's text, in bytes.
    pub at: usize,
    /// The expression.
    pub text: String,
}

/// Why a filter's text can't be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("at byte {at}: {fault}")]
pub struct QueryError {
    /// How many bytes of the text stand before what is wrong.
    pub at: u32,
    /// What is wrong.
    pub fault: QueryFault,
}

/// What is wrong with a filter's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum QueryFault {
    /// A JSON condition without a path.
    #[error("a JSON path begins with $")]
    Path,
    /// A path that goes on with something else than a step.
    #[error("a path goes on with .name, [\"name\"], [0] or [*], or ends in a space or a comparison")]
    Step,
    /// A comparison with something else than a JSON value.
    #[error("compare with a number, \"text\", true, false or null")]
    Literal,
    /// Longer than it may be, or a path with too many steps.
    #[error("too long")]
    TooLong,
    /// An expression, in the words of what reads it.
    #[error("{0}")]
    Expression(String),
}

/// What a query looks at in a record, owned or borrowed.
pub trait Contents {
    /// The topic's name.
    fn topic(&self) -> &str;
    /// The partition's number.
    fn partition(&self) -> i32;
    /// The offset.
    fn offset(&self) -> i64;
    /// The key, or null.
    fn key(&self) -> Option<DataView<'_>>;
    /// The value, or null.
    fn value(&self) -> Option<DataView<'_>>;
    /// Whether some header is wanted, by its name and value.
    fn any_header(&self, wanted: &dyn Fn(&str, Option<DataView<'_>>) -> bool) -> bool;
}

impl Contents for Record {
    fn topic(&self) -> &str {
        &self.topic
    }
    fn partition(&self) -> i32 {
        self.partition
    }
    fn offset(&self) -> i64 {
        self.offset
    }
    fn key(&self) -> Option<DataView<'_>> {
        self.key.as_ref().map(DataView::from)
    }
    fn value(&self) -> Option<DataView<'_>> {
        self.value.as_ref().map(DataView::from)
    }
    fn any_header(&self, wanted: &dyn Fn(&str, Option<DataView<'_>>) -> bool) -> bool {
        self.headers.iter().any(|header| wanted(&header.name, header.value.as_ref().map(DataView::from)))
    }
}

impl Contents for RecordView<'_> {
    fn topic(&self) -> &str {
        self.topic
    }
    fn partition(&self) -> i32 {
        self.partition
    }
    fn offset(&self) -> i64 {
        self.offset
    }
    fn key(&self) -> Option<DataView<'_>> {
        self.key
    }
    fn value(&self) -> Option<DataView<'_>> {
        self.value
    }
    fn any_header(&self, wanted: &dyn Fn(&str, Option<DataView<'_>>) -> bool) -> bool {
        self.headers.iter().any(|header| wanted(header.name, header.value))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    is_not: bool,
    asks: Asks,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    /// The part contains the text, or, if it must be `exact`, is it.
    Text {
        part: Part,
        text: String,
        exact: bool,
    },
    /// A header of this name has this value.
    Header {
        name: String,
        value: String,
    },
    /// What of it is given is so.
    Place {
        topic: Option<String>,
        partition: Option<i32>,
        offset: Option<i64>,
    },
    Json(Condition),
}

/// Where text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Any,
    Key,
    Value,
    Header,
    Topic,
}

impl Query {
    /// Reads a filter's text.
    ///
    /// # Errors
    /// When it holds a JSON condition that can't be read. Expressions are not looked at here.
    pub fn read(text: &str) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut reader = Reader { text, at: 0 };
        while reader.space() {
            if let Some(expression) = reader.rest().strip_prefix("where:") {
                let expression = expression.trim_start();
                let (at, text) = (text.len() - expression.len(), expression.trim_end().to_owned());
                query.expression = (!text.is_empty()).then_some(Expression { at, text });
                break;
            }
            let is_not = reader.take("-");
            let asks = match reader.take("json:") {
                true => json::read(&mut reader)?.map(Asks::Json),
                false => reader.word().asks(),
            };
            query.terms.extend(asks.map(|asks| Term { is_not, asks }));
        }
        Ok(query)
    }

    /// Whether a record is wanted, as far as it can be said without the expression.
    pub fn matches(&self, record: &impl Contents) -> bool {
        self.terms.iter().all(|term| term.asks.matches(record) != term.is_not)
    }

    /// Whether a gap may stand for records that are wanted: all that is known of them is where they are.
    pub fn may_be_in(&self, gap: &Gap) -> bool {
        self.terms.iter().all(|term| term.asks.is_of(gap) != Some(term.is_not))
    }

    /// What only the server judges.
    pub fn expression(&self) -> Option<&Expression> {
        self.expression.as_ref()
    }

    /// Whether everything is wanted.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.expression.is_none()
    }
}

/// Where one is in a filter's text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes over white space; whether something follows.
    fn space(&mut self) -> bool {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at < self.text.len()
    }

    /// Passes over `what`, if it is next.
    fn take(&mut self, what: &str) -> bool {
        let is_next = self.rest().starts_with(what);
        if is_next {
            self.at += what.len();
        }
        is_next
    }

    fn error(&self, fault: QueryFault) -> QueryError {
        // Texts are bounded long before 4 GiB.
        QueryError { at: self.at as u32, fault }
    }

    /// Passes over the next word: what stands before the next space outside a phrase.
    fn word(&mut self) -> Word {
        let mut word = Word::default();
        let mut may_open = true;
        // A member's name goes on with its value.
        while let Some(c) = self.rest().chars().next()
            && (!c.is_whitespace() || word.text.ends_with("\":"))
        {
            if may_open && let Some(phrase) = phrase(self.rest()) {
                word.text.push_str(phrase);
                word.was_quoted = true;
                may_open = false;
                // Half typed it has no closing quote.
                self.at = self.text.len().min(self.at + phrase.len() + 2);
                continue;
            }
            may_open = false;
            match c {
                ':' | '=' if !word.was_quoted && word.name.is_none() && is_name(&word.text, c) => {
                    word.name = Some(std::mem::take(&mut word.text));
                    word.is_exact = c == '=';
                    may_open = true;
                }
                _ => {
                    if c == '=' && word.equals.is_none() {
                        word.equals = Some(word.text.len());
                        may_open = word.name.is_some();
                    }
                    word.text.push(c);
                }
            }
            self.at += c.len_utf8();
        }
        word
    }
}

/// The phrase that `text` begins with. It ends with a quote before a space or a `=` (`header:"a b"=x`), or with the text, while it is typed.
/// Other quotes are letters: so `"id": 17`, as it stands in a message, is found like any text.
fn phrase(text: &str) -> Option<&str> {
    let text = text.strip_prefix('"')?;
    if !text.contains('"') {
        return Some(text);
    }
    let ends = |at: &usize| text[at + 1..].chars().next().is_none_or(|c| c.is_whitespace() || c == '=');
    text.match_indices('"').map(|(at, _)| at).find(ends).map(|end| &text[..end])
}

/// Whether a term may begin with this name and this mark.
fn is_name(name: &str, mark: char) -> bool {
    matches!(name, "key" | "value" | "topic") || (mark == ':' && matches!(name, "header" | "partition" | "offset"))
}

/// A word, the name that it began with (`key:`) outside quotes, and the rest.
#[derive(Default)]
struct Word {
    name: Option<String>,
    is_exact: bool,
    text: String,
    was_quoted: bool,
    /// Where in the text the first `=` outside quotes is.
    equals: Option<usize>,
}

impl Word {
    /// What it asks for; nothing where it is half typed.
    fn asks(self) -> Option<Asks> {
        let Self { name, is_exact, text, was_quoted, equals } = self;
        if text.is_empty() && !(is_exact && was_quoted) {
            return None;
        }
        let place = |partition, offset| Asks::Place { topic: None, partition, offset };
        let part = match name.as_deref() {
            None => return Some(plain(text)),
            Some("key") => Part::Key,
            Some("value") => Part::Value,
            Some("topic") => Part::Topic,
            Some("header") => {
                if let Some(at) = equals {
                    return Some(Asks::Header { name: text[..at].into(), value: text[at + 1..].into() });
                }
                Part::Header
            }
            Some(name) => {
                let number = match name {
                    "partition" => text.parse().ok().map(|partition| place(Some(partition), None)),
                    _ => text.parse().ok().map(|offset| place(None, Some(offset))),
                };
                return Some(number.unwrap_or_else(|| contains_text([name, ":", &text].concat())));
            }
        };
        Some(Asks::Text { part, text, exact: is_exact })
    }
}

fn contains_text(text: String) -> Asks {
    Asks::Text { part: Part::Any, text, exact: false }
}

/// A place, a partition, or text.
fn plain(text: String) -> Asks {
    if let Ok(Place { topic, partition, offset }) = text.parse() {
        return Asks::Place { topic: Some(topic), partition: Some(partition), offset: Some(offset) };
    }
    let of = text.strip_suffix(']').and_then(|text| text.split_once('[')).and_then(|(topic, partition)| {
        crate::check_topic_name(topic).ok()?;
        Some(Asks::Place { topic: Some(topic.to_owned()), partition: Some(partition.parse().ok()?), offset: None })
    });
    of.unwrap_or_else(|| contains_text(text))
}

impl Asks {
    fn matches(&self, record: &impl Contents) -> bool {
        match self {
            Self::Text { part, text, exact } => {
                let has = |bytes: &[u8]| match exact {
                    true => bytes == text.as_bytes(),
                    false => contains(bytes, text.as_bytes()),
                };
                // A value that is cut is no exact match: its end is not known.
                let data =
                    |data: Option<DataView<'_>>| data.is_some_and(|data| !(*exact && data.is_cut()) && has(data.head));
                let header = |name: &str, value: Option<DataView<'_>>| has(name.as_bytes()) || data(value);
                match part {
                    Part::Any => data(record.key()) || data(record.value()) || record.any_header(&header),
                    Part::Key => data(record.key()),
                    Part::Value => data(record.value()),
                    Part::Header => record.any_header(&header),
                    Part::Topic => has(record.topic().as_bytes()),
                }
            }
            Self::Header { name, value } => record.any_header(&|its_name, its_value| {
                its_name == name && its_value.is_some_and(|data| !data.is_cut() && data.head == value.as_bytes())
            }),
            Self::Place { topic, partition, offset } => {
                offset.is_none_or(|offset| offset == record.offset())
                    && partition.is_none_or(|partition| partition == record.partition())
                    && topic.as_ref().is_none_or(|topic| topic == record.topic())
            }
            Self::Json(condition) => record.value().is_some_and(|value| condition.matches(value)),
        }
    }

    /// Whether all records of a gap match, or none does; nothing where that can't be said.
    fn is_of(&self, gap: &Gap) -> Option<bool> {
        match self {
            Self::Text { part: Part::Topic, text, exact } => Some(match exact {
                true => *text == gap.topic,
                false => contains(gap.topic.as_bytes(), text.as_bytes()),
            }),
            Self::Place { topic, partition, offset } => {
                let is_here = partition.is_none_or(|partition| partition == gap.partition)
                    && topic.as_ref().is_none_or(|topic| *topic == gap.topic);
                match offset {
                    Some(offset) if is_here && (gap.first..=gap.last).contains(offset) => {
                        (gap.first == gap.last).then_some(true)
                    }
                    Some(_) => Some(false),
                    None => Some(is_here),
                }
            }
            _ => None,
        }
    }
}

/// Whether `text` stands in `bytes`, without regard to ASCII case.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text))
}
