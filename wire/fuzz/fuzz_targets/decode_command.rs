//! Any bytes as a command, in both codecs. What decodes has to read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::codec;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(command) = codec::decode_command(bytes) {
        let again = codec::decode_command(&codec::encode_command(&command));
        assert_eq!(again.expect("written by us"), command);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = codec::command_from_json(text);
    }
});
