//! JSON as text: recognised, tinted and laid out, but never parsed into values. Every number, escape and duplicate name
//! is shown exactly as it was produced: 9007199254740993 stays 9007199254740993.

use super::html::escape_into;

/// What a piece of JSON text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A string that names a member.
    Name,
    /// Any other string.
    String,
    /// A number.
    Number,
    /// `true`, `false`, `null`, or anything else that is no JSON.
    Word,
    /// One of `{}[]:,`.
    Mark,
    /// White space.
    Space,
}

/// A piece of JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text, as it stands.
    pub text: &'a str,
}

/// Whether `text` is a JSON object or array. Scalars are left out on purpose: `42` and `"x"` read better as plain text.
pub fn is_document(text: &str) -> bool {
    begins_a_document(text) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether `text` could be the beginning of a JSON object or array; all that can be said of a value that is cut.
pub fn begins_a_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// Cuts `text` into tokens. Their texts put together give `text` again, whatever it holds.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            '{' | '}' | '[' | ']' | ':' | ',' => (Kind::Mark, 1),
            '"' => string(rest),
            '-' | '0'..='9' => (Kind::Number, run(rest, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'))),
            c if c.is_ascii_whitespace() => (Kind::Space, run(rest, |c| c.is_ascii_whitespace())),
            _ => (Kind::Word, run(rest, |c| !c.is_ascii_whitespace() && !"{}[]:,\"".contains(c))),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(Token { kind, text: token });
        rest = after;
    }
    tokens
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The string that `text` begins with; what follows it decides whether it is a name. Without a closing quote it is the rest.
fn string(text: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let is_name = text[at + 1..].trim_start().starts_with(':');
                return (if is_name { Kind::Name } else { Kind::String }, at + 1);
            }
            _ => {}
        }
    }
    (Kind::String, text.len())
}

/// `text` as HTML in which each kind of token has its class. The tokens of a row and of the detail view look the same.
pub fn tint(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 3);
    for Token { kind, text } in tokens(text) {
        let class = match kind {
            Kind::Name => "k",
            Kind::String => "s",
            Kind::Number => "n",
            Kind::Word => "w",
            Kind::Mark | Kind::Space => {
                escape_into(text, &mut html);
                continue;
            }
        };
        html.push_str("<i class=\"");
        html.push_str(class);
        html.push_str("\">");
        escape_into(text, &mut html);
        html.push_str("</i>");
    }
    html
}

/// `text` over several lines, two spaces a level. Only white space between tokens changes.
pub fn pretty(text: &str) -> String {
    let tokens: Vec<_> = tokens(text).into_iter().filter(|token| token.kind != Kind::Space).collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |token| token.text);
        match token.text {
            "{" | "[" if matches!(next, "}" | "]") => out.push_str(token.text),
            "{" | "[" => {
                out.push_str(token.text);
                depth += 1;
                new_line(&mut out, depth);
            }
            "}" | "]" => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    new_line(&mut out, depth);
                }
                out.push_str(token.text);
            }
            "," => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            other => out.push_str(other),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_space(text: &str) -> String {
        tokens(text).into_iter().filter(|token| token.kind != Kind::Space).map(|token| token.text).collect()
    }

    #[test]
    fn tokens_put_together_are_the_text() {
        for text in [
            "",
            " { \"a\" : [ 1.50e+3 , true , null ] }\n",
            "{\"quote\":\"a\\\"b\\\\\"}",
            "{\"cut\":\"no end",
            "not json at all, {really}",
            "{\"名\":\"請於週末配送\"}",
        ] {
            let together: String = tokens(text).into_iter().map(|token| token.text).collect();
            assert_eq!(together, text);
        }
    }

    #[test]
    fn a_string_before_a_colon_is_a_name() {
        let kinds: Vec<_> = tokens("{\"a\" :\"b\"}").into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds, [Kind::Mark, Kind::Name, Kind::Space, Kind::Mark, Kind::String, Kind::Mark]);
    }

    #[test]
    fn pretty_changes_nothing_but_white_space() {
        let text =
            "{\"id\":9007199254740993,\"total\":89.0,\"e\":1E400,\"a\":[],\"o\":{},\"l\":[{\"k\":1},2],\"id\":\"x y\"}";
        let pretty = pretty(text);
        assert_eq!(without_space(&pretty), text);
        assert_eq!(
            pretty,
            "{\n  \"id\": 9007199254740993,\n  \"total\": 89.0,\n  \"e\": 1E400,\n  \"a\": [],\n  \"o\": {},\n  \"l\": [\n    \
             {\n      \"k\": 1\n    },\n    2\n  ],\n  \"id\": \"x y\"\n}"
        );
    }

    #[test]
    fn pretty_survives_what_is_no_json() {
        for text in ["}}}]", "{\"a\":[1,2", ",,:", "[[[["] {
            assert_eq!(without_space(&pretty(text)), text);
        }
    }

    #[test]
    fn tinting_escapes_the_text() {
        assert_eq!(
            tint("{\"a\":\"<b>\",\"n\":1,\"w\":null}"),
            "{<i class=\"k\">&quot;a&quot;</i>:<i class=\"s\">&quot;&lt;b&gt;&quot;</i>,<i class=\"k\">&quot;n&quot;</i>:\
             <i class=\"n\">1</i>,<i class=\"k\">&quot;w&quot;</i>:<i class=\"w\">null</i>}"
        );
    }

    #[test]
    fn only_objects_and_arrays_are_documents() {
        for json in ["{}", " [1]", "{\"a\":{}}"] {
            assert!(is_document(json), "{json}");
        }
        for text in ["", "42", "\"x\"", "{a}", "{\"a\":1", "[1] trailing"] {
            assert!(!is_document(text), "{text}");
        }
    }
}
