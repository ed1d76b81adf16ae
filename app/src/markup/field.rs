//! What is wrong with a form's field. A control's first `aria-describedby` names this line.

use super::icon::icon;
use maud::{Markup, html};

/// The line that says what is wrong.
pub fn error(id: &str, text: Option<&str>) -> Markup {
    html! {
        p.error id=(id) hidden[text.is_none()] {
            (icon("error"))
            span { (text.unwrap_or_default()) }
        }
    }
}
