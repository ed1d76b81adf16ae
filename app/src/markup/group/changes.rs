//! What can be deleted of a group, each behind its name typed again. Not kept live: what is typed stays.

use crate::{
    groups::{GroupAction, GroupOutcome},
    markup::{banner::banner, field, groups::path, icon::icon},
    reader::Reader,
    words,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::collections::BTreeSet;
use wire::{Group, GroupError};

/// The forms.
pub fn changes(reader: &Reader, group: &Group, failed: Option<&GroupOutcome>) -> Markup {
    let locale = reader.locale;
    let committed = group.partitions.iter().filter(|partition| partition.committed.is_some());
    let topics: BTreeSet<_> = committed.map(|partition| partition.topic.as_str()).collect();
    let chosen = failed.map(|failed| failed.form.topic.as_str());
    let has_ottla = group.feed.is_some() || group.members.iter().any(|member| member.ottla.is_some());
    html! {
        section #change .card {
            header {
                h2 { (td_string!(locale, groups.change)) }
                @if let Some(feed) = &group.feed { p.muted { (td_string!(locale, groups.is_of_feed, feed = feed.as_str())) } }
                @else if has_ottla { p.muted { (td_string!(locale, groups.is_of_ottla)) } }
            }
            (change(reader, group, failed, GroupAction::Offsets, td_string!(locale, groups.delete_offsets),
                td_string!(locale, groups.delete_offsets_means), &html! {
                div.field {
                    label for="offsets-topic" { (td_string!(locale, produce.topic)) }
                    select #offsets-topic .input name="topic" autocomplete="off" {
                        @for topic in &topics { option selected[chosen == Some(topic)] { (topic) } }
                    }
                }
            }))
            (change(reader, group, failed, GroupAction::Delete, td_string!(locale, groups.delete), td_string!(locale, groups.delete_means), &html! {}))
        }
    }
}

fn change(
    reader: &Reader,
    group: &Group,
    failed: Option<&GroupOutcome>,
    action: GroupAction,
    title: &str,
    means: &str,
    fields: &Markup,
) -> Markup {
    let (locale, name) = (reader.locale, group.name.as_str());
    let failed = failed.filter(|failed| failed.action == action);
    let id = format!("confirm-{}", action.name());
    let wrong = failed.filter(|failed| matches!(failed.error, GroupError::Confirm { .. }));
    let wrong = wrong.map(|failed| words::group_error(locale, &failed.error).1);
    html! {
        details.change id={ "change-" (action.name()) } open[failed.is_some()] {
            summary { (icon(if action == GroupAction::Delete { "x" } else { "clear" })) (title) }
            form.stack method="post" action={ (path(name)) "/" (action.name()) } {
                p.muted { (means) }
                div.pair {
                    (fields)
                    div.field {
                        label for=(id) { (td_string!(locale, groups.confirm)) }
                        // What was typed to confirm is typed anew.
                        input.input.mono id=(id) name="confirm" autocomplete="off" autocapitalize="none" spellcheck="false" required
                            aria-describedby={ (id) "-error " (id) "-hint" } aria-invalid=[wrong.as_ref().map(|_| "true")]
                            autofocus[wrong.is_some()];
                        (field::error(&format!("{id}-error"), wrong.as_deref()))
                        p.hint id={ (id) "-hint" } { span.mono { (name) } }
                    }
                }
                div { button.btn.danger { (title) } }
            }
        }
    }
}

/// Why nothing was deleted, above the page.
pub fn trouble(reader: &Reader, error: &GroupError) -> Markup {
    let (title, why) = words::group_error(reader.locale, error);
    banner("danger", &title, &why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{groups::GroupForm, i18n::Locale};
    use wire::GroupPartition;

    fn group() -> Group {
        let partition = |topic: &str, committed| GroupPartition {
            topic: topic.into(),
            partition: 0,
            committed,
            end: None,
            owner: None,
            rate: None,
            moved: None,
        };
        let partitions = vec![partition("orders", Some(7)), partition("payments", Some(1)), partition("new", None)];
        Group { name: "a b".into(), partitions, ..Group::default() }
    }

    #[test]
    fn offsets_are_offered_of_topics_that_have_some_and_what_destroys_wants_the_name_again() {
        let failed = GroupOutcome {
            action: GroupAction::Offsets,
            form: GroupForm { confirm: "ab".into(), topic: "payments".into() },
            error: GroupError::Confirm { group: "a b".into() },
        };
        let html = changes(&Reader::of(Locale::en), &group(), Some(&failed)).into_string();
        for shown in [
            "action=\"/groups/a%20b/delete\"",
            "action=\"/groups/a%20b/offsets\"",
            "<option>orders</option><option selected>payments</option></select>",
            "id=\"change-offsets\" open",
            "id=\"confirm-offsets-error\"><svg",
            "id=\"confirm-delete-error\" hidden",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }

    #[test]
    fn a_group_that_a_feed_has_is_said_to_be_one() {
        let reader = Reader::of(Locale::en);
        let feed = Group { feed: Some("default".into()), ..group() };
        assert!(changes(&reader, &feed, None).into_string().contains("The feed default of this instance"));
        assert!(!changes(&reader, &group(), None).into_string().contains("feed"));
    }
}
