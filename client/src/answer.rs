//! What an answer says that is not what was asked for: an instance's own words, or those of a proxy before it.

use serde::Deserialize;

/// The longest that is told of a text, in characters: a line that a person reads.
const LONGEST: usize = 300;

/// What is read of problem details (RFC 9457).
#[derive(Debug, Deserialize)]
pub(crate) struct Problem {
    pub detail: String,
    #[serde(default)]
    errors: Vec<FieldProblem>,
}

#[derive(Debug, Deserialize)]
struct FieldProblem {
    field: String,
}

impl Problem {
    /// The problem that an answer's body begins with.
    pub fn read(body: &[u8]) -> Option<Self> {
        serde_json::Deserializer::from_slice(body).into_iter().next()?.ok()
    }

    /// Whether a topic is wrong: it has no name that one may have, or does not exist.
    pub fn is_of_the_topic(&self) -> bool {
        self.errors.iter().any(|error| error.field == "topic")
    }
}

/// A problem's detail, or a text's first line. Nothing of a page that is made for browsers, and nothing that moves a terminal's cursor.
pub(crate) fn words(body: &[u8]) -> Option<String> {
    if let Some(Problem { detail, .. }) = Problem::read(body) {
        return Some(printable(&detail));
    }
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    (!line.starts_with(['<', '{', '['])).then(|| printable(line))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// A status and what was said with it.
pub(crate) struct Said<'a>(pub u16, pub &'a str);

impl std::fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(status, words) = self;
        write!(f, "status {status}")?;
        if words.is_empty() { Ok(()) } else { write!(f, ": {words}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problems_detail_or_a_texts_first_line_is_told_and_no_page() {
        let told = |body: &str| words(body.as_bytes());
        assert_eq!(told(r#"{"type":"x","status":421,"detail":"not called so"}"#).as_deref(), Some("not called so"));
        assert_eq!(told("\r\nUnauthorized\u{1b}[2J\nmore").as_deref(), Some("Unauthorized[2J"));
        for nothing in ["", " \n", "<!DOCTYPE html>\n<p>401</p>", r#"{"error": "x"}"#] {
            assert_eq!(told(nothing), None, "{nothing}");
        }
        assert_eq!(told(&"x".repeat(1_000)).map(|told| told.len()), Some(LONGEST));
    }

    #[test]
    fn whether_the_topic_is_wrong_is_said_by_the_problems_fields() {
        let of_the_topic = |body: &str| Problem::read(body.as_bytes()).is_some_and(|problem| problem.is_of_the_topic());
        assert!(of_the_topic(
            r#"{"detail":"topic does not exist","errors":[{"field":"topic","rule":"does not exist"}]}"#
        ));
        assert!(!of_the_topic(r#"{"detail":"partition","errors":[{"field":"partition","rule":"must be below 2"}]}"#));
        assert!(!of_the_topic(r#"{"detail":"topic does not exist"}"#));
    }
}
