//! The page on which a group's offsets are reset: what to do, what that would do, what came of it. Only the server renders it,
//! and it needs no JavaScript.

use super::{banner::banner, icon::icon};
use crate::{
    format::number::grouped,
    reader::Reader,
    reset::{ResetForm, ResetMistake},
    words,
};
use leptos_i18n::td_string;
use maud::{Markup, html};
use wire::{ResetError, ResetHow, ResetPlan, ResetRow, SeekResult};

/// What is to be done. `topics` are those to choose from.
pub fn form(reader: &Reader, topics: &[String], form: &ResetForm, mistake: Option<ResetMistake>) -> Markup {
    let locale = reader.locale;
    let of_partitions = mistake.filter(|mistake| *mistake == ResetMistake::Partitions);
    let of_value = mistake.filter(|mistake| *mistake != ResetMistake::Partitions);
    let places = [
        ("earliest", td_string!(locale, reset.earliest)),
        ("latest", td_string!(locale, reset.latest)),
        ("time", td_string!(locale, reset.time)),
        ("offset", td_string!(locale, reset.offset)),
        ("shift", td_string!(locale, reset.shift)),
    ];
    html! {
        form.card method="get" {
            div.body.stack {
                fieldset.seg {
                    legend.sr { (td_string!(locale, reset.where_to)) }
                    @for (value, name) in places {
                        label { input type="radio" name="to" value=(value) autocomplete="off" checked[value == form.to]; (name) }
                    }
                }
                div.pair {
                    div.field {
                        label for="reset-topic" { (td_string!(locale, feed.topic)) }
                        select #reset-topic .input.mono name="topic" {
                            @for topic in topics { option selected[*topic == form.topic] { (topic) } }
                        }
                    }
                    div.field {
                        label for="reset-partitions" { (td_string!(locale, groups.partitions)) }
                        input #reset-partitions .input.mono name="partitions" value=(form.partitions) placeholder="0-5, 7"
                            aria-invalid=[of_partitions.map(|_| "true")] aria-describedby="reset-partitions-hint";
                        (refused(reader, of_partitions))
                        p #reset-partitions-hint .hint { (td_string!(locale, reset.partitions_hint)) }
                    }
                    div.field {
                        label for="reset-value" { (td_string!(locale, reset.value)) }
                        input #reset-value .input.mono name="value" value=(form.value) aria-invalid=[of_value.map(|_| "true")]
                            aria-describedby="reset-value-hint";
                        (refused(reader, of_value))
                        p #reset-value-hint .hint { (td_string!(locale, reset.value_hint)) }
                    }
                }
                div.wrap { button.btn name="preview" value="1" { (td_string!(locale, reset.preview)) } }
            }
        }
    }
}

/// Which rule a field breaks, below it.
fn refused(reader: &Reader, mistake: Option<ResetMistake>) -> Markup {
    let locale = reader.locale;
    let rule = |mistake| match mistake {
        ResetMistake::Time => td_string!(locale, reset.no_time),
        ResetMistake::Offset => td_string!(locale, reset.no_offset),
        ResetMistake::Shift => td_string!(locale, reset.no_shift),
        ResetMistake::Partitions => td_string!(locale, reset.no_partitions),
        ResetMistake::To => td_string!(locale, reset.no_place),
    };
    html! { @if let Some(mistake) = mistake { p.error role="alert" { (icon("error")) (rule(mistake)) } } }
}

/// What it would do, and the buttons: that which does it, and that which begins a feed there with a group of its own. `group` is
/// the address of the group's page, `asked` what the plan is for.
pub fn plan(reader: &Reader, group: &str, asked: &ResetForm, plan: &ResetPlan, is_unsure: bool) -> Markup {
    let locale = reader.locale;
    let (action, apart) = (format!("{group}/reset"), format!("{group}/replay"));
    let changes = || plan.rows.iter().filter_map(ResetRow::change);
    let again: u64 = changes().filter(|change| *change < 0).map(i64::unsigned_abs).sum();
    let skipped: u64 = changes().filter(|change| *change > 0).map(i64::unsigned_abs).sum();
    let sure = td_string!(locale, reset.sure, again = grouped(again), skipped = grouped(skipped));
    html! {
        section.card {
            header {
                h2 { (td_string!(locale, reset.preview)) }
                p.muted { (td_string!(locale, reset.nothing_changed, again = grouped(again), skipped = grouped(skipped))) }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, reset.preview)) {
                table.table {
                    thead { tr {
                        th { (td_string!(locale, groups.partition)) }
                        th.r { (td_string!(locale, reset.committed)) }
                        th.r { (td_string!(locale, reset.new)) }
                        th.r { (td_string!(locale, reset.change)) }
                        th { (td_string!(locale, reset.effect)) }
                    } }
                    tbody { @for row in &plan.rows { (planned(reader, row)) } }
                }
            }
            @match &plan.how {
                ResetHow::Active(members) => {
                    (banner("warn", td_string!(locale, reset.active), &td_string!(locale, reset.active_means, members = members.join(", "))))
                }
                how => {
                    (banner("info", "", match how {
                        ResetHow::Owners => td_string!(locale, reset.owners_move),
                        _ => td_string!(locale, reset.group_is_empty),
                    }))
                    form method="post" action=(action) {
                        (rows(asked, plan))
                        footer.wrap {
                            label.check { input type="checkbox" name="sure" autocomplete="off" required; span { (sure) } }
                            @if is_unsure { span.ink data-tone="danger" role="alert" { (td_string!(locale, reset.tick_first)) } }
                            span.push {}
                            button.btn.primary { (td_string!(locale, reset.do_it, count = plan.rows.len())) }
                        }
                    }
                }
            }
            form method="post" action=(apart) {
                (rows(asked, plan))
                footer.wrap {
                    span.muted { (td_string!(locale, reset.apart_means)) }
                    span.push {}
                    button.btn { (td_string!(locale, reset.apart)) }
                }
            }
        }
    }
}

/// A plan as a form sends it, and what it is for, so that a form that is refused comes back with both.
fn rows(asked: &ResetForm, plan: &ResetPlan) -> Markup {
    let ResetForm { to, value, topic, partitions } = asked;
    html! {
        @for (name, value) in [("to", to), ("value", value), ("topic", topic), ("partitions", partitions)] {
            input type="hidden" name=(name) value=(value);
        }
        @for row in &plan.rows { input type="hidden" name="row" value={ (row.partition) ":" (row.to) }; }
    }
}

fn planned(reader: &Reader, row: &ResetRow) -> Markup {
    let locale = reader.locale;
    let effect = match row.change() {
        None => td_string!(locale, reset.begins_here).to_owned(),
        Some(0) => td_string!(locale, reset.no_effect).to_owned(),
        Some(change) if change < 0 => td_string!(locale, reset.read_again, count = grouped(change.unsigned_abs())),
        Some(change) => td_string!(locale, reset.skipped, count = grouped(change.unsigned_abs())),
    };
    html! {
        tr {
            th.mono scope="row" { (row.topic) "[" (row.partition) "]" }
            td.r.mono { @if let Some(committed) = row.committed { (committed) } @else { "–" } }
            td.r.mono { (row.to) }
            td.r.mono { @if let Some(change) = row.change() { (signed(change)) } @else { "–" } }
            td.muted { (effect) }
        }
    }
}

fn signed(change: i64) -> String {
    let sign = if change < 0 { "−" } else { "+" };
    if change == 0 { "0".into() } else { format!("{sign}{}", grouped(change.unsigned_abs())) }
}

/// What came of it, per partition.
pub fn results(reader: &Reader, results: &[SeekResult]) -> Markup {
    let locale = reader.locale;
    let failed = results.iter().filter(|result| result.to.is_none()).count();
    html! {
        section.card {
            header {
                h2 { (td_string!(locale, reset.result)) }
                p.muted role="status" {
                    @if failed == 0 { (td_string!(locale, reset.all_done, count = results.len())) }
                    @else { (td_string!(locale, reset.some_not_done, count = failed, of = results.len())) }
                }
            }
            div.scroll tabindex="0" role="region" aria-label=(td_string!(locale, reset.result)) {
                table.table {
                    tbody {
                        @for result in results {
                            tr {
                                th.mono scope="row" { (result.topic) "[" (result.partition) "]" }
                                @match result.to {
                                    Some(to) => {
                                        td { span.badge data-tone="ok" { (icon("check")) (td_string!(locale, reset.done)) } }
                                        td.mono { (to) }
                                    }
                                    None => {
                                        td { span.badge data-tone="danger" { (icon("x")) (td_string!(locale, reset.not_done)) } }
                                        td.muted { (words::not_sought(locale, result)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Why nothing was planned or done.
pub fn trouble(reader: &Reader, error: &ResetError) -> Markup {
    let locale = reader.locale;
    let unanswered = |what: &str, reason: &str| {
        let why = format!("{what} {reason}");
        banner("danger", td_string!(locale, read.kafka), &why)
    };
    let why = match error {
        ResetError::UnknownTopic { topic } => td_string!(locale, read.unknown_topic, topic = topic.as_str()),
        ResetError::UnknownPartition { topic } => td_string!(locale, reset.unknown_partition, topic = topic.as_str()),
        ResetError::Active { members } => td_string!(locale, reset.active_means, members = members.join(", ")),
        ResetError::TooMany { most } => td_string!(locale, reset.too_many, most = *most),
        ResetError::Kafka { reason } => reason.clone(),
        ResetError::Unread { reason } => return unanswered(td_string!(locale, topic.unread), reason),
        ResetError::Unanswered { reason } => return unanswered(td_string!(locale, topic.unanswered), reason),
    };
    banner("danger", td_string!(locale, reset.not_possible), &why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    fn asked() -> ResetForm {
        let [to, value, topic, partitions] = ["shift", "-100", "orders", "0-5"].map(str::to_owned);
        ResetForm { to, value, topic, partitions }
    }

    fn row(committed: Option<i64>, to: i64) -> ResetRow {
        ResetRow { topic: "orders".into(), partition: 0, committed, to }
    }

    #[test]
    fn a_dry_run_says_how_many_are_read_again_or_skipped() {
        let shown =
            ResetPlan { rows: vec![row(Some(1_100), 100), row(Some(5), 8), row(None, 0)], how: ResetHow::Owners };
        let html = plan(&Reader::of(Locale::en), "/groups/g", &asked(), &shown, false).into_string();
        for text in ["1,000 read again", "3 skipped", "−1,000", "+3", "value=\"0:100\"", "required"] {
            assert!(html.contains(text), "{text}: {html}");
        }
        for asked in
            ["name=\"to\" value=\"shift\"", "name=\"value\" value=\"-100\"", "name=\"partitions\" value=\"0-5\""]
        {
            assert_eq!(html.matches(asked).count(), 2, "each form says what the plan is for: {asked}: {html}");
        }
    }

    #[test]
    fn an_active_group_has_no_button_and_names_its_members() {
        let shown = ResetPlan { rows: vec![row(Some(1), 0)], how: ResetHow::Active(vec!["billing-1".into()]) };
        let html = plan(&Reader::of(Locale::en), "/groups/g", &asked(), &shown, false).into_string();
        assert!(html.contains("billing-1") && !html.contains("action=\"/groups/g/reset\""), "{html}");
        assert!(html.contains("action=\"/groups/g/replay\""), "beside it one can always be: {html}");
    }
}
