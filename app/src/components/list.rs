//! The list of rows: a grid with one tab stop, of which only what can be seen is in the document.
//!
//! Every row has the same height, which the stylesheet sets and the list reads from a row. The server renders all that it
//! has; in the browser the rows outside the view are two empty boxes of the right height. What is shown never moves under
//! the pointer: the list asks the feed to hold while the pointer rests on it, a row has the focus, the drawer is open, text
//! is selected, or someone scrolled away.

use super::{icon, note, row};
use crate::{
    browser,
    format::number::grouped,
    live::{Entry, EntryKind},
    tab::{Tab, use_tab},
};
use leptos::{ev, html, prelude::*};
use leptos_i18n::td_string;
use std::{sync::Arc, time::Duration};
use wasm_bindgen::JsCast;

/// Rows kept above and below what can be seen, so that scrolling does not show empty space.
const OVERSCAN: usize = 12;
/// The height that is assumed until a row was measured, in CSS pixels.
const ASSUMED_ROW: f64 = 28.0;
/// How long the list holds after the pointer left it.
const AFTER_POINTER: Duration = Duration::from_millis(600);

/// The rows, and what the reader does with them. A handle; copies are the same list.
#[derive(Clone, Copy)]
pub struct Lines {
    /// What is in the list, the newest first.
    pub entries: Signal<Vec<Arc<Entry>>>,
    /// The row in the drawer.
    pub open: RwSignal<Option<Arc<Entry>>>,
    current: RwSignal<Option<u64>>,
    scroller: NodeRef<html::Div>,
    scrolled: RwSignal<f64>,
    viewport: RwSignal<f64>,
    row_height: RwSignal<f64>,
    pointer: RwSignal<bool>,
    focus: RwSignal<bool>,
}

impl Lines {
    /// A list of these rows.
    pub fn new(entries: Signal<Vec<Arc<Entry>>>) -> Self {
        Self {
            entries,
            open: RwSignal::new(None),
            current: RwSignal::new(None),
            scroller: NodeRef::new(),
            scrolled: RwSignal::new(0.0),
            viewport: RwSignal::new(0.0),
            row_height: RwSignal::new(ASSUMED_ROW),
            pointer: RwSignal::new(false),
            focus: RwSignal::new(false),
        }
    }

    /// Goes `by` rows down (or up), from the top where no row was chosen yet; the drawer follows when it is open.
    pub fn step(self, by: isize) {
        let next = self.entries.with_untracked(|entries| {
            let here = self.current_index(entries);
            let next = here.map_or(0, |here| here.saturating_add_signed(by)).min(entries.len().checked_sub(1)?);
            Some((next, Arc::clone(&entries[next])))
        });
        let Some((index, entry)) = next else { return };
        self.current.set(Some(entry.id()));
        if self.open.with_untracked(Option::is_some) && entry.record().is_some() {
            self.open.set(Some(entry));
            self.scroll_to(index);
        } else {
            self.scroll_to(index);
            self.focus_current();
        }
    }

    /// Opens the current row.
    pub fn open_current(self) {
        let entry = self.entries.with_untracked(|entries| Some(Arc::clone(&entries[self.current_index(entries)?])));
        if let Some(entry) = entry.filter(|entry| entry.record().is_some()) {
            self.open.set(Some(entry));
        }
    }

    /// Closes the drawer; the focus goes back to where it came from.
    pub fn close(self) {
        self.open.set(None);
        self.focus_current();
    }

    /// Goes to the newest rows and follows them again.
    pub fn newest(self, tab: Tab) {
        self.pointer.set(false);
        self.focus.set(false);
        self.current.set(None);
        if let Some(scroller) = self.scroller.get_untracked() {
            scroller.set_scroll_top(0);
        }
        self.scrolled.set(0.0);
        tab.live.hold(false);
    }

    fn current_index(self, entries: &[Arc<Entry>]) -> Option<usize> {
        let current = self.current.get_untracked()?;
        entries.iter().position(|entry| entry.id() == current)
    }

    fn scroll_to(self, index: usize) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let height = self.row_height.get_untracked();
        let (top, scrolled) = (pixels(index) * height, self.scrolled.get_untracked());
        let to = if top < scrolled {
            top
        } else if top + height > scrolled + self.viewport.get_untracked() {
            top + height - self.viewport.get_untracked()
        } else {
            return;
        };
        scroller.set_scroll_top(to.ceil() as i32);
        self.scrolled.set(to);
    }

    /// In the next frame, when the row is in the document.
    fn focus_current(self) {
        request_animation_frame(move || {
            let Some(scroller) = self.scroller.get_untracked() else { return };
            if let Ok(Some(row)) = scroller.query_selector(".row[tabindex='0']")
                && let Ok(row) = row.dyn_into::<web_sys::HtmlElement>()
            {
                let _ = row.focus();
            }
        });
    }

    /// Unless it came back meanwhile.
    fn pointer_left(self) {
        let is_back = self.scroller.get_untracked().is_some_and(|scroller| scroller.matches(":hover").unwrap_or(false));
        self.pointer.set(is_back);
    }

    fn measure(self) {
        let Some(scroller) = self.scroller.get_untracked() else { return };
        let height = |selector| {
            let element = scroller.query_selector(selector).ok().flatten()?;
            Some(element.get_bounding_client_rect().height()).filter(|height| *height > 0.0)
        };
        if let Some(row) = height(".row:not(.head)") {
            self.row_height.set(row);
        }
        self.viewport.set(f64::from(scroller.client_height()) - height(".row.head").unwrap_or(0.0));
    }

    /// Which rows are in the document: from, up to.
    fn range(self, is_hydrated: bool) -> (usize, usize) {
        let count = self.entries.with(Vec::len);
        if !is_hydrated {
            return (0, count);
        }
        window(count, self.scrolled.get(), self.viewport.get(), self.row_height.get())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a window holds some ten thousand rows")]
fn pixels(rows: usize) -> f64 {
    rows as f64
}

/// The rows to have in the document: those that can be seen, and some more on either side.
#[expect(clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "not negative, and far below the limit")]
fn window(count: usize, scrolled: f64, viewport: f64, row: f64) -> (usize, usize) {
    let first = (scrolled.max(0.0) / row) as usize;
    let seen = (viewport.max(0.0) / row).ceil() as usize + 1;
    let last = (first + seen + OVERSCAN).min(count);
    (first.saturating_sub(OVERSCAN).min(last), last)
}

/// The list.
#[component]
pub fn List(
    /// The rows.
    lines: Lines,
    /// Whether the feed has one topic, so that narrow rows can do without its name.
    one_topic: bool,
) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let range = Memo::new(move |_| lines.range(tab.hydrated.get()));
    let shown = move || {
        let (from, to) = range.get();
        lines.entries.with(|entries| entries.get(from..to.min(entries.len())).unwrap_or_default().to_vec())
    };
    let head = [
        ("time", td_string!(locale, row.received)),
        ("at", td_string!(locale, row.place)),
        ("key", td_string!(locale, produce.key)),
        ("val", td_string!(locale, row.value)),
        ("who", td_string!(locale, row.consumed_by)),
        ("how", td_string!(locale, row.status)),
    ];
    let above = NodeRef::new();
    let below = NodeRef::new();
    hold_while_in_use(lines, tab);
    keep_measured(lines, tab, range, above, below);
    view! {
        <div class="feed" class:one=one_topic>
            <div
                class="rows"
                id="rows"
                role="grid"
                node_ref=lines.scroller
                tabindex=move || if lines.current.get().is_some() { "-1" } else { "0" }
                aria-label=td_string!(locale, feed.messages)
                aria-rowcount=move || (lines.entries.with(Vec::len) + 1).to_string()
                aria-keyshortcuts="j k Enter"
                on:scroll=move |_| {
                    if let Some(scroller) = lines.scroller.get_untracked() {
                        lines.scrolled.set(f64::from(scroller.scroll_top()));
                    }
                }
                on:pointerenter=move |event| if event.pointer_type() == "mouse" { lines.pointer.set(true) }
                on:pointerleave=move |_| set_timeout(move || lines.pointer_left(), AFTER_POINTER)
                on:focusin=move |event| lines.focus.set(is_in_a_row(event.target()))
                on:focusout=move |event| lines.focus.set(is_in_a_row(event.related_target()))
            >
                <div class="row head" role="row" aria-rowindex="1">
                    {head
                        .into_iter()
                        .map(|(class, name)| view! { <span class=class role="columnheader">{name}</span> })
                        .collect_view()}
                </div>
                <div class="spacer" role="presentation" node_ref=above></div>
                <ForEnumerate
                    each=shown
                    key=|entry| entry.key()
                    children=move |index, entry| line(lines, range, index, entry)
                />
                <div class="spacer" role="presentation" node_ref=below></div>
            </div>
            <Pill lines/>
        </div>
    }
}

/// A row, of whatever kind.
fn line(lines: Lines, range: Memo<(usize, usize)>, index: ReadSignal<usize>, entry: Arc<Entry>) -> AnyView {
    let tab = use_tab();
    let id = entry.id();
    let mine = entry.mine;
    let is_new = tab.hydrated.get_untracked()
        && !entry.arrived.is_zero()
        && range.get_untracked().0 == 0
        && !tab.live.busy().get_untracked();
    let (place, seq, tone, cells) = match &entry.kind {
        EntryKind::Record(record) => {
            let consumed_by = entry.instance.as_deref().unwrap_or_default();
            let cells = row::record_cells(record, consumed_by, tab.live.instance(), mine);
            (Some(row::place(record).to_string()), Some(record.seq.to_string()), None, cells)
        }
        EntryKind::Gap(gap) => (None, None, Some("warn"), noted(note::gap(gap))),
        EntryKind::Change(change) => (None, None, Some(note::tone(&change.kind)), noted(note::change(change))),
        EntryKind::Resumed(resumed) => (None, None, Some("ok"), noted(note::resumed(resumed))),
    };
    let is_note = tone.is_some();
    let click = move |event: ev::MouseEvent| {
        let is_plain = event.button() == 0 && !event.ctrl_key() && !event.meta_key() && !event.shift_key();
        if is_note || !is_plain || browser::text_is_selected() {
            return;
        }
        // The link to the record's page is for other tabs, and for a page without JavaScript.
        event.prevent_default();
        lines.current.set(Some(id));
        lines.open.set(Some(Arc::clone(&entry)));
    };
    let is_open = move || lines.open.with(|open| open.as_ref().is_some_and(|open| open.id() == id));
    view! {
        <div
            class="row"
            class:note=is_note
            class:mine=mine
            class:new=is_new
            role="row"
            data-place=place
            data-seq=seq
            data-tone=tone
            aria-rowindex=move || (range.get().0 + index.get() + 2).to_string()
            aria-selected=move || is_open().then_some("true")
            tabindex=move || if lines.current.get() == Some(id) { "0" } else { "-1" }
            on:focus=move |_| lines.current.set(Some(id))
            on:click=click
        >
            {cells}
        </div>
    }
    .into_any()
}

fn noted(content: AnyView) -> AnyView {
    view! { <div role="gridcell" aria-colspan="6">{content}</div> }.into_any()
}

/// "132 new": what came while the list held. Goes to the newest.
#[component]
fn Pill(lines: Lines) -> impl IntoView {
    let tab = use_tab();
    let locale = tab.locale;
    let waiting = tab.live.waiting();
    let count = move || if tab.live.paused().get() { 0 } else { waiting.get() };
    let text = move || td_string!(locale, feed.new_rows, count = grouped(count()));
    view! {
        <button type="button" class="pill" hidden=move || count() == 0 on:click=move |_| lines.newest(tab)>
            {icon("up")}
            <span>{text}</span>
        </button>
    }
}

fn is_in_a_row(target: Option<web_sys::EventTarget>) -> bool {
    let element = target.and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| matches!(element.closest("#rows .row"), Ok(Some(_))))
}

fn hold_while_in_use(lines: Lines, tab: Tab) {
    let held = Memo::new(move |_| {
        lines.pointer.get()
            || lines.focus.get()
            || lines.scrolled.get() > lines.row_height.get() / 2.0
            || lines.open.with(Option::is_some)
    });
    Effect::new(move || tab.live.hold(held.get() || browser::text_is_selected()));
}

/// Measures when something changes that a row's height or the list's depends on, and gives the boxes above and below theirs.
/// Through the object model, since the page's policy forbids style attributes.
fn keep_measured(
    lines: Lines,
    tab: Tab,
    range: Memo<(usize, usize)>,
    above: NodeRef<html::Div>,
    below: NodeRef<html::Div>,
) {
    let has_rows = Memo::new(move |_| lines.entries.with(|entries| !entries.is_empty()));
    Effect::new(move || {
        let _ = (tab.hydrated.get(), tab.roomy.get(), has_rows.get(), lines.open.with(Option::is_some));
        request_animation_frame(move || lines.measure());
    });
    let on_resize = window_event_listener(ev::resize, move |_| lines.measure());
    on_cleanup(move || on_resize.remove());
    Effect::new(move || {
        let (from, to) = range.get();
        let count = lines.entries.with(Vec::len);
        let height = lines.row_height.get();
        set_height(above, pixels(from) * height);
        set_height(below, pixels(count.saturating_sub(to)) * height);
    });
}

fn set_height(node: NodeRef<html::Div>, height: f64) {
    if let Some(node) = node.get() {
        let style = web_sys::HtmlElement::style(&node);
        let _ = style.set_property("block-size", &format!("{height}px"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_is_in_the_document_and_a_little_more() {
        assert_eq!(window(10_000, 0.0, 280.0, 28.0), (0, 11 + OVERSCAN));
        assert_eq!(window(10_000, 2_800.0, 280.0, 28.0), (100 - OVERSCAN, 111 + OVERSCAN));
    }

    #[test]
    fn a_short_list_is_all_there() {
        assert_eq!(window(5, 0.0, 280.0, 28.0), (0, 5));
        assert_eq!(window(0, 0.0, 280.0, 28.0), (0, 0));
    }

    #[test]
    fn a_list_that_shrank_under_the_view_stays_in_bounds() {
        let (from, to) = window(3, 99_999.0, 280.0, 28.0);
        assert!(from <= to && to <= 3);
    }
}
