//! Conditions on a value that is JSON. It is not parsed: the bytes are passed over up to what the path names, and compared as
//! they stand, so that 64-bit integers and long decimals are exact. What lies beside the path is not checked.
//!
//! `$` is the value, `.name` or `["name"]` a member, `[0]` an element, `[*]` any member or element: a path that can go several
//! ways holds if one of them does. Numbers compare as numbers, strings by their characters; what is of another kind than
//! what it is compared with is neither less nor greater, nor equal.

use super::{QueryError, QueryFault, Reader};
use crate::DataView;
use std::cmp::Ordering;

/// The most steps of a path.
const MAX_STEPS: usize = 16;

/// A path, and what is said of what it leads to. Without a test it need only be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    path: Vec<Step>,
    test: Option<Test>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The name as it would stand between the quotes of JSON.
    Name(String),
    Index(usize),
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    /// `!=`.
    is_not: bool,
    /// How what is there may stand to the literal.
    holds: &'static [Ordering],
    /// As it stands in JSON.
    literal: String,
}

/// The longer ones first, for the others begin them.
const COMPARISONS: [(&str, bool, &[Ordering]); 7] = [
    ("==", false, &[Ordering::Equal]),
    ("!=", true, &[Ordering::Equal]),
    ("<=", false, &[Ordering::Less, Ordering::Equal]),
    (">=", false, &[Ordering::Greater, Ordering::Equal]),
    ("=", false, &[Ordering::Equal]),
    ("<", false, &[Ordering::Less]),
    (">", false, &[Ordering::Greater]),
];

/// Reads what follows `json:`; nothing where nothing does yet.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Option<Condition>, QueryError> {
    if !reader.rest().starts_with(|c: char| !c.is_whitespace()) {
        return Ok(None);
    }
    if !reader.take("$") {
        return Err(reader.error(QueryFault::Path));
    }
    let mut path = Vec::new();
    while let Some(step) = step(reader)? {
        path.push(step);
        if path.len() > MAX_STEPS {
            return Err(reader.error(QueryFault::TooLong));
        }
    }
    let end = reader.at;
    reader.space();
    let Some((_, is_not, holds)) = COMPARISONS.into_iter().find(|(sign, ..)| reader.take(sign)) else {
        if reader.at == end && end < reader.text.len() {
            return Err(reader.error(QueryFault::Step));
        }
        return Ok(Some(Condition { path, test: None }));
    };
    reader.space();
    let mut scan = Scan { bytes: reader.rest().as_bytes(), at: 0, is_cut: false };
    let is_word_over = |at: usize| reader.rest()[at..].chars().next().is_none_or(char::is_whitespace);
    match scan.value().filter(|_| is_word_over(scan.at)) {
        Some(literal) if is_scalar(literal) => {
            let literal = reader.rest()[..literal.len()].to_owned();
            reader.at += literal.len();
            Ok(Some(Condition { path, test: Some(Test { is_not, holds, literal }) }))
        }
        _ => Err(reader.error(QueryFault::Literal)),
    }
}

/// The next step, if the path goes on.
fn step(reader: &mut Reader<'_>) -> Result<Option<Step>, QueryError> {
    let is_bracket = reader.take("[");
    if !is_bracket && !reader.take(".") {
        return Ok(None);
    }
    let mut scan = Scan { bytes: reader.rest().as_bytes(), at: 0, is_cut: false };
    let name = scan.string().filter(|_| is_bracket).map(|name| name.len());
    let step = if let Some(length) = name {
        let name = &reader.rest()[1..=length];
        reader.at += length + 2;
        Some(Step::Name(name.to_owned()))
    } else if reader.take("*") {
        Some(Step::Any)
    } else {
        let ends = |c: char| c.is_whitespace() || ".[]=!<>\"\\".contains(c);
        let word = reader.rest().split(ends).next().unwrap_or_default();
        let step = match is_bracket {
            true => word.parse().ok().map(Step::Index),
            false => Some(Step::Name(word.to_owned())),
        };
        if step.is_some() {
            reader.at += word.len();
        }
        step.filter(|_| !word.is_empty())
    };
    match step.filter(|_| !is_bracket || reader.take("]")) {
        None => Err(reader.error(QueryFault::Step)),
        step => Ok(step),
    }
}

impl Condition {
    pub fn matches(&self, value: DataView<'_>) -> bool {
        self.leads_on(&self.path, Scan { bytes: value.head, at: 0, is_cut: value.is_cut() })
    }

    /// Whether one of the ways that the path goes from here ends in what is wanted.
    fn leads_on(&self, path: &[Step], mut scan: Scan<'_>) -> bool {
        let first = scan.peek();
        let Some((step, rest)) = path.split_first() else {
            return match &self.test {
                // What is cut off is there all the same.
                None => (scan.is_cut && matches!(first, b'{' | b'[' | b'"')) || scan.value().is_some_and(is_json),
                Some(test) => scan.value().is_some_and(|token| test.holds(token)),
            };
        };
        let is_object = first == b'{';
        if !is_object && first != b'[' {
            return false;
        }
        scan.at += 1;
        for index in 0.. {
            let mut is_it = matches!(step, Step::Any);
            if is_object {
                scan.peek();
                let Some(name) = scan.string() else { return false };
                if scan.peek() != b':' {
                    return false;
                }
                scan.at += 1;
                is_it |= matches!(step, Step::Name(wanted) if compare_strings(wanted.as_bytes(), name).is_eq());
            } else {
                is_it |= matches!(step, Step::Index(wanted) if *wanted == index);
            }
            if is_it && self.leads_on(rest, scan) {
                return true;
            }
            if scan.value().is_none() || scan.peek() != b',' {
                return false;
            }
            scan.at += 1;
        }
        false
    }
}

impl Test {
    fn holds(&self, token: &[u8]) -> bool {
        let holds = compare(token, self.literal.as_bytes()).is_some_and(|order| self.holds.contains(&order));
        is_json(token) && holds != self.is_not
    }
}

/// Whether a token is a value, as far as that is looked into.
fn is_json(token: &[u8]) -> bool {
    matches!(token[0], b'{' | b'[') || is_scalar(token)
}

/// Whether a token is a string, a number, true, false or null.
fn is_scalar(token: &[u8]) -> bool {
    matches!(token, b"true" | b"false" | b"null") || token[0] == b'"' || Number::read(token).is_some()
}

/// How two scalars stand to each other; nothing where they are of different kinds.
fn compare(one: &[u8], other: &[u8]) -> Option<Ordering> {
    match (one, other) {
        ([b'"', one @ .., _], [b'"', other @ .., _]) => Some(compare_strings(one, other)),
        _ if one == other => Some(Ordering::Equal),
        _ => Number::read(one)?.compare(&Number::read(other)?),
    }
}

/// Where one is in a value.
#[derive(Clone, Copy)]
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    is_cut: bool,
}

impl<'a> Scan<'a> {
    /// The next byte that is no space; 0 at the end.
    fn peek(&mut self) -> u8 {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    /// Passes over a string; what stands between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?.strip_prefix(b"\"")?;
        let mut end = 0;
        loop {
            match rest.get(end)? {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        self.at += end + 2;
        Some(&rest[..end])
    }

    /// Passes over a value; its bytes. Nothing where it does not end.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.peek();
        let start = self.at;
        let mut depth = 0;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{' | b'[') => {
                    self.at += 1;
                    depth += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                Some(byte) if is_of_a_word(*byte) => {
                    let rest = &self.bytes[self.at..];
                    self.at += rest.iter().position(|byte| !is_of_a_word(*byte)).unwrap_or(rest.len());
                    if self.is_cut && self.at == self.bytes.len() {
                        return None;
                    }
                }
                Some(_) if depth > 0 => self.at += 1,
                _ => return None,
            }
            if depth == 0 {
                return Some(&self.bytes[start..self.at]);
            }
        }
    }
}

fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// Compares what stands between the quotes of two strings, by their characters.
fn compare_strings(one: &[u8], other: &[u8]) -> Ordering {
    if one == other { Ordering::Equal } else { Characters(one).cmp(Characters(other)) }
}

/// The bytes of a JSON string's text, escapes resolved. UTF-8's order is that of the characters.
struct Characters<'a>(&'a [u8]);

impl Iterator for Characters<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (unit, rest) = unit(self.0)?;
        self.0 = rest;
        if (0xd800..0xdc00).contains(&unit)
            && let Some((low @ 0xdc00..0xe000, rest)) = escaped_unit(rest)
        {
            self.0 = rest;
            return Some(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
        }
        Some(unit)
    }
}

/// `\uXXXX`, if it is next.
fn escaped_unit(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = bytes.strip_prefix(b"\\u")?.split_at_checked(4)?;
    Some((u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?, rest))
}

/// The next character, or half of one that is written as two escapes.
fn unit(bytes: &[u8]) -> Option<(u32, &[u8])> {
    if let Some(unit) = escaped_unit(bytes) {
        return Some(unit);
    }
    let (first, rest) = bytes.split_first()?;
    if *first == b'\\'
        && let Some((escaped, rest)) = rest.split_first()
    {
        let byte = match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            other => *other,
        };
        return Some((byte.into(), rest));
    }
    if first.is_ascii() {
        return Some((u32::from(*first), rest));
    }
    // What is no UTF-8 is compared by its bytes.
    let length = (first.leading_ones() as usize).min(bytes.len());
    let character = std::str::from_utf8(&bytes[..length]).ok().and_then(|text| text.chars().next());
    Some(character.map_or((u32::from(*first), rest), |c| (u32::from(c), &bytes[length..])))
}

/// A JSON number, by its digits.
struct Number<'a> {
    is_negative: bool,
    /// The digits before and after the point.
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn read(token: &'a [u8]) -> Option<Self> {
        let (is_negative, rest) = match token {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, mut rest) = digits(rest)?;
        let mut fraction = &[][..];
        if let [b'.', after @ ..] = rest {
            (fraction, rest) = digits(after)?;
        }
        let mut exponent = 0;
        if let [b'e' | b'E', after @ ..] = rest {
            let (sign, after) = match after {
                [b'-', after @ ..] => (-1, after),
                [b'+', after @ ..] | after => (1, after),
            };
            let power;
            (power, rest) = digits(after)?;
            // More than any value has digits: beyond it all are as large, or as small.
            exponent = power.iter().fold(0, |sum: i64, digit| (sum * 10 + i64::from(digit - b'0')).min(1 << 40)) * sign;
        }
        (rest.is_empty() && (whole.len() == 1 || whole[0] != b'0')).then_some(Self {
            is_negative,
            whole,
            fraction,
            exponent,
        })
    }

    /// The digits from the first that is not 0, and where the point stands to it. Nothing in a zero.
    fn significant(&self) -> Option<(i64, impl Iterator<Item = u8> + use<'a>)> {
        let digits = self.whole.iter().chain(self.fraction).copied();
        let zeros = digits.clone().position(|digit| digit != b'0')?;
        // Far below 2^63: neither has more than a value's head.
        Some((self.whole.len() as i64 - zeros as i64 + self.exponent, digits.skip(zeros)))
    }

    fn compare(&self, other: &Self) -> Option<Ordering> {
        let sign = |number: &Self, is_zero: bool| i32::from(!is_zero) * if number.is_negative { -1 } else { 1 };
        let (one_digits, other_digits) = (self.significant(), other.significant());
        let (one_sign, other_sign) = (sign(self, one_digits.is_none()), sign(other, other_digits.is_none()));
        if one_sign != other_sign || one_sign == 0 {
            return Some(one_sign.cmp(&other_sign));
        }
        let ((one_point, mut one), (other_point, mut other)) = (one_digits?, other_digits?);
        let mut order = one_point.cmp(&other_point);
        while order.is_eq() {
            let (a, b) = (one.next(), other.next());
            if (a, b) == (None, None) {
                break;
            }
            order = a.unwrap_or(b'0').cmp(&b.unwrap_or(b'0'));
        }
        Some(if one_sign < 0 { order.reverse() } else { order })
    }
}

/// One or more digits, and what follows them.
fn digits(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let count = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    (count > 0).then(|| bytes.split_at(count))
}
