//! The list of rows, of which only what can be seen is in the document.
//!
//! Every row has the same height, which the stylesheet sets and the list reads from a row. Rows that are in the document stay
//! the same elements while they are there; above and below them two boxes have the height of the others. What is shown never
//! moves under the pointer: the list asks the feed to hold while the pointer rests on it, a row has the focus, the drawer is
//! open, text is selected, or someone scrolled away.

use super::{follow, tab::Tab};
use crate::{
    browser,
    live::{Entry, EntryKind},
    markup::{pill::pill, row},
};
use leptos::prelude::*;
use std::{sync::Arc, time::Duration};
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, FocusEvent, HtmlElement, Node};
use wire::Gap;

/// Rows kept above and below what can be seen, so that scrolling does not show empty space.
const OVERSCAN: usize = 12;
/// The same below a list that follows a busy feed. All rows are written anew ten times a second then, and one that nobody sees
/// costs as much as any other; whoever begins to scroll holds the list, and then it has the others.
const BUSY_OVERSCAN: usize = 2;
/// The current row.
const CURRENT: &str = "#lines > [tabindex='0']";
/// The height that is assumed until a row was measured, in CSS pixels.
const ASSUMED_ROW: f64 = 28.0;
/// The class of a row that just came, and for how long it has it.
const NEW: &str = "new";
const TINT: Duration = Duration::from_millis(900);
/// How long the list holds after the pointer left it.
const AFTER_POINTER: Duration = Duration::from_millis(600);

/// The list, and what the reader does with it. A handle; copies are the same list.
#[derive(Clone, Copy)]
pub struct List {
    tab: Tab,
    /// What is in the list, the newest first.
    entries: ReadSignal<Vec<Arc<Entry>>>,
    /// The row in the drawer.
    pub open: RwSignal<Option<Arc<Entry>>>,
    view: RwSignal<View>,
}

/// How the list is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    /// How far it is scrolled, how high it is, and how high a row is, in CSS pixels.
    scrolled: f64,
    height: f64,
    row: f64,
    /// Whether the pointer rests on it, and whether a row has the focus.
    pointer: bool,
    focus: bool,
    /// The row that `j` and `k` go on from: the list's one tab stop. And where it was last, for it may be replaced by others.
    current: Option<u64>,
    at: usize,
}

impl List {
    /// The list of this tab.
    pub fn new(tab: Tab) -> Self {
        let view =
            View { scrolled: 0.0, height: 0.0, row: ASSUMED_ROW, pointer: false, focus: false, current: None, at: 0 };
        Self { tab, entries: tab.live.visible(), open: RwSignal::new(None), view: RwSignal::new(view) }
    }

    /// Takes over the rows that the server rendered.
    pub fn begin(self) {
        self.measure();
        follow::effect(move || self.write());
        follow::effect(move || {
            let view = self.view.get();
            let is_scrolled = view.scrolled > view.row / 2.0;
            let is_in_use = view.pointer || view.focus || is_scrolled || self.open.with(Option::is_some);
            self.tab.live.hold(is_in_use || browser::text_is_selected());
        });
        browser::listen(&window(), "resize", move |_| self.measure());
        if let Some(scroller) = scroller() {
            let scrolling = scroller.clone();
            let scrolled = move |_| self.look(|view| view.scrolled = f64::from(scrolling.scroll_top()));
            browser::listen(&scroller, "scroll", scrolled);
            browser::listen(&scroller, "mouseenter", move |_| self.look(|view| view.pointer = true));
            browser::listen(&scroller, "mouseleave", move |_| {
                browser::after(AFTER_POINTER, move || self.pointer_left())
            });
            for (event, is_in) in [("focusin", true), ("focusout", false)] {
                browser::listen(&scroller, event, move |event| {
                    let to = || event.dyn_ref::<FocusEvent>().and_then(FocusEvent::related_target);
                    self.focused(if is_in { event.target() } else { to() });
                });
            }
        }
        let live = self.tab.live;
        let new = move || if live.paused().get() { 0 } else { live.waiting().get() };
        follow::content("pill", move || pill(&self.tab.reader, new()));
        follow::hidden("pill", move || new() == 0);
    }

    fn look(self, change: impl FnOnce(&mut View)) {
        let before = self.view.get_untracked();
        let mut view = before;
        change(&mut view);
        if view != before {
            self.view.set(view);
        }
    }

    /// Goes `by` rows down (or up), from the top where no row was chosen yet; the drawer follows when it is open.
    pub fn step(self, by: isize) {
        let next = self.entries.with_untracked(|entries| {
            let next = self.current_index(entries).map_or(0, |here| here.saturating_add_signed(by));
            let next = next.min(entries.len().checked_sub(1)?);
            Some((next, Arc::clone(&entries[next])))
        });
        let Some((index, entry)) = next else { return };
        self.scroll_to(index);
        self.look(|view| view.current = Some(entry.id()));
        if self.open.with_untracked(Option::is_some) {
            self.open_entry(entry);
        } else {
            self.focus_current();
        }
    }

    /// Opens the row with this key, as it stands in the document.
    pub fn open_key(self, key: &str) {
        if let Some(entry) = self.entry(key) {
            self.look(|view| view.current = Some(entry.id()));
            self.open_entry(entry);
        }
    }

    /// Opens the current row.
    pub fn open_current(self) {
        let entry = self.entries.with_untracked(|entries| Some(Arc::clone(&entries[self.current_index(entries)?])));
        if let Some(entry) = entry {
            self.open_entry(entry);
        }
    }

    /// The gap in the row with this key, and what identifies the row whatever becomes known of it.
    pub fn gap(self, key: &str) -> Option<(u64, Gap)> {
        let entry = self.entry(key)?;
        if let EntryKind::Gap(gap) = &entry.kind { Some((entry.id(), gap.clone())) } else { None }
    }

    /// The key of the current row, where it is a gap.
    pub fn current_gap(self) -> Option<String> {
        let current = self.entries.with_untracked(|entries| Some(row::key(&entries[self.current_index(entries)?])))?;
        self.gap(&current).map(|_| current)
    }

    /// Notes have nothing to open.
    fn open_entry(self, entry: Arc<Entry>) {
        if entry.record().is_some() {
            self.open.set(Some(entry));
        }
    }

    /// Closes the drawer; the focus goes back to the row.
    pub fn close(self) {
        self.open.set(None);
        self.focus_current();
    }

    /// Goes to the newest rows and follows them again.
    pub fn newest(self) {
        if let Some(scroller) = scroller() {
            scroller.set_scroll_top(0);
        }
        self.look(|view| *view = View { scrolled: 0.0, pointer: false, focus: false, current: None, ..*view });
    }

    fn entry(self, key: &str) -> Option<Arc<Entry>> {
        self.entries.with_untracked(|entries| entries.iter().find(|entry| row::key(entry) == key).cloned())
    }

    fn current_index(self, entries: &[Arc<Entry>]) -> Option<usize> {
        let current = self.view.get_untracked().current?;
        entries.iter().position(|entry| entry.id() == current)
    }

    fn scroll_to(self, index: usize) {
        let View { scrolled, height, row, .. } = self.view.get_untracked();
        let top = index as f64 * row;
        let to = if top < scrolled {
            top
        } else if top + row > scrolled + height {
            top + row - height
        } else {
            return;
        };
        if let Some(scroller) = scroller() {
            scroller.set_scroll_top(to.ceil() as i32);
            self.look(|view| view.scrolled = f64::from(scroller.scroll_top()));
        }
    }

    /// In the next frame, when the row is in the document.
    fn focus_current(self) {
        browser::next_frame(|| {
            // Someone was quicker, and is in the filter already.
            if browser::a_field_has_the_focus() {
                return;
            }
            let row = document().query_selector(CURRENT).ok().flatten();
            if let Some(row) = row.and_then(|row| row.dyn_into::<HtmlElement>().ok()) {
                let _ = row.focus();
            }
        });
    }

    /// Reads the heights of a row and of the list.
    pub fn measure(self) {
        let Some(scroller) = scroller() else { return };
        let height = |selector| {
            let element = scroller.query_selector(selector).ok().flatten()?;
            Some(element.get_bounding_client_rect().height()).filter(|height| *height > 0.0)
        };
        let (row, head) = (height("#lines > .row"), height(".row.head"));
        self.look(|view| {
            view.row = row.unwrap_or(view.row);
            view.height = f64::from(scroller.client_height()) - head.unwrap_or(0.0);
        });
    }

    /// Unless it came back meanwhile.
    fn pointer_left(self) {
        let is_back = scroller().is_some_and(|scroller| scroller.matches(":hover").unwrap_or(false));
        self.look(|view| view.pointer = is_back);
    }

    fn focused(self, target: Option<EventTarget>) {
        let element = target.and_then(|target| target.dyn_into::<Element>().ok());
        let row = element.and_then(|element| element.closest("#lines > .row").ok().flatten());
        let entry = row.as_ref().and_then(|row| self.entry(&row.get_attribute("data-key")?));
        self.look(|view| {
            view.focus = row.is_some();
            view.current = entry.map(|entry| entry.id()).or(view.current);
        });
    }

    /// Brings the document up to what is to be seen.
    fn write(self) {
        let (Some(lines), Some(scroller)) = (browser::by_id::<Element>("lines"), scroller()) else { return };
        let own = self.tab.serving();
        let mut view = self.view.get();
        let open = self.open.with(|open| open.as_ref().map(|entry| entry.id()));
        let (is_at_the_top, is_busy) = (view.scrolled == 0.0, self.tab.live.busy().get_untracked());
        let (from, shown, count) = self.entries.with(|entries| {
            if let Some(at) = self.current_index(entries) {
                view.at = at;
            } else if view.current.is_some() {
                // It was a gap that was loaded, say: what is in its place is gone on from.
                view.current = entries.get(view.at).or(entries.last()).map(|entry| entry.id());
            }
            self.view.update_untracked(|kept| *kept = view);
            let overscan = if is_at_the_top && is_busy { BUSY_OVERSCAN } else { OVERSCAN };
            let (from, to) = window_of(entries.len(), view, overscan);
            (from, entries[from..to].to_vec(), entries.len())
        });
        let had_rows = lines.first_element_child().is_some();
        let is_quiet = is_at_the_top && !is_busy;
        // A row has the focus only while the list is held, but what the reader clears is not.
        let is_free = is_at_the_top && is_busy && !view.focus;
        let had_focus = browser::has_focus(&lines);
        reconcile(&lines, from, &shown, is_free, |index, entry| {
            let is_new = is_quiet && !entry.arrived.is_zero();
            row::row(&self.tab.reader, entry, &own, index, is_new).into_string()
        });
        let tinted: Vec<_> = children(&lines).filter(|row| row.class_list().contains(NEW)).collect();
        if !tinted.is_empty() {
            // Not an animation: that would paint the list in every frame, for as long as rows come.
            browser::after(TINT, move || tinted.iter().for_each(|row| drop(row.class_list().remove_1(NEW))));
        }
        let mut has_stop = false;
        for (row, entry) in children(&lines).zip(&shown) {
            let is_current = view.current == Some(entry.id());
            has_stop |= is_current;
            follow::set(&row, "tabindex", Some(if is_current { "0" } else { "-1" }));
            follow::set(&row, "aria-selected", (open == Some(entry.id())).then_some("true"));
        }
        follow::set(&scroller, "tabindex", Some(if has_stop { "-1" } else { "0" }));
        // A row that was written anew, or went out of the view, takes no focus with it.
        if had_focus && !browser::has_focus(&lines) && !browser::focus_in(&scroller, CURRENT) {
            browser::focus("rows");
        }
        follow::set(&scroller, "aria-rowcount", Some(&(count + 1).to_string()));
        set_height("above", from as f64 * view.row);
        set_height("below", (count - from - shown.len()) as f64 * view.row);
        if !had_rows && !shown.is_empty() {
            // The first row tells how high they are.
            browser::next_frame(move || self.measure());
        }
    }
}

/// The key of the row that `inside` is in.
pub fn row_key(inside: &Element) -> String {
    let row = inside.closest("#lines > .row").ok().flatten();
    row.and_then(|row| row.get_attribute("data-key")).unwrap_or_default()
}

/// Says in the row with this key how its loading goes: that it goes on, or why it failed.
pub fn say_in_row(key: &str, is_busy: bool, trouble: &str) {
    // Keys are numbers and a point.
    let row = document().query_selector(&format!("#lines > [data-key='{key}']")).ok().flatten();
    let Some(row) = row else { return };
    let find = |selector| row.query_selector(selector).ok().flatten();
    if let Some(button) = find("[data-do='load-gap']") {
        follow::set(&button, "aria-busy", is_busy.then_some("true"));
        follow::set(&button, "disabled", is_busy.then_some(""));
    }
    if let Some(said) = find("small") {
        said.set_text_content(Some(trouble));
    }
}

fn scroller() -> Option<HtmlElement> {
    browser::by_id("rows")
}

/// Through the object model, for the page's policy forbids style attributes.
fn set_height(id: &str, height: f64) {
    if let Some(element) = browser::by_id::<HtmlElement>(id) {
        let _ = element.style().set_property("block-size", &format!("{}px", height.round() as u32));
    }
}

fn children(lines: &Element) -> impl Iterator<Item = Element> + use<> {
    std::iter::successors(lines.first_element_child(), Element::next_element_sibling)
}

/// Makes the children of `lines` the rows of `shown`, which begin at `from` in the list. Rows that are there already stay
/// the same elements, so that focus, selection and a screen reader's place stay with them; what is new between two of them
/// is written at once. Where none of them stays and the list `is_free` of such things, the elements become the new rows: that
/// takes the browser half the time of making others, and a busy list does it ten times a second.
fn reconcile(
    lines: &Element,
    from: usize,
    shown: &[Arc<Entry>],
    is_free: bool,
    html: impl Fn(usize, &Entry) -> String,
) {
    let keys: Vec<String> = shown.iter().map(|entry| row::key(entry)).collect();
    let mut there: Vec<Option<Element>> = vec![None; keys.len()];
    let mut gone = Vec::new();
    for row in children(lines) {
        let key = row.get_attribute("data-key");
        match keys.iter().position(|wanted| Some(wanted) == key.as_ref()) {
            Some(at) => there[at] = Some(row),
            None => gone.push(row),
        }
    }
    if is_free
        && gone.len() == there.len()
        && let Ok(rows) = document().create_element("div")
    {
        let written: String = (from..).zip(shown).map(|(index, entry)| html(index, entry)).collect();
        rows.set_inner_html(&written);
        return become_like(lines, &rows);
    }
    gone.iter().for_each(Element::remove);
    let mut next = lines.first_element_child();
    let mut written = String::new();
    for (at, (row, entry)) in there.iter().zip(shown).enumerate() {
        let index = from + at;
        let Some(row) = row else {
            written.push_str(&html(index, entry));
            continue;
        };
        // Rows keep their order among each other, but where one was loaded into a gap.
        if next.as_ref() != Some(row) {
            let _ = lines.insert_before(row, next.as_deref());
        }
        if !written.is_empty() {
            let _ = row.insert_adjacent_html("beforebegin", &std::mem::take(&mut written));
        }
        follow::set(row, "aria-rowindex", Some(&(index + 2).to_string()));
        next = row.next_element_sibling();
    }
    if !written.is_empty() {
        let _ = lines.insert_adjacent_html("beforeend", &written);
    }
}

/// Makes the content of `old` that of `new`, and keeps its nodes where they are alike: of a row of another record the texts change.
fn become_like(old: &Node, new: &Node) {
    let (mut here, mut there) = (old.first_child(), new.first_child());
    while let Some(wanted) = there {
        there = wanted.next_sibling();
        let Some(is) = here.take() else {
            let _ = old.append_child(&wanted);
            continue;
        };
        here = is.next_sibling();
        if is.is_equal_node(Some(&wanted)) {
            continue;
        }
        match (is.dyn_ref::<Element>(), wanted.dyn_ref::<Element>()) {
            (None, None) => is.set_node_value(wanted.node_value().as_deref()),
            (Some(of), Some(wants)) if takes_attributes(of, wants) => become_like(of, wants),
            _ => drop(old.replace_child(&wanted, &is)),
        }
    }
    while let Some(rest) = here {
        here = rest.next_sibling();
        let _ = old.remove_child(&rest);
    }
}

/// Gives `old` the attributes of `new`, where both are of one kind and have the same ones; whether that is so.
fn takes_attributes(old: &Element, new: &Element) -> bool {
    let names = new.get_attribute_names();
    let is_alike = old.node_name() == new.node_name() && old.get_attribute_names().length() == names.length();
    is_alike
        && names.iter().filter_map(|name| name.as_string()).all(|name| {
            let (before, value) = (old.get_attribute(&name), new.get_attribute(&name));
            if before != value {
                follow::set(old, &name, value.as_deref());
            }
            before.is_some()
        })
}

/// The rows to have in the document: those that can be seen, and some more on either side.
fn window_of(count: usize, view: View, overscan: usize) -> (usize, usize) {
    let first = (view.scrolled.max(0.0) / view.row) as usize;
    let seen = (view.height.max(0.0) / view.row).ceil() as usize + 1;
    let last = (first + seen + overscan).min(count);
    (first.saturating_sub(overscan).min(last), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window_at(count: usize, scrolled: f64) -> (usize, usize) {
        let view = View { scrolled, height: 280.0, row: 28.0, pointer: false, focus: false, current: None, at: 0 };
        window_of(count, view, OVERSCAN)
    }

    #[test]
    fn what_can_be_seen_is_in_the_document_and_a_little_more() {
        assert_eq!(window_at(10_000, 0.0), (0, 11 + OVERSCAN));
        assert_eq!(window_at(10_000, 2_800.0), (100 - OVERSCAN, 111 + OVERSCAN));
    }

    #[test]
    fn a_short_list_is_all_there() {
        assert_eq!(window_at(5, 0.0), (0, 5));
        assert_eq!(window_at(0, 0.0), (0, 0));
    }

    #[test]
    fn a_list_that_shrank_under_the_view_stays_in_bounds() {
        let (from, to) = window_at(3, 99_999.0);
        assert!(from <= to && to <= 3);
    }
}
