"""Writes one record of every kind with confluent-kafka, and prints where each landed, a JSON object a line.

It knows nothing of Ottla: the tests use it as somebody else's program.

    produce.py BROKERS TOPIC
"""

import json
import sys

from confluent_kafka import Producer

RECORDS = [
    ("json", "cust-1", '{"orderId":"o-1","total":9007199254740993}', []),
    ("text", "cust-2", "plain text", []),
    ("chinese", "客戶-3", "請於週末配送，謝謝", []),
    ("binary", b"\x00\xff\x01", b"\x00\x01\xfe\xff\x80binary", []),
    ("invalid utf-8", "cust-5", b"caf\xe9", []),
    ("empty", "cust-6", "", []),
    ("tombstone", "cust-7", None, []),
    ("no key", None, "a record without a key", []),
    ("empty key", "", "a record with an empty key", []),
    ("headers", "cust-10", "a record with headers", [("source", b"python"), ("twice", b"1"), ("twice", b"2"), ("null", None), ("raw", b"\xff\x00")]),
    ("markup", "cust-11", "<b onclick=alert(1)>not bold</b> & </script>", []),
    ("lines", "cust-12", "first line\nsecond line\ttab", []),
]


def main() -> None:
    brokers, topic = sys.argv[1:]
    producer = Producer({"bootstrap.servers": brokers, "acks": "all"})

    def produce(name, key, value, headers):
        def delivered(error, message):
            if error:
                raise SystemExit(f"{name}: {error}")
            place = f"{message.topic()}[{message.partition()}]@{message.offset()}"
            print(json.dumps({"name": name, "place": place}), flush=True)

        producer.produce(topic, key=key, value=value, headers=headers, on_delivery=delivered)

    for record in RECORDS:
        produce(*record)
    if producer.flush(20):
        raise SystemExit("Kafka did not take everything within 20 s")


if __name__ == "__main__":
    main()
