"""Writes three transactions with confluent-kafka and aborts the second one; prints how many records are committed.

It knows nothing of Ottla: the tests use it as somebody else's program.

    transactions.py BROKERS TOPIC
"""

import sys

from confluent_kafka import Producer

RECORDS = 5


def main() -> None:
    brokers, topic = sys.argv[1:]
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": f"{topic}-writer"})
    producer.init_transactions(20)
    for number, is_committed in enumerate([True, False, True]):
        producer.begin_transaction()
        for record in range(RECORDS):
            producer.produce(topic, partition=0, value=f"transaction {number}, record {record}")
        if is_committed:
            producer.commit_transaction(20)
        else:
            # Aborted records have to be in the log, or they are no hole in it.
            producer.flush(20)
            producer.abort_transaction(20)
    print(2 * RECORDS)


if __name__ == "__main__":
    main()
