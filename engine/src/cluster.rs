//! The cluster as pages and programs see it: one look at Kafka for all who look at this instance, and what changed between two looks.
//! Nobody looks: Kafka is not asked.

use crate::{Engine, Patience, peers::instance_group, shared::AGE};
use kafka::{Broker, BrokerTraits, ClusterPicture};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use wire::{
    Cluster, ClusterBroker, ClusterChange, ClusterChangeKind, ClusterInstance, ClusterQuery, ClusterTotals, Millis,
    Owned, PARTITIONS_PER_BLOCK, PlacedPartition, PlacedTopic, ReadError, TopicPartition,
};

/// How many blocks of partitions a page of the picture has: six hundred partitions, or sixty topics of a few.
const BLOCKS_PER_PAGE: usize = 60;
/// How many partitions in trouble are named.
const TROUBLE: usize = 100;
/// How long a look may take in all. A page waits for less, and the next one has what comes later.
const LOOK_DEADLINE: Duration = Duration::from_secs(5);
/// How many changes are kept, and for how long; and how many partitions of one are named.
const KEPT: usize = 200;
const KEPT_FOR: Millis = 3_600_000;
const NAMED: usize = 200;
/// After so long without a look it begins anew: what happened meanwhile is not what anyone saw.
const FORGOTTEN_AFTER: Millis = 600_000;
/// How long it is believed what a broker's settings tell, and how long finding out may take.
const LEARNT_AGE: Duration = Duration::from_secs(60);
const LEARNT_DEADLINE: Duration = Duration::from_secs(5);

/// What one look found.
pub(crate) struct Seen {
    at: Millis,
    picture: ClusterPicture,
    brokers: Vec<ClusterBroker>,
    totals: ClusterTotals,
    trouble: Vec<PlacedPartition>,
}

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Watch {
    since: Millis,
    /// The look before this one: when, where each partition lived by its topic, and who was up.
    before: Option<Before>,
    /// The newest last.
    changes: VecDeque<ClusterChange>,
    /// The brokers that were ever seen up.
    known: HashMap<i32, Known>,
    /// What brokers' settings tell, as of when; nothing of one that did not show them yet.
    learnt: HashMap<i32, (Instant, Option<BrokerTraits>)>,
}

struct Before {
    at: Millis,
    topics: HashMap<String, Vec<TopicPartition>>,
    up: Vec<i32>,
}

struct Known {
    broker: Broker,
    away_since: Option<Millis>,
}

impl Engine {
    /// The cluster, and the page of its picture that a query wants.
    ///
    /// # Errors
    /// When Kafka does not answer.
    pub async fn cluster(&self, query: &ClusterQuery, patience: Patience) -> Result<Cluster, ReadError> {
        let late = || self.admin.trouble().unwrap_or_else(|| patience.exhausted("describing the cluster"));
        let (admin, watched) = (self.admin.clone(), Arc::clone(&self.watched));
        let look = || async move {
            let at = crate::now();
            let picture = admin.cluster(LOOK_DEADLINE).await?;
            learn_of_brokers(&admin, &watched, &picture);
            Ok(watched.lock().look(at, picture))
        };
        let seen = self.seen.get(AGE, patience, look, late).await?;
        let wanted = query.q.trim().to_lowercase();
        let found: Vec<_> =
            seen.picture.topics.iter().filter(|topic| topic.topic.to_lowercase().contains(&wanted)).collect();
        let (topics, page, pages) = page_of(&found, query.page);
        let watched = self.watched.lock();
        Ok(Cluster {
            at: seen.at,
            id: seen.picture.id.clone(),
            brokers: seen.brokers.clone(),
            totals: seen.totals,
            trouble: seen.trouble.clone(),
            topics,
            found: number(found.len()),
            page,
            pages,
            changes: watched.changes.iter().rev().cloned().collect(),
            watched_since: watched.since,
            instances: self.instances(),
        })
    }

    /// The instances that are there. Itself too, where nobody tells the others anything.
    fn instances(&self) -> Vec<ClusterInstance> {
        let mut instances = self.journal.peers(|peers| peers.instances());
        if !instances.iter().any(|instance| instance.is_self) {
            let groups = self.feeds().map(|feed| instance_group(feed.group(), &feed.assignment().owned, &feed.stats()));
            instances.push(ClusterInstance {
                instance: self.instance().into(),
                is_self: true,
                started: self.started,
                heard: crate::now(),
                tabs: Some(self.tabs()),
                groups: groups.collect(),
            });
            instances.sort_by(|a, b| a.instance.cmp(&b.instance));
        }
        instances
    }
}

/// Finds out beside the looks what brokers' settings tell, of those that are new or were asked long ago.
fn learn_of_brokers(admin: &kafka::Admin, watched: &Arc<Mutex<Watch>>, picture: &ClusterPicture) {
    let mut watch = watched.lock();
    let is_known = |broker: &&Broker| watch.learnt.get(&broker.id).is_some_and(|(at, _)| at.elapsed() < LEARNT_AGE);
    let asked: Vec<_> = picture.brokers.iter().filter(|broker| !is_known(broker)).map(|broker| broker.id).collect();
    for broker in &asked {
        // Asked once, also while it is not answered.
        let now = Instant::now();
        watch.learnt.entry(*broker).and_modify(|(at, _)| *at = now).or_insert((now, None));
    }
    drop(watch);
    if asked.is_empty() {
        return;
    }
    let (admin, watched) = (admin.clone(), Arc::clone(watched));
    tokio::spawn(async move {
        for broker in asked {
            if let Some(traits) = admin.broker_traits(broker, LEARNT_DEADLINE).await {
                watched.lock().learnt.insert(broker, (Instant::now(), Some(traits)));
            }
        }
    });
}

/// The blocks of a page, as topics; which page it is, and how many there are.
fn page_of(found: &[&PlacedTopic], page: u32) -> (Vec<PlacedTopic>, u32, u32) {
    let blocks = |topic: &PlacedTopic| topic.partitions.len().div_ceil(PARTITIONS_PER_BLOCK).max(1);
    let pages = found.iter().map(|topic| blocks(topic)).sum::<usize>().div_ceil(BLOCKS_PER_PAGE).max(1);
    let page = (page.max(1) as usize).min(pages);
    let (mut skip, mut left) = ((page - 1) * BLOCKS_PER_PAGE, BLOCKS_PER_PAGE);
    let mut topics = Vec::new();
    for topic in found {
        let all = blocks(topic);
        let shown = all.saturating_sub(skip).min(left);
        if shown > 0 {
            let first = skip * PARTITIONS_PER_BLOCK;
            let end = (first + shown * PARTITIONS_PER_BLOCK).min(topic.partitions.len());
            let partitions = topic.partitions[first.min(end)..end].to_vec();
            topics.push(PlacedTopic { topic: topic.topic.clone(), of: topic.of, partitions });
        }
        (skip, left) = (skip.saturating_sub(all), left - shown);
        if left == 0 {
            break;
        }
    }
    (topics, number(page), number(pages))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Changes that are alike: what, from which broker, to which.
type Alike = (ClusterChangeKind, Option<i32>, Option<i32>);

impl Watch {
    /// Takes note of what was found, and what changed since the look before.
    fn look(&mut self, at: Millis, picture: ClusterPicture) -> Seen {
        self.compare(at, &picture);
        for broker in &picture.brokers {
            self.known.insert(broker.id, Known { broker: broker.clone(), away_since: None });
        }
        let topics = picture.topics.iter().map(|topic| (topic.topic.clone(), topic.partitions.clone())).collect();
        let up = picture.brokers.iter().map(|broker| broker.id).collect();
        self.before = Some(Before { at, topics, up });
        let (totals, trouble) = sums(&picture.topics);
        Seen { at, brokers: self.brokers(&picture), totals, trouble, picture }
    }

    fn compare(&mut self, at: Millis, picture: &ClusterPicture) {
        let before = self.before.take().filter(|before| at - before.at < FORGOTTEN_AFTER);
        let Some(before) = before else {
            self.since = at;
            return;
        };
        let is_up = |id: &i32| picture.brokers.iter().any(|broker| broker.id == *id);
        let mut changes: BTreeMap<Alike, Vec<(&str, &TopicPartition, usize)>> = BTreeMap::new();
        for id in before.up.iter().filter(|id| !is_up(id)) {
            changes.entry((ClusterChangeKind::Gone, Some(*id), None)).or_default();
            if let Some(known) = self.known.get_mut(id) {
                known.away_since = Some(at);
            }
        }
        for id in picture.brokers.iter().map(|broker| broker.id).filter(|id| !before.up.contains(id)) {
            changes.entry((ClusterChangeKind::Came, None, Some(id))).or_default();
        }
        for topic in &picture.topics {
            // A topic that was made, and a partition that was added, is no change of what was there.
            let Some(was) = before.topics.get(&topic.topic).filter(|was| **was != topic.partitions) else { continue };
            for (was, now) in was.iter().zip(&topic.partitions) {
                for alike in changes_of(was, now) {
                    changes.entry(alike).or_default().push((&topic.topic, now, topic.partitions.len()));
                }
            }
        }
        for ((kind, from, to), mut partitions) in changes {
            let count = number(partitions.len());
            partitions.sort_by_key(|(topic, partition, _)| (*topic, partition.partition));
            partitions.truncate(NAMED);
            let change =
                ClusterChange { at, after: before.at, kind, from, to, partitions: by_topic(&partitions), count };
            log(&change);
            self.changes.push_back(change);
        }
        while self.changes.len() > KEPT || self.changes.front().is_some_and(|oldest| at - oldest.at > KEPT_FOR) {
            self.changes.pop_front();
        }
    }

    fn traits(&self, broker: i32) -> Option<&BrokerTraits> {
        self.learnt.get(&broker)?.1.as_ref()
    }

    /// Those that are up, and those that have replicas and are not.
    fn brokers(&self, picture: &ClusterPicture) -> Vec<ClusterBroker> {
        // One that is not there any more vouches for nobody: it may have gone with ZooKeeper.
        let vouches = |broker: &Broker| self.traits(broker.id).is_some_and(|traits| traits.knows_the_controller);
        let names_controller = picture.brokers.iter().all(vouches);
        let controller = picture.named_controller.filter(|_| names_controller);
        let broker = |id| ClusterBroker {
            id,
            is_controller: controller.map(|it| it == id),
            is_rack_known: self.traits(id).is_some(),
            rack: self.traits(id).and_then(|traits| traits.rack.clone()),
            ..ClusterBroker::default()
        };
        let mut brokers: BTreeMap<i32, ClusterBroker> = BTreeMap::new();
        for Broker { id, address } in &picture.brokers {
            let up = ClusterBroker { address: address.clone(), is_up: true, ..broker(*id) };
            brokers.insert(*id, up);
        }
        for partition in picture.topics.iter().flat_map(|topic| &topic.partitions) {
            for (place, id) in partition.replicas.iter().enumerate() {
                let broker = brokers.entry(*id).or_insert_with(|| match self.known.get(id) {
                    Some(Known { broker: Broker { address, .. }, away_since }) => {
                        ClusterBroker { address: address.clone(), away_since: *away_since, ..broker(*id) }
                    }
                    None => broker(*id),
                });
                broker.replicas += 1;
                broker.preferred += u32::from(place == 0);
                broker.leaders += u32::from(partition.leader == Some(*id));
                broker.not_in_sync += u32::from(!partition.in_sync.contains(id));
            }
        }
        brokers.into_values().collect()
    }
}

/// What happened to a partition between two looks.
fn changes_of(was: &TopicPartition, now: &TopicPartition) -> Vec<Alike> {
    use ClusterChangeKind::{Expanded, Led, Offline, Online, Shrunk};
    let mut changes = Vec::new();
    match (was.leader, now.leader) {
        (was, now) if was == now => {}
        (from, None) => changes.push((Offline, from, None)),
        (None, to) => changes.push((Online, None, to)),
        (from, to) => changes.push((Led, from, to)),
    }
    // A replica that was taken from a broker has not fallen behind.
    let lost = was.in_sync.iter().filter(|id| !now.in_sync.contains(id) && now.replicas.contains(id));
    changes.extend(lost.map(|id| (Shrunk, Some(*id), None)));
    let won = now.in_sync.iter().filter(|id| !was.in_sync.contains(id));
    changes.extend(won.map(|id| (Expanded, None, Some(*id))));
    changes
}

fn by_topic(partitions: &[(&str, &TopicPartition, usize)]) -> Vec<Owned> {
    let mut topics: Vec<Owned> = Vec::new();
    for (topic, partition, of) in partitions {
        match topics.last_mut() {
            Some(last) if last.topic == *topic => last.partitions.push(partition.partition),
            _ => topics.push(Owned {
                topic: (*topic).to_owned(),
                partitions: vec![partition.partition],
                of: number(*of),
            }),
        }
    }
    topics
}

fn log(change: &ClusterChange) {
    let ClusterChange { kind, from, to, count, .. } = change;
    tracing::info!(?kind, from, to, partitions = count, "the cluster changed");
}

fn sums(topics: &[PlacedTopic]) -> (ClusterTotals, Vec<PlacedPartition>) {
    let mut totals = ClusterTotals { topics: number(topics.len()), ..ClusterTotals::default() };
    let (mut offline, mut under) = (Vec::new(), Vec::new());
    for topic in topics {
        for partition in &topic.partitions {
            let (is_offline, is_under) = (partition.leader.is_none(), partition.is_under_replicated());
            totals.partitions += 1;
            totals.replicas += number(partition.replicas.len());
            totals.offline += u32::from(is_offline);
            totals.under_replicated += u32::from(is_under);
            totals.in_trouble += u32::from(is_offline || is_under);
            let list = if is_offline { &mut offline } else { &mut under };
            if (is_offline || is_under) && list.len() < TROUBLE {
                list.push(PlacedPartition {
                    topic: topic.topic.clone(),
                    partition: partition.partition,
                    leader: partition.leader,
                    replicas: partition.replicas.clone(),
                    in_sync: partition.in_sync.clone(),
                });
            }
        }
    }
    offline.append(&mut under);
    offline.truncate(TROUBLE);
    (totals, offline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ClusterChangeKind::{Came, Expanded, Gone, Led, Offline, Online, Shrunk};

    fn partition(number: i32, leader: Option<i32>, in_sync: &[i32]) -> TopicPartition {
        TopicPartition {
            partition: number,
            leader,
            replicas: vec![1, 2, 3],
            in_sync: in_sync.to_vec(),
            first: None,
            end: None,
            unknown: None,
        }
    }

    fn topic(name: &str, partitions: Vec<TopicPartition>) -> PlacedTopic {
        PlacedTopic { topic: name.into(), of: number(partitions.len()), partitions }
    }

    fn picture(up: &[i32], topics: Vec<PlacedTopic>) -> ClusterPicture {
        let broker = |&id| Broker { id, address: format!("b:{id}") };
        ClusterPicture { brokers: up.iter().map(broker).collect(), topics, ..ClusterPicture::default() }
    }

    /// Three partitions, led by brokers 1, 2 and 1.
    fn healthy() -> ClusterPicture {
        let all = &[1, 2, 3];
        let partitions = vec![partition(0, Some(1), all), partition(1, Some(2), all), partition(2, Some(1), all)];
        picture(all, vec![topic("t", partitions)])
    }

    /// The same without broker 1: broker 2 leads one of its partitions, nobody the other.
    fn without_one() -> ClusterPicture {
        let partitions = vec![partition(0, Some(2), &[2, 3]), partition(1, Some(2), &[2, 3]), partition(2, None, &[1])];
        picture(&[2, 3], vec![topic("t", partitions)])
    }

    /// What changed, from which broker to which, of which partitions.
    type Told = (ClusterChangeKind, Option<i32>, Option<i32>, Vec<i32>);

    fn told(watch: &Watch) -> Vec<Told> {
        let change = |change: &ClusterChange| {
            let partitions = change.partitions.iter().flat_map(|owned| owned.partitions.clone()).collect();
            (change.kind, change.from, change.to, partitions)
        };
        watch.changes.iter().map(change).collect()
    }

    #[test]
    fn a_broker_goes_and_comes_back_and_each_change_is_told_once() {
        let mut watch = Watch::default();
        watch.look(1_000, healthy());
        watch.look(2_000, healthy());
        assert_eq!((told(&watch), watch.since), (Vec::new(), 1_000));
        watch.look(3_000, without_one());
        let gone = vec![
            (Gone, Some(1), None, vec![]),
            (Led, Some(1), Some(2), vec![0]),
            (Offline, Some(1), None, vec![2]),
            (Shrunk, Some(1), None, vec![0, 1]),
            (Shrunk, Some(2), None, vec![2]),
            (Shrunk, Some(3), None, vec![2]),
        ];
        assert_eq!(told(&watch), gone);
        assert_eq!((watch.changes[0].at, watch.changes[0].after), (3_000, 2_000));
        watch.look(4_000, without_one());
        assert_eq!(watch.changes.len(), gone.len());
        watch.look(5_000, healthy());
        let back = told(&watch).split_off(gone.len());
        assert_eq!(
            back[..3],
            [(Came, None, Some(1), vec![]), (Led, Some(2), Some(1), vec![0]), (Online, None, Some(1), vec![2]),]
        );
        assert_eq!(back[3], (Expanded, None, Some(1), vec![0, 1]));
    }

    #[test]
    fn a_broker_that_is_away_stays_while_it_has_replicas() {
        let mut watch = Watch::default();
        let traits = BrokerTraits { rack: Some("r1".into()), ..BrokerTraits::default() };
        watch.learnt.insert(1, (Instant::now(), Some(traits)));
        watch.look(1_000, healthy());
        let seen = watch.look(2_000, without_one());
        let one = &seen.brokers[0];
        assert_eq!((one.id, one.is_up, one.away_since), (1, false, Some(2_000)));
        assert_eq!((one.address.as_str(), one.rack.as_deref(), one.is_rack_known), ("b:1", Some("r1"), true));
        assert!(!seen.brokers[1].is_rack_known, "it showed no settings");
        assert_eq!((one.leaders, one.preferred, one.replicas, one.not_in_sync), (0, 3, 3, 2));
        assert_eq!((seen.totals.offline, seen.totals.under_replicated, seen.totals.replicas), (1, 3, 9));
        let places: Vec<_> = seen.trouble.iter().map(|partition| partition.partition).collect();
        assert_eq!(places, [2, 0, 1], "offline before under-replicated");
        let later = watch.look(3_000, without_one());
        assert_eq!(later.brokers[0].away_since, Some(2_000));
        let without_topics = watch.look(4_000, picture(&[2, 3], Vec::new()));
        assert_eq!(without_topics.brokers.iter().map(|broker| broker.id).collect::<Vec<_>>(), [2, 3]);
        // Whom nobody saw go is away since nobody knows when.
        let seen = Watch::default().look(1_000, without_one());
        assert_eq!((seen.brokers[0].away_since, seen.brokers[0].address.as_str()), (None, ""));
    }

    #[test]
    fn the_controller_is_named_only_where_that_can_be_believed() {
        let named = || ClusterPicture { named_controller: Some(2), ..healthy() };
        let mut watch = Watch::default();
        let controllers = |seen: Seen| seen.brokers.iter().map(|broker| broker.is_controller).collect::<Vec<_>>();
        assert_eq!(controllers(watch.look(1_000, named())), [None; 3]);
        let traits = BrokerTraits { knows_the_controller: true, ..BrokerTraits::default() };
        for broker in [1, 2, 3] {
            assert_eq!(controllers(watch.look(2_000, named())), [None; 3], "not all vouch for it before {broker}");
            watch.learnt.insert(broker, (Instant::now(), Some(traits.clone())));
        }
        assert_eq!(controllers(watch.look(3_000, named())), [Some(false), Some(true), Some(false)]);
    }

    #[test]
    fn a_broker_that_went_with_zookeeper_vouches_for_no_controller() {
        let mut watch = Watch::default();
        let of_zookeeper = BrokerTraits { knows_the_controller: true, ..BrokerTraits::default() };
        watch.learnt.insert(1, (Instant::now(), Some(of_zookeeper)));
        for broker in [2, 3] {
            watch.learnt.insert(broker, (Instant::now(), Some(BrokerTraits::default())));
        }
        let seen = watch.look(1_000, ClusterPicture { named_controller: Some(2), ..without_one() });
        assert_eq!(seen.brokers.iter().map(|broker| broker.is_controller).collect::<Vec<_>>(), [None; 3]);
    }

    #[test]
    fn what_is_offline_and_under_replicated_is_in_trouble_once() {
        // The only replica keeps its place among those in sync when its broker is away.
        let alone = TopicPartition { replicas: vec![1], ..partition(0, None, &[1]) };
        let partitions =
            vec![alone, partition(1, None, &[1]), partition(2, Some(2), &[2, 3]), partition(3, Some(2), &[1, 2, 3])];
        let (totals, trouble) = sums(&[topic("t", partitions)]);
        assert_eq!((totals.offline, totals.under_replicated, totals.in_trouble), (2, 2, 3));
        assert_eq!(trouble.len(), 3);
    }

    #[test]
    fn what_nobody_saw_for_long_is_no_change_and_what_is_new_is_none_either() {
        let mut watch = Watch::default();
        watch.look(0, healthy());
        watch.look(FORGOTTEN_AFTER, without_one());
        assert_eq!((told(&watch), watch.since), (Vec::new(), FORGOTTEN_AFTER));
        let mut more = without_one();
        more.topics[0].partitions.push(partition(3, Some(3), &[3]));
        more.topics.push(topic("new", vec![partition(0, None, &[])]));
        watch.look(FORGOTTEN_AFTER + 1_000, more);
        assert_eq!(told(&watch), []);
    }

    #[test]
    fn changes_are_bounded_in_number_time_and_names() {
        let many = |leader| {
            let partitions = (0..1_000).map(|number| partition(number, Some(leader), &[1, 2, 3]));
            picture(&[1, 2, 3], vec![topic("t", partitions.collect())])
        };
        let mut watch = Watch::default();
        for second in 0..=KEPT as i64 + 10 {
            watch.look(second * 1_000, many(1 + (second % 2) as i32));
        }
        assert_eq!(watch.changes.len(), KEPT);
        let change = &watch.changes[0];
        assert_eq!((change.count, change.partitions[0].partitions.len()), (1_000, NAMED));
        let mut at = 500_000;
        while at < KEPT_FOR + 500_000 {
            watch.look(at, many(1));
            at += FORGOTTEN_AFTER - 1;
        }
        assert!(watch.changes.len() <= 1, "an hour later: {:?}", watch.changes.len());
    }

    #[test]
    fn a_page_has_sixty_blocks_and_a_large_topic_goes_on_on_the_next() {
        let large = topic("large", (0..605).map(|number| partition(number, Some(1), &[1])).collect());
        let small = topic("small", vec![partition(0, Some(1), &[1])]);
        let empty = topic("empty", Vec::new());
        let found = [&large, &small, &empty];
        let sizes = |page| {
            let (topics, page, pages) = page_of(&found, page);
            let sizes: Vec<_> = topics.iter().map(|topic| (topic.topic.clone(), topic.partitions.len())).collect();
            (sizes, page, pages)
        };
        assert_eq!(sizes(0), (vec![("large".into(), 600)], 1, 2));
        let second = vec![("large".into(), 5), ("small".into(), 1), ("empty".into(), 0)];
        assert_eq!(sizes(2), (second.clone(), 2, 2));
        assert_eq!(sizes(99), (second, 2, 2));
        assert_eq!(page_of(&found, 2).0[0].partitions[0].partition, 600);
        assert_eq!(page_of(&[], 1), (Vec::new(), 1, 1));
    }
}
