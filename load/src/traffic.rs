//! Believable traffic: orders of a shop, with the odd tombstone, plain text and bytes that are no text.

use anyhow::Context;
use kafka::{ClientSettings, Producer, ProducerSettings};
use rand::{Rng, seq::IndexedRandom};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, time::MissedTickBehavior};
use wire::{Outgoing, OutgoingHeader, ProduceError};

/// The flags of `ottla-load traffic`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Kafka's addresses, separated by commas
    #[arg(long, value_name = "HOST:PORT,…")]
    brokers: String,
    /// The topic
    #[arg(long, default_value = "orders")]
    topic: String,
    /// Messages a second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// How many messages; without it, until told to stop
    #[arg(long)]
    count: Option<u64>,
}

/// How many messages may be on their way at once: what bounds memory when Kafka is slower than the rate.
const IN_FLIGHT: usize = 10_000;
/// Messages of one tick are sent together.
const TICK: Duration = Duration::from_millis(50);

const STATUSES: [&str; 5] = ["placed", "paid", "shipped", "cancelled", "refunded"];
const CURRENCIES: [&str; 4] = ["EUR", "TWD", "USD", "JPY"];
const NOTES: [&str; 4] = ["請於週末配送", "發票寄電子信箱", "leave at the door", "请放在门卫处"];
const CARRIERS: [&str; 4] = ["GLS", "DHL", "黑貓宅急便", "UPS"];

/// Produces until the count is reached or the process is told to stop.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let client = ClientSettings {
        brokers: options.brokers.clone(),
        instance: "ottla-load".into(),
        properties: Default::default(),
    };
    let producer =
        Arc::new(Producer::new(&client, &ProducerSettings::default()).context("the producer can't be made")?);
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut number, mut owed) = (0, 0.0);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = tokio::signal::ctrl_c() => break,
        }
        // A share of a message that a tick is short of is kept for the next.
        owed += f64::from(options.rate) * TICK.as_secs_f64();
        while owed >= 1.0 && options.count.is_none_or(|count| number < count) {
            owed -= 1.0;
            let message = order(&options.topic, number);
            number += 1;
            let permit = Arc::clone(&permits).acquire_owned().await?;
            let producer = Arc::clone(&producer);
            tokio::spawn(async move {
                if let Err(error) = producer.send(message).await {
                    report(&error);
                }
                drop(permit);
            });
        }
        if options.count.is_some_and(|count| number >= count) {
            break;
        }
    }
    // All permits are back when nothing is on its way.
    let _all = permits.acquire_many(u32::try_from(IN_FLIGHT)?).await?;
    Ok(())
}

fn report(error: &ProduceError) {
    eprintln!("ottla-load: {error}");
}

/// The `number`th message.
fn order(topic: &str, number: u64) -> Outgoing {
    let mut rng = rand::rng();
    let customer = format!("cust-{}", rng.random_range(10_000..10_400));
    let value = match rng.random_range(0..100) {
        0..3 => None,
        3..5 => Some(vec![0x0a, 0x06, b'o', b'-', 0xff, 0xfe, (number % 256) as u8].into()),
        5..8 => Some(format!("healthcheck ping from lb-0{}", rng.random_range(1..4)).into()),
        _ => Some(order_json(number, &customer, &mut rng).into()),
    };
    let header = |name: &str, value: String| OutgoingHeader { name: name.into(), value: Some(value.into()) };
    Outgoing {
        topic: topic.into(),
        partition: None,
        key: Some(customer.into()),
        value,
        headers: vec![
            header("content-type", "application/json".into()),
            header("traceparent", format!("00-{:032x}-{:016x}-01", rng.random::<u128>(), rng.random::<u64>())),
            header("source", "ottla-load".into()),
        ],
    }
}

fn order_json(number: u64, customer: &str, rng: &mut impl Rng) -> String {
    let pick = |from: &[&str], rng: &mut _| from.choose(rng).copied().unwrap_or_default().to_owned();
    let mut order = serde_json::json!({
        "orderId": format!("o-{}", 80_000 + number),
        "status": pick(&STATUSES, rng),
        "total": f64::from(rng.random_range(100..30_000)) / 100.0,
        "currency": pick(&CURRENCIES, rng),
        "items": rng.random_range(1..6),
        "customer": customer,
        // Beyond 2^53: a page that reads it as a JavaScript number shows another one.
        "traceId": 9_007_199_254_740_993_u64 + number,
    });
    match rng.random_range(0..4) {
        0 => order["note"] = pick(&NOTES, rng).into(),
        1 => order["carrier"] = pick(&CARRIERS, rng).into(),
        2 => order["giftWrap"] = rng.random_bool(0.5).into(),
        _ => order["coupon"] = serde_json::Value::Null,
    }
    order.to_string()
}
