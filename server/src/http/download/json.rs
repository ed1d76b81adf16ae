//! JSON lines: a record as the subprotocol `ottla.v1.json` has it, and by whom it was consumed; a gap as that protocol's event.

use serde::Serialize;
use wire::{Gap, Record, Row};

#[derive(Serialize)]
#[serde(untagged)]
enum Line<'a> {
    Record {
        #[serde(flatten)]
        record: &'a Record,
        consumed_by: Option<&'a str>,
    },
    Gap {
        gap: &'a Gap,
    },
}

/// Each row on a line of its own.
pub(super) fn lines(rows: &[Row<'_>]) -> Vec<u8> {
    let mut lines = Vec::new();
    for row in rows {
        let line = match row {
            Row::Record { record, consumed_by } => Line::Record { record, consumed_by: consumed_by.as_deref() },
            Row::Gap(gap) => Line::Gap { gap },
        };
        serde_json::to_writer(&mut lines, &line).expect("a row has string keys and no failing Serialize");
        lines.push(b'\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::download::example;

    #[test]
    fn a_line_is_what_the_protocol_says_and_who_consumed_it() {
        let rows = example();
        let text = String::from_utf8(lines(&rows)).unwrap();
        let parsed: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(parsed.len(), 3);
        assert_eq!((&parsed[0]["offset"], &parsed[0]["consumed_by"]), (&"9007199254740993".into(), &"ottla-2".into()));
        assert_eq!(parsed[0]["headers"][0]["value"]["base64"], "AP8=");
        assert_eq!(
            parsed[1],
            serde_json::json!({ "gap": {
                "topic": "orders", "partition": 0, "first": "8", "last": "19", "count": { "up_to": "12" }, "now_with": null,
            }})
        );
        assert_eq!(parsed[2]["value"], serde_json::json!({ "base64": "/wA=", "size": "5000000" }));
        // Nothing is lost.
        for (row, mut line) in rows.iter().zip(parsed) {
            let Row::Record { record, .. } = row else { continue };
            line.as_object_mut().unwrap().remove("consumed_by");
            assert_eq!(serde_json::from_value::<Record>(line).unwrap(), **record);
        }
    }
}
