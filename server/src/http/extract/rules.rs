//! What serde says of a field that it can't read, as a rule for whoever sends JSON or an address: nobody there knows what a `u32` or a
//! struct is. There are no parts of it to be had, only its words, which are the same for all formats (`serde::de::Error`).

use std::borrow::Cow;

/// The rule. What serde does not say itself (the words of a type of ours) stays as it is.
pub(super) fn rule(said: &str) -> Cow<'_, str> {
    let begins = |words: &str| said.starts_with(words);
    if begins("missing field `") {
        return "is required".into();
    }
    if begins("duplicate field `") {
        return "stands there twice".into();
    }
    match said.rsplit_once(", expected ") {
        Some((_, names)) if begins("unknown field `") => format!("is unknown: there are only {}", listed(names)).into(),
        Some((_, names)) if begins("unknown variant `") => format!("must be one of {}", listed(names)).into(),
        Some((_, kind)) if begins("invalid type: ") || begins("invalid value: ") || begins("invalid length ") => {
            must_be(kind).into()
        }
        _ => said.into(),
    }
}

/// What a field must be, by what Rust calls it.
pub(super) fn must_be(kind: &str) -> String {
    macro_rules! number {
        ($($number:ident)*) => {
            match kind {
                $(stringify!($number) => format!("a whole number from {} to {}", $number::MIN, $number::MAX),)*
                "a boolean" => "true or false".into(),
                "a sequence" => "a list".into(),
                "a map" => "an object".into(),
                "unit" => "null".into(),
                kind if kind.starts_with("struct ") => "an object".into(),
                kind => kind.into(),
            }
        };
    }
    let kind: String = number!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    format!("must be {kind}")
}

/// serde's "one of `a`, `b`", "`a` or `b`", "`a`" as "a, b".
fn listed(names: &str) -> String {
    names.split('`').skip(1).step_by(2).collect::<Vec<_>>().join(", ")
}
