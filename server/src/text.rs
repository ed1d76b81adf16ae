//! How parts of a record are written as text, for files and for the terminal.

use wire::{Flags, Millis};

/// The names of what is known of an earlier consumption, with spaces between them.
pub(crate) fn flags(flags: Flags) -> String {
    let all = [
        (Flags::REDELIVERED, "redelivered"),
        (Flags::POSSIBLY_REDELIVERED, "possibly_redelivered"),
        (Flags::REPLAYED, "replayed"),
        (Flags::DUPLICATE, "duplicate"),
        (Flags::LOADED, "loaded"),
    ];
    all.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| name).collect::<Vec<_>>().join(" ")
}

/// RFC 3339 in UTC; the number, where no calendar reaches.
pub(crate) fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
}
