//! CSV (RFC 4180), for spreadsheets: a header row, a row for each record and each gap, and in front the mark by which they know
//! UTF-8. Programs have the JSON lines.
//!
//! Text that a spreadsheet would take for a formula, and run, stands behind an apostrophe, and its column of encodings says so
//! (`guarded`), so that a program can take it away again. Numbers are no formulas.

use crate::text::{flags, time};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::borrow::Cow;
use wire::{Count, Data, Gap, Record, Row, Timestamp};

/// What makes spreadsheets read UTF-8.
const MARK: &str = "\u{feff}";

const COLUMNS: [&str; 16] = [
    "topic",
    "partition",
    "offset",
    "timestamp",
    "timestamp_type",
    "received",
    "consumed_by",
    "flags",
    "key_encoding",
    "key",
    "value_encoding",
    "value",
    "headers",
    "cut",
    "not_shown_to",
    "not_shown_count",
];

/// The rows under their names.
pub(super) fn table(rows: &[Row<'_>]) -> Vec<u8> {
    part(rows, true)
}

/// A part of a table; the first one begins with the names.
pub(super) fn part(rows: &[Row<'_>], is_first: bool) -> Vec<u8> {
    let begin = if is_first { Vec::from(MARK) } else { Vec::new() };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(begin);
    let names = is_first.then(|| COLUMNS.map(Cow::Borrowed));
    let rows = rows.iter().map(|row| match row {
        Row::Record { record, consumed_by } => of_record(record, consumed_by.as_deref().unwrap_or_default()),
        Row::Gap(gap) => of_gap(gap),
    });
    for cells in names.into_iter().chain(rows) {
        writer.write_record(cells.iter().map(|cell| cell.as_bytes())).expect("a Vec takes any row of so many cells");
    }
    writer.into_inner().expect("a Vec takes any row")
}

fn of_record<'a>(record: &'a Record, consumed_by: &'a str) -> [Cow<'a, str>; COLUMNS.len()] {
    let (timestamp_type, timestamp) = match record.timestamp {
        Timestamp::None => ("", String::new()),
        Timestamp::Created(at) => ("CreateTime", time(at)),
        Timestamp::Appended(at) => ("LogAppendTime", time(at)),
    };
    let (key_encoding, key) = cell(record.key.as_ref());
    let (value_encoding, value) = cell(record.value.as_ref());
    [
        guarded(&record.topic),
        record.partition.to_string().into(),
        record.offset.to_string().into(),
        timestamp.into(),
        timestamp_type.into(),
        time(record.received).into(),
        guarded(consumed_by),
        flags(record.flags).into(),
        key_encoding.into(),
        key,
        value_encoding.into(),
        value,
        serde_json::to_string(&record.headers).expect("headers have string keys and no failing Serialize").into(),
        cut(record).into(),
        Cow::default(),
        Cow::default(),
    ]
}

fn of_gap(gap: &Gap) -> [Cow<'_, str>; COLUMNS.len()] {
    let mut cells = [const { Cow::Borrowed("") }; COLUMNS.len()];
    cells[0] = guarded(&gap.topic);
    cells[1] = gap.partition.to_string().into();
    cells[2] = gap.first.to_string().into();
    cells[14] = gap.last.to_string().into();
    cells[15] = match gap.count {
        Count::Exact(count) => count.to_string(),
        Count::UpTo(count) => format!("up to {count}"),
    }
    .into();
    cells
}

/// How a key or a value is written, and it.
fn cell(data: Option<&Data>) -> (&'static str, Cow<'_, str>) {
    match data.map(|data| (data, data.text())) {
        None => ("null", "".into()),
        Some((_, Some(text))) if is_formula(text) => ("guarded", guarded(text)),
        Some((_, Some(text))) => ("text", text.into()),
        Some((data, None)) => ("base64", BASE64_STANDARD.encode(&data.head).into()),
    }
}

/// Whether a spreadsheet would take it for a formula.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && text.parse::<f64>().is_err()
}

fn guarded(text: &str) -> Cow<'_, str> {
    if is_formula(text) { format!("'{text}").into() } else { text.into() }
}

/// What of the record is not in its row.
fn cut(record: &Record) -> String {
    let cut = |name, data: &Option<Data>| {
        let data = data.as_ref().filter(|data| data.is_cut())?;
        Some(format!("{name}: {} of {} bytes", data.text().map_or(data.head.len(), str::len), data.size))
    };
    let headers = (record.headers_left_out > 0).then(|| format!("headers: {} left out", record.headers_left_out));
    [cut("key", &record.key), cut("value", &record.value), headers].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::download::example;

    #[test]
    fn a_row_holds_what_a_record_holds_and_a_gap_is_named() {
        let text = String::from_utf8(table(&example())).unwrap();
        let expected = [
            "\u{feff}topic,partition,offset,timestamp,timestamp_type,received,consumed_by,flags,key_encoding,key,\
                value_encoding,value,headers,cut,not_shown_to,not_shown_count",
            "orders,2,9007199254740993,2026-09-21T14:13:20.000Z,CreateTime,2026-09-21T14:13:20.007Z,ottla-2,\
                redelivered loaded,text,\"訂單 \"\"17\"\"\",text,\"a,b\r\nc\",\
                \"[{\"\"name\"\":\"\"trace\"\",\"\"value\"\":{\"\"base64\"\":\"\"AP8=\"\"}}]\",,,",
            "orders,0,8,,,,,,,,,,,,19,up to 12",
            "orders,2,5,,,2026-09-21T14:13:20.007Z,,,null,,base64,/wA=,[],value: 2 of 5000000 bytes; headers: 3 left out,,",
            "",
        ];
        assert_eq!(text, expected.join("\r\n"));
    }

    #[test]
    fn nothing_that_would_run_in_a_spreadsheet_is_left_bare() {
        for text in ["=1+1", "@SUM(A1)", "+cmd|'/c calc'!A1", "-2+3", "\t=1", "\r=1", "-"] {
            let data = Data::whole(text);
            assert_eq!(cell(Some(&data)), ("guarded", format!("'{text}").into()));
        }
        for text in ["-5", "+1.5e3", "-9223372036854775808", "{\"a\":\"=1\"}", "a=1", "'=1", ""] {
            assert_eq!(cell(Some(&Data::whole(text))), ("text", text.into()));
        }
        assert_eq!(cell(None), ("null", "".into()));
    }
}
