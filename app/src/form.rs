//! A message as a form has it: the names of its fields, and what comes back when it could not be produced.

use wire::{Encoding, Field, Place, ProduceError, ProduceInput};

/// A form that was posted without JavaScript and could not be produced. The server puts it into the context when it renders
/// the form's page again, with status 422.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFailure {
    /// What was typed.
    pub input: ProduceInput,
    /// What is wrong with it.
    pub error: ProduceError,
}

/// A record that was to be sent again, and was not.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgainFailure {
    /// The topic that it was to go to.
    pub to: String,
    /// Why.
    pub error: engine::AgainError,
}

/// A message that was produced, as far as a page tells: the receipt's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Where it was stored.
    pub place: Place,
    /// How long the acknowledgement took, in microseconds.
    pub acked_in: u64,
}

/// Stands for a header line's number where the browser is to put one.
pub const NEW_LINE: &str = "{line}";

/// The name of a field's control.
pub fn name(field: Field) -> &'static str {
    match field {
        Field::Topic => "topic",
        Field::Partition => "partition",
        Field::Key => "key",
        Field::Value => "value",
        Field::Header(_) => "header_name",
    }
}

/// An encoding by its name in a form.
pub fn encoding(name: &str) -> Encoding {
    [Encoding::Text, Encoding::Json, Encoding::Base64, Encoding::Null]
        .into_iter()
        .find(|encoding| encoding.name() == name)
        .unwrap_or_default()
}

#[cfg(feature = "ssr")]
impl Posted {
    /// Of a page's address, if it is one that a form leads to.
    pub fn of(query: &leptos_router::params::ParamsMap) -> Option<Self> {
        let place = Place {
            topic: query.get("topic")?,
            partition: query.get("partition")?.parse().ok()?,
            offset: query.get("offset")?.parse().ok()?,
        };
        wire::check_topic_name(&place.topic).ok()?;
        Some(Self { place, acked_in: query.get("acked_in")?.parse().ok()? })
    }
}
