//! Text into HTML.

/// Appends `text` to `html` so that it reads as text, inside an element or inside a quoted attribute.
pub fn escape_into(text: &str, html: &mut String) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
    }
}

/// The first `limit` characters of `text`, and whether that is less than all.
pub fn clip(text: &str, limit: usize) -> (&str, bool) {
    match text.char_indices().nth(limit) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_can_become_markup() {
        let mut html = String::new();
        escape_into("<img src=x onerror='a' title=\"b\">&amp;", &mut html);
        assert_eq!(html, "&lt;img src=x onerror=&#39;a&#39; title=&quot;b&quot;&gt;&amp;amp;");
    }

    #[test]
    fn clipping_counts_characters_not_bytes() {
        assert_eq!(clip("請於週末配送", 2), ("請於", true));
        assert_eq!(clip("ab", 2), ("ab", false));
    }
}
