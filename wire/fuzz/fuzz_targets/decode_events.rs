//! Any bytes as a message of events, in both codecs. What decodes has to read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::codec;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(events) = codec::decode_events(bytes) {
        for event in events {
            let json = codec::event_to_json(&event);
            assert_eq!(codec::event_from_json(&json).expect("written by us"), event);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = codec::event_from_json(text);
    }
});
