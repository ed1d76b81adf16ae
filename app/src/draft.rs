//! A message while it is written: the fields' signals, their check, sending. Shared by the composer and the produce page;
//! what they look like is theirs.

use crate::{api, browser, live::clock, tab::Tab};
use leptos::{prelude::*, task::spawn_local};
use wire::{Encoding, Field, FieldError, HeaderInput, Limits, ProduceError, ProduceInput, Receipt};

/// How sending ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing was sent yet.
    None,
    /// On its way.
    Sending,
    /// Stored.
    Sent(Receipt),
    /// Refused, by the check or by Kafka.
    Failed(ProduceError),
    /// The server did not answer, so nobody knows.
    NoAnswer,
}

/// A header's line in a form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderLine {
    /// Tells lines apart, whatever is in them.
    pub id: u32,
    /// The name.
    pub name: RwSignal<String>,
    /// The value.
    pub value: RwSignal<String>,
}

/// A message while it is written. A handle; copies are the same draft.
#[derive(Clone, Copy)]
pub struct Draft {
    /// See [`ProduceInput`], for this and the fields that follow.
    pub topic: RwSignal<String>,
    pub partition: RwSignal<String>,
    pub key_encoding: RwSignal<Encoding>,
    pub key: RwSignal<String>,
    pub value_encoding: RwSignal<Encoding>,
    pub value: RwSignal<String>,
    pub allow_empty: RwSignal<bool>,
    pub headers: RwSignal<Vec<HeaderLine>>,
    /// What is wrong, as far as was looked.
    pub errors: RwSignal<Vec<FieldError>>,
    /// How sending ended.
    pub outcome: RwSignal<Outcome>,
    limits: Limits,
    next_header: StoredValue<u32>,
}

impl Draft {
    /// A draft that begins as `input`, and, where it comes back from the server, with what was wrong with it.
    pub fn new(input: &ProduceInput, error: Option<ProduceError>, limits: Limits) -> Self {
        let errors = match &error {
            Some(ProduceError::Invalid(errors)) => errors.clone(),
            _ => Vec::new(),
        };
        let draft = Self {
            topic: RwSignal::new(input.topic.clone()),
            partition: RwSignal::new(input.partition.clone()),
            key_encoding: RwSignal::new(input.key_encoding),
            key: RwSignal::new(input.key.clone()),
            value_encoding: RwSignal::new(input.value_encoding),
            value: RwSignal::new(input.value.clone()),
            allow_empty: RwSignal::new(input.allow_empty),
            headers: RwSignal::default(),
            errors: RwSignal::new(errors),
            outcome: RwSignal::new(error.map_or(Outcome::None, Outcome::Failed)),
            limits,
            next_header: StoredValue::new(0),
        };
        for header in &input.headers {
            draft.add_header(header);
        }
        draft
    }

    /// The message as it is written now.
    pub fn input(self) -> ProduceInput {
        let headers = self.headers.get_untracked();
        ProduceInput {
            topic: self.topic.get_untracked(),
            partition: self.partition.get_untracked(),
            key_encoding: self.key_encoding.get_untracked(),
            key: self.key.get_untracked(),
            value_encoding: self.value_encoding.get_untracked(),
            value: self.value.get_untracked(),
            allow_empty: self.allow_empty.get_untracked(),
            headers: headers
                .into_iter()
                .map(|line| HeaderInput { name: line.name.get_untracked(), value: line.value.get_untracked() })
                .collect(),
        }
    }

    /// Adds a line for a header.
    pub fn add_header(self, header: &HeaderInput) {
        let id = self.next_header.get_value();
        self.next_header.set_value(id + 1);
        let line =
            HeaderLine { id, name: RwSignal::new(header.name.clone()), value: RwSignal::new(header.value.clone()) };
        self.headers.update(|headers| headers.push(line));
    }

    /// Takes a header's line away, and what was said about it.
    pub fn remove_header(self, id: u32) {
        self.headers.update(|headers| headers.retain(|line| line.id != id));
        self.errors.update(|errors| errors.retain(|error| !matches!(error.field, Field::Header(_))));
    }

    /// Checks a field that was left, with the same code as the server.
    pub fn check(self, field: Field) {
        let found = self.mistakes();
        self.errors.update(|errors| {
            errors.retain(|error| error.field != field);
            errors.extend(found.into_iter().filter(|error| error.field == field));
        });
    }

    /// Empties what differs from message to message.
    pub fn clear(self) {
        self.key.set(String::new());
        self.value.set(String::new());
        self.headers.set(Vec::new());
        self.errors.set(Vec::new());
        self.outcome.set(Outcome::None);
    }

    /// Checks everything and sends. On an error nothing that was typed is lost, and `field_id` tells which element takes
    /// the focus; `sent` is called when the message is stored.
    pub fn send(self, tab: Tab, field_id: fn(Field) -> String, sent: impl FnOnce() + 'static) {
        if self.outcome.get_untracked() == Outcome::Sending {
            return;
        }
        let mistakes = self.mistakes();
        if !mistakes.is_empty() {
            self.refuse(mistakes, field_id);
            return;
        }
        self.errors.set(Vec::new());
        self.outcome.set(Outcome::Sending);
        let sent_at = clock();
        spawn_local(async move {
            match api::produce(self.input()).await {
                Ok(Ok(receipt)) => {
                    tab.live.sent(receipt.clone(), sent_at);
                    self.outcome.set(Outcome::Sent(receipt));
                    sent();
                }
                Ok(Err(ProduceError::Invalid(mistakes))) => self.refuse(mistakes, field_id),
                Ok(Err(error)) => self.outcome.set(Outcome::Failed(error)),
                Err(_) => self.outcome.set(Outcome::NoAnswer),
            }
        });
    }

    fn refuse(self, mistakes: Vec<FieldError>, field_id: fn(Field) -> String) {
        if let Some(first) = mistakes.first() {
            browser::focus(&field_id(first.field));
        }
        self.errors.set(mistakes.clone());
        self.outcome.set(Outcome::Failed(ProduceError::Invalid(mistakes)));
    }

    fn mistakes(self) -> Vec<FieldError> {
        // The server generates the real key; any text stands for it here.
        self.input().check(self.limits, String::new).err().unwrap_or_default()
    }
}

/// An encoding by its name in a form.
pub fn encoding(name: &str) -> Encoding {
    [Encoding::Text, Encoding::Json, Encoding::Base64, Encoding::Null]
        .into_iter()
        .find(|encoding| encoding.name() == name)
        .unwrap_or_default()
}
