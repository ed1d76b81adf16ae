//! The instances that consume the group, in the navigation's foot.

use super::instance::instance;
use crate::{format::number::grouped, reader::Reader};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::Fellow;

/// The instances that consume the group, with their rates; `serving` alone, with its own `rate`, while nobody was heard of.
pub fn members(reader: &Reader, members: &[Fellow], serving: &str, rate: u64) -> Markup {
    let member = |name: &str, rate: u64| {
        html! {
            li {
                (instance(name, serving))
                @if name == serving { span.faint { (td_string!(reader.locale, nav.this_tab)) } }
                span.num.muted.push { (grouped(rate)) }
            }
        }
    };
    html! {
        @if members.iter().any(|member| member.instance == serving) {
            @for fellow in members { (member(&fellow.instance, fellow.rate)) }
        } @else { (member(serving, rate)) }
    }
}
