//! Many messages as text: a line each, JSON lines, or CSV. What is read here is a [`ProduceInput`] like one that somebody typed, and
//! checked like it. Reads what Ottla writes into files, too.

use crate::{Encoding, HeaderInput, ProduceInput};
use serde::{Deserialize, Serialize};
use serde_json::value::{self, RawValue};
use std::{collections::BTreeMap, fmt};

/// How many messages are in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineFormat {
    /// Each line is a value.
    #[default]
    Text,
    /// Each line is a JSON object; see [`json`].
    Json,
    /// CSV with names in its first row; see [`LineError::Column`].
    Csv,
}

impl LineFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Text, Self::Json, Self::Csv];

    /// The name in forms and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "lines",
            Self::Json => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// How a file holds messages, where the end of its name tells.
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending.to_ascii_lowercase().as_str() {
            "txt" | "log" => Some(Self::Text),
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A message of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// On which line it begins, from 1.
    pub number: u64,
    /// As it is written.
    pub text: &'a [u8],
    /// As it was read.
    pub input: Result<ProduceInput, LineError>,
}

/// Why a line could not be read. Its `Display` is the English text; the page has its own words for each language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not a JSON object.
    #[error("is no JSON object: {reason}")]
    Json {
        /// What the parser says, with the column.
        reason: String,
    },
    /// Not CSV, or not as many cells as names.
    #[error("is no row of this table: {reason}")]
    Csv {
        /// What the parser says.
        reason: String,
    },
    /// A quote is opened and the file ends before it is closed.
    #[error("a quote is opened and not closed")]
    Quote,
    /// There is no value.
    #[error("value is required; null is one")]
    NoValue,
    /// A key, a value or a header is none of what it may be.
    #[error("{field} must be a string, null, {{\"text\": …}}, {{\"base64\": …}} or {{\"json\": …}}")]
    Form {
        /// Which.
        field: String,
    },
    /// A key or a value is only the head of what Kafka holds.
    #[error("{field} is only the head of what Kafka holds")]
    Cut {
        /// Which.
        field: String,
    },
    /// The headers are no list.
    #[error("headers must be {{\"name\": \"value\"}} or [{{\"name\": …, \"value\": …}}]: {reason}")]
    Headers {
        /// What the parser says.
        reason: String,
    },
    /// A field that messages don't have.
    #[error("{name:?} is none of key, value, headers and partition")]
    Field {
        /// Its name.
        name: String,
    },
    /// A column that messages don't have.
    #[error(
        "the column {name:?} is none of key, key_encoding, value, value_encoding, headers, header:NAME and partition"
    )]
    Column {
        /// Its name.
        name: String,
    },
    /// An encoding that there is none of.
    #[error("{field} must be auto, text, json, base64, null or guarded")]
    Encoding {
        /// Which column.
        field: String,
    },
    /// Records that a file says it does not have.
    #[error("is a gap: the file says that it does not have these records")]
    Gap,
}

/// The first `most` messages of `text`; what they don't say is as in `like`. Blank lines are none. A message takes hundreds of bytes
/// even where its line has one, hence the bound.
pub fn lines<'a>(format: LineFormat, text: &'a [u8], like: &ProduceInput, most: usize) -> Vec<Line<'a>> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let read: fn(&[u8], &ProduceInput) -> Result<ProduceInput, LineError> = match format {
        LineFormat::Text => |line, like| Ok(plain(line.to_vec(), like)),
        LineFormat::Json => json,
        LineFormat::Csv => return table(text, like, most),
    };
    let lines = text.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.map(|(line, number)| (line.strip_suffix(b"\r").unwrap_or(line), number));
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    lines.take(most).map(|(line, number)| Line { number, text: line, input: read(line, like) }).collect()
}

/// The elements of a JSON array, each on a line of its own, as [`lines`] reads them; none where the text begins like no array.
///
/// # Errors
/// What the parser says of an array that is none.
pub fn of_array(text: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    if !text.trim_ascii_start().starts_with(b"[") {
        return None;
    }
    let elements: Vec<&RawValue> = match serde_json::from_slice(text) {
        Ok(elements) => elements,
        Err(error) => return Some(Err(error.to_string())),
    };
    let mut lines = Vec::with_capacity(text.len());
    for element in elements {
        // In JSON line breaks stand between things and never in them.
        lines.extend(element.get().bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
        lines.push(b'\n');
    }
    Some(Ok(lines))
}

/// The bytes of a line as a record's value. What is no UTF-8 goes as base64.
pub fn plain(line: Vec<u8>, like: &ProduceInput) -> ProduceInput {
    let (value_encoding, value) = match String::from_utf8(line) {
        Ok(text) => (Encoding::Text, text),
        Err(bytes) => (Encoding::Base64, base64(bytes.as_bytes())),
    };
    ProduceInput { value_encoding, value, allow_empty: true, ..like.clone() }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// What a record in a file of Ottla's, or of `ottla tail --format json`, has besides, and what is not produced of it.
const PASSED_OVER: [&str; 8] =
    ["seq", "topic", "offset", "timestamp", "received", "flags", "headers_left_out", "consumed_by"];

/// A line of JSON with `key`, `value`, `headers` and `partition`, as far as it has them; the rest is `like` another.
///
/// # Errors
/// Which field is wrong, and why.
pub fn json(line: &[u8], like: &ProduceInput) -> Result<ProduceInput, LineError> {
    let mut fields: BTreeMap<String, &RawValue> = serde_json::from_slice(line).map_err(not_json)?;
    let mut input = like.clone();
    if fields.contains_key("gap") {
        return Err(LineError::Gap);
    }
    if fields.get("headers_left_out").is_some_and(|count| count.get() != "0") {
        return Err(LineError::Cut { field: "headers".into() });
    }
    if let Some(key) = fields.remove("key") {
        (input.key_encoding, input.key) = data("key", key)?;
    }
    let value = fields.remove("value").ok_or(LineError::NoValue)?;
    (input.value_encoding, input.value) = data("value", value)?;
    // Whoever writes "" means it.
    input.allow_empty = true;
    if let Some(partition) = fields.remove("partition").filter(|partition| partition.get() != "null") {
        input.partition = partition.get().trim_matches('"').to_owned();
    }
    if let Some(given) = fields.remove("headers") {
        input.headers = headers(given.get())?;
    }
    fields.retain(|name, _| !PASSED_OVER.contains(&name.as_str()));
    match fields.into_keys().next() {
        None => Ok(input),
        Some(name) => Err(LineError::Field { name }),
    }
}

/// A message as [`json`] reads it. Its topic is not in it.
///
/// # Errors
/// When its value is to be JSON, and is none.
pub fn written(input: &ProduceInput) -> Result<String, LineError> {
    let message = Message {
        key: match (input.key_encoding, input.key.as_str()) {
            (Encoding::Auto, "") => None,
            (encoding, key) => Some(written_data(encoding, key)?),
        },
        value: written_data(input.value_encoding, &input.value)?,
        partition: Some(input.partition.trim()).filter(|partition| !partition.is_empty()),
        headers: input.headers.iter().map(Written::of).collect::<Result<_, _>>()?,
    };
    serde_json::to_string(&message).map_err(not_json)
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Box<RawValue>>,
    value: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<&'a str>,
    headers: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    value: Box<RawValue>,
}

impl<'a> Written<'a> {
    fn of(header: &'a HeaderInput) -> Result<Self, LineError> {
        Ok(Self { name: &header.name, value: written_data(header.encoding, &header.value)? })
    }
}

fn written_data(encoding: Encoding, text: &str) -> Result<Box<RawValue>, LineError> {
    let wrapped = |name: &str| value::to_raw_value(&BTreeMap::from([(name, text)]));
    match encoding {
        Encoding::Null => value::to_raw_value(&()),
        Encoding::Auto | Encoding::Text => value::to_raw_value(text),
        Encoding::Base64 => wrapped("base64"),
        Encoding::Json => {
            let document = RawValue::from_string(text.to_owned()).map_err(not_json)?;
            value::to_raw_value(&BTreeMap::from([("json", document)]))
        }
    }
    .map_err(not_json)
}

fn not_json(error: serde_json::Error) -> LineError {
    // Of JSON that is something else the parser speaks as of Rust's types.
    LineError::Json { reason: if error.is_data() { "it is another value".into() } else { in_a_line(&error) } }
}

/// The parser's words without the line, which is always the first.
fn in_a_line(error: &serde_json::Error) -> String {
    error.to_string().replace("at line 1 column", "at column")
}

/// A key or a value that is not text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    text: Option<String>,
    base64: Option<String>,
    #[serde(borrow)]
    json: Option<&'a RawValue>,
    size: Option<&'a RawValue>,
}

fn data(field: &str, given: &RawValue) -> Result<(Encoding, String), LineError> {
    let form = || LineError::Form { field: field.into() };
    let text = given.get();
    if text == "null" {
        return Ok((Encoding::Null, String::new()));
    }
    if text.starts_with('"') {
        return Ok((Encoding::Text, serde_json::from_str(text).map_err(not_json)?));
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(text).map_err(|_| form())?;
    if wrapped.size.is_some() {
        return Err(LineError::Cut { field: field.into() });
    }
    match wrapped {
        Wrapped { text: Some(text), base64: None, json: None, .. } => Ok((Encoding::Text, text)),
        Wrapped { text: None, base64: Some(base64), json: None, .. } => Ok((Encoding::Base64, base64)),
        // As it is written, every digit of it.
        Wrapped { text: None, base64: None, json: Some(json), .. } => Ok((Encoding::Json, json.get().to_owned())),
        _ => Err(form()),
    }
}

/// A header of a record of `ottla tail --format json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given<'a> {
    name: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// `{"name": "value"}`, or `[{"name": …, "value": …}]` where names repeat.
fn headers(text: &str) -> Result<Vec<HeaderInput>, LineError> {
    let wrong = |error: serde_json::Error| LineError::Headers { reason: in_a_line(&error) };
    let pairs: Vec<(String, &RawValue)> = if text.starts_with('{') {
        let named: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(wrong)?;
        named.into_iter().collect()
    } else {
        let listed: Vec<Given<'_>> = serde_json::from_str(text).map_err(wrong)?;
        listed.into_iter().map(|Given { name, value }| (name, value)).collect()
    };
    let header = |(name, value): (String, &RawValue)| {
        let (encoding, value) = data(&format!("header {name:?}"), value)?;
        // JSON is text; a header's is not looked into.
        let encoding = if encoding == Encoding::Json { Encoding::Text } else { encoding };
        Ok(HeaderInput { name, value, encoding })
    };
    pairs.into_iter().map(header).collect()
}

/// What a column of a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Partition,
    Key,
    KeyEncoding,
    Value,
    ValueEncoding,
    Headers,
    Header(String),
    /// Says that something is not in the row.
    Cut,
    /// Says that the row stands for records that are not in the file.
    Gap,
    PassedOver,
}

impl Column {
    fn of(name: &str) -> Result<Self, LineError> {
        Ok(match name {
            "partition" => Self::Partition,
            "key" => Self::Key,
            "key_encoding" => Self::KeyEncoding,
            "value" => Self::Value,
            "value_encoding" => Self::ValueEncoding,
            "headers" => Self::Headers,
            "cut" => Self::Cut,
            "not_shown_to" | "not_shown_count" => Self::Gap,
            "timestamp_type" => Self::PassedOver,
            name if PASSED_OVER.contains(&name) => Self::PassedOver,
            name => match name.strip_prefix("header:") {
                Some(header) if !header.is_empty() => Self::Header(header.into()),
                _ => return Err(LineError::Column { name: name.into() }),
            },
        })
    }
}

/// The rows of a table whose first row names its columns.
fn table<'a>(text: &'a [u8], like: &ProduceInput, most: usize) -> Vec<Line<'a>> {
    let delimiter = delimiter(text);
    let mut rows = reader(text, delimiter);
    let (mut record, mut columns, mut lines) = (csv::ByteRecord::new(), Vec::new(), Vec::new());
    while lines.len() < most {
        let (from, line) = (rows.position().byte() as usize, rows.position().line());
        let read = rows.read_byte_record(&mut record);
        if matches!(read, Ok(false)) {
            break;
        }
        let written = text.get(from..rows.position().byte() as usize).unwrap_or_default();
        // Empty lines before it are passed over.
        let blank = written.iter().take_while(|byte| byte.is_ascii_whitespace()).filter(|byte| **byte == b'\n').count();
        let line = |input| Line { number: line + blank as u64, text: written.trim_ascii(), input };
        let is_last = rows.position().byte() as usize >= text.len();
        let cells = match read {
            Ok(_) if is_last && is_open(written, delimiter, &record) => Err(LineError::Quote),
            Ok(_) => cells(&record),
            Err(error) => Err(no_row(error)),
        };
        if columns.is_empty() {
            match cells.and_then(|names| columns_of(&names)) {
                Ok(named) => columns = named,
                // Of no other row it is known what it holds.
                Err(error) => return vec![line(Err(error))],
            }
        } else {
            lines.push(line(cells.and_then(|cells| row(&columns, &cells, like))));
        }
    }
    lines
}

fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).flexible(true).from_reader(text)
}

/// Whether a table's last row, which was read as `record`, ends within a quote: the parser takes the end of the file for the quote's. One
/// quote more changes nothing then.
fn is_open(written: &[u8], delimiter: u8, record: &csv::ByteRecord) -> bool {
    let written = written.trim_ascii_end();
    let last = |record: &csv::ByteRecord| record.iter().next_back().map(|cell| cell.trim_ascii_end().to_vec());
    // One that is empty and was opened ends with its quote.
    let was_opened = last(record).is_some_and(|cell| !cell.is_empty()) || written.ends_with(b"\"");
    if !written.contains(&b'"') || !was_opened {
        return false;
    }
    let closed = [written, b"\""].concat();
    let mut again = csv::ByteRecord::new();
    let read = reader(&closed, delimiter).read_byte_record(&mut again);
    matches!(read, Ok(true)) && last(&again) == last(record)
}

fn columns_of(names: &[String]) -> Result<Vec<Column>, LineError> {
    let columns = names.iter().map(|name| Column::of(name.trim())).collect::<Result<Vec<_>, _>>()?;
    if columns.contains(&Column::Value) { Ok(columns) } else { Err(LineError::NoValue) }
}

/// A comma; or what spreadsheets write where a comma is in numbers.
fn delimiter(text: &[u8]) -> u8 {
    let names = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    (*b",;\t").into_iter().find(|delimiter| names.contains(delimiter)).unwrap_or(b',')
}

fn cells(record: &csv::ByteRecord) -> Result<Vec<String>, LineError> {
    let cell = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(no_row);
    record.iter().map(cell).collect()
}

fn no_row(error: impl fmt::Display) -> LineError {
    LineError::Csv { reason: error.to_string() }
}

fn row(columns: &[Column], cells: &[String], like: &ProduceInput) -> Result<ProduceInput, LineError> {
    if columns.len() != cells.len() {
        let reason = format!("it has {} cells, and there are {} columns", cells.len(), columns.len());
        return Err(LineError::Csv { reason });
    }
    // Whoever leaves a cell empty means it.
    let mut input = ProduceInput { allow_empty: true, ..like.clone() };
    let (mut key, mut value) = (Cell::default(), Cell::default());
    for (column, text) in columns.iter().zip(cells) {
        match column {
            Column::Cut if !text.is_empty() => return Err(LineError::Cut { field: text.clone() }),
            Column::Gap if !text.is_empty() => return Err(LineError::Gap),
            Column::Cut | Column::Gap | Column::PassedOver => {}
            // What the form says of all of them stands where a row says nothing.
            Column::Partition if text.is_empty() => {}
            Column::Partition => input.partition.clone_from(text),
            Column::Key => key.text = Some(text),
            Column::KeyEncoding => key.encoding = text,
            Column::Value => value.text = Some(text),
            Column::ValueEncoding => value.encoding = text,
            Column::Headers if text.is_empty() => {}
            Column::Headers => input.headers.extend(headers(text)?),
            Column::Header(_) if text.is_empty() => {}
            Column::Header(name) => {
                input.headers.push(HeaderInput { name: name.clone(), value: text.clone(), ..HeaderInput::default() });
            }
        }
    }
    match key.read("key_encoding")? {
        // An empty cell that says no more is no key of its own.
        None | Some((Encoding::Auto, "")) => {}
        Some((encoding, text)) => (input.key_encoding, input.key) = (encoding, text.into()),
    }
    if let Some((encoding, text)) = value.read("value_encoding")? {
        (input.value_encoding, input.value) = (encoding, text.into());
    }
    Ok(input)
}

/// A key or a value in a table.
#[derive(Default)]
struct Cell<'a> {
    text: Option<&'a str>,
    encoding: &'a str,
}

impl<'a> Cell<'a> {
    fn read(&self, column: &str) -> Result<Option<(Encoding, &'a str)>, LineError> {
        let Some(text) = self.text else { return Ok(None) };
        let encoding = match self.encoding.trim() {
            "" | "auto" => Encoding::Auto,
            "text" => Encoding::Text,
            "json" => Encoding::Json,
            "base64" => Encoding::Base64,
            "null" if !text.is_empty() => {
                let reason = format!("{column} says null, and the cell of what is to be null is not empty");
                return Err(LineError::Csv { reason });
            }
            "null" => Encoding::Null,
            // Text behind an apostrophe, so that no spreadsheet takes it for a formula.
            "guarded" => return Ok(Some((Encoding::Text, text.strip_prefix('\'').unwrap_or(text)))),
            _ => return Err(LineError::Encoding { field: column.into() }),
        };
        Ok(Some((encoding, text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn like() -> ProduceInput {
        ProduceInput { topic: "t".into(), key: "k".into(), key_encoding: Encoding::Text, ..ProduceInput::default() }
    }

    fn header(name: &str, value: &str) -> HeaderInput {
        HeaderInput { name: name.into(), value: value.into(), encoding: Encoding::Text }
    }

    #[rstest]
    #[case("key,value\nk,\"v\"", "v")]
    #[case("key,value\nk,\"v\"\n\n", "v")]
    #[case("key,value\nk,\"a \"\"b\"\"\"\n", "a \"b\"")]
    #[case("key,value\nk,5\" wide\n", "5\" wide")]
    #[case("key,value\n\"k\",\n", "")]
    #[case("key,value\nk,\"\"\n", "")]
    #[case("value,key\n\"a\nb\",\n", "a\nb")]
    #[case("key,value\nk,\"a\nb\n\"\n", "a\nb\n")]
    fn a_last_row_whose_quotes_are_closed_is_one(#[case] text: &str, #[case] value: &str) {
        let lines = table(text.as_bytes(), &like(), 10);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].input.as_ref().unwrap().value, value);
    }

    #[test]
    fn a_plain_line_is_its_bytes() {
        let text = plain("訊 息".into(), &like());
        assert_eq!((text.value_encoding, text.value.as_str(), text.key.as_str()), (Encoding::Text, "訊 息", "k"));
        let bytes = plain(vec![0xff, 0], &like());
        assert_eq!((bytes.value_encoding, bytes.value.as_str()), (Encoding::Base64, "/wA="));
        assert!(plain(Vec::new(), &like()).allow_empty);
    }

    #[rstest]
    #[case("orders.csv", Some(LineFormat::Csv))]
    #[case("2026.ORDERS.CSV", Some(LineFormat::Csv))]
    #[case("a.ndjson", Some(LineFormat::Json))]
    #[case("a.json", Some(LineFormat::Json))]
    #[case("a.log", Some(LineFormat::Text))]
    #[case("a.tsv", None)]
    #[case("csv", None)]
    #[case("", None)]
    fn the_end_of_a_files_name_tells_how_it_holds_messages(#[case] name: &str, #[case] format: Option<LineFormat>) {
        assert_eq!(LineFormat::of_file(name), format);
    }

    #[test]
    fn an_array_is_lines_whatever_breaks_it_has() {
        let array = "\u{feff} [\r\n  {\n\"value\": \"a\\nb\"\r\n},{\"value\":9007199254740993}]";
        let lines = String::from_utf8(of_array(array.as_bytes()).unwrap().unwrap()).unwrap();
        assert_eq!(lines, "{ \"value\": \"a\\nb\"  }\n{\"value\":9007199254740993}\n");
        assert_eq!(of_array(b"{\"value\":[]}"), None);
        assert_eq!(of_array(b""), None);
        assert!(of_array(b"[{}").unwrap().is_err());
        assert_eq!(of_array(b"[]"), Some(Ok(Vec::new())));
    }

    #[rstest]
    #[case(r#"{"value":"a"}"#, Encoding::Text, "a")]
    #[case(r#"{"value":null}"#, Encoding::Null, "")]
    #[case(r#"{"value":""}"#, Encoding::Text, "")]
    #[case(r#"{"value":{"base64":"/wA="}}"#, Encoding::Base64, "/wA=")]
    #[case(
        r#"{"value":{"json":{"n":9007199254740993, "m":1.50}}}"#,
        Encoding::Json,
        r#"{"n":9007199254740993, "m":1.50}"#
    )]
    fn a_value_is_as_it_is_given(#[case] line: &str, #[case] encoding: Encoding, #[case] value: &str) {
        let input = json(line.as_bytes(), &like()).unwrap();
        assert_eq!((input.value_encoding, input.value.as_str()), (encoding, value));
        assert_eq!((input.key.as_str(), input.allow_empty), ("k", true));
    }

    #[test]
    fn a_line_says_more_than_the_flags_and_a_record_of_tail_is_one() {
        let line = br#"{"seq":"7","topic":"other","partition":2,"offset":"9","timestamp":{"created":"1"},"received":"2",
            "flags":0,"key":null,"value":{"text":"v"},"headers":[{"name":"a","value":{"text":"1"}}],"headers_left_out":0,
            "consumed_by":"ottla-1"}"#;
        let input = json(line, &like()).unwrap();
        assert_eq!((input.topic.as_str(), input.partition.as_str()), ("t", "2"));
        assert_eq!((input.key_encoding, input.headers), (Encoding::Null, vec![header("a", "1")]));
        assert_eq!(json(br#"{"value":"v","partition":null}"#, &like()).unwrap().partition, "");
        let named = json(br#"{"value":"v","headers":{"b":"2","a":"1"}}"#, &like()).unwrap();
        assert_eq!(named.headers, [header("a", "1"), header("b", "2")]);
        let bytes = json(br#"{"value":"v","headers":{"a":{"base64":"AP8="},"b":null}}"#, &like()).unwrap();
        let encodings: Vec<_> = bytes.headers.iter().map(|header| header.encoding).collect();
        assert_eq!(encodings, [Encoding::Base64, Encoding::Null]);
    }

    #[test]
    fn what_is_written_reads_as_it_was() {
        let header = |encoding, value: &str| HeaderInput { name: "h".into(), value: value.into(), encoding };
        let message = |key_encoding, key: &str, value_encoding, value: &str| ProduceInput {
            key_encoding,
            key: key.into(),
            value_encoding,
            value: value.into(),
            allow_empty: true,
            partition: "2".into(),
            headers: vec![header(Encoding::Text, "a\nb"), header(Encoding::Base64, "AP8="), header(Encoding::Null, "")],
            ..ProduceInput::default()
        };
        for input in [
            message(Encoding::Auto, "", Encoding::Text, "\u{0}\"中\n"),
            message(Encoding::Text, "", Encoding::Json, "{\"n\":9007199254740993}"),
            message(Encoding::Base64, "/wA=", Encoding::Null, ""),
            message(Encoding::Null, "", Encoding::Base64, "/w=="),
        ] {
            let line = written(&input).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(json(line.as_bytes(), &ProduceInput::default()), Ok(input));
        }
        assert!(written(&message(Encoding::Null, "", Encoding::Json, "{")).is_err());
    }

    #[rstest]
    #[case("x", "expected value at column 1")]
    #[case("[]", "is no JSON object: it is another value")]
    #[case(r#"{"key":"a"}"#, "value is required")]
    #[case(r#"{"value":{"a":1}}"#, "value must be a string, null")]
    #[case(r#"{"value":7}"#, "value must be a string, null")]
    #[case(r#"{"value":{"text":"a","size":"9"}}"#, "value is only the head")]
    #[case(r#"{"value":"a","headers_left_out":3}"#, "headers is only the head")]
    #[case(r#"{"value":"a","vlaue":"b"}"#, "\"vlaue\" is none of")]
    #[case(r#"{"value":"a","headers":{"n":7}}"#, "header \"n\" must be a string, null")]
    #[case(r#"{"value":"a","headers":"n"}"#, "headers must be")]
    #[case(r#"{"gap":{"topic":"t","partition":0,"first":"8","last":"19"}}"#, "is a gap")]
    fn what_is_wrong_is_named(#[case] line: &str, #[case] why: &str) {
        let error = json(line.as_bytes(), &like()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }

    fn values(format: LineFormat, text: &str) -> Vec<(u64, String)> {
        let line =
            |line: Line<'_>| (line.number, line.input.map_or_else(|error| error.to_string(), |input| input.value));
        lines(format, text.as_bytes(), &like(), usize::MAX).into_iter().map(line).collect()
    }

    #[test]
    fn blank_lines_are_none_and_a_line_knows_its_number() {
        let expected = [(1, "a".to_owned()), (3, " b".to_owned())];
        assert_eq!(values(LineFormat::Text, "\u{feff}a\r\n\n b\n \n"), expected);
        assert_eq!(values(LineFormat::Json, "{\"value\":\"a\"}\n\n{\"value\":\" b\"}"), expected);
        assert_eq!(values(LineFormat::Csv, "value\n\n a\n")[0], (3, " a".to_owned()));
    }

    #[test]
    fn no_more_are_read_than_are_wanted() {
        for (format, text) in [
            (LineFormat::Text, "a\nb\nc\n"),
            (LineFormat::Json, "{\"value\":\"a\"}\n{\"value\":\"b\"}\n{"),
            (LineFormat::Csv, "value\na\nb\nc\n"),
        ] {
            assert_eq!(lines(format, text.as_bytes(), &like(), 2).len(), 2);
        }
    }

    #[test]
    fn a_table_says_by_the_names_of_its_columns_what_is_in_it() {
        let text = "key;value;value_encoding;header:trace;partition\r\n\
            a;\"x;\"\"1\"\"\r\ny\";;t-1;2\r\n\
            ;AP8=;base64;;\r\n";
        let lines = lines(LineFormat::Csv, text.as_bytes(), &like(), usize::MAX);
        let [one, two] = &lines[..] else { panic!("{lines:?}") };
        let (first, second) = (one.input.as_ref().unwrap(), two.input.as_ref().unwrap());
        assert_eq!((first.key.as_str(), first.value.as_str(), first.partition.as_str()), ("a", "x;\"1\"\r\ny", "2"));
        assert_eq!(first.headers.len(), 1);
        assert_eq!(
            (second.key.as_str(), second.value_encoding, second.value.as_str()),
            ("k", Encoding::Base64, "AP8=")
        );
        assert_eq!((one.number, two.number), (2, 4));
        assert_eq!(two.text, b";AP8=;base64;;");
    }

    #[rstest]
    #[case("key\na\n", "value is required")]
    #[case("value,colour\na,b\n", "the column \"colour\" is none of")]
    #[case("value,key\na\n", "it has 1 cells, and there are 2 columns")]
    #[case("value,value_encoding\na,hex\n", "value_encoding must be auto")]
    #[case("value,value_encoding\na,null\n", "value_encoding says null, and the cell")]
    #[case("key,key_encoding,value\nk,null,a\n", "key_encoding says null, and the cell")]
    #[case("value,cut\na,value: 2 of 5 bytes\n", "is only the head")]
    #[case("topic,value,not_shown_to\nt,,19\n", "is a gap")]
    #[case("value,headers\na,{\n", "headers must be")]
    #[case("key,value\nk1,\"a\nk2,b\n", "a quote is opened and not closed")]
    #[case("key,value\n\"k1,a", "a quote is opened and not closed")]
    #[case("key,value\nk1,\"\n", "a quote is opened and not closed")]
    fn what_is_wrong_in_a_table_is_named(#[case] text: &str, #[case] why: &str) {
        let found = values(LineFormat::Csv, text);
        assert!(matches!(&found[..], [(_, error)] if error.contains(why)), "{found:?}");
    }
}
