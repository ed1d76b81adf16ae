//! A record in full: when, how large, headers, and its value as JSON, text and bytes. In the drawer and on the record's page.

use super::{copy_button, icon, row};
use crate::{
    format::{
        hex, json,
        number::{bytes, grouped},
        time,
        value::{is_json, plain},
    },
    tab::use_tab,
};
use leptos::prelude::*;
use leptos_i18n::td_string;
use wire::{Data, Header, Millis, Record, Timestamp};

/// How much of a value is shown in hexadecimal, in bytes.
const HEX_LIMIT: usize = 16 * 1024;

/// Everything there is to know of a record.
#[component]
pub fn Detail(
    /// The record.
    record: Record,
    /// Makes the ids and names of the value's tabs differ between two details on one page.
    id: &'static str,
    /// Loads the whole value, where only its head is here.
    #[prop(optional_no_strip)]
    load: Option<Callback<()>>,
) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let timestamp = match record.timestamp {
        Timestamp::Created(at) => Some((td_string!(locale, detail.created), at)),
        Timestamp::Appended(at) => Some((td_string!(locale, detail.appended), at)),
        Timestamp::None => None,
    };
    let size = |data: &Option<Data>| data.as_ref().map_or_else(|| "null".to_owned(), |data| bytes(data.size));
    let sizes = td_string!(locale, detail.sizes, key = size(&record.key), value = size(&record.value));
    view! {
        <dl class="kv">
            <dt>{td_string!(locale, produce.key)}</dt>
            <dd class="mono json" inner_html=row::data_html(locale, record.key.as_ref(), false)></dd>
            {timestamp.map(|(name, at)| moment(name, at))}
            {moment(td_string!(locale, detail.received), record.received)}
            <dt>{td_string!(locale, detail.size)}</dt>
            <dd>{sizes}</dd>
            <dt>{td_string!(locale, detail.delivery)}</dt>
            <dd class="how">{row::how(tab, &record)}</dd>
        </dl>
        {headers(&record.headers, record.headers_left_out)}
        {value(record.value, id, load)}
    }
    .into_any()
}

fn moment(name: &'static str, at: Millis) -> AnyView {
    let tab = use_tab();
    view! {
        <dt>{name}</dt>
        <dd class="mono"><time datetime=time::rfc3339(at)>{move || tab.full_time(at)}</time></dd>
    }
    .into_any()
}

fn headers(headers: &[Header], left_out: u32) -> AnyView {
    let locale = use_tab().locale;
    let count = grouped(headers.len() as u64 + u64::from(left_out));
    let lines = headers
        .iter()
        .map(|Header { name, value }| {
            let html = match value {
                None => "<i class=\"w\">null</i>".to_owned(),
                Some(_) => row::data_html(locale, value.as_ref(), false),
            };
            view! {
                <dt class="mono">{name.clone()}</dt>
                <dd class="mono json" inner_html=html></dd>
            }
        })
        .collect_view();
    let rest =
        (left_out > 0).then(|| view! { <p class="faint">{td_string!(locale, detail.left_out, count = left_out)}</p> });
    view! {
        <section>
            <h2>{td_string!(locale, produce.headers)} " " <span class="faint">{count}</span></h2>
            <dl class="kv">{lines}</dl>
            {rest}
        </section>
    }
    .into_any()
}

fn value(value: Option<Data>, id: &'static str, load: Option<Callback<()>>) -> AnyView {
    let locale = use_tab().locale;
    let Some(data) = value else {
        return view! { <p class="json" inner_html=row::data_html(locale, None, true)></p> }.into_any();
    };
    if data.size == 0 {
        return view! { <p class="json" inner_html=row::data_html(locale, Some(&data), true)></p> }.into_any();
    }
    let cut = data.is_cut().then(|| {
        let shown = td_string!(locale, detail.cut, shown = bytes(data.head.len() as u64), size = bytes(data.size));
        let load = load.map(|load| {
            view! {
                <button type="button" class="btn" on:click=move |_| load.run(())>
                    {icon("down")}
                    {td_string!(locale, detail.load_all)}
                </button>
            }
        });
        view! { <p class="wrap muted">{shown} {load}</p> }
    });
    let text = data.text().map(str::to_owned);
    let document = text.as_deref().filter(|text| is_json(&data, text)).map(|text| json::tint(&json::pretty(text)));
    let dump = hex::dump(&data.head, HEX_LIMIT);
    let first = if document.is_some() {
        "a"
    } else if text.is_some() {
        "b"
    } else {
        "c"
    };
    let choice = move |class: &'static str, name: &'static str| {
        view! { <label><input class=class type="radio" name=id autocomplete="off" checked=class == first/>{name}</label> }.into_any()
    };
    let has_json = document.is_some();
    let has_text = text.is_some();
    let copied = plain(&data);
    view! {
        <section class="tabbed">
            <div class="wrap">
                <fieldset class="seg">
                    <legend class="sr">{td_string!(locale, detail.value_as)}</legend>
                    {has_json.then(|| choice("a", "JSON"))}
                    {has_text.then(|| choice("b", td_string!(locale, detail.raw)))}
                    {choice("c", td_string!(locale, detail.hex))}
                </fieldset>
                {copy_button(td_string!(locale, app.copy), None, move || copied.clone())}
            </div>
            {cut}
            {document.map(|html| view! {
                <div class="panel a"><pre class="code json" tabindex="0" inner_html=html></pre></div>
            })}
            {text.map(|text| view! {
                <div class="panel b"><pre class="code wrapped" tabindex="0">{text}</pre></div>
            })}
            <div class="panel c"><pre class="code" tabindex="0">{dump}</pre></div>
        </section>
    }
    .into_any()
}
