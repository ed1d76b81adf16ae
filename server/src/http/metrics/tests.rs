//! Each sample has the figure that it is named for.

use super::*;
use engine::{BrokerReport, ClientReport, Produced, Rebalances, Waiting};
use std::time::Duration;
use wire::{PartitionStats, Stats};

/// Made up: each figure is another one.
fn scrape() -> Scrape {
    let histogram = |first| {
        let mut buckets = [0; BOUNDS.len() + 1];
        (buckets[0], buckets[BOUNDS.len()]) = (first, 1);
        Histogram { buckets, sum: first as f64 + 0.5 }
    };
    let partition =
        |partition, committed, end| PartitionStats { topic: "orders".into(), partition, consumed: 0, committed, end };
    let stats = Stats {
        at: 0,
        consumed: 101,
        redelivered: 102,
        possibly_redelivered: 103,
        replayed: 104,
        duplicates: 105,
        skipped: 106,
        empty: 107,
        missing: 108,
        rate: 0,
        gaps: 109,
        tabs: 0,
        partitions: vec![partition(0, Some(5), Some(115)), partition(1, Some(9), Some(8)), partition(2, None, Some(8))],
    };
    let broker = |id, is_connected, round_trip| BrokerReport { id, is_connected, round_trip };
    let client = ClientReport {
        brokers: vec![broker(1, true, Some(Duration::from_millis(116))), broker(2, false, None)],
        prefetched_records: 117,
        prefetched_bytes: 118,
        received_bytes: 119,
        transmit_errors: 120,
        receive_errors: 121,
        timeouts: 122,
        retries: 123,
        connections_lost: 124,
        throttled: Duration::from_millis(124_500),
        ..ClientReport::default()
    };
    let producer = ClientReport {
        brokers: vec![broker(1, true, Some(Duration::from_millis(160))), broker(2, true, None)],
        queued_messages: 161,
        queued_bytes: 162,
        sent_bytes: 163,
        transmit_errors: 164,
        receive_errors: 165,
        timeouts: 166,
        retries: 167,
        connections_lost: 168,
        throttled: Duration::from_millis(169_500),
        ..ClientReport::default()
    };
    let feed = FeedFigures {
        feed: "default".into(),
        group: "g".into(),
        stats,
        kafka_is_up: true,
        is_member: false,
        rebalances: Rebalances { assigned: 111, revoked: 112, lost: 113 },
        commits: histogram(125),
        failed_commits: 126,
        committed_at: Some(127_500),
        ring_bytes: 128,
        ring_limit: 129,
        ring_oldest: Some(870_000),
        late_tabs: 131,
        late_since: Some(868_000),
        client,
    };
    let produced = Produced {
        acknowledged: 133,
        invalid: 134,
        refused: 135,
        timed_out: 136,
        took: histogram(137),
        in_flight: 138,
        oldest: Some(Duration::from_millis(139_500)),
    };
    Scrape {
        now: 1_000_000,
        build: [("version", "1".into()), ("build", "b".into()), ("member", "ottla-1".into())],
        figures: Figures {
            produced,
            journal: Some((true, Waiting { length: 140, oldest: Duration::from_millis(141_500) })),
            feeds: vec![feed],
            temporary_feeds: 170,
            producers: vec![("producer", producer)],
        },
        traffic: [
            (Transport::WebSocket, 142, 143),
            (Transport::ServerSentEvents, 144, 145),
            (Transport::Ndjson, 146, 147),
        ],
        closes: Close::ALL.map(|why| (why, 180 + why as u64)),
        requests: vec![((None, 4), histogram(171)), ((Some("/topics/{topic}".into()), 2), histogram(172))],
        process: Some(ProcessFigures {
            cpu_seconds: 148.5,
            resident_bytes: 149,
            virtual_bytes: 150,
            started: 151,
            open_files: Some(152),
            open_files_limit: None,
        }),
    }
}

/// The samples as they are written, without those of a histogram's buckets but for the first and the last.
fn samples(scrape: Scrape) -> Vec<String> {
    let text = written(scrape).unwrap();
    let is_between =
        |line: &str| line.contains("le=\"") && !["le=\"0.001\"", "le=\"+Inf\""].iter().any(|le| line.contains(le));
    text.lines().filter(|line| !line.starts_with('#') && !is_between(line)).map(str::to_owned).collect()
}

#[test]
fn each_sample_has_the_figure_that_it_is_named_for() {
    let expected = r#"
ottla_build_info{version="1",build="b",member="ottla-1"} 1
ottla_kafka_up{feed="default",group="g"} 1
ottla_group_joined{feed="default",group="g"} 0
ottla_records_consumed_total{feed="default",group="g"} 101
ottla_records_consumed_again_total{feed="default",group="g",reason="redelivered"} 102
ottla_records_consumed_again_total{feed="default",group="g",reason="possibly_redelivered"} 103
ottla_records_consumed_again_total{feed="default",group="g",reason="replayed"} 104
ottla_records_consumed_again_total{feed="default",group="g",reason="duplicate"} 105
ottla_offsets_skipped_total{feed="default",group="g"} 106
ottla_offsets_empty_total{feed="default",group="g"} 107
ottla_records_missing_total{feed="default",group="g"} 108
ottla_partitions_assigned{feed="default",group="g"} 3
ottla_lag_records{feed="default",group="g",topic="orders",partition="0"} 110
ottla_lag_records{feed="default",group="g",topic="orders",partition="1"} 0
ottla_rebalances_total{feed="default",group="g",kind="assigned"} 111
ottla_rebalances_total{feed="default",group="g",kind="revoked"} 112
ottla_rebalances_total{feed="default",group="g",kind="lost"} 113
ottla_commit_duration_seconds_sum{feed="default",group="g"} 125.5
ottla_commit_duration_seconds_count{feed="default",group="g"} 126
ottla_commit_duration_seconds_bucket{le="0.001",feed="default",group="g"} 125
ottla_commit_duration_seconds_bucket{le="+Inf",feed="default",group="g"} 126
ottla_commit_failures_total{feed="default",group="g"} 126
ottla_last_commit_timestamp_seconds{feed="default",group="g"} 127.5
ottla_temporary_feeds 170
ottla_journal_up 1
ottla_journal_waiting 140
ottla_journal_oldest_waiting_seconds 141.5
ottla_ring_bytes{feed="default",group="g"} 128
ottla_ring_limit_bytes{feed="default",group="g"} 129
ottla_ring_oldest_record_age_seconds{feed="default",group="g"} 130.0
ottla_tabs_connected{transport="websocket"} 142
ottla_tabs_connected{transport="sse"} 144
ottla_tabs_connected{transport="ndjson"} 146
ottla_tabs_sent_bytes_total{transport="websocket"} 143
ottla_tabs_sent_bytes_total{transport="sse"} 145
ottla_tabs_sent_bytes_total{transport="ndjson"} 147
ottla_gap_records_total{feed="default",group="g"} 109
ottla_tabs_behind{feed="default",group="g"} 131
ottla_tabs_oldest_waiting_seconds{feed="default",group="g"} 132.0
ottla_produced_messages_total{outcome="acknowledged"} 133
ottla_produced_messages_total{outcome="invalid"} 134
ottla_produced_messages_total{outcome="refused"} 135
ottla_produced_messages_total{outcome="timed_out"} 136
ottla_produce_duration_seconds_sum 137.5
ottla_produce_duration_seconds_count 138
ottla_produce_duration_seconds_bucket{le="0.001"} 137
ottla_produce_duration_seconds_bucket{le="+Inf"} 138
ottla_produce_in_flight 138
ottla_produce_oldest_waiting_seconds 139.5
ottla_kafka_client_brokers_connected{feed="default",group="g",client="consumer"} 1
ottla_kafka_client_brokers_connected{client="producer"} 2
ottla_kafka_client_broker_rtt_p99_seconds{feed="default",group="g",client="consumer",broker="1"} 0.116
ottla_kafka_client_broker_rtt_p99_seconds{client="producer",broker="1"} 0.16
ottla_kafka_client_prefetched_records{feed="default",group="g"} 117
ottla_kafka_client_prefetched_bytes{feed="default",group="g"} 118
ottla_kafka_client_received_bytes_total{feed="default",group="g"} 119
ottla_kafka_client_queued_messages{client="producer"} 161
ottla_kafka_client_queued_bytes{client="producer"} 162
ottla_kafka_client_sent_bytes_total{client="producer"} 163
ottla_kafka_client_request_errors_total{feed="default",group="g",client="consumer",kind="transmit"} 120
ottla_kafka_client_request_errors_total{feed="default",group="g",client="consumer",kind="receive"} 121
ottla_kafka_client_request_errors_total{feed="default",group="g",client="consumer",kind="timeout"} 122
ottla_kafka_client_request_errors_total{feed="default",group="g",client="consumer",kind="retry"} 123
ottla_kafka_client_request_errors_total{client="producer",kind="transmit"} 164
ottla_kafka_client_request_errors_total{client="producer",kind="receive"} 165
ottla_kafka_client_request_errors_total{client="producer",kind="timeout"} 166
ottla_kafka_client_request_errors_total{client="producer",kind="retry"} 167
ottla_kafka_client_connections_lost_total{feed="default",group="g",client="consumer"} 124
ottla_kafka_client_connections_lost_total{client="producer"} 168
ottla_kafka_client_throttled_seconds_total{feed="default",group="g",client="consumer"} 124.5
ottla_kafka_client_throttled_seconds_total{client="producer"} 169.5
ottla_http_request_duration_seconds_sum{route="other",status="4xx"} 171.5
ottla_http_request_duration_seconds_count{route="other",status="4xx"} 172
ottla_http_request_duration_seconds_bucket{le="0.001",route="other",status="4xx"} 171
ottla_http_request_duration_seconds_bucket{le="+Inf",route="other",status="4xx"} 172
ottla_http_request_duration_seconds_sum{route="/topics/{topic}",status="2xx"} 172.5
ottla_http_request_duration_seconds_count{route="/topics/{topic}",status="2xx"} 173
ottla_http_request_duration_seconds_bucket{le="0.001",route="/topics/{topic}",status="2xx"} 172
ottla_http_request_duration_seconds_bucket{le="+Inf",route="/topics/{topic}",status="2xx"} 173
ottla_websocket_closes_total{reason="left"} 180
ottla_websocket_closes_total{reason="gone"} 181
ottla_websocket_closes_total{reason="broken"} 182
ottla_websocket_closes_total{reason="stopping"} 183
ottla_websocket_closes_total{reason="bad_message"} 184
ottla_websocket_closes_total{reason="wrong_state"} 185
ottla_websocket_closes_total{reason="unknown_feed"} 186
ottla_websocket_closes_total{reason="bad_subscription"} 187
ottla_websocket_closes_total{reason="stalled"} 188
process_cpu_seconds_total 148.5
process_resident_memory_bytes 149
process_virtual_memory_bytes 150
process_start_time_seconds 151
process_open_fds 152
"#;
    assert_eq!(samples(scrape()), expected.trim().lines().collect::<Vec<_>>());
}

#[test]
fn what_is_not_known_or_never_was_has_no_sample() {
    let mut scrape = scrape();
    (scrape.figures.journal, scrape.process, scrape.figures.produced.oldest) = (None, None, None);
    let feed = &mut scrape.figures.feeds[0];
    (feed.committed_at, feed.ring_oldest, feed.late_since) = (None, None, None);
    let samples = samples(scrape);
    for never in ["ottla_journal_", "process_", "ottla_last_commit_timestamp", "ottla_ring_oldest_record_age"] {
        assert!(!samples.iter().any(|sample| sample.starts_with(never)), "{never}: {samples:?}");
    }
    // Nothing waits: that is known.
    assert!(samples.contains(&"ottla_produce_oldest_waiting_seconds 0.0".into()), "{samples:?}");
    let waits = "ottla_tabs_oldest_waiting_seconds{feed=\"default\",group=\"g\"} 0.0";
    assert!(samples.iter().any(|sample| sample == waits), "{samples:?}");
}

#[test]
fn the_newer_format_is_for_those_who_name_it() {
    let takes = |accept: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        takes_open_metrics(&headers)
    };
    // Prometheus's own.
    let both = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
        text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    assert!(takes(both) && takes("Application/OpenMetrics-Text"));
    for other in ["*/*", "text/plain;version=0.0.4", "text/html", "application/openmetrics-text; q=0, */*", ""] {
        assert!(!takes(other), "{other}");
    }
    assert!(!takes_open_metrics(&HeaderMap::new()));
}
