//! The toolbar of the feed: topic, filter, partition, pause, clear, density.

#[cfg(feature = "ssr")]
use super::field::error;
use super::icon::icon;
use crate::{format::number::grouped, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::Assignment;
#[cfg(feature = "ssr")]
use wire::{Scope, Snapshot};

#[cfg(feature = "ssr")]
/// The toolbar above the list. `filter` is what the address asks for, `wrong` why that can't be read, `assignment` what there is to
/// choose from.
pub fn toolbar(
    reader: &Reader,
    snapshot: &Snapshot,
    filter: &str,
    wrong: Option<&str>,
    assignment: &Assignment,
    roomy: bool,
) -> Markup {
    let locale = reader.locale;
    let Snapshot { feed, feeds, topics, scope, .. } = snapshot;
    html! {
        div.tools role="toolbar" aria-label=(td_string!(locale, feed.messages)) {
            @if feeds.len() > 1 {
                nav.seg aria-label=(td_string!(locale, feed.feeds)) {
                    // Names of feeds need no escaping: they are checked when the configuration is read.
                    @for name in feeds { a.mono href={ "/?feed=" (name) } aria-current=[(name == feed).then_some("page")] { (name) } }
                }
            }
            span.topics {
                span.faint.only-wide { (td_string!(locale, feed.topic)) } " "
                span.mono { (topics.join(", ")) }
            }
            fieldset.seg.needs-script {
                legend.sr { (td_string!(locale, feed.scope)) }
                @for (of, value, name) in [
                    (Scope::Instance, "instance", td_string!(locale, feed.this_instance)),
                    (Scope::Group, "group", td_string!(locale, feed.whole_group)),
                ] {
                    label { input type="radio" name="scope" value=(value) autocomplete="off" checked[of == *scope]; (name) }
                }
            }
            (filter_box(reader, feed, filter, wrong))
            button #pause .btn.needs-script type="button" data-do="pause" aria-keyshortcuts="Space" aria-pressed="false" {
                (pause(reader, false, 0))
            }
            // In a narrow window the rest is unfolded, by the style alone.
            label.btn.quiet.square.more.needs-script title=(td_string!(locale, feed.more)) {
                input.sr type="checkbox" autocomplete="off" aria-label=(td_string!(locale, feed.more)) aria-controls="more";
                (icon("more"))
            }
            div #more .extra {
                select #partitions .input.mono.needs-script autocomplete="off" aria-label=(td_string!(locale, feed.partition)) {
                    (partitions(reader, assignment, None))
                }
                (square(td_string!(locale, feed.clear), "clear", "clear", None))
                (square(td_string!(locale, feed.density), "rows", "density", Some(roomy)))
                (save(reader, feed))
                // Where the head has no room for it.
                (square(td_string!(locale, keys.title), "help", "keys", None))
            }
        }
    }
}

/// The filter box, what it found, what is wrong with it, and how to write in it. A form for pages without JavaScript, whose rows are
/// those that match when they are rendered.
#[cfg(feature = "ssr")]
fn filter_box(reader: &Reader, feed: &str, text: &str, wrong: Option<&str>) -> Markup {
    let locale = reader.locale;
    let (name, help) = (td_string!(locale, feed.filter), td_string!(locale, query.title));
    html! {
        form.filter method="get" action="/" {
            input type="hidden" name="feed" value=(feed);
            label.search {
                (icon("search"))
                span.sr { (name) }
                input #filter .input type="search" name="filter" autocomplete="off" spellcheck="false" maxlength=(wire::Filter::MAX_TEXT)
                    placeholder=(name) value=(text) aria-keyshortcuts="/" aria-describedby="filter-error found"
                    aria-invalid=[wrong.map(|_| "true")];
                kbd.only-wide { "/" }
            }
            button.btn.quiet.square type="button" popovertarget="filter-help" aria-label=(help) title=(help) { (icon("help")) }
            button.btn.only-static { (td_string!(locale, app.apply)) }
            span #found .muted.num {}
            (error("filter-error", wrong))
            (language(reader))
        }
    }
}

/// The language of filters, in a list.
#[cfg(feature = "ssr")]
fn language(reader: &Reader) -> Markup {
    let locale = reader.locale;
    let terms = [
        ("refund \"on hold\"", td_string!(locale, query.text)),
        ("-refund", td_string!(locale, query.not)),
        ("key:17  value:paid  topic:orders  header:trace", td_string!(locale, query.within)),
        ("key=order-17  value=ok  header:trace=abc", td_string!(locale, query.exact)),
        ("partition:2  offset:1043  orders[2]  orders[2]@1043", td_string!(locale, query.place)),
        ("json:$.customer.name  json:$.items[0]  json:$.items[*].id", td_string!(locale, query.json)),
        ("json:$.total>100  json:$.name=\"Ann\"", td_string!(locale, query.compare)),
        ("where:value.total > 100 && key.startsWith(\"a\")", td_string!(locale, query.expression)),
    ];
    html! {
        div #filter-help .card popover role="dialog" aria-labelledby="filter-help-title" {
            header { h2 #filter-help-title { (td_string!(locale, query.title)) } }
            div.body {
                p { (td_string!(locale, query.rule)) }
                dl.kv.terms { @for (term, meaning) in terms { dt { code { (term) } } dd { (meaning) } } }
                p.faint { (td_string!(locale, query.where_it_looks)) }
            }
        }
    }
}

#[cfg(feature = "ssr")]
fn square(name: &str, symbol: &str, action: &str, pressed: Option<bool>) -> Markup {
    html! {
        button.btn.quiet.square.needs-script type="button" aria-label=(name) title=(name) data-do=(action)
            aria-pressed=[pressed] { (icon(symbol)) }
    }
}

/// The rows as a file, and what will be in it.
#[cfg(feature = "ssr")]
fn save(reader: &Reader, feed: &str) -> Markup {
    let locale = reader.locale;
    let name = td_string!(locale, save.title);
    html! {
        button.btn.quiet.square.needs-script type="button" popovertarget="save" aria-label=(name) title=(name) { (icon("save")) }
        div #save .card popover role="dialog" aria-labelledby="save-title" {
            header { h2 #save-title { (name) } }
            div.body {
                p { (td_string!(locale, save.what)) }
                p.faint { (td_string!(locale, save.limits)) }
            }
            // In a window of its own: should the server not answer, the rows are still here.
            form method="post" enctype="text/plain" target="_blank" {
                input #save-rows type="hidden" name="rows" autocomplete="off";
                footer {
                    @for (form, name) in [("jsonl", "JSON Lines"), ("csv", "CSV")] {
                        button.btn type="submit" formaction={ "/rows/" (feed) "/" (form) } data-do="save" { (icon("save")) (name) }
                    }
                }
            }
        }
    }
}

/// The partitions to choose from, written as places are: `orders[2]`.
pub fn partitions(reader: &Reader, assignment: &Assignment, chosen: Option<&(String, i32)>) -> Markup {
    html! {
        option value="" selected[chosen.is_none()] { (td_string!(reader.locale, feed.all_partitions)) }
        @for owned in &assignment.owned {
            @for partition in &owned.partitions {
                @let is_chosen = chosen.is_some_and(|(topic, chosen)| chosen == partition && *topic == owned.topic);
                option selected[is_chosen] { (owned.topic) "[" (partition) "]" }
            }
        }
    }
}

/// What the pause button says: it pauses the view, never the group, and tells how much waits.
pub fn pause(reader: &Reader, is_paused: bool, waiting: u64) -> Markup {
    let locale = reader.locale;
    html! {
        @if is_paused {
            (icon("play"))
            span { (td_string!(locale, feed.resume)) }
            @if waiting > 0 { span.num { (td_string!(locale, feed.waiting, count = grouped(waiting))) } }
        } @else {
            (icon("pause"))
            span { (td_string!(locale, feed.pause)) }
        }
    }
}
