//! From librdkafka's message to `wire`'s record, without a copy.

use rdkafka::{
    bindings::{rd_kafka_header_get_all, rd_kafka_message_headers},
    message::{BorrowedMessage, Message, Timestamp},
    types::RDKafkaRespErr,
};
use std::{borrow::Cow, ffi::CStr, ptr, slice};
use wire::{DataView, Flags, HeaderView, Millis, RecordView, codec, record_limits};

/// How much of a record is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What fits a message to a tab.
    Heads,
    /// All of it.
    Whole,
}

/// Lends `message` as a record to `take`.
pub(crate) fn lend<T>(
    message: &BorrowedMessage<'_>,
    received: Millis,
    flags: Flags,
    extent: Extent,
    take: impl FnOnce(&RecordView<'_>) -> T,
) -> T {
    let (key_limit, value_limit) = match extent {
        Extent::Heads => (record_limits::KEY_HEAD, record_limits::VALUE_HEAD),
        Extent::Whole => (usize::MAX, usize::MAX),
    };
    let headers = headers(message);
    let views: Vec<_> = headers
        .iter()
        .map(|(name, value)| HeaderView { name, value: value.map(|value| DataView::cut(value, usize::MAX)) })
        .collect();
    let kept = match extent {
        Extent::Heads => codec::fit_headers(&views),
        Extent::Whole => views.len(),
    };
    take(&RecordView {
        seq: 0,
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp: timestamp(message.timestamp()),
        received,
        flags,
        key: message.key().map(|key| DataView::cut(key, key_limit)),
        value: message.payload().map(|value| DataView::cut(value, value_limit)),
        headers: &views[..kept],
        headers_left_out: u32::try_from(views.len() - kept).unwrap_or(u32::MAX),
    })
}

fn timestamp(timestamp: Timestamp) -> wire::Timestamp {
    match timestamp {
        Timestamp::NotAvailable => wire::Timestamp::None,
        Timestamp::CreateTime(at) => wire::Timestamp::Created(at),
        Timestamp::LogAppendTime(at) => wire::Timestamp::Appended(at),
    }
}

type Header<'a> = (Cow<'a, str>, Option<&'a [u8]>);

/// The headers in their order. Not by rdkafka's own way, which panics when a name is not UTF-8.
fn headers<'a>(message: &'a BorrowedMessage<'_>) -> Vec<Header<'a>> {
    let mut headers = ptr::null_mut();
    // SAFETY: the message is librdkafka's and lives as long as the borrow; it keeps the headers that it hands out.
    let found = unsafe { rd_kafka_message_headers(message.ptr(), &mut headers) };
    if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Vec::new();
    }
    let header_at = |index| {
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: `headers` is the message's, see above; the three places live through the call.
        let found = unsafe { rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size) };
        (found == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| {
            // SAFETY: librdkafka ends every header's name with a NUL, and keeps it with the message.
            let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
            // SAFETY: a value that is not null has `size` bytes, and is kept with the message.
            let value = (!value.is_null()).then(|| unsafe { slice::from_raw_parts(value.cast::<u8>(), size) });
            (name, value)
        })
    };
    (0..).map_while(header_at).collect()
}
