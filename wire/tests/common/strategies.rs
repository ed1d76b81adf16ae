//! Strategies for every type that crosses the wire.

use proptest::{collection::vec, option, prelude::*};
use wire::*;

/// Text of any kind, mostly short.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z.-]{0,12}", 1 => any::<String>()]
}

/// Bytes whole or cut, text or not.
pub fn data() -> impl Strategy<Value = Data> {
    let bytes = prop_oneof![any::<String>().prop_map(String::into_bytes), vec(any::<u8>(), 0..64)];
    (bytes, prop_oneof![Just(0), any::<u32>().prop_map(u64::from)]).prop_map(|(bytes, cut)| {
        let whole = Data::whole(bytes);
        Data { size: whole.size + cut, ..whole }
    })
}

pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::None),
        any::<i64>().prop_map(Timestamp::Created),
        any::<i64>().prop_map(Timestamp::Appended)
    ]
}

pub fn record() -> impl Strategy<Value = Record> {
    let header = (text(), option::of(data())).prop_map(|(name, value)| Header { name, value });
    let place = (any::<u64>(), text(), any::<i32>(), any::<i64>());
    let meta = (timestamp(), any::<i64>(), any::<u8>().prop_map(Flags), any::<u32>());
    (place, meta, option::of(data()), option::of(data()), vec(header, 0..4)).prop_map(
        |((seq, topic, partition, offset), (timestamp, received, flags, headers_left_out), key, value, headers)| {
            Record { seq, topic, partition, offset, timestamp, received, flags, key, value, headers, headers_left_out }
        },
    )
}

pub fn cursor() -> impl Strategy<Value = Cursor> {
    (any::<u64>(), any::<u64>(), vec(position(), 0..5), topics()).prop_map(|(epoch, seq, positions, topics)| Cursor {
        epoch,
        seq,
        positions,
        topics,
    })
}

fn position() -> impl Strategy<Value = Position> {
    (text(), any::<i32>(), any::<i64>()).prop_map(|(topic, partition, next)| Position { topic, partition, next })
}

fn topics() -> impl Strategy<Value = Vec<TopicId>> {
    vec((text(), text()).prop_map(|(topic, id)| TopicId { topic, id }), 0..3)
}

pub fn gap() -> impl Strategy<Value = Gap> {
    let count = prop_oneof![any::<u64>().prop_map(Count::Exact), any::<u64>().prop_map(Count::UpTo)];
    (text(), any::<i32>(), any::<i64>(), any::<i64>(), count, option::of(text())).prop_map(
        |(topic, partition, first, last, count, now_with)| Gap { topic, partition, first, last, count, now_with },
    )
}

fn owned() -> impl Strategy<Value = Vec<Owned>> {
    let owned = (text(), vec(any::<i32>(), 0..5), any::<u32>());
    vec(owned.prop_map(|(topic, partitions, of)| Owned { topic, partitions, of }), 0..3)
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Instance), Just(Scope::Group)]
}

fn change_kind() -> impl Strategy<Value = ChangeKind> {
    prop_oneof![
        owned().prop_map(ChangeKind::Assigned),
        owned().prop_map(ChangeKind::Revoked),
        owned().prop_map(ChangeKind::Lost),
        gap().prop_map(ChangeKind::Missing),
        (text(), any::<i32>(), any::<[i64; 2]>())
            .prop_map(|(topic, partition, [from, to])| ChangeKind::Sought(Sought { topic, partition, from, to })),
        gap().prop_map(ChangeKind::PassedOver),
        happening().prop_map(ChangeKind::Happened),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let kind = prop_oneof![
        Just(HappeningKind::Joined),
        Just(HappeningKind::Left),
        Just(HappeningKind::Silent),
        Just(HappeningKind::Assigned),
        Just(HappeningKind::Revoked),
        Just(HappeningKind::Lost),
        Just(HappeningKind::Sought),
    ];
    (any::<i64>(), text(), kind, owned(), option::of(any::<i64>()), option::of(text())).prop_map(
        |(at, member, kind, partitions, unowned, from)| Happening { at, member, kind, partitions, unowned, from },
    )
}

fn stats() -> impl Strategy<Value = Stats> {
    let partition = (text(), any::<i32>(), any::<u64>(), option::of(any::<i64>()), option::of(any::<i64>())).prop_map(
        |(topic, partition, consumed, committed, end)| PartitionStats { topic, partition, consumed, committed, end },
    );
    (any::<i64>(), any::<[u64; 10]>(), any::<u32>(), vec(partition, 0..4)).prop_map(|(at, counts, tabs, partitions)| {
        let [consumed, redelivered, possibly_redelivered, replayed, duplicates, skipped, empty, missing, rate, gaps] =
            counts;
        Stats {
            at,
            consumed,
            redelivered,
            possibly_redelivered,
            replayed,
            duplicates,
            skipped,
            empty,
            missing,
            rate,
            gaps,
            tabs,
            partitions,
        }
    })
}

fn kafka_state() -> impl Strategy<Value = KafkaState> {
    prop_oneof![
        Just(KafkaState::Connecting),
        Just(KafkaState::Up),
        (any::<i64>(), text()).prop_map(|(since, reason)| KafkaState::Down { since, reason }),
    ]
}

/// Every reason that there is.
pub const BYE_REASONS: [ByeReason; 6] = [
    ByeReason::Stopping,
    ByeReason::BadMessage,
    ByeReason::WrongState,
    ByeReason::UnknownFeed,
    ByeReason::BadSubscription,
    ByeReason::Stalled,
];

/// Every variant of [`Event`].
pub fn event() -> impl Strategy<Value = Event> {
    let hello = (text(), any::<u64>(), text(), vec(text(), 0..3), any::<i64>()).prop_map(
        |(instance, incarnation, build, feeds, now)| Event::Hello(Hello { instance, incarnation, build, feeds, now }),
    );
    let subscribed = (text(), text(), scope(), any::<u64>(), any::<u64>(), any::<bool>()).prop_map(
        |(feed, group, scope, epoch, seq, resumed)| {
            Event::Subscribed(Subscribed { feed, group, scope, epoch, seq, resumed })
        },
    );
    let records = (any::<u64>(), any::<u64>(), vec(record(), 0..5))
        .prop_map(|(epoch, next, records)| Event::Records(Records { epoch, next, records }));
    let flag = (text(), any::<i32>(), any::<i64>(), any::<i64>(), any::<u8>()).prop_map(
        |(topic, partition, first, last, flags)| {
            Event::Flag(Flag { topic, partition, first, last, flags: Flags(flags) })
        },
    );
    let consumed = (text(), any::<i32>(), any::<i64>(), any::<i64>(), text(), any::<i64>()).prop_map(
        |(topic, partition, first, last, instance, at)| {
            Event::Consumed(Consumed { topic, partition, first, last, instance, at })
        },
    );
    let change = (any::<u64>(), any::<u64>(), any::<i64>(), change_kind())
        .prop_map(|(epoch, seq, at, kind)| Event::Change(Change { epoch, seq, at, kind }));
    let fellow = (text(), any::<u64>(), owned());
    let members = vec(fellow.prop_map(|(instance, rate, owned)| Fellow { instance, rate, owned }), 0..3);
    let bye = (prop::sample::select(BYE_REASONS.to_vec()), option::of(cursor()))
        .prop_map(|(reason, cursor)| Event::Bye(Bye { reason, cursor }));
    prop_oneof![
        hello,
        subscribed,
        records,
        gap().prop_map(Event::Gap),
        flag,
        consumed,
        owned().prop_map(|owned| Event::Assignment(Assignment { owned })),
        change,
        stats().prop_map(Event::Stats),
        kafka_state().prop_map(Event::Kafka),
        any::<u64>().prop_map(Event::Pong),
        bye,
        members.prop_map(Event::Members),
        topics().prop_map(Event::Topics),
        vec(position(), 0..3).prop_map(Event::Positions),
        any::<[u64; 3]>().prop_map(|[looked, matched, failed]| Event::Sieved(Sieved { looked, matched, failed })),
        any::<[u64; 3]>().prop_map(|[records, bytes, millis]| Event::Behind(Behind { records, bytes, millis })),
    ]
}

/// Every variant of [`Command`].
pub fn command() -> impl Strategy<Value = Command> {
    let filter = (text(), text(), vec(any::<i32>(), 0..4)).prop_map(|(text, topic, partitions)| Filter {
        text,
        topic,
        partitions,
    });
    let recent = (cursor(), any::<u32>()).prop_map(|(cursor, most)| From::Recent { cursor, most });
    let from =
        prop_oneof![Just(From::Now), any::<u32>().prop_map(From::Newest), cursor().prop_map(From::Cursor), recent];
    let pace = prop_oneof![Just(Pace::Display), Just(Pace::Latency)];
    let subscribe = (text(), scope(), filter, pace, from).prop_map(|(feed, scope, filter, pace, from)| {
        Command::Subscribe(Subscribe { feed, scope, filter, pace, from })
    });
    prop_oneof![
        subscribe,
        Just(Command::Pause),
        Just(Command::Resume),
        any::<u64>().prop_map(Command::Ping),
        any::<u64>().prop_map(Command::Taken)
    ]
}
