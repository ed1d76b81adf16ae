//! The list of groups.

use super::{
    empty::empty,
    group::{protocol, state, this_instance},
    live::Piece,
};
use crate::{format::number::grouped, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::GroupSummary;

/// The address of a group's page.
pub fn path(name: &str) -> String {
    let mut path = String::from("/groups/");
    for byte in name.bytes() {
        match byte {
            // What needs no escape (RFC 3986, section 2.3, "unreserved").
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => path.push(byte.into()),
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// What of the page is kept up to date.
pub fn pieces(reader: &Reader, groups: &[GroupSummary]) -> Vec<Piece> {
    vec![("groups-table", table(reader, groups))]
}

/// The list, or that there is none.
pub fn body(reader: &Reader, groups: &[GroupSummary]) -> Markup {
    html! {
        section.card {
            div.scroll tabindex="0" role="region" aria-label=(td_string!(reader.locale, nav.groups)) {
                div #groups-table { (table(reader, groups)) }
            }
        }
    }
}

/// The table of groups, or that there are none.
pub fn table(reader: &Reader, groups: &[GroupSummary]) -> Markup {
    let locale = reader.locale;
    if groups.is_empty() {
        let text = html! { (td_string!(locale, groups.none_means)) };
        return empty("group", td_string!(locale, groups.none), &text, &html! {});
    }
    // This instance's first; the order is that of the names otherwise.
    let (own, others): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.feed.is_some());
    html! {
        table.table {
            thead {
                tr {
                    th scope="col" { (td_string!(locale, nav.group)) }
                    th scope="col" { (td_string!(locale, groups.state)) }
                    th scope="col" { (td_string!(locale, groups.protocol)) }
                    th.r scope="col" { (td_string!(locale, groups.members)) }
                    th.r scope="col" { (td_string!(locale, groups.lag)) }
                }
            }
            tbody {
                @for group in own.into_iter().chain(others) {
                    tr {
                        th scope="row" {
                            span.wrap {
                                a.mono href=(path(&group.name)) { (group.name) }
                                @if group.feed.is_some() { (this_instance(locale)) }
                            }
                        }
                        td { (state(locale, &group.state)) }
                        td { @if group.protocol.is_empty() { span.faint { "–" } } @else { (protocol(&group.protocol)) } }
                        td.r { (grouped(group.members.into())) }
                        td.r {
                            @match group.lag {
                                Some(lag) => (grouped(lag.max(0).unsigned_abs())),
                                None => span.faint { (td_string!(locale, groups.not_known)) },
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{i18n::Locale, markup::live::text};

    fn summary(name: &str, feed: Option<&str>) -> GroupSummary {
        GroupSummary {
            name: name.into(),
            state: "empty".into(),
            protocol: String::new(),
            members: 0,
            lag: None,
            feed: feed.map(Into::into),
        }
    }

    #[test]
    fn the_groups_of_this_instance_come_first() {
        let groups = [
            summary("billing", None),
            GroupSummary {
                state: "stable".into(),
                protocol: "consumer".into(),
                members: 3,
                lag: Some(1_293),
                ..summary("ottla", Some("default"))
            },
        ];
        let text = text(&table(&Reader::of(Locale::en), &groups));
        let rows = "ottla this instance stable consumer KIP-848 3 1,293 billing empty – 0 not known";
        assert!(text.ends_with(rows), "{text}");
    }

    #[test]
    fn every_name_has_an_address_of_its_own() {
        assert_eq!(path("ottla-1.a_b"), "/groups/ottla-1.a_b");
        assert_eq!(path("a b/c?群"), "/groups/a%20b%2Fc%3F%E7%BE%A4");
    }

    #[test]
    fn a_cluster_without_groups_says_how_one_comes_to_be() {
        assert!(text(&table(&Reader::of(Locale::en), &[])).contains("when its first member joins"));
    }
}
