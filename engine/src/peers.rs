//! The instances of a deployment, as their notices tell: who is there, who owns what, and what happened lately. Pure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use wire::{
    Author, ClusterInstance, FeedNews, Fellow, Group, GroupPartition, Happening, HappeningKind, InstanceGroup, Member,
    MemberOttla, Millis, News, Notice, Owned, PartitionStats, SeekResult, Stats,
};

/// After so long without a word an instance is not there any more. It says one every second.
pub(crate) const SILENT_AFTER: Millis = 5_000;
/// How many happenings of a group are kept, and for how long.
const KEPT: usize = 200;
const KEPT_FOR: Millis = 3_600_000;
/// How many answers to orders are kept.
const ANSWERS: usize = 100;

/// What was heard of everyone, this instance included.
#[derive(Debug)]
pub(crate) struct Peers {
    me: Author,
    there: BTreeMap<Author, Peer>,
    groups: HashMap<String, Lately>,
    /// By order and instance.
    answers: VecDeque<(String, Author, Vec<SeekResult>)>,
}

#[derive(Debug)]
struct Peer {
    started: Millis,
    /// When it said its last word, by its own clock.
    said: Millis,
    /// When that was heard, by this machine's.
    heard: Millis,
    feeds: Vec<FeedNews>,
    /// Records consumed a second, by group, topic and partition: between its last two words.
    rates: HashMap<(String, String, i32), u32>,
}

/// What happened in a group lately.
#[derive(Debug, Default)]
struct Lately {
    /// The newest last.
    happenings: VecDeque<Happening>,
    /// Per partition that has no owner: since when, and who had it.
    unowned: HashMap<(String, i32), (Millis, String)>,
    /// Per partition: when it got its present owner, and whom.
    owned: HashMap<(String, i32), (Millis, String)>,
}

impl Peers {
    pub fn new(me: Author) -> Self {
        Self { me, there: BTreeMap::new(), groups: HashMap::new(), answers: VecDeque::new() }
    }

    /// Takes note of what someone said. Returns what happened by it, with the group's name.
    pub fn hear(&mut self, notice: Notice, now: Millis) -> Vec<(String, Happening)> {
        let Notice { by, at, news } = notice;
        let mut happened = Vec::new();
        match news {
            // One that was read late, from the log, is no sign of life.
            News::Alive { .. } if now - at > SILENT_AFTER => {}
            News::Alive { started, feeds } => {
                let is_new = !self.there.contains_key(&by);
                let groups: Vec<_> = feeds.iter().map(|feed| feed.group.clone()).collect();
                let rates = self.there.get(&by).map(|before| rates(before, at, &feeds)).unwrap_or_default();
                self.there.insert(by.clone(), Peer { started, said: at, heard: now, feeds, rates });
                if is_new {
                    for group in groups {
                        happened.push(self.happen(group, &by, at.max(started), HappeningKind::Joined, Vec::new()));
                    }
                }
            }
            News::Left => {
                for feed in self.there.remove(&by).into_iter().flat_map(|peer| peer.feeds) {
                    happened.push(self.happen(feed.group, &by, at, HappeningKind::Left, Vec::new()));
                }
            }
            News::Changed { group, change, partitions } => {
                happened.push(self.happen(group, &by, at, change, partitions));
            }
            News::Seek(_) => {}
            News::Sought { id, results } => {
                if self.answers.len() == ANSWERS {
                    self.answers.pop_front();
                }
                self.answers.push_back((id, by, results));
            }
        }
        happened
    }

    /// Forgets those of whom nothing was heard for too long. Returns what happened by it, with the group's name.
    pub fn forget_silent(&mut self, now: Millis) -> Vec<(String, Happening)> {
        let mut happened = Vec::new();
        let is_silent = |peer: &Peer| now - peer.heard > SILENT_AFTER;
        let silent: Vec<_> = self.there.iter().filter(|(_, peer)| is_silent(peer)).map(|(by, _)| by.clone()).collect();
        for by in silent {
            let Some(peer) = self.there.remove(&by) else { continue };
            for feed in peer.feeds {
                happened.push(self.happen(feed.group, &by, peer.heard, HappeningKind::Silent, feed.owned));
            }
        }
        happened
    }

    fn happen(
        &mut self,
        group: String,
        by: &Author,
        at: Millis,
        kind: HappeningKind,
        partitions: Vec<Owned>,
    ) -> (String, Happening) {
        let member = by.instance.clone();
        let lately = self.groups.entry(group.clone()).or_default();
        let (mut unowned, mut from) = (None, None);
        for owned in &partitions {
            for number in &owned.partitions {
                let place = (owned.topic.clone(), *number);
                match kind {
                    HappeningKind::Assigned => {
                        if let Some((since, who)) = lately.unowned.remove(&place) {
                            unowned = unowned.max(Some((at - since).max(0)));
                            from = Some(who);
                        }
                        lately.owned.insert(place, (at, member.clone()));
                    }
                    HappeningKind::Revoked | HappeningKind::Lost | HappeningKind::Silent => {
                        // Who heard of the next owner already has nothing to add.
                        if lately.owned.get(&place).is_none_or(|(_, owner)| *owner == member) {
                            lately.owned.remove(&place);
                            lately.unowned.insert(place, (at, member.clone()));
                        }
                    }
                    HappeningKind::Joined | HappeningKind::Left | HappeningKind::Sought => {}
                }
            }
        }
        let happening = Happening { at, member, kind, partitions, unowned, from };
        // Notices of several instances may come a little out of order.
        let place = lately.happenings.iter().rposition(|before| before.at <= at).map_or(0, |before| before + 1);
        lately.happenings.insert(place, happening.clone());
        while lately.happenings.len() > KEPT
            || lately.happenings.front().is_some_and(|oldest| at - oldest.at > KEPT_FOR)
        {
            lately.happenings.pop_front();
        }
        (group, happening)
    }

    /// Of a partition that another instance owns: that one's name, and up to before which offset there is something in the log.
    pub fn elsewhere(&self, group: &str, topic: &str, partition: i32) -> Option<(String, i64)> {
        let owner = self.owner(group, topic, partition).filter(|owner| **owner != self.me)?;
        let feed = self.there.get(owner)?.feeds.iter().find(|feed| feed.group == group)?;
        let is_it = |stats: &&PartitionStats| stats.topic == topic && stats.partition == partition;
        let stats = feed.stats.partitions.iter().find(is_it)?;
        Some((owner.instance.clone(), stats.committed.max(stats.end)?))
    }

    /// The instance that owns a partition of a group, as far as was heard.
    pub fn owner(&self, group: &str, topic: &str, partition: i32) -> Option<&Author> {
        let (_, owner) = self.groups.get(group)?.owned.get(&(topic.to_owned(), partition))?;
        self.lives(owner, group).max_by_key(|(_, peer)| peer.started).map(|(by, _)| by)
    }

    /// Another life of an instance that has this one's name, and when it was last heard of.
    pub fn namesake(&self, group: &str) -> Option<(u64, Millis)> {
        let mut lives = self.lives(&self.me.instance, group);
        lives.find(|(by, _)| by.incarnation != self.me.incarnation).map(|(by, peer)| (by.incarnation, peer.heard))
    }

    /// The lives of an instance in a group: in another group one may have the same name.
    fn lives(&self, instance: &str, group: &str) -> impl Iterator<Item = (&Author, &Peer)> {
        self.there
            .iter()
            .filter(move |(by, peer)| by.instance == instance && peer.feeds.iter().any(|feed| feed.group == group))
    }

    /// The instances that consume `group`, sorted by name.
    pub fn fellows(&self, group: &str) -> Vec<Fellow> {
        let feeds = self.there.iter().flat_map(|(by, peer)| peer.feeds.iter().map(move |feed| (by, feed)));
        feeds
            .filter(|(_, feed)| feed.group == group)
            .map(|(by, feed)| Fellow {
                instance: by.instance.clone(),
                rate: feed.stats.rate,
                owned: feed.owned.clone(),
            })
            .collect()
    }

    /// Everyone who is there, sorted by name.
    pub fn instances(&self) -> Vec<ClusterInstance> {
        let instance = |(by, peer): (&Author, &Peer)| ClusterInstance {
            instance: by.instance.clone(),
            is_self: *by == self.me,
            started: peer.started,
            heard: peer.heard,
            // Of the instance, whichever feed tells it.
            tabs: peer.feeds.iter().map(|feed| feed.stats.tabs).max(),
            groups: peer.feeds.iter().map(|feed| instance_group(&feed.group, &feed.owned, &feed.stats)).collect(),
        };
        let mut instances: Vec<_> = self.there.iter().map(instance).collect();
        instances.sort_by(|a, b| (&a.instance, a.started).cmp(&(&b.instance, b.started)));
        instances
    }

    /// What came of an order so far.
    pub fn answers(&self, id: &str) -> Vec<SeekResult> {
        let answers = self.answers.iter().filter(|(order, ..)| order == id);
        answers.flat_map(|(.., results)| results.iter().cloned()).collect()
    }

    /// Adds what the instances tell of themselves to what the cluster tells of a group.
    pub fn complete(&self, group: &mut Group) {
        for (by, peer) in &self.there {
            let Some(feed) = peer.feeds.iter().find(|feed| feed.group == group.name) else { continue };
            let ottla = MemberOttla {
                started: peer.started,
                heard: peer.heard,
                stats: Stats { partitions: Vec::new(), ..feed.stats.clone() },
                is_self: *by == self.me,
            };
            match group.members.iter_mut().find(|member| member.client_id == by.instance) {
                Some(member) => (member.owned, member.ottla) = (feed.owned.clone(), Some(ottla)),
                None => group.members.push(Member {
                    client_id: by.instance.clone(),
                    owned: feed.owned.clone(),
                    ottla: Some(ottla),
                    ..Member::default()
                }),
            }
            for stats in &feed.stats.partitions {
                let new = GroupPartition {
                    topic: stats.topic.clone(),
                    partition: stats.partition,
                    committed: None,
                    end: None,
                    owner: None,
                    rate: None,
                    moved: None,
                };
                let at = group.partitions.binary_search_by(|known| {
                    (known.topic.as_str(), known.partition).cmp(&(stats.topic.as_str(), stats.partition))
                });
                let at = at.unwrap_or_else(|at| {
                    group.partitions.insert(at, new);
                    at
                });
                let partition = &mut group.partitions[at];
                partition.owner = Some(by.instance.clone());
                let place = (group.name.clone(), stats.topic.clone(), stats.partition);
                partition.rate = peer.rates.get(&place).copied();
                partition.committed = stats.committed.or(partition.committed);
                // The owner's end may be older than what it committed since.
                partition.end = stats.end.max(partition.end).map(|end| end.max(partition.committed.unwrap_or(end)));
            }
        }
        group.members.sort_by(|a, b| a.client_id.cmp(&b.client_id));
        if let Some(lately) = self.groups.get(&group.name) {
            group.history = lately.happenings.iter().rev().cloned().collect();
            for partition in &mut group.partitions {
                let place = (partition.topic.clone(), partition.partition);
                partition.moved = lately.owned.get(&place).map(|(at, _)| *at);
            }
        }
    }
}

/// What an instance consumes of a group.
pub(crate) fn instance_group(group: &str, owned: &[Owned], stats: &Stats) -> InstanceGroup {
    let partitions = owned.iter().map(|owned| owned.partitions.len()).sum::<usize>();
    InstanceGroup {
        group: group.to_owned(),
        partitions: u32::try_from(partitions).unwrap_or(u32::MAX),
        rate: stats.rate,
    }
}

/// What was consumed of each partition since the word before, a second.
fn rates(before: &Peer, at: Millis, feeds: &[FeedNews]) -> HashMap<(String, String, i32), u32> {
    let passed = u64::try_from(at - before.said).unwrap_or(0).max(1);
    let mut rates = HashMap::new();
    for feed in feeds {
        let Some(was) = before.feeds.iter().find(|was| was.group == feed.group) else { continue };
        for now in &feed.stats.partitions {
            let is_it = |was: &&PartitionStats| was.topic == now.topic && was.partition == now.partition;
            let consumed = was.stats.partitions.iter().find(is_it).map_or(0, |was| was.consumed);
            // Less than before: it was assigned anew.
            let new = now.consumed.checked_sub(consumed).unwrap_or(now.consumed);
            let rate = u32::try_from(new.saturating_mul(1_000) / passed).unwrap_or(u32::MAX);
            rates.insert((feed.group.clone(), now.topic.clone(), now.partition), rate);
        }
    }
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(instance: &str, incarnation: u64) -> Author {
        Author { deployment: "d".into(), instance: instance.into(), incarnation }
    }

    fn owned(partitions: &[i32]) -> Vec<Owned> {
        vec![Owned { topic: "t".into(), partitions: partitions.to_vec(), of: 3 }]
    }

    fn alive(at: Millis, partitions: &[i32]) -> News {
        let feed =
            FeedNews { group: "g".into(), owned: owned(partitions), stats: Stats { rate: 7, ..Stats::default() } };
        News::Alive { started: at, feeds: vec![feed] }
    }

    fn changed(change: HappeningKind, partitions: &[i32]) -> News {
        News::Changed { group: "g".into(), change, partitions: owned(partitions) }
    }

    fn hear(peers: &mut Peers, by: &Author, at: Millis, news: News) {
        peers.hear(Notice { by: by.clone(), at, news }, at);
    }

    #[test]
    fn an_instance_is_there_until_it_says_good_bye_or_nothing_any_more() {
        let (one, two) = (author("one", 1), author("two", 2));
        let mut peers = Peers::new(one.clone());
        hear(&mut peers, &one, 0, alive(0, &[0]));
        hear(&mut peers, &two, 0, alive(0, &[1, 2]));
        assert_eq!(peers.fellows("g").len(), 2);
        assert_eq!(peers.fellows("other"), []);
        hear(&mut peers, &one, 6_000, alive(0, &[0]));
        peers.forget_silent(6_000);
        assert_eq!(peers.fellows("g").into_iter().map(|fellow| fellow.instance).collect::<Vec<_>>(), ["one"]);
        hear(&mut peers, &one, 7_000, News::Left);
        assert_eq!(peers.fellows("g"), []);
    }

    #[test]
    fn what_was_said_long_ago_is_no_sign_of_life() {
        let mut peers = Peers::new(author("one", 1));
        peers.hear(Notice { by: author("two", 2), at: 0, news: alive(0, &[0]) }, 60_000);
        assert_eq!(peers.fellows("g"), []);
    }

    #[test]
    fn an_assignment_tells_who_had_the_partition_and_how_long_it_had_no_owner() {
        let (one, two) = (author("one", 1), author("two", 2));
        let mut peers = Peers::new(one.clone());
        hear(&mut peers, &one, 100, changed(HappeningKind::Assigned, &[0, 1]));
        hear(&mut peers, &one, 1_000, changed(HappeningKind::Revoked, &[1]));
        hear(&mut peers, &two, 1_200, changed(HappeningKind::Assigned, &[1]));
        let mut group = Group { name: "g".into(), ..Group::default() };
        peers.complete(&mut group);
        assert_eq!(group.history[0].unowned, Some(200));
        assert_eq!(group.history[0].from.as_deref(), Some("one"));
        assert_eq!(group.history.last().unwrap().unowned, None);
    }

    #[test]
    fn the_owner_is_who_was_assigned_last_and_is_there() {
        let (one, two) = (author("one", 1), author("two", 2));
        let mut peers = Peers::new(one.clone());
        hear(&mut peers, &one, 0, alive(0, &[0]));
        hear(&mut peers, &two, 0, alive(0, &[]));
        hear(&mut peers, &one, 1, changed(HappeningKind::Assigned, &[0]));
        assert_eq!(peers.owner("g", "t", 0), Some(&one));
        hear(&mut peers, &one, 2, changed(HappeningKind::Revoked, &[0]));
        assert_eq!(peers.owner("g", "t", 0), None);
        hear(&mut peers, &two, 3, changed(HappeningKind::Assigned, &[0]));
        assert_eq!(peers.owner("g", "t", 0), Some(&two), "although its last word of what it owns is older");
        assert_eq!((peers.owner("g", "t", 1), peers.owner("h", "t", 0)), (None, None));

        let namesake = FeedNews { group: "h".into(), owned: owned(&[0]), stats: Stats::default() };
        hear(&mut peers, &author("two", 3), 4, News::Alive { started: 4, feeds: vec![namesake] });
        assert_eq!(peers.owner("g", "t", 0), Some(&two), "although one in another group has its name and is younger");
    }

    #[test]
    fn of_a_partition_elsewhere_the_owner_and_the_end_are_known() {
        let (me, two) = (author("one", 1), author("two", 2));
        let mut peers = Peers::new(me.clone());
        for (by, partition, end) in [(&me, 0, 10), (&two, 1, 20)] {
            let partitions =
                vec![PartitionStats { topic: "t".into(), partition, consumed: 0, committed: None, end: Some(end) }];
            let stats = Stats { partitions, ..Stats::default() };
            let feeds = vec![FeedNews { group: "g".into(), owned: owned(&[partition]), stats }];
            hear(&mut peers, by, 0, News::Alive { started: 0, feeds });
            hear(&mut peers, by, 1, changed(HappeningKind::Assigned, &[partition]));
        }
        assert_eq!(peers.elsewhere("g", "t", 1), Some(("two".into(), 20)));
        assert_eq!((peers.elsewhere("g", "t", 0), peers.elsewhere("g", "t", 2)), (None, None));
    }

    #[test]
    fn a_namesake_is_another_life_of_the_same_name_in_the_same_group() {
        let me = author("one", 1);
        let mut peers = Peers::new(me.clone());
        hear(&mut peers, &me, 0, alive(0, &[0]));
        hear(&mut peers, &author("two", 2), 0, alive(0, &[1]));
        assert_eq!(peers.namesake("g"), None);
        hear(&mut peers, &author("one", 3), 50, alive(0, &[1]));
        assert_eq!(peers.namesake("g"), Some((3, 50)));
        assert_eq!(peers.namesake("h"), None);
    }

    #[test]
    fn a_group_is_completed_with_what_its_members_say() {
        let me = author("one", 1);
        let mut peers = Peers::new(me.clone());
        let stats = Stats {
            rate: 9,
            partitions: vec![PartitionStats {
                topic: "t".into(),
                partition: 1,
                consumed: 4,
                committed: Some(10),
                end: Some(12),
            }],
            ..Stats::default()
        };
        let feeds = vec![FeedNews { group: "g".into(), owned: owned(&[1]), stats }];
        hear(&mut peers, &me, 5, News::Alive { started: 1, feeds });
        let mut group = Group { name: "g".into(), ..Group::default() };
        peers.complete(&mut group);
        assert_eq!(group.members.len(), 1);
        assert_eq!(group.members[0].ottla.as_ref().map(|ottla| (ottla.stats.rate, ottla.is_self)), Some((9, true)));
        assert_eq!(group.partitions[0].lag(), Some(2));
        assert_eq!(group.partitions[0].owner.as_deref(), Some("one"));
    }

    #[test]
    fn everyone_who_is_there_tells_its_tabs_and_its_share() {
        let me = author("one", 1);
        let mut peers = Peers::new(me.clone());
        for (by, tabs) in [(author("two", 2), 3), (me, 0)] {
            let stats = Stats { rate: 7, tabs, ..Stats::default() };
            let feeds = vec![FeedNews { group: "g".into(), owned: owned(&[0, 2]), stats }];
            hear(&mut peers, &by, 5, News::Alive { started: 1, feeds });
        }
        let told = peers.instances();
        let told: Vec<_> = told.iter().map(|told| (told.instance.as_str(), told.is_self, told.tabs)).collect();
        assert_eq!(told, [("one", true, Some(0)), ("two", false, Some(3))]);
        let group = InstanceGroup { group: "g".into(), partitions: 2, rate: 7 };
        assert_eq!(peers.instances()[1].groups, [group]);
    }

    #[test]
    fn a_partitions_rate_is_what_was_consumed_between_two_words() {
        let me = author("one", 1);
        let mut peers = Peers::new(me.clone());
        for (at, consumed) in [(0, 100), (500, 160)] {
            let counted = PartitionStats { topic: "t".into(), partition: 0, consumed, committed: None, end: None };
            let stats = Stats { partitions: vec![counted], ..Stats::default() };
            let feeds = vec![FeedNews { group: "g".into(), owned: owned(&[0]), stats }];
            hear(&mut peers, &me, at, News::Alive { started: 0, feeds });
        }
        let mut group = Group { name: "g".into(), ..Group::default() };
        peers.complete(&mut group);
        assert_eq!(group.partitions[0].rate, Some(120));
    }
}
