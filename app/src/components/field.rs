//! A form's field: label, control, what is wrong with it, a hint.

use super::icon;
use leptos::prelude::*;

/// The line under a field that says what is wrong, as `{id}-error`.
pub fn error_line(id: &str, error: impl Fn() -> Option<String> + Copy + Send + 'static) -> AnyView {
    let id = format!("{id}-error");
    view! {
        <p class="error" id=id hidden=move || error().is_none()>
            {icon("error")}
            <span>{error}</span>
        </p>
    }
    .into_any()
}

/// A field around its control. The control has the id `id` and is described by `{id}-error {id}-hint`.
#[component]
pub fn FieldBox<E>(
    /// The control's id.
    id: &'static str,
    /// Its name for people.
    label: &'static str,
    /// `required` or `optional`, in the reader's language.
    #[prop(optional)]
    note: &'static str,
    /// A line of help.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong.
    error: E,
    /// The control.
    children: Children,
) -> impl IntoView
where
    E: Fn() -> Option<String> + Copy + Send + 'static,
{
    view! {
        <div class="field">
            <label for=id>
                {label}
                " "
                <small>{note}</small>
            </label>
            {children()}
            {error_line(id, error)}
            <p class="hint" id=format!("{id}-hint") hidden=hint.is_empty()>{hint.clone()}</p>
        </div>
    }
    .into_any()
}
