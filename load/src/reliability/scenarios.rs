//! The scenarios: what happens to the instances or the cluster while the checker watches, and what is asked beyond its rule.

use super::{
    instance::Signal,
    proxy::{Link, Weather},
    stage::{Stage, millis, now},
    transactions::Transactions,
};
use crate::check::{Fate, Rules};
use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use std::{collections::HashSet, time::Duration};

/// Nothing excuses a repetition.
const CLEAN: Rules = Rules { is_clean: true, may_rewind: false };
/// What comes twice is flagged.
const FLAGGED: Rules = Rules { is_clean: false, may_rewind: false };

/// A scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scenario {
    Scale,
    Idle,
    Kill,
    Zombie,
    Sigterm,
    Broker,
    Coordinator,
    Rolling,
    Leaderless,
    Network,
    Slow,
    Grow,
    Recreate,
    Retention,
    Transactions,
    Uncommitted,
    Replay,
    Static,
    Kip848,
}

impl Scenario {
    pub fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// In a line.
    pub fn what(self) -> &'static str {
        match self {
            Self::Scale => "instances 1 → 2 → 3 → 2 → 1, over and over; 5 partitions",
            Self::Idle => "3 instances, 2 partitions: one has nothing to do",
            Self::Kill => "kill -9 of each of 3 instances in turn",
            Self::Zombie => "an instance frozen for longer than the session time-out, then thawed",
            Self::Sigterm => "SIGTERM of each of 3 instances in turn",
            Self::Broker => "one broker of three crashed and restarted",
            Self::Coordinator => "the group coordinator's broker crashed and restarted",
            Self::Rolling => "each broker stopped and restarted in turn",
            Self::Leaderless => "one replica: the leader of a partition is down",
            Self::Network => "an instance's link to the brokers cut for 30 s",
            Self::Slow => "an instance whose brokers answer 500 ms late",
            Self::Grow => "a topic grown from 3 to 6 partitions",
            Self::Recreate => "a topic deleted and made anew while consumed",
            Self::Retention => "unread records deleted: declared missing",
            Self::Transactions => "every third transaction aborted; read_committed",
            Self::Uncommitted => "every third transaction aborted; read_uncommitted",
            Self::Replay => "restart, new group, offsets set back",
            Self::Static => "static members: a short restart moves no partition",
            Self::Kip848 => "scale and kill with the group protocol of KIP-848",
        }
    }

    /// Plays it up to the point where only the rest is to be consumed. What the run is judged by.
    pub async fn play(self, stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
        match self {
            Self::Scale => scale(stage).await,
            Self::Idle => idle(stage).await,
            Self::Kill => kill(stage).await,
            Self::Zombie => zombie(stage).await,
            Self::Sigterm => sigterm(stage).await,
            Self::Broker => broker(stage).await,
            Self::Coordinator => coordinator(stage).await,
            Self::Rolling => rolling(stage).await,
            Self::Leaderless => leaderless(stage).await,
            Self::Network => network(stage).await,
            Self::Slow => slow(stage).await,
            Self::Grow => grow(stage).await,
            Self::Recreate => recreate(stage).await,
            Self::Retention => retention(stage).await,
            Self::Transactions => transactions(stage, "read_committed", Fate::Aborted).await,
            Self::Uncommitted => transactions(stage, "read_uncommitted", Fate::Acknowledged).await,
            Self::Replay => replay(stage).await,
            Self::Static => static_members(stage).await,
            Self::Kip848 => kip848(stage).await,
        }
    }
}

// Instances.

async fn scale(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(5, 3).await?;
    let (a, b, c) = (stage.add("a")?, stage.add("b")?, stage.add("c")?);
    stage.start(a).await?;
    stage.produce(5)?;
    go_up_and_down(stage, [b, c], stage.options.rounds).await?;
    Ok(CLEAN)
}

/// Starts both one after the other and stops them in the reverse order, so many times.
async fn go_up_and_down(stage: &mut Stage<'_>, [b, c]: [usize; 2], rounds: u32) -> anyhow::Result<()> {
    for _ in 0..rounds {
        for instance in [b, c] {
            let took = stage.start(instance).await?;
            stage.measure_most("ready_ms", millis(took));
            stage.hold(3).await;
        }
        for instance in [c, b] {
            let (owned, at) = (stage.owned(instance), now());
            let took = stage.stop(instance).await?;
            stage.measure_most("stop_ms", millis(took));
            let moved = stage.moved(&owned, at).await?;
            stage.measure_most("stop_to_first_record_ms", moved.in_all);
            stage.measure_most("assignment_to_first_record_ms", moved.from_assignment);
            stage.hold(2).await;
        }
    }
    Ok(())
}

async fn idle(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(2, 3).await?;
    let instances = stage.start_all(&["a", "b", "c"]).await?;
    stage.hold(3).await;
    let since = now();
    stage.produce(2)?;
    stage.hold(8).await;
    let idle: Vec<_> = instances.into_iter().filter(|it| stage.owned(*it).is_empty()).collect();
    let [idle] = idle[..] else {
        stage.fail(format!("{} instances own nothing, not one", idle.len()));
        return Ok(CLEAN);
    };
    let (name, shown) = {
        let name = stage.instances[idle].name.clone();
        let shown = stage.history.lock().shown_since(&name, since);
        (name, shown)
    };
    let (status, page) = stage.instances[idle].get("/").await?;
    let says_so = ["nothing yet", "no partition", "idle"].iter().any(|words| page.contains(words));
    stage.measure("page_says_so", says_so);
    if shown > 0 || status != 200 || !says_so {
        stage.fail(format!(
            "{name} owns nothing: it showed {shown} records, its page's status is {status}, it says so: {says_so}"
        ));
    }
    Ok(CLEAN)
}

async fn kill(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(6, 3).await?;
    let instances = stage.start_all(&["a", "b", "c"]).await?;
    stage.produce(6)?;
    stage.hold(3).await;
    kill_each(stage, &instances).await?;
    Ok(FLAGGED)
}

async fn kill_each(stage: &mut Stage<'_>, instances: &[usize]) -> anyhow::Result<()> {
    for &victim in instances {
        let (owned, at) = (stage.owned(victim), now());
        stage.kill(victim).await?;
        let moved = stage.moved(&owned, at).await?;
        stage.measure_most("kill_to_first_record_ms", moved.in_all);
        stage.measure_most("assignment_to_first_record_ms", moved.from_assignment);
        stage.hold(3).await;
        stage.start(victim).await?;
        stage.hold(4).await;
    }
    Ok(())
}

async fn zombie(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(4, 3).await?;
    let zombie = stage.start_all(&["a", "b"]).await?[0];
    stage.produce(4)?;
    stage.hold(4).await;
    let (owned, at) = (stage.owned(zombie), now());
    ensure!(!owned.is_empty(), "the instance to freeze owns nothing");
    stage.instances[zombie].signal(Signal::Freeze).await?;
    let moved = stage.moved(&owned, at).await;
    // Not before it is thawed: a frozen process cannot be told to stop.
    stage.hold(8).await;
    stage.instances[zombie].signal(Signal::Thaw).await?;
    let moved = moved?;
    stage.measure("frozen_to_first_record_ms", moved.in_all);
    stage.measure("assignment_to_first_record_ms", moved.from_assignment);
    stage.hold(10).await;
    let losses = stage.history.lock().losses_since(&stage.instances[zombie].name, at);
    stage.measure("told_as_lost", losses);
    let owned_again = stage.owned(zombie).len();
    stage.measure("owned_after_the_thaw", owned_again);
    if owned_again == 0 {
        stage.fail("the thawed instance did not come back into the group");
    }
    Ok(FLAGGED)
}

async fn sigterm(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(6, 3).await?;
    let instances = stage.start_all(&["a", "b", "c"]).await?;
    stage.produce(6)?;
    stage.hold(3).await;
    for instance in instances {
        let (owned, at) = (stage.owned(instance), now());
        let took = stage.stop(instance).await?;
        stage.measure_most("stop_ms", millis(took));
        let moved = stage.moved(&owned, at).await?;
        stage.measure_most("stop_to_first_record_ms", moved.in_all);
        stage.measure_most("assignment_to_first_record_ms", moved.from_assignment);
        stage.hold(2).await;
        stage.start(instance).await?;
        stage.hold(3).await;
    }
    Ok(CLEAN)
}

async fn static_members(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(6, 3).await?;
    let mut instances = Vec::new();
    for name in ["a", "b", "c"] {
        let id = format!("{}-{name}", stage.group);
        let brokers = stage.cluster.brokers.clone();
        let instance = stage.add_with(name, &brokers, &[("CONSUMER__GROUP_INSTANCE_ID".into(), id)])?;
        stage.start(instance).await?;
        instances.push(instance);
    }
    stage.produce(6)?;
    stage.hold(5).await;
    for &restarted in &instances {
        let (before, at) = (stage.owned(restarted), now());
        stage.stop(restarted).await?;
        let took = stage.start(restarted).await?;
        stage.measure_most("restart_ready_ms", millis(took));
        stage.measure_most("restart_to_all_records_ms", stage.moved(&before, at).await?.in_all);
        stage.hold(3).await;
        let others = instances.iter().filter(|it| **it != restarted);
        let moves: usize = others.map(|it| stage.history.lock().moves_since(&stage.instances[*it].name, at)).sum();
        if moves > 0 || stage.owned(restarted) != before {
            let name = stage.instances[restarted].name.clone();
            stage.fail(format!("the restart of {name} moved partitions: {moves} changes at the others"));
        }
    }
    Ok(CLEAN)
}

async fn kip848(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.configuration.push(("CONSUMER__PROTOCOL".into(), "consumer".into()));
    stage.create_topic(5, 3).await?;
    let (a, b, c) = (stage.add("a")?, stage.add("b")?, stage.add("c")?);
    stage.start(a).await?;
    stage.produce(5)?;
    go_up_and_down(stage, [b, c], stage.options.rounds.min(3)).await?;
    stage.start(b).await?;
    stage.start(c).await?;
    stage.hold(3).await;
    kill_each(stage, &[a, b, c]).await?;
    Ok(FLAGGED)
}

// Brokers.

async fn broker(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    start_two(stage).await?;
    let coordinator = stage.cluster.coordinator(&stage.group).await?;
    let node = stage.cluster.nodes().find(|node| *node != coordinator).context("a cluster of one node")?;
    crash(stage, node).await
}

async fn coordinator(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    start_two(stage).await?;
    let node = stage.cluster.coordinator(&stage.group).await?;
    crash(stage, node).await
}

async fn start_two(stage: &mut Stage<'_>) -> anyhow::Result<()> {
    stage.create_topic(6, 3).await?;
    stage.start_all(&["a", "b"]).await?;
    stage.produce(6)?;
    stage.hold(4).await;
    Ok(())
}

async fn crash(stage: &mut Stage<'_>, node: i32) -> anyhow::Result<Rules> {
    let since = now();
    stage.cluster.crash(node).await?;
    stage.hold(15).await;
    stage.cluster.start(node).await?;
    stage.cluster.whole().await?;
    stage.hold(8).await;
    measure_silence(stage, 0..6, since);
    Ok(FLAGGED)
}

fn measure_silence(stage: &mut Stage<'_>, partitions: impl Iterator<Item = i32>, since: i64) {
    let longest = partitions.map(|partition| stage.history.lock().longest_silence(partition, since)).max();
    stage.measure("longest_silence_of_a_partition_ms", longest.unwrap_or(0));
}

async fn rolling(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    start_two(stage).await?;
    let since = now();
    for node in stage.cluster.nodes() {
        stage.cluster.stop(node).await?;
        stage.hold(2).await;
        stage.cluster.start(node).await?;
        stage.cluster.whole().await?;
        stage.hold(3).await;
    }
    stage.hold(5).await;
    measure_silence(stage, 0..6, since);
    Ok(FLAGGED)
}

async fn leaderless(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(3, 1).await?;
    stage.start_all(&["a", "b"]).await?;
    stage.produce(3)?;
    stage.hold(4).await;
    let (coordinator, mut down) = (stage.cluster.coordinator(&stage.group).await?, None);
    for partition in 0..3 {
        let leader = stage.cluster.leader(&stage.topic, partition).await?;
        if leader != coordinator {
            down = Some((partition, leader));
        }
    }
    let (partition, node) = down.context("the coordinator leads every partition")?;
    let since = now();
    stage.cluster.crash(node).await?;
    stage.hold(20).await;
    // The others must not wait for it.
    let others = (0..3).filter(|other| *other != partition);
    let silence = others.map(|other| stage.history.lock().longest_silence(other, since)).max().unwrap_or(0);
    stage.measure("longest_silence_of_the_others_ms", silence);
    let back = now();
    stage.cluster.start(node).await?;
    stage.cluster.whole().await?;
    stage.hold(10).await;
    let silence = stage.history.lock().longest_silence(partition, since);
    stage.measure("leaderless_partition_silence_ms", silence);
    stage.measure("node_away_ms", back - since);
    Ok(FLAGGED)
}

// The link.

async fn network(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(4, 3).await?;
    let link = Link::start(&stage.cluster.brokers).await?;
    let cut = stage.add_with("a", link.brokers(), &[])?;
    stage.start(cut).await?;
    stage.start_all(&["b"]).await?;
    stage.produce(4)?;
    stage.hold(4).await;
    let (owned, at) = (stage.owned(cut), now());
    ensure!(!owned.is_empty(), "the instance to cut off owns nothing");
    link.set(Weather { is_cut: true, latency: Duration::ZERO });
    stage.hold(30).await;
    let moved = stage.moved(&owned, at).await?;
    stage.measure("cut_to_first_record_ms", moved.in_all);
    stage.measure("assignment_to_first_record_ms", moved.from_assignment);
    let mended = now();
    link.mend();
    stage.hold(15).await;
    let name = stage.instances[cut].name.clone();
    let shown = stage.history.lock().shown_since(&name, mended);
    stage.measure("records_after_the_mending", shown);
    if shown == 0 {
        stage.fail("the instance that was cut off did not come back");
    }
    // The link goes when this ends: what it carries now must be consumed, and the instance be gone before.
    stage.drain().await?;
    stage.stop(cut).await?;
    Ok(FLAGGED)
}

async fn slow(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(4, 3).await?;
    let link = Link::start(&stage.cluster.brokers).await?;
    let slow = stage.add_with("a", link.brokers(), &[])?;
    stage.start(slow).await?;
    stage.start_all(&["b"]).await?;
    stage.produce(4)?;
    stage.hold(4).await;
    let since = now();
    link.set(Weather { is_cut: false, latency: Duration::from_millis(500) });
    stage.hold(25).await;
    let name = stage.instances[slow].name.clone();
    let (shown, moves) = {
        let history = stage.history.lock();
        (history.shown_since(&name, since), history.moves_since(&name, since))
    };
    stage.measure("records_while_slow", shown);
    if shown == 0 || moves > 0 {
        stage.fail(format!("the slow instance showed {shown} records, and {moves} changes of its assignment"));
    }
    // It stops while it is slow.
    let took = stage.stop(slow).await?;
    stage.measure("stop_while_slow_ms", millis(took));
    stage.hold(5).await;
    Ok(CLEAN)
}

// The topic.

async fn grow(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(3, 3).await?;
    stage.start_all(&["a", "b"]).await?;
    stage.produce(3)?;
    stage.hold(4).await;
    let at = now();
    stage.cluster.grow(&stage.topic, 6).await?;
    stage.checker.set(|work| work.partitions = 6);
    let new: HashSet<_> = (3..6).map(|partition| stage.history.lock().log(partition)).collect();
    let moved = stage.moved(&new, at).await?;
    stage.measure("growth_to_first_records_ms", moved.in_all);
    stage.hold(5).await;
    Ok(CLEAN)
}

async fn recreate(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(3, 3).await?;
    stage.start_all(&["a", "b"]).await?;
    // Once with time in between, and once without, when consumers may not notice that it was away.
    for pause in [6, 0] {
        stage.produce(3)?;
        stage.hold(6).await;
        // What is in the log when it is deleted would be lost, as its owner wanted.
        stage.drain().await?;
        stage.cluster.delete(&stage.topic).await?;
        stage.hold(pause).await;
        stage.history.lock().begin_life(now());
        stage.create_topic(3, 3).await?;
    }
    let at = now();
    stage.produce(3)?;
    stage.hold(20).await;
    let shown: usize = ["a", "b"].iter().map(|name| stage.history.lock().shown_since(name, at)).sum();
    stage.measure("records_of_the_third_life", shown);
    Ok(Rules { is_clean: false, may_rewind: true })
}

async fn retention(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    stage.create_topic(3, 3).await?;
    let a = stage.start_all(&["a"]).await?[0];
    stage.produce(3)?;
    stage.hold(4).await;
    stage.drain().await?;
    stage.stop(a).await?;
    stage.produce(3)?;
    stage.hold(4).await;
    stage.checker.rest().await?;
    let offsets = stage.checker.offsets();
    let standings = tokio::task::spawn_blocking(move || offsets.standings()).await??;
    let mut deleted = 0;
    let mut before = Vec::new();
    for standing in standings {
        let committed = standing.committed.context("nothing is committed")?;
        let half = (standing.end - committed) / 2;
        deleted += half;
        before.push((standing.partition, committed + half));
    }
    stage.cluster.delete_records(&stage.topic, &before).await?;
    stage.measure("deleted_unread", deleted);
    stage.start(a).await?;
    stage.produce(3)?;
    stage.hold(4).await;
    stage.drain().await?;
    let declared = stage.history.lock().missing();
    stage.measure("declared_missing", declared);
    if declared != deleted {
        stage.fail(format!("{deleted} records were deleted unread, {declared} offsets are declared missing"));
    }
    Ok(CLEAN)
}

async fn transactions(stage: &mut Stage<'_>, isolation: &str, aborted: Fate) -> anyhow::Result<Rules> {
    let properties = format!(r#"{{"isolation.level"="{isolation}"}}"#);
    stage.configuration.push(("CONSUMER__PROPERTIES".into(), properties));
    // The marker after the last record is none, and no consumer commits it.
    stage.markers = 1;
    stage.create_topic(4, 3).await?;
    stage.start_all(&["a", "b"]).await?;
    let transactions = Transactions {
        brokers: stage.cluster.brokers.clone(),
        topic: stage.topic.clone(),
        run: stage.checker.run().into(),
        partitions: 4,
        rate: stage.options.rate,
        lasts: Duration::from_secs(15),
        aborted,
        history: stage.history.clone(),
    };
    let (committed, aborted) = tokio::task::spawn_blocking(move || transactions.write()).await??;
    stage.measure("transactions_committed", committed);
    stage.measure("transactions_aborted", aborted);
    Ok(CLEAN)
}

// Offsets.

async fn replay(stage: &mut Stage<'_>) -> anyhow::Result<Rules> {
    const PARTITIONS: i32 = 3;
    stage.create_topic(PARTITIONS, 3).await?;
    let a = stage.start_all(&["a"]).await?[0];
    stage.produce(PARTITIONS)?;
    stage.hold(5).await;
    // Fails the stage if committed and end are not the same.
    stage.drain().await?;
    let acknowledged = stage.history.lock().sent.len();

    // A restart consumes nothing.
    stage.stop(a).await?;
    let restarted = now();
    stage.start(a).await?;
    stage.hold(4).await;
    let again = stage.history.lock().shown_since("a", restarted);
    stage.measure("records_after_the_restart", again);
    if again > 0 {
        stage.fail(format!("a restart consumed {again} records again"));
    }

    // A new group consumes all.
    let new_group = format!("{}-new", stage.group);
    let n = stage.add_to_group("n", &new_group)?;
    let history = stage.checker.observe(&stage.instances[n].url());
    stage.start(n).await?;
    stage.hold(8).await;
    let all = history.lock().shown_since("n", 0);
    stage.measure("records_of_the_new_group", all);
    if all != acknowledged {
        stage.fail(format!("a new group consumed {all} of {acknowledged} records"));
    }
    stage.stop(n).await?;

    // Set back to a place of each partition, to the beginning, and to the end.
    for (name, share) in [("half", 2), ("beginning", 0), ("end", 1)] {
        stage.stop(a).await?;
        let offsets = stage.checker.offsets();
        let (expected, to) = tokio::task::spawn_blocking(move || {
            let standings = offsets.standings()?;
            let to = |end: i64| if share == 0 { 0 } else { end / share };
            let positions: Vec<_> = standings.iter().map(|it| (it.partition, to(it.end))).collect();
            offsets.reset(&positions)?;
            anyhow::Ok((standings.iter().map(|it| it.end - to(it.end)).sum::<i64>(), positions))
        })
        .await??;
        let started = now();
        stage.start(a).await?;
        stage.hold(6).await;
        let again = stage.history.lock().shown_since("a", started);
        stage.measure(&format!("records_after_reset_to_{name}"), again);
        if i64::try_from(again)? != expected {
            stage.fail(format!("set to {to:?}: {again} records came, not {expected}"));
        }
    }
    Ok(Rules { is_clean: false, may_rewind: true })
}
