//! The JSON examples of `docs/PROTOCOL.md`.

/// The document.
pub const DOCUMENT: &str = include_str!("../../../docs/PROTOCOL.md");

/// The examples of one kind: the blocks that begin with "```json" and the kind.
pub fn examples(kind: &str) -> Vec<&'static str> {
    let opening = format!("```json {kind}\n");
    let blocks = DOCUMENT.split(opening.as_str()).skip(1);
    blocks.map(|block| block.split_once("\n```").expect("every block is closed").0).collect()
}
