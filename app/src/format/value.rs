//! What a key or a value is shown as: null, empty, JSON, text or bytes. Nothing is guessed: what is not UTF-8 is bytes.

use super::{hex, html, json};
use wire::Data;

/// How many characters of a value a row holds: more than the widest screen shows.
const ROW_CHARS: usize = 400;
/// How many bytes of a binary value a row holds.
const ROW_BYTES: usize = 64;

/// What a key or a value is shown as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// No key; or a tombstone, in a compacted topic.
    Null,
    /// Zero bytes.
    Empty,
    /// A JSON object or array, as HTML with tinted tokens.
    Json(String),
    /// Other text.
    Text(String),
    /// What is not UTF-8, in hexadecimal.
    Bytes(String),
}

/// How `data` is shown in one line.
pub fn in_a_row(data: Option<&Data>) -> Shown {
    let Some(data) = data else { return Shown::Null };
    if data.size == 0 {
        return Shown::Empty;
    }
    match data.text() {
        Some(text) => {
            let (clipped, _) = html::clip(text, ROW_CHARS);
            match is_json(data, text) {
                true => Shown::Json(json::tint(clipped)),
                false => Shown::Text(clipped.into()),
            }
        }
        None => Shown::Bytes(hex::line(&data.head, ROW_BYTES)),
    }
}

/// Whether `data`, whose head is `text`, is a JSON document as far as can be seen.
pub fn is_json(data: &Data, text: &str) -> bool {
    if data.is_cut() { json::begins_a_document(text) } else { json::is_document(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_differs_from_empty() {
        assert_eq!(in_a_row(None), Shown::Null);
        assert_eq!(in_a_row(Some(&Data::whole(""))), Shown::Empty);
    }

    #[test]
    fn text_json_and_bytes_are_told_apart() {
        assert_eq!(in_a_row(Some(&Data::whole("ping"))), Shown::Text("ping".into()));
        assert!(matches!(in_a_row(Some(&Data::whole("{\"a\":1}"))), Shown::Json(_)));
        assert_eq!(in_a_row(Some(&Data::whole("{a}"))), Shown::Text("{a}".into()));
        assert_eq!(in_a_row(Some(&Data::whole(&b"\x0a\xff"[..]))), Shown::Bytes("0a ff".into()));
    }

    #[test]
    fn a_cut_document_is_still_shown_as_json() {
        let cut = Data { head: "{\"a\":\"lo".into(), size: 100_000 };
        assert!(matches!(in_a_row(Some(&cut)), Shown::Json(_)));
    }

    #[test]
    fn a_row_holds_a_bounded_part() {
        let Shown::Text(text) = in_a_row(Some(&Data::whole("x".repeat(10_000)))) else { panic!("text") };
        assert_eq!(text.len(), ROW_CHARS);
    }
}
