//! The two codecs: postcard for the page and the ring, JSON for everyone else.
//!
//! Decoding takes any input: it never panics, and allocates at most what the input's length allows (a length prefix that
//! promises more than is there is an error before anything is reserved; serde reserves at most 1 MiB ahead).

use crate::{Command, Event, HeaderView, Record, RecordRef, RecordView, Records, Row};
use serde::Serialize;

/// Input that is no message of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Larger than a message may be.
    #[error("the message has {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// The message's size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Not the form that it should have.
    #[error("{0}")]
    Malformed(String),
}

/// Appends `event` to `to` in its postcard form.
pub fn encode_event(event: &Event, to: &mut Vec<u8>) {
    append(event, to);
}

/// `event` in its JSON form.
pub fn event_to_json(event: &Event) -> String {
    serde_json::to_string(event).expect("an event has string keys and no failing Serialize")
}

/// Reads the one or more events of a postcard message.
///
/// # Errors
/// When the bytes are not a sequence of events, or more than [`crate::MAX_EVENT_MESSAGE`].
pub fn decode_events(mut bytes: &[u8]) -> Result<Vec<Event>, DecodeError> {
    check_size(bytes.len(), crate::MAX_EVENT_MESSAGE)?;
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let (event, rest) = postcard::take_from_bytes(bytes).map_err(malformed)?;
        events.push(event);
        bytes = rest;
    }
    Ok(events)
}

/// Reads a JSON event.
///
/// # Errors
/// When the text is not an event.
pub fn event_from_json(text: &str) -> Result<Event, DecodeError> {
    serde_json::from_str(text).map_err(malformed)
}

/// `command` in its postcard form.
pub fn encode_command(command: &Command) -> Vec<u8> {
    let mut bytes = Vec::new();
    append(command, &mut bytes);
    bytes
}

/// `command` in its JSON form.
pub fn command_to_json(command: &Command) -> String {
    serde_json::to_string(command).expect("a command has string keys and no failing Serialize")
}

/// Reads a postcard command.
///
/// # Errors
/// When the bytes are not exactly one command, or more than [`crate::MAX_COMMAND_MESSAGE`].
pub fn decode_command(bytes: &[u8]) -> Result<Command, DecodeError> {
    check_size(bytes.len(), crate::MAX_COMMAND_MESSAGE)?;
    match postcard::take_from_bytes(bytes).map_err(malformed)? {
        (command, []) => Ok(command),
        (_, rest) => Err(DecodeError::Malformed(format!("{} bytes after the command", rest.len()))),
    }
}

/// Reads a JSON command.
///
/// # Errors
/// When the text is not a command, or larger than [`crate::MAX_COMMAND_MESSAGE`].
pub fn command_from_json(text: &str) -> Result<Command, DecodeError> {
    check_size(text.len(), crate::MAX_COMMAND_MESSAGE)?;
    serde_json::from_str(text).map_err(malformed)
}

/// Appends one record in its postcard form, as it stands inside [`Records::records`]. The ring keeps records so, and
/// builds messages from them with [`encode_records_head`] without encoding anything again.
pub fn encode_record(record: &RecordView<'_>, to: &mut Vec<u8>) {
    append(record, to);
}

/// Reads one record that [`encode_record`] wrote, and what is left after it.
///
/// # Errors
/// When the bytes do not begin with a record.
pub fn decode_record(bytes: &[u8]) -> Result<(Record, &[u8]), DecodeError> {
    postcard::take_from_bytes(bytes).map_err(malformed)
}

/// Reads the same, borrowed from the bytes.
///
/// # Errors
/// When the bytes do not begin with a record.
pub fn decode_record_ref(bytes: &[u8]) -> Result<RecordRef<'_>, DecodeError> {
    postcard::from_bytes(bytes).map_err(malformed)
}

/// Appends `row` in its postcard form.
pub fn encode_row(row: &Row<'_>, to: &mut Vec<u8>) {
    append(row, to);
}

/// Reads the rows that [`encode_row`] wrote one after another.
///
/// # Errors
/// When the bytes are not a sequence of rows, or of more than `most`: a row takes far more memory than its few bytes.
pub fn decode_rows(mut bytes: &[u8], most: usize) -> Result<Vec<Row<'static>>, DecodeError> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        if rows.len() == most {
            return Err(DecodeError::Malformed(format!("more than {most} rows")));
        }
        let (row, rest) = postcard::take_from_bytes(bytes).map_err(malformed)?;
        rows.push(row);
        bytes = rest;
    }
    Ok(rows)
}

/// Appends what stands before the records in the postcard form of [`Event::Records`]: followed by `count` encoded records
/// it is the whole event.
pub fn encode_records_head(epoch: u64, next: u64, count: usize, to: &mut Vec<u8>) {
    // An event without records ends in the length 0, a single byte; the true length takes its place.
    append(&Event::Records(Records { epoch, next, records: Vec::new() }), to);
    to.pop();
    append(&(count as u64), to);
}

/// Appends one record in its JSON form, as it stands inside [`Records::records`].
pub fn record_to_json(record: &RecordView<'_>, to: &mut Vec<u8>) {
    serde_json::to_writer(to, record).expect("a record has string keys and no failing Serialize, and a Vec takes any");
}

/// What stands before and after the records in the JSON form of [`Event::Records`]: with their JSON between the two, and commas
/// between them, it is the whole event.
pub fn records_json_frame(epoch: u64, next: u64) -> (String, &'static str) {
    const TAIL: &str = "]}}";
    let mut head = event_to_json(&Event::Records(Records { epoch, next, records: Vec::new() }));
    assert!(head.ends_with(TAIL), "the records stand last");
    head.truncate(head.len() - TAIL.len());
    (head, TAIL)
}

/// An upper bound of what [`encode_records_head`] appends, in bytes: the variant and three varints of 64 bits.
pub const RECORDS_HEAD_MAX: usize = 1 + 3 * 10;

/// How many bytes of headers fit a message: see [`crate::Record::headers_left_out`]. Returns how many of `headers` to keep.
pub fn fit_headers(headers: &[HeaderView<'_>]) -> usize {
    let mut left = crate::record_limits::HEADERS_BUDGET;
    headers
        .iter()
        .take_while(|header| {
            // Besides name and value: three lengths of at most five bytes and the null mark.
            let size = header.name.len() + header.value.map_or(0, |value| value.head.len()) + 16;
            left.checked_sub(size).map(|rest| left = rest).is_some()
        })
        .count()
}

fn append(value: &impl Serialize, to: &mut Vec<u8>) {
    let bytes = std::mem::take(to);
    let Ok(bytes) = postcard::to_extend(value, bytes) else {
        unreachable!("the wire types have known lengths, and a Vec takes any")
    };
    *to = bytes;
}

fn check_size(bytes: usize, limit: usize) -> Result<(), DecodeError> {
    if bytes > limit { Err(DecodeError::TooLarge { bytes, limit }) } else { Ok(()) }
}

fn malformed(error: impl std::fmt::Display) -> DecodeError {
    // The page tells it to nobody, and the words of postcard and serde would be in its WebAssembly.
    DecodeError::Malformed(if cfg!(target_arch = "wasm32") { String::new() } else { error.to_string() })
}
