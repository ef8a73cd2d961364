"""The producer that takes columns: what it queues is what a reader finds, and errors are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from runtime.bulk_producer import BulkProducer
from runtime.errors import Fenced, System
from runtime.kafka import KafkaSettings, translated
from runtime.kafka_read import read_to_end
from schemas.columnar import Keyed

Make = Callable[..., BulkProducer]
SECONDS = 30.0


@pytest.fixture
def topic(kafka: KafkaSettings, namespace: str) -> str:
    name = f"{namespace}.bulk"
    admin = AdminClient(kafka.client())
    made = NewTopic(name, 2, config={"max.message.bytes": "100000"})
    admin.create_topics([made])[name].result()
    return name


@pytest.fixture
def make(kafka: KafkaSettings) -> Iterator[Make]:
    made: list[BulkProducer] = []

    def one(**settings: object) -> BulkProducer:
        made.append(BulkProducer(kafka.client(**{"delivery_report_only_error": True, **settings})))
        return made[-1]

    yield one
    for each in made:
        each.close()


def numbered(count: int) -> Keyed:
    return Keyed.of((b"k%d" % (n % 7), b"%d" % n) for n in range(count))


def found(kafka: KafkaSettings, topic: str, partition: int) -> list[tuple[object, object]]:
    return [(m.key(), m.value()) for m in read_to_end(kafka, topic, partition)]


@pytest.mark.requirement("A6", "D10")
def test_more_than_the_queue_holds_arrives_whole_and_in_order(
    kafka: KafkaSettings, topic: str, make: Make
) -> None:
    producer, messages = make(queue_buffering_max_messages=1000), numbered(5000)
    producer.produce(topic, messages.keys, messages.values, partition=1)
    assert len(producer) <= 1000
    assert producer.flush(SECONDS) == 0
    assert found(kafka, topic, 1) == messages.pairs()


def test_what_is_null_is_null_and_what_is_empty_is_empty(
    kafka: KafkaSettings, topic: str, make: Make
) -> None:
    producer = make()
    messages = Keyed.of([(None, b"v"), (b"k", None), (b"", b""), (b"k", b"v")])
    producer.produce(topic, messages.keys, messages.values, partition=0)
    producer.flush(SECONDS)
    assert found(kafka, topic, 0) == messages.pairs()


def test_a_key_has_its_partition_whoever_produces(
    kafka: KafkaSettings, topic: str, make: Make
) -> None:
    """Confluent's own producer, one by one, is what columns are held to."""
    producer, messages = make(), numbered(100)
    producer.produce(topic, messages.keys, messages.values)
    producer.flush(SECONDS)
    ours = [{key for key, _ in found(kafka, topic, number)} for number in (0, 1)]
    theirs = Producer(kafka.client())
    for key, value in messages.pairs():
        theirs.produce(topic, key=key, value=value)
    theirs.flush()
    assert [{key for key, _ in found(kafka, topic, number)} for number in (0, 1)] == ours
    assert all(ours)


def test_headers_travel_with_a_single_message(kafka: KafkaSettings, topic: str, make: Make) -> None:
    producer, headers = make(), [("why", b"because"), ("nothing", None), ("why", b"")]
    producer.produce_one(topic, b"k", b"v", headers)
    producer.produce_one(topic, None, None, [])
    producer.flush(SECONDS)
    messages = [m for number in (0, 1) for m in read_to_end(kafka, topic, number)]
    told = {m.key(): (m.value(), m.headers()) for m in messages}
    assert told == {b"k": (b"v", headers), None: (None, None)}


@pytest.mark.requirement("A6")
def test_a_transaction_is_seen_whole_or_not_at_all(
    kafka: KafkaSettings, topic: str, make: Make
) -> None:
    producer, messages = make(transactional_id=topic), numbered(10)
    producer.init_transactions(SECONDS)
    for end in (producer.abort_transaction, producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(topic, messages.keys, messages.values, partition=0)
        end(SECONDS)
    assert found(kafka, topic, 0) == messages.pairs()


@pytest.mark.requirement("A5")
def test_the_newer_of_two_with_one_identity_wins(topic: str, make: Make) -> None:
    older, newer = make(transactional_id=topic), make(transactional_id=topic)
    older.init_transactions(SECONDS)
    newer.init_transactions(SECONDS)
    older.begin_transaction()
    older.produce(topic, numbered(1).keys, numbered(1).values)
    with pytest.raises(KafkaException) as fenced:
        older.commit_transaction(SECONDS)
    assert isinstance(translated(fenced.value, "committing"), Fenced)


@pytest.mark.requirement("D3")
def test_one_that_was_fenced_says_so_whenever_it_is_asked(topic: str, make: Make) -> None:
    old, messages = make(transactional_id=f"{topic}-again"), numbered(3)
    old.init_transactions(SECONDS)
    old.begin_transaction()
    make(transactional_id=f"{topic}-again").init_transactions(SECONDS)
    old.produce(topic, messages.keys, messages.values)
    with pytest.raises(KafkaException):
        old.commit_transaction(SECONDS)
    with pytest.raises(KafkaException) as later:
        old.produce(topic, messages.keys, messages.values)
    assert isinstance(translated(later.value, "sending"), Fenced)
    with pytest.raises(KafkaException) as single:
        old.produce_one(topic, b"k", b"v", [])
    assert isinstance(translated(single.value, "sending"), Fenced)


@pytest.mark.requirement("D3")
def test_a_message_too_large_for_us_is_refused_at_once(topic: str, make: Make) -> None:
    producer = make(message_max_bytes=1000)
    large = Keyed.of([(b"k", b"v" * 2000)])
    with pytest.raises(KafkaException) as refused:
        producer.produce(topic, large.keys, large.values)
    assert isinstance(translated(refused.value, "sending"), System)


@pytest.mark.requirement("D3")
def test_a_message_that_the_broker_refuses_is_not_forgotten(topic: str, make: Make) -> None:
    producer = make(message_max_bytes=1_000_000)
    large = Keyed.of([(b"k", b"v" * 200_000)])
    producer.produce(topic, large.keys, large.values)
    producer.flush(SECONDS)
    assert producer.failure is not None
    assert producer.failure.code() == KafkaError.MSG_SIZE_TOO_LARGE
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        producer.produce(topic, large.keys, numbered(1).values)


@pytest.mark.requirement("D3")
def test_what_nobody_takes_is_given_up_and_told(make: Make) -> None:
    producer = make(bootstrap_servers="127.0.0.1:1", message_timeout_ms=300)
    producer.produce("nowhere", numbered(3).keys, numbered(3).values)
    producer.flush(SECONDS)
    assert producer.failure is not None
    assert producer.failure.code() == KafkaError._MSG_TIMED_OUT


def test_a_setting_that_is_none_is_refused_by_name(make: Make) -> None:
    with pytest.raises(KafkaException, match=r"no\.such"):
        make(no_such="thing")
