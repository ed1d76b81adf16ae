//! `ottla-load reliability`: real instances over a real cluster, something that goes wrong, and the checker. One scenario after
//! the other; what each does is in `reliability/scenarios.rs`.

mod cluster;
pub(crate) mod instance;
mod proxy;
mod scenarios;
mod stage;
mod transactions;

use crate::check::{Verdict, summary};
use cluster::Cluster;
use scenarios::Scenario;
use serde::Serialize;
use serde_json::{Map, Value};
use stage::Stage;
use std::{path::PathBuf, time::Instant};

/// The flags of `ottla-load reliability`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to run; without it: everything
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// The cluster's addresses, separated by commas, in the order of its nodes
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    /// The program
    #[arg(long, value_name = "FILE")]
    ottla: PathBuf,
    /// What starts and stops the cluster's nodes, as the environment tells it which
    #[arg(long, value_name = "FILE", default_value = "scripts/kafka.sh")]
    kafka_script: PathBuf,
    /// Where the instances' logs go
    #[arg(long, value_name = "FOLDER")]
    logs: PathBuf,
    /// Records a second
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// How often `scale` goes 1 → 2 → 3 → 2 → 1
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// After so many seconds without anything new the rest is lost
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    patience: u64,
    /// The topic of the consumption marks
    #[arg(long, default_value = "ottla.marks")]
    marks: String,
    /// A key of every instance's configuration: `consumer.session_timeout_ms=15000`
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE")?;
    Ok((key.replace('.', "__").to_uppercase(), value.to_owned()))
}

/// What came of a scenario.
#[derive(Debug, Serialize)]
struct Outcome {
    scenario: String,
    kept: bool,
    seconds: u64,
    /// Why it could not be run to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    measures: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

/// Runs the scenarios. False when a promise was broken, or a scenario could not be run.
#[expect(clippy::print_stdout, reason = "the results are what this command is for")]
pub(crate) async fn run(options: Options) -> anyhow::Result<bool> {
    let cluster = Cluster::new(&options.brokers, options.kafka_script.clone())?;
    let scenarios = if options.scenarios.is_empty() { Scenario::all() } else { options.scenarios.clone() };
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        eprintln!("\n━━ {}: {}", scenario.name(), scenario.what());
        let outcome = one(&options, &cluster, scenario).await;
        if let Some(error) = &outcome.error {
            eprintln!("could not be run to its end: {error}");
        }
        if let Some(verdict) = &outcome.verdict {
            eprintln!("{}", summary(verdict));
        }
        println!("{}", serde_json::to_string(&outcome)?);
        outcomes.push(outcome);
    }
    eprintln!("\n{}", table(&outcomes));
    Ok(outcomes.iter().all(|outcome| outcome.kept))
}

async fn one(options: &Options, cluster: &Cluster, scenario: Scenario) -> Outcome {
    let began = Instant::now();
    let played = async {
        cluster.mend().await?;
        let mut stage = Stage::set(options, cluster, &scenario.name()).await?;
        let rules = scenario.play(&mut stage).await?;
        stage.end(rules).await
    };
    let (verdict, measures, error) = match played.await {
        Ok((verdict, measures)) => (Some(verdict), measures, None),
        Err(error) => (None, Map::new(), Some(format!("{error:#}"))),
    };
    let kept = verdict.as_ref().is_some_and(Verdict::is_kept);
    Outcome { scenario: scenario.name(), kept, seconds: began.elapsed().as_secs(), error, measures, verdict }
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:<14} {:<7} {:>5} {:>9} {:>6} {:>9} {:>8} {:>8} {:>8}\n",
        "scenario", "", "s", "records", "lost", "by marks", "missing", "repeated", "flagged"
    );
    for outcome in outcomes {
        let state = match (outcome.kept, &outcome.error) {
            (true, _) => "kept",
            (false, None) => "BROKEN",
            (false, Some(_)) => "ERROR",
        };
        let Outcome { scenario, seconds, verdict, .. } = outcome;
        text.push_str(&format!("{scenario:<14} {state:<7} {seconds:>5}"));
        if let Some(verdict) = verdict {
            let lost = verdict.violations.get(&crate::check::Kind::Lost).map_or(0, |finding| finding.count);
            let flagged = verdict.redelivered + verdict.possibly_redelivered + verdict.replayed;
            text.push_str(&format!(
                " {:>9} {lost:>6} {:>9} {:>8} {:>8} {flagged:>8}",
                verdict.acknowledged, verdict.by_mark_only, verdict.missing, verdict.repeated
            ));
        }
        text.push('\n');
    }
    text
}
