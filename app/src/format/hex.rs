//! Bytes in hexadecimal.

use std::fmt::Write;

/// How many bytes a line of [`dump`] shows: what fits the detail view's width.
const LINE: usize = 8;

/// `0a 06 6f`: the first `limit` bytes in one line.
pub fn line(bytes: &[u8], limit: usize) -> String {
    let mut out = String::with_capacity(limit.min(bytes.len()) * 3);
    for (at, byte) in bytes.iter().take(limit).enumerate() {
        let space = if at == 0 { "" } else { " " };
        let _ = write!(out, "{space}{byte:02x}");
    }
    out
}

/// The first `limit` bytes as lines of offset, bytes and printable characters, as `hexdump -C` writes them.
pub fn dump(bytes: &[u8], limit: usize) -> String {
    let mut out = String::new();
    for (number, chunk) in bytes[..bytes.len().min(limit)].chunks(LINE).enumerate() {
        let printable: String =
            chunk.iter().map(|&byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '.' }).collect();
        let width = LINE * 3 - 1;
        let _ = writeln!(out, "{:04x}  {:<width$}  {printable}", number * LINE, line(chunk, LINE));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_first_bytes() {
        assert_eq!(line(&[0x0a, 0xff, 0], 2), "0a ff");
        assert_eq!(line(&[], 2), "");
    }

    #[test]
    fn a_dump_shows_offset_bytes_and_characters() {
        assert_eq!(
            dump(b"{\"order\xff\x00\n", 64),
            "0000  7b 22 6f 72 64 65 72 ff  {\"order.\n0008  00 0a                    ..\n"
        );
        assert_eq!(dump(&[0; 100], 16).lines().count(), 2);
    }
}
