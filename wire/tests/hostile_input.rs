//! Decoding what others send never panics and allocates within a bound: valid messages, mutated by a fixed sequence of
//! random numbers. The fuzz targets do the same without end.

#[path = "common/strategies.rs"]
mod strategies;

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};
use wire::codec;

/// The system's allocator, counting what each thread holds and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: isize) {
    // A thread that ends may free after its counters are gone.
    let _ = HELD.try_with(|held| {
        let now = held.get().0 + bytes;
        held.set((now, held.get().1.max(now)));
    });
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `work` held at once, besides what was held before.
fn peak_of<T>(work: impl FnOnce() -> T) -> usize {
    let (before, _) = HELD.get();
    HELD.set((before, before));
    drop(work());
    (HELD.get().1 - before).max(0).cast_unsigned()
}

/// A message in memory is larger than on the wire: an empty header takes 2 bytes there and 72 here, and a vector grows by
/// doubling. On top of it, serde reserves at most 1 MiB ahead for each of the few vectors that nest.
fn bound(input: usize) -> usize {
    input * 200 + 4 * 1024 * 1024
}

fn runner() -> TestRunner {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng)
}

/// Flips, overwrites, inserts, removes, repeats: what a length or a tag can't stand.
fn mutate(bytes: &mut Vec<u8>, runner: &mut TestRunner) {
    for _ in 0..=runner.rng().random_range(0..6u8) {
        let at = runner.rng().random_range(0..=bytes.len());
        let byte =
            *[0, 1, 0x7f, 0x80, 0xff, runner.rng().random()].get(runner.rng().random_range(0..6usize)).unwrap_or(&0);
        match runner.rng().random_range(0..5u8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << runner.rng().random_range(0..8u8),
            1 if at < bytes.len() => bytes[at] = byte,
            2 => bytes.insert(at, byte),
            3 => bytes.truncate(at),
            _ => {
                // A varint that promises very much.
                let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
                bytes.splice(at..at, huge[5 - runner.rng().random_range(1..=5usize)..].iter().copied());
            }
        }
    }
}

const ROUNDS: usize = 4000;

#[test]
fn mutated_events_decode_within_bounds() {
    let mut runner = runner();
    let events = prop::collection::vec(strategies::event(), 1..4);
    for _ in 0..ROUNDS {
        let events = events.new_tree(&mut runner).expect("the strategy rejects nothing").current();
        let mut bytes = Vec::new();
        events.iter().for_each(|event| codec::encode_event(event, &mut bytes));
        mutate(&mut bytes, &mut runner);
        let peak = peak_of(|| codec::decode_events(&bytes));
        assert!(peak <= bound(bytes.len()), "{peak} bytes held for a message of {}", bytes.len());
        let mut json = codec::event_to_json(&events[0]).into_bytes();
        mutate(&mut json, &mut runner);
        let json = String::from_utf8_lossy(&json);
        let peak = peak_of(|| codec::event_from_json(&json));
        assert!(peak <= bound(json.len()), "{peak} bytes held for a text of {}", json.len());
    }
}

#[test]
fn mutated_commands_decode_within_bounds() {
    let mut runner = runner();
    let commands = strategies::command();
    for _ in 0..ROUNDS {
        let command = commands.new_tree(&mut runner).expect("the strategy rejects nothing").current();
        let mut bytes = codec::encode_command(&command);
        mutate(&mut bytes, &mut runner);
        let peak = peak_of(|| codec::decode_command(&bytes));
        assert!(peak <= bound(bytes.len()), "{peak} bytes held for a message of {}", bytes.len());
        let mut json = serde_json::to_vec(&command).expect("a command has a JSON form");
        mutate(&mut json, &mut runner);
        let json = String::from_utf8_lossy(&json);
        let peak = peak_of(|| codec::command_from_json(&json));
        assert!(peak <= bound(json.len()), "{peak} bytes held for a text of {}", json.len());
    }
}

#[test]
fn the_densest_messages_decode_within_bounds() {
    // Runs of one byte: whatever the types are, the most elements for the fewest bytes.
    for byte in 0..=u8::MAX {
        for head in 0..16 {
            let mut bytes = vec![byte; wire::MAX_EVENT_MESSAGE];
            bytes[0] = head;
            let peak = peak_of(|| codec::decode_events(&bytes));
            assert!(peak <= bound(bytes.len()), "events {head} {byte}: {peak}");
            let peak = peak_of(|| codec::decode_command(&bytes));
            assert!(peak <= bound(bytes.len()), "command {head} {byte}: {peak}");
        }
    }
}
