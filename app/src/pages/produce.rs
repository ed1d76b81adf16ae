//! `/produce`: the full form. Works without JavaScript: a post that fails comes back with what was typed, one that succeeds
//! leads to an address that carries the receipt.

use crate::{
    api::{self, FormFailure, form_failure},
    browser,
    components::{
        FieldBox, Posted, SentTable, StaticBanner, banner, copy_button, error_line, icon, instance, receipt,
        with_snapshot,
    },
    draft::{Draft, HeaderLine, Outcome, encoding},
    format::{html, number::bytes, value::plain},
    i18n::Locale,
    tab::{Tab, use_tab},
    words,
};
use leptos::{ev, prelude::*};
use leptos_i18n::td_string;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use wire::{Encoding, Field, HeaderInput, Place, ProduceError, ProduceInput, Snapshot};

/// Empty lines for headers that a form without JavaScript offers.
const HEADER_LINES: usize = 3;

/// The page.
#[component]
pub fn Produce() -> impl IntoView {
    let locale = use_tab().locale;
    let failure = form_failure();
    let again = again();
    view! {
        <Title text=td_string!(locale, nav.produce)/>
        <main class="main" id="main" tabindex="-1">
            {with_snapshot(move |snapshot| {
                let content = move || {
                    let snapshot = snapshot.clone();
                    Suspend::new(async move {
                        let failure = failure.await;
                        let again = again.await;
                        content(snapshot, failure, again)
                    })
                };
                view! { <Suspense>{content}</Suspense> }.into_any()
            })}
        </main>
    }
}

/// The message to begin with: a copy of a record (`?again=PLACE`), or an empty one (`?to=TOPIC`).
fn again() -> Resource<Option<ProduceInput>> {
    let query = use_query_map();
    let asked = move || query.with(|query| (query.get("again").and_then(|place| place.parse().ok()), query.get("to")));
    Resource::new_blocking(asked, |(place, topic): (Option<Place>, Option<String>)| async move {
        match (place, topic) {
            (Some(place), _) => Some(copy_of(api::record(place).await.ok()?.ok()?)),
            (None, Some(topic)) => Some(ProduceInput { topic, ..Default::default() }),
            (None, None) => None,
        }
    })
}

/// A message like `record`. What is not text is given in base64.
fn copy_of(record: wire::Record) -> ProduceInput {
    use base64::{Engine, prelude::BASE64_STANDARD};
    let field = |data: Option<wire::Data>| match data {
        None => (Encoding::Null, String::new()),
        Some(data) => match data.text() {
            Some(text) => (Encoding::Text, text.to_owned()),
            None => (Encoding::Base64, BASE64_STANDARD.encode(&data.head)),
        },
    };
    let (key_encoding, key) = field(record.key);
    let (value_encoding, value) = field(record.value);
    let headers = record
        .headers
        .into_iter()
        .map(|header| HeaderInput { name: header.name, value: header.value.as_ref().map(plain).unwrap_or_default() });
    ProduceInput {
        topic: record.topic,
        partition: String::new(),
        key_encoding,
        key,
        value_encoding,
        allow_empty: value.is_empty(),
        value,
        headers: headers.collect(),
    }
}

fn content(snapshot: Snapshot, failure: Option<FormFailure>, again: Option<ProduceInput>) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let (input, error) = match (failure, again) {
        (Some(FormFailure { input, error }), _) => (input, Some(error)),
        (None, Some(input)) => (input, None),
        (None, None) => {
            let topic = snapshot.topics.first().cloned().unwrap_or_default();
            (ProduceInput { topic, ..Default::default() }, None)
        }
    };
    let draft = Draft::new(&input, error, snapshot.limits);
    let blank = HEADER_LINES.saturating_sub(input.headers.len());
    (0..blank).for_each(|_| draft.add_header(&HeaderInput::default()));
    let serving = tab.live.instance();
    let limit = bytes(snapshot.limits.message_bytes);
    let default_topic = snapshot.topics.first().cloned().unwrap_or_default();
    view! {
        <div class="page">
            <header>
                <h1>{td_string!(locale, produce.title)}</h1>
                <p class="muted">
                    {td_string!(locale, produce.sent_through)}
                    " "
                    {move || instance(&serving.get(), true)}
                </p>
            </header>
            <StaticBanner at=snapshot.at/>
            {outcome(draft)}
            <div class="split">
                <Form draft topics=snapshot.topics limit=limit.clone()/>
                <div class="stack">
                    <Help limit/>
                    <Terminal topic=default_topic/>
                    <SentTable/>
                </div>
            </div>
        </div>
    }
    .into_any()
}

/// How sending ended, above the form; at first what the address tells of a form that was posted.
fn outcome(draft: Draft) -> AnyView {
    let tab = use_tab();
    let locale = tab.locale;
    let posted = Posted::from_query();
    (move || match draft.outcome.get() {
        Outcome::None => posted.clone().map(|posted| stored(posted.place, posted.acked_in)).into_any(),
        Outcome::Sending => ().into_any(),
        Outcome::Sent(receipt) => {
            let place = Place { topic: receipt.topic, partition: receipt.partition, offset: receipt.offset };
            stored(place, receipt.acked_in)
        }
        Outcome::Failed(error) => {
            let (what, why) = words::produce_error(locale, &error);
            let tone = if matches!(error, ProduceError::TimedOut { .. }) { "warn" } else { "danger" };
            banner(tone, what, why)
        }
        Outcome::NoAnswer => {
            banner("danger", td_string!(locale, produce.no_answer), td_string!(locale, produce.no_answer_hint))
        }
    })
    .into_any()
}

fn stored(place: Place, acked_in: u64) -> AnyView {
    let locale = use_tab().locale;
    view! {
        <div class="banner" data-tone="ok" role="status">
            <p class="wrap"><b>{td_string!(locale, produce.stored)}</b> {receipt(place, acked_in)}</p>
            <a class="link" href="/">{td_string!(locale, produce.show_in_feed)}</a>
        </div>
    }
    .into_any()
}

fn field_id(field: Field) -> String {
    match field {
        Field::Topic => "topic".into(),
        Field::Partition => "partition".into(),
        Field::Key => "key".into(),
        Field::Value => "value".into(),
        Field::Header(index) => format!("header-{index}"),
    }
}

#[component]
fn Form(draft: Draft, topics: Vec<String>, limit: String) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let send = move || draft.send(tab, field_id, || ());
    let on_keydown = move |event: ev::KeyboardEvent| {
        if event.key() == "Enter" && (event.ctrl_key() || event.meta_key()) {
            event.prevent_default();
            send();
        }
    };
    view! {
        <form
            class="card"
            method="post"
            action="/produce"
            aria-label=td_string!(locale, nav.produce)
            novalidate
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
            on:keydown=on_keydown
        >
            <input type="hidden" name="back" value="/produce"/>
            <header><h2>{td_string!(locale, produce.message)}</h2></header>
            <div class="body">
                <div class="pair">
                    {topic_field(tab, draft, topics)}
                    {key_field(tab, draft)}
                    {partition_field(tab, draft)}
                </div>
                {value_field(tab, draft, limit)}
                {headers_field(tab, draft)}
            </div>
            <footer>
                <button
                    class="btn primary"
                    id="send"
                    disabled=move || draft.outcome.get() == Outcome::Sending
                    // The field keeps the focus: its check would move this button away from under the press.
                    on:mousedown=move |event| event.prevent_default()
                >
                    {icon("send")}
                    {td_string!(locale, compose.send)}
                    <kbd class="only-wide">"Ctrl ↵"</kbd>
                </button>
                <span class="muted" role="status">
                    {move || (draft.outcome.get() == Outcome::Sending).then(|| td_string!(locale, compose.sending))}
                </span>
                <button type="button" class="btn quiet push needs-script" on:click=move |_| draft.clear()>
                    {td_string!(locale, produce.clear)}
                </button>
            </footer>
        </form>
    }
    .into_any()
}

/// A line of text bound to a draft's field, checked when it is left.
fn text_input(
    id: &'static str,
    name: &'static str,
    text: RwSignal<String>,
    placeholder: &'static str,
    draft: Draft,
    field: Field,
) -> AnyView {
    let is_wrong = move || draft.errors.with(|errors| errors.iter().any(|error| error.field == field));
    view! {
        <input
            class="input mono"
            id=id
            name=name
            list=(field == Field::Topic).then_some("topics")
            autocomplete="off"
            spellcheck="false"
            placeholder=placeholder
            aria-describedby=format!("{id}-error {id}-hint")
            aria-invalid=move || is_wrong().then_some("true")
            value=text.get_untracked()
            prop:value=move || text.get()
            on:input=move |event| text.set(event_target_value(&event))
            on:blur=move |_| draft.check(field)
        />
    }
    .into_any()
}

/// A choice of encodings, as a plain group of radio buttons.
fn encodings(
    name: &'static str,
    legend: &'static str,
    chosen: RwSignal<Encoding>,
    choices: Vec<(Encoding, &'static str)>,
) -> AnyView {
    let choices = choices
        .into_iter()
        .map(|(choice, label)| {
            view! {
                <label>
                    <input
                        type="radio"
                        name=name
                        value=choice.name()
                        autocomplete="off"
                        checked=chosen.get_untracked() == choice
                        prop:checked=move || chosen.get() == choice
                        on:change=move |event| chosen.set(encoding(&event_target_value(&event)))
                    />
                    {label}
                </label>
            }
        })
        .collect_view();
    view! { <fieldset class="seg"><legend class="sr">{legend}</legend>{choices}</fieldset> }.into_any()
}

fn topic_field(tab: Tab, draft: Draft, topics: Vec<String>) -> AnyView {
    let locale = tab.locale;
    let error = error(locale, draft, Field::Topic);
    let options = topics.into_iter().map(|topic| view! { <option value=topic></option> }).collect_view();
    view! {
        <FieldBox id="topic" label=td_string!(locale, produce.topic) note=td_string!(locale, produce.required) error>
            {text_input("topic", "topic", draft.topic, "", draft, Field::Topic)}
            <datalist id="topics">{options}</datalist>
        </FieldBox>
    }
    .into_any()
}

fn key_field(tab: Tab, draft: Draft) -> AnyView {
    let locale = tab.locale;
    let error = error(locale, draft, Field::Key);
    let choices = vec![
        (Encoding::Auto, td_string!(locale, produce.generated)),
        (Encoding::Text, td_string!(locale, produce.text)),
        (Encoding::Base64, "base64"),
        (Encoding::Null, td_string!(locale, produce.none)),
    ];
    view! {
        <FieldBox
            id="key"
            label=td_string!(locale, produce.key)
            note=td_string!(locale, produce.optional)
            hint=td_string!(locale, produce.key_hint)
            error
        >
            {text_input("key", "key", draft.key, td_string!(locale, produce.key_placeholder), draft, Field::Key)}
            {encodings("key_encoding", td_string!(locale, produce.key_as), draft.key_encoding, choices)}
        </FieldBox>
    }
    .into_any()
}

fn partition_field(tab: Tab, draft: Draft) -> AnyView {
    let locale = tab.locale;
    let error = error(locale, draft, Field::Partition);
    let placeholder = td_string!(locale, produce.automatic);
    view! {
        <FieldBox
            id="partition"
            label=td_string!(locale, produce.partition)
            note=td_string!(locale, produce.optional)
            hint=td_string!(locale, produce.partition_hint)
            error
        >
            {text_input("partition", "partition", draft.partition, placeholder, draft, Field::Partition)}
        </FieldBox>
    }
    .into_any()
}

fn value_field(tab: Tab, draft: Draft, limit: String) -> AnyView {
    let locale = tab.locale;
    let error = error(locale, draft, Field::Value);
    let choices = vec![
        (Encoding::Text, td_string!(locale, produce.text)),
        (Encoding::Json, "JSON"),
        (Encoding::Base64, "base64"),
        (Encoding::Null, td_string!(locale, produce.tombstone)),
    ];
    if draft.value_encoding.get_untracked() == Encoding::Auto {
        draft.value_encoding.set(Encoding::Text);
    }
    let is_wrong = move || error().map(|_| "true");
    let size = move || {
        td_string!(locale, produce.size_of, size = bytes(draft.value.with(String::len) as u64), limit = limit.as_str())
    };
    view! {
        <div class="field">
            <div class="wrap">
                <label for="value">
                    <b>{td_string!(locale, produce.value)}</b>
                    " "
                    <small>{td_string!(locale, produce.required)}</small>
                </label>
                <span class="push"></span>
                {encodings("value_encoding", td_string!(locale, produce.value_as), draft.value_encoding, choices)}
            </div>
            <textarea
                class="input mono"
                id="value"
                name="value"
                rows="9"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="value-error value-hint"
                aria-invalid=is_wrong
                prop:value=move || draft.value.get()
                prop:disabled=move || draft.value_encoding.get() == Encoding::Null
                on:input=move |event| draft.value.set(event_target_value(&event))
                on:blur=move |_| draft.check(Field::Value)
                inner_html=html::textarea(&draft.value.get_untracked())
            ></textarea>
            {error_line("value", error)}
            <p class="hint wrap" id="value-hint">
                <span>{move || value_hint(locale, draft.value_encoding.get())}</span>
                <span class="push num">{size}</span>
            </p>
            <label class="check">
                <input
                    type="checkbox"
                    name="allow_empty"
                    autocomplete="off"
                    checked=draft.allow_empty.get_untracked()
                    prop:checked=move || draft.allow_empty.get()
                    on:change=move |event| {
                        draft.allow_empty.set(event_target_checked(&event));
                        draft.check(Field::Value);
                    }
                />
                <span>{td_string!(locale, produce.allow_empty)}</span>
            </label>
        </div>
    }
    .into_any()
}

fn value_hint(locale: Locale, encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Auto | Encoding::Text => td_string!(locale, produce.text_hint),
        Encoding::Json => td_string!(locale, produce.json_hint),
        Encoding::Base64 => td_string!(locale, produce.base64_hint),
        Encoding::Null => td_string!(locale, produce.null_hint),
    }
}

fn headers_field(tab: Tab, draft: Draft) -> AnyView {
    let locale = tab.locale;
    let line = move |index: ReadSignal<usize>, HeaderLine { id, name, value }: HeaderLine| {
        let field = move || Field::Header(u32::try_from(index.get()).unwrap_or(u32::MAX));
        let error = move || draft.errors.with(|errors| words::error_of(locale, errors, field()));
        let line_id = move || field_id(field());
        view! {
            <div class="header-line">
                <input
                    class="input mono"
                    id=line_id
                    name="header_name"
                    autocomplete="off"
                    aria-label=td_string!(locale, produce.header_name)
                    aria-invalid=move || error().map(|_| "true")
                    placeholder=td_string!(locale, produce.header_name)
                    value=name.get_untracked()
                    prop:value=move || name.get()
                    on:input=move |event| name.set(event_target_value(&event))
                    on:blur=move |_| draft.check(field())
                />
                <input
                    class="input mono"
                    name="header_value"
                    autocomplete="off"
                    aria-label=td_string!(locale, produce.header_value)
                    placeholder=td_string!(locale, produce.header_value)
                    value=value.get_untracked()
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                />
                <button
                    type="button"
                    class="btn quiet square needs-script"
                    aria-label=move || td_string!(locale, produce.remove_header, name = name.get())
                    on:click=move |_| draft.remove_header(id)
                >
                    {icon("x")}
                </button>
                {error_line(&format!("header-line-{id}"), error)}
            </div>
        }
        .into_any()
    };
    view! {
        <fieldset class="field">
            <legend class="label">
                {td_string!(locale, produce.headers)}
                " "
                <small>{td_string!(locale, produce.optional)}</small>
            </legend>
            <ForEnumerate each=move || draft.headers.get() key=|line| line.id children=line/>
            <div>
                <button type="button" class="btn needs-script" on:click=move |_| draft.add_header(&HeaderInput::default())>
                    {icon("plus")}
                    {td_string!(locale, produce.add_header)}
                </button>
            </div>
        </fieldset>
    }
    .into_any()
}

fn error(locale: Locale, draft: Draft, field: Field) -> impl Fn() -> Option<String> + Copy + Send + 'static {
    move || draft.errors.with(|errors| words::error_of(locale, errors, field))
}

#[component]
fn Help(limit: String) -> impl IntoView {
    let locale = use_tab().locale;
    view! {
        <section class="card">
            <header><h2>{td_string!(locale, help.title)}</h2></header>
            <div class="body">
                <p class="muted">{td_string!(locale, help.order)}</p>
                <dl class="kv">
                    <dt>{td_string!(locale, help.limit)}</dt>
                    <dd>{td_string!(locale, help.limit_text, limit)}</dd>
                    <dt>{td_string!(locale, produce.tombstone)}</dt>
                    <dd>{td_string!(locale, help.tombstone_text)}</dd>
                    <dt>{td_string!(locale, help.receipt)}</dt>
                    <dd><code>"topic[partition]@offset"</code> {td_string!(locale, help.receipt_text)}</dd>
                </dl>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn Terminal(topic: String) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    // The server does not know by which name it is reached; the browser does.
    let command = move || {
        let address = match tab.hydrated.get() {
            true => browser::absolute("/api/kafka/send"),
            false => "http://127.0.0.1:3000/api/kafka/send".to_owned(),
        };
        format!("curl {address} \\\n  -H 'content-type: application/json' \\\n  -d '\"hello\"'")
    };
    view! {
        <section class="card">
            <header>
                <h2>{td_string!(locale, help.terminal)}</h2>
                {copy_button(td_string!(locale, app.copy), None, command)}
            </header>
            <div class="body">
                <pre class="code" tabindex="0">{command}</pre>
                <p class="hint muted">{td_string!(locale, help.terminal_text, topic)}</p>
            </div>
        </section>
    }
    .into_any()
}
