//! The list of topics.

use crate::reader::Reader;
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::TopicSummary;

/// The table of all topics.
pub fn topics(reader: &Reader, topics: &[TopicSummary]) -> Markup {
    let locale = reader.locale;
    html! {
        div.scroll tabindex="0" {
            table.table {
                thead {
                    tr {
                        th scope="col" { (td_string!(locale, produce.topic)) }
                        th.r scope="col" { (td_string!(locale, topics.partitions)) }
                        th.r scope="col" { (td_string!(locale, topics.replicas)) }
                        td {}
                    }
                }
                tbody {
                    @for topic in topics {
                        tr {
                            th.mono scope="row" { (topic.name) }
                            td.r { (topic.partitions) }
                            td.r { (topic.replication) }
                            td.r { a.link href={ "/produce?to=" (topic.name) } { (td_string!(locale, nav.produce)) } }
                        }
                    }
                }
            }
        }
    }
}
