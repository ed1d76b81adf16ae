//! What an instance that changes nothing in the cluster shows where it would be changed.

use super::Content;
use crate::{markup::empty::empty, reader::Reader};
use leptos_i18n::td_string;
use maud::html;

/// The page instead of a form's, and of what came of one that was posted nevertheless.
pub fn content(reader: &Reader) -> Content {
    let locale = reader.locale;
    let title = td_string!(locale, read_only.title);
    let text = html! { (td_string!(locale, read_only.means)) };
    let actions = html! { a.btn.primary href="/" { (td_string!(locale, nav.feed)) } };
    Content::plain(
        title,
        html! {
            h1.sr { (title) }
            section.card { (empty("lock", title, &text, &actions)) }
        },
    )
}
