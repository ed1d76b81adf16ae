//! Pages that the server keeps live: it looks again once a second, renders, and sends the pieces that changed.
//!
//! What a piece is called is its element's id. The browser's part is `islands/stream.rs`; it knows no page, so that a page
//! that is kept live this way costs no WebAssembly.

use crate::{
    markup::{
        cluster,
        group::{self, Shown},
        groups,
        live::{Piece, old},
    },
    preferences::Preferences,
    reader::Reader,
    words,
};
use axum::http::{HeaderMap, StatusCode};
use engine::{Engine, Patience};
use leptos_i18n::td_string;
use maud::{Markup, html};
use std::collections::HashMap;
use wire::{Cluster, ClusterQuery, Group, GroupSummary, Millis, ReadError};

/// The element of everything that is kept live.
pub const BODY: &str = "body";
/// The element above it, for what is to be said about it.
pub const NOTE: &str = "note";
/// The query of a stream's address that asks for the whole body first: of a page that has nothing to show yet.
const WHOLE: &str = "whole";

/// What a live page is about.
#[derive(Debug)]
pub enum Subject {
    /// All groups.
    Groups,
    /// The group of this name.
    Group(String),
    /// The cluster, and this page of its picture.
    Cluster(ClusterQuery),
}

/// What was found of it.
pub enum Found {
    /// All groups.
    Groups(Vec<GroupSummary>),
    /// The group.
    Group(Box<Group>),
    /// The cluster, and what was asked for.
    Cluster(ClusterQuery, Box<Cluster>),
}

/// Why nothing was found.
pub struct Absent {
    /// The answer's status.
    pub status: StatusCode,
    /// Its icon.
    pub symbol: &'static str,
    /// What is the matter, in a few words.
    pub title: String,
    /// What that means.
    pub text: Markup,
}

/// For whom something is shown, and when.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    /// For whom.
    pub reader: &'a Reader,
    /// The instance that serves the page.
    pub serving: &'a str,
    /// The server's clock.
    pub now: Millis,
}

impl Subject {
    /// What there is to see of it now.
    pub async fn look(&self, reader: &Reader, engine: &Engine, patience: Patience) -> Result<Found, Absent> {
        let found = match self {
            Self::Groups => engine.groups(patience).await.map(|groups| Some(Found::Groups(groups))),
            Self::Group(name) => {
                engine.group(name, patience).await.map(|group| group.map(|group| Found::Group(Box::new(group))))
            }
            Self::Cluster(query) => {
                let cluster = engine.cluster(query, patience).await;
                cluster.map(|cluster| Some(Found::Cluster(query.clone(), Box::new(cluster))))
            }
        };
        match (found, self) {
            (Ok(Some(found)), _) => Ok(found),
            (Ok(None), Self::Group(name)) => Err(Absent::unknown(reader, name)),
            (Ok(None), _) => Ok(Found::Groups(Vec::new())),
            (Err(error), _) => Err(Absent::unread(reader, &error)),
        }
    }

    /// The address of its stream, for a page that `has_body` or not.
    pub fn stream(&self, has_body: bool) -> String {
        let stream = match self {
            // Below `/groups/` each word is a group's name.
            Self::Groups => "/live/groups".into(),
            Self::Group(name) => format!("{}/live", groups::path(name)),
            Self::Cluster(query) => cluster::address(query, "/live"),
        };
        let mark = if stream.contains('?') { '&' } else { '?' };
        if has_body { stream } else { format!("{stream}{mark}{WHOLE}") }
    }
}

impl Found {
    /// Everything that is kept live, below the page's heading.
    pub fn body(&self, viewer: Viewer<'_>) -> Markup {
        match self {
            Self::Groups(groups) => groups::body(viewer.reader, groups),
            Self::Group(group) => group::body(shown(group, viewer)),
            Self::Cluster(query, cluster) => cluster::body(picture(query, cluster, viewer)),
        }
    }

    /// What stands beside the page's title.
    pub fn heading(&self, viewer: Viewer<'_>) -> Markup {
        match self {
            Self::Groups(_) | Self::Cluster(..) => html! {},
            Self::Group(group) => group::heading(shown(group, viewer)),
        }
    }

    fn pieces(&self, viewer: Viewer<'_>) -> Vec<Piece> {
        match self {
            Self::Groups(groups) => groups::pieces(viewer.reader, groups),
            Self::Group(group) => group::pieces(shown(group, viewer)),
            Self::Cluster(query, cluster) => cluster::pieces(picture(query, cluster, viewer)),
        }
    }
}

fn shown<'a>(group: &'a Group, Viewer { reader, serving, now }: Viewer<'a>) -> Shown<'a> {
    Shown { reader, group, serving, now }
}

fn picture<'a>(
    query: &'a ClusterQuery,
    cluster: &'a Cluster,
    Viewer { reader, serving, now }: Viewer<'a>,
) -> cluster::Shown<'a> {
    cluster::Shown { reader, cluster, query, serving, now }
}

impl Absent {
    /// Something that could not be read, in the words of whoever could not.
    pub fn because(reader: &Reader, reason: String) -> Self {
        Self::unread(reader, &ReadError::Kafka { reason })
    }

    fn unread(reader: &Reader, error: &ReadError) -> Self {
        let (title, why) = words::read_error(reader.locale, error);
        let is_own = matches!(error, ReadError::Kafka { reason } if reason.is_empty());
        let why = if is_own {
            html! { (why) }
        } else {
            html! { code { (why) } }
        };
        let text = html! { (td_string!(reader.locale, live.comes_back)) " " (why) };
        Self { status: StatusCode::SERVICE_UNAVAILABLE, symbol: "cluster", title, text }
    }

    fn unknown(reader: &Reader, name: &str) -> Self {
        let title = td_string!(reader.locale, groups.unknown, name);
        let text = html! { (td_string!(reader.locale, groups.unknown_means)) };
        Self { status: StatusCode::NOT_FOUND, symbol: "search", title, text }
    }
}

/// A page that someone looks at: knows what was sent to it.
pub struct LivePage {
    subject: Subject,
    reader: Reader,
    /// Whether the page has a body, whose pieces can be sent.
    has_body: bool,
    /// When there was something to see last.
    seen: Millis,
    sent: HashMap<&'static str, String>,
}

impl LivePage {
    /// The list of groups, as a stream's request asks for it.
    pub fn groups(headers: &HeaderMap, query: Option<&str>) -> Self {
        Self::new(Subject::Groups, headers, query)
    }

    /// The page of the group called `name`.
    pub fn group(name: String, headers: &HeaderMap, query: Option<&str>) -> Self {
        Self::new(Subject::Group(name), headers, query)
    }

    /// The cluster's page.
    pub fn cluster(asked: ClusterQuery, headers: &HeaderMap, query: Option<&str>) -> Self {
        Self::new(Subject::Cluster(asked), headers, query)
    }

    fn new(subject: Subject, headers: &HeaderMap, query: Option<&str>) -> Self {
        let reader = Reader::of(Preferences::of(headers).locale);
        Self {
            subject,
            reader,
            has_body: !query.unwrap_or_default().split('&').any(|asked| asked == WHOLE),
            seen: engine::now(),
            sent: HashMap::new(),
        }
    }

    /// Looks again: what changed since the last time, as ids of elements and the HTML that is to be in them.
    pub async fn changes(&mut self, engine: &Engine) -> Vec<(&'static str, String)> {
        let found = self.subject.look(&self.reader, engine, Patience::Page).await;
        self.changed(found, engine.instance(), engine::now())
    }

    fn changed(&mut self, found: Result<Found, Absent>, serving: &str, now: Millis) -> Vec<(&'static str, String)> {
        let mut pieces = Vec::new();
        match found {
            Ok(found) => {
                let viewer = Viewer { reader: &self.reader, serving, now };
                self.seen = now;
                if !self.has_body {
                    self.has_body = true;
                    pieces.push((BODY, found.body(viewer)));
                }
                pieces.push((NOTE, html! {}));
                pieces.extend(found.pieces(viewer));
            }
            // A page that shows nothing says so already.
            Err(_) if !self.has_body => {}
            Err(absent) => {
                let tone = if absent.status == StatusCode::NOT_FOUND { "warn" } else { "danger" };
                pieces.push((NOTE, old(&self.reader, tone, &format!("{}.", absent.title), self.seen)));
            }
        }
        let changed = pieces.into_iter().map(|(id, html)| (id, html.into_string()));
        changed
            .filter(|(id, html)| {
                let is_new = self.sent.get(id) != Some(html);
                if is_new {
                    self.sent.insert(id, html.clone());
                }
                is_new
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_185_127_418;

    fn page(query: Option<&str>) -> LivePage {
        LivePage::group("ottla".into(), &HeaderMap::new(), query)
    }

    fn found(state: &str) -> Result<Found, Absent> {
        Ok(Found::Group(Box::new(Group { name: "ottla".into(), state: state.into(), ..Group::default() })))
    }

    fn away() -> Result<Found, Absent> {
        Err(Absent::because(&Reader::of(crate::i18n::Locale::en), "timed out".into()))
    }

    fn ids(changes: &[(&'static str, String)]) -> Vec<&'static str> {
        changes.iter().map(|(id, _)| *id).collect()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let mut page = page(None);
        let first = page.changed(found("stable"), "ottla-1", NOW);
        assert!(first.len() > 5 && !ids(&first).contains(&BODY), "{:?}", ids(&first));
        assert!(page.changed(found("stable"), "ottla-1", NOW + 1_000).is_empty());
        let second = page.changed(found("empty"), "ottla-1", NOW + 2_000);
        assert_eq!(ids(&second), ["group-state"]);
        assert!(second[0].1.contains("empty"));
    }

    #[test]
    fn while_kafka_is_away_what_was_seen_stays_and_says_how_old_it_is() {
        let mut page = page(None);
        page.changed(found("stable"), "ottla-1", NOW);
        let note = page.changed(away(), "ottla-1", NOW + 1_000);
        assert_eq!(ids(&note), [NOTE]);
        assert!(note[0].1.contains("Kafka does not answer") && note[0].1.contains("14:32:07.418"), "{}", note[0].1);
        assert!(page.changed(away(), "ottla-1", NOW + 2_000).is_empty());
        assert_eq!(page.changed(found("stable"), "ottla-1", NOW + 3_000), [(NOTE, String::new())]);
    }

    #[test]
    fn a_page_that_had_nothing_to_show_gets_its_body_once_there_is_something() {
        let mut page = page(Some(WHOLE));
        assert!(page.changed(away(), "ottla-1", NOW).is_empty());
        let first = page.changed(found("stable"), "ottla-1", NOW);
        assert_eq!(first[0].0, BODY, "before its pieces");
        assert!(!ids(&page.changed(found("empty"), "ottla-1", NOW)).contains(&BODY));
    }

    #[test]
    fn a_stream_is_found_by_the_page_and_asks_for_what_the_page_lacks() {
        assert_eq!(Subject::Group("a/b".into()).stream(true), "/groups/a%2Fb/live");
        assert_eq!(Subject::Groups.stream(false), "/live/groups?whole");
        let query = ClusterQuery { q: "a b".into(), page: 1 };
        assert_eq!(Subject::Cluster(query.clone()).stream(true), "/cluster/live?q=a+b");
        assert_eq!(Subject::Cluster(query.clone()).stream(false), "/cluster/live?q=a+b&whole");
        assert!(!LivePage::cluster(query, &HeaderMap::new(), Some("q=a+b&whole")).has_body);
    }

    #[test]
    fn a_stream_speaks_the_language_of_its_page() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", "lang=zh-Hans".parse().unwrap());
        let mut page = LivePage::group("ottla".into(), &headers, None);
        let first = page.changed(found("stable"), "ottla-1", NOW);
        assert!(first.iter().any(|(_, html)| html.contains("稳定")), "{first:?}");
    }
}
