//! A record as the consumer's thread lends it.

use wire::{Data, DataView, HeaderView, Record, RecordView};

/// Lends `record` to `use_it`.
pub fn with_view<T>(record: &Record, use_it: impl FnOnce(&RecordView<'_>) -> T) -> T {
    fn data(data: &Option<Data>) -> Option<DataView<'_>> {
        data.as_ref().map(DataView::from)
    }
    let headers: Vec<_> =
        record.headers.iter().map(|header| HeaderView { name: &header.name, value: data(&header.value) }).collect();
    use_it(&RecordView {
        seq: record.seq,
        topic: &record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        received: record.received,
        flags: record.flags,
        key: data(&record.key),
        value: data(&record.value),
        headers: &headers,
        headers_left_out: record.headers_left_out,
    })
}
