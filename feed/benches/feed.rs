//! What a record costs on its way from the group's thread to the tabs: encode, push and flush, take, filter.
#![allow(missing_docs, reason = "criterion writes a public function")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use feed::{Hub, HubConfig, Session, Sieve, Writer, hub};
use std::{hint::black_box, sync::Arc};
use wire::{DataView, Filter, Flags, From, MAX_EVENT_MESSAGE, RecordView, Timestamp, codec};

/// A polled batch.
const BATCH: i64 = 1000;
const TABS: usize = 50;

fn record(value: &[u8], offset: i64) -> RecordView<'_> {
    RecordView {
        seq: 0,
        topic: "test-topic",
        partition: i32::try_from(offset / 100 % 12).expect("below 12"),
        offset,
        timestamp: Timestamp::Created(1_790_000_000_000),
        received: 1_790_000_000_007,
        flags: Flags::FIRST,
        key: Some(DataView::cut(b"0123456789abcdef", 64)),
        value: Some(DataView::cut(value, value.len())),
        headers: &[],
        headers_left_out: 0,
    }
}

fn push_batch(writer: &mut Writer, value: &[u8], from: i64) {
    for offset in from..from + BATCH {
        writer.push(&record(value, offset));
    }
    writer.flush();
}

fn sieve(text: &str) -> Arc<Sieve> {
    Sieve::of(&Filter { text: text.into(), ..Filter::default() }).expect("a filter that can be read")
}

fn tabs(hub: &Arc<Hub>, sieve: &Arc<Sieve>, from: &From) -> Vec<Session> {
    (0..TABS).map(|_| Session::new(hub, Arc::clone(sieve), from.clone()).0).collect()
}

fn drain(session: &mut Session) {
    loop {
        let before = session.sieved();
        let batch = session.take(MAX_EVENT_MESSAGE);
        // A filter may have left out all that was looked at, and not be at the end.
        if batch.is_empty() && session.sieved() == before {
            break;
        }
        black_box(batch.postcard().parts());
    }
}

fn benches(c: &mut Criterion) {
    let value = [b'x'; 200];
    let mut group = c.benchmark_group("feed");
    group.sample_size(20);

    group.throughput(Throughput::Elements(1));
    let mut buffer = Vec::with_capacity(1024);
    group.bench_function("encode", |b| {
        b.iter(|| {
            buffer.clear();
            codec::encode_record(black_box(&record(&value, 7)), &mut buffer);
        });
    });

    group.throughput(Throughput::Elements(BATCH.unsigned_abs()));
    let (mut writer, _hub) = hub(HubConfig::default());
    let mut offset = 0;
    group.bench_function("push 1000 and flush", |b| {
        b.iter(|| {
            push_batch(&mut writer, &value, offset);
            offset += BATCH;
        });
    });

    group.throughput(Throughput::Elements(1));
    group.bench_function("push 1 and flush", |b| {
        b.iter(|| {
            writer.push(&record(&value, offset));
            writer.flush();
            offset += 1;
        });
    });

    group.throughput(Throughput::Elements(BATCH.unsigned_abs() * TABS as u64));
    // Each filter's lane is shared: fifty tabs should cost little more than one.
    let json = br#"{"id":9007199254740993,"customer":{"name":"Ann","tags":["new","vip"]},"note":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","total":120}"#;
    for (name, text) in
        [("no filter", ""), ("text", "needle"), ("json", "json:$.total>500"), ("expression", "where:value.total > 500")]
    {
        for tabs_of_it in [1, TABS] {
            let (mut writer, hub) = hub(HubConfig::default());
            let mut live = tabs(&hub, &sieve(text), &From::Now);
            live.truncate(tabs_of_it);
            group.throughput(Throughput::Elements(BATCH.unsigned_abs() * tabs_of_it as u64));
            group.bench_function(format!("1000 records to {tabs_of_it} tabs, {name}"), |b| {
                b.iter_batched(
                    || push_batch(&mut writer, json, 0),
                    |()| live.iter_mut().for_each(drain),
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

criterion_group!(feed_benches, benches);
criterion_main!(feed_benches);
