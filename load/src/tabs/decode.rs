//! Reads a message as cheaply as it can be, for the generator shares its machine with what it measures: records are borrowed
//! from the message, everything else is decoded as any client does.

use serde::Deserialize;
use wire::{Event, Flags, Timestamp, codec::DecodeError};

/// The number of `Event::Records` among the variants: what a message of records begins with.
const RECORDS: u8 = 2;

/// One event.
#[derive(Debug)]
pub(super) enum Seen<'a> {
    Records(Records<'a>),
    Other(Box<Event>),
}

/// See [`wire::Records`].
#[derive(Debug, Deserialize)]
pub(super) struct Records<'a> {
    pub epoch: u64,
    pub next: u64,
    #[serde(borrow)]
    pub records: Vec<Record<'a>>,
}

/// See [`wire::Record`], whose fields stand in this order.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what stands between the fields that are looked at has to be read")]
pub(super) struct Record<'a> {
    seq: u64,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    timestamp: Timestamp,
    received: i64,
    flags: Flags,
    #[serde(borrow)]
    key: Option<Data<'a>>,
    #[serde(borrow)]
    pub value: Option<Data<'a>>,
    #[serde(borrow)]
    headers: Vec<(&'a str, Option<Data<'a>>)>,
    headers_left_out: u32,
}

/// See [`wire::Data`].
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "as above")]
pub(super) struct Data<'a> {
    pub head: &'a [u8],
    size: u64,
}

/// The first event of a postcard message, and what follows it.
///
/// # Errors
/// When that is no event.
pub(super) fn first(message: &[u8]) -> Result<(Seen<'_>, &[u8]), DecodeError> {
    let malformed = |error: postcard::Error| DecodeError::Malformed(error.to_string());
    if let [RECORDS, fields @ ..] = message {
        let (records, rest) = postcard::take_from_bytes(fields).map_err(malformed)?;
        Ok((Seen::Records(records), rest))
    } else {
        let (event, rest) = postcard::take_from_bytes(message).map_err(malformed)?;
        Ok((Seen::Other(Box::new(event)), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{Count, Gap, Header, codec};

    #[test]
    fn what_is_seen_is_what_was_said() {
        let data = |text: &'static str| Some(wire::Data::whole(text));
        let record = |offset, timestamp, key, value| wire::Record {
            seq: 7_000_000_000 + offset as u64,
            topic: "orders".into(),
            partition: 3,
            offset,
            timestamp,
            received: 1_790_000_000_007,
            flags: Flags::REDELIVERED,
            key,
            value,
            headers: vec![Header { name: "one".into(), value: data("1") }, Header { name: "none".into(), value: None }],
            headers_left_out: 300,
        };
        let records = vec![
            record(41, Timestamp::Created(1_790_000_000_000), data("key"), data("value")),
            record(42, Timestamp::None, None, None),
        ];
        let gap = Event::Gap(Gap {
            topic: "orders".into(),
            partition: 1,
            first: 2,
            last: 9,
            count: Count::UpTo(8),
            now_with: Some("another".into()),
        });
        let mut message = Vec::new();
        codec::encode_event(&gap, &mut message);
        codec::encode_event(&Event::Records(wire::Records { epoch: 5, next: 1 << 40, records }), &mut message);
        codec::encode_event(&Event::Pong(1), &mut message);

        let (first_seen, rest) = first(&message).unwrap();
        assert!(matches!(first_seen, Seen::Other(event) if *event == gap));
        let (Seen::Records(seen), rest) = first(rest).unwrap() else { panic!("records come second") };
        assert_eq!((seen.epoch, seen.next, seen.records.len()), (5, 1 << 40, 2));
        let of =
            |record: &Record<'_>| (record.offset, record.partition, record.value.as_ref().map(|it| it.head.to_vec()));
        assert_eq!(of(&seen.records[0]), (41, 3, Some(b"value".to_vec())));
        assert_eq!(of(&seen.records[1]), (42, 3, None));
        assert_eq!(seen.records[1].topic, "orders");
        let (last, rest) = first(rest).unwrap();
        assert!(matches!(last, Seen::Other(event) if *event == Event::Pong(1)) && rest.is_empty());
        assert!(first(&message[..1]).is_err());
    }
}
