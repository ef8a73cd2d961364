"""A page goes out whole or not at all, and a cursor is only carried on where it belongs."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from producers.publishing.messages import Batch, Message, Messages
from producers.publishing.positions import Standing, at_work
from producers.publishing.publisher import Delivered, Publisher
from runtime.errors import Configuration, Fenced, System, Transient
from schemas import avsc
from schemas.codec import Decoder
from schemas.topics import Topics

PAGE: list[Batch] = [
    ("raw", [{"key": b"a", "value": b"1"}]),
    ("cursors", [{"key": b"c", "value": b"2"}]),
]
STANDING = Standing("little", "hourly", "timestamp_id", "sqlite:x", "host:1#a")


class FakeTransactions:
    """A broker's view of one producer: what is committed, and which call is to fail."""

    def __init__(self, fails: dict[str, KafkaError] | None = None, room: int = 100) -> None:
        self.refusal = KafkaError(KafkaError._QUEUE_FULL, "full")
        self.most_waiting = 0
        self._waiting = 0
        self.calls: list[str] = []
        self.committed: list[str] = []
        self.undelivered: KafkaError | None = None
        self._fails = fails or {}
        self._room = room
        self._queued: list[str] = []
        self._delivered: Delivered | None = None

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self._fails:
            raise KafkaException(self._fails[name])

    def init_transactions(self, timeout: float) -> None:
        self._call("init")

    def begin_transaction(self) -> None:
        self._call("begin")

    def produce_batch(self, topic: str, messages: list[Message], *, on_delivery: Delivered) -> int:
        found_room = min(len(messages), max(0, self._room - self._waiting))
        for message in messages[found_room:]:
            message["_error"] = self.refusal
        self._queued += [
            f"{topic} {message['value'].decode()}" for message in messages[:found_room]
        ]
        self._waiting += found_room
        self.most_waiting = max(self.most_waiting, self._waiting)
        self._delivered = on_delivery
        return found_room

    def flush(self, timeout: float) -> int:
        self.calls.append("flush")
        if self.undelivered and self._delivered:
            self._delivered(self.undelivered, None)
        if "flush" not in self._fails:
            self._waiting = 0
        return self._waiting

    def commit_transaction(self, timeout: float) -> None:
        if self.undelivered and self._delivered:
            self._delivered(self.undelivered, None)
        self._call("commit")
        self.committed += self._queued

    def abort_transaction(self, timeout: float) -> None:
        self._call("abort")


class Ids:
    """Stands for the registry: one id for each schema."""

    def id_of(self, subject: str, name: str) -> int:
        return avsc.NAMES.index(name)

    def schema_of(self, schema_id: int) -> avsc.Schema:
        return avsc.load(avsc.NAMES[schema_id])


@pytest.mark.requirement("A6")
def test_readings_and_cursor_are_one_transaction() -> None:
    broker = FakeTransactions()
    publisher = Publisher(broker)
    publisher.take_over()
    publisher.publish(PAGE)
    publisher.close()
    assert broker.calls == ["init", "begin", "commit"]
    assert broker.committed == ["raw 1", "cursors 2"]


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError._TIMED_OUT, Transient),
        (KafkaError._FENCED, Fenced),
        (KafkaError.PRODUCER_FENCED, Fenced),
    ],
)
def test_a_failed_commit_is_told_by_its_kind_and_closed_by_taking_it_back(
    code: int, kind: type[Exception]
) -> None:
    broker = FakeTransactions({"commit": KafkaError(code, "no")})
    publisher = Publisher(broker)
    with pytest.raises(kind):
        publisher.publish(PAGE)
    publisher.close()
    assert broker.calls == ["begin", "commit", "abort"]
    assert broker.committed == []


def test_a_broker_that_is_not_ready_is_asked_again_later() -> None:
    broker = FakeTransactions({"init": KafkaError(KafkaError._TIMED_OUT, "loading")})
    with pytest.raises(Transient, match="taking over"):
        Publisher(broker).take_over()


def test_the_first_undelivered_message_gives_the_reason() -> None:
    broker = FakeTransactions({"commit": KafkaError(KafkaError._STATE, "see the reports")})
    broker.undelivered = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")
    with pytest.raises(Transient, match="too large"):
        Publisher(broker).publish(PAGE)


LARGE: list[Batch] = [("raw", [{"key": b"a", "value": b"%d" % n} for n in range(25)])]


@pytest.mark.requirement("A6", "D10")
def test_a_page_larger_than_the_queue_is_published_whole_while_the_queue_stays_bounded() -> None:
    broker = FakeTransactions(room=10)
    Publisher(broker).publish(LARGE)
    assert broker.committed == [f"raw {n}" for n in range(25)]
    assert broker.calls == ["begin", "flush", "flush", "commit"]
    assert broker.most_waiting == 10


@pytest.mark.requirement("D3")
def test_a_full_queue_that_the_broker_does_not_empty_ends_the_page() -> None:
    broker = FakeTransactions({"flush": KafkaError(KafkaError._TIMED_OUT)}, room=10)
    with pytest.raises(Transient, match="publishing a page"):
        Publisher(broker).publish(LARGE)
    assert broker.committed == []


@pytest.mark.requirement("D3")
def test_a_message_given_up_while_the_queue_is_full_ends_the_page() -> None:
    broker = FakeTransactions(room=10)
    broker.undelivered = KafkaError(KafkaError._MSG_TIMED_OUT, "given up")
    with pytest.raises(Transient, match="given up"):
        Publisher(broker).publish(LARGE)


@pytest.mark.requirement("D3")
def test_a_message_that_is_refused_is_no_matter_of_waiting() -> None:
    broker = FakeTransactions(room=0)
    broker.refusal = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")
    with pytest.raises(System, match="raw: a message is not taken"):
        Publisher(broker).publish(LARGE)
    assert broker.committed == []


def test_closing_goes_on_when_the_broker_does_not_answer() -> None:
    gone = KafkaError(KafkaError._TIMED_OUT, "gone")
    publisher = Publisher(FakeTransactions({"commit": gone, "abort": gone}))
    with pytest.raises(Transient):
        publisher.publish(PAGE)
    publisher.close()


def record(**changes: Any) -> dict[str, Any]:
    return {**STANDING.after("p|9", 5, 25).as_record(updated_at=7), **changes}


def test_a_successor_goes_on_where_the_stored_cursor_says() -> None:
    gone_on = Standing("little", "hourly", "timestamp_id", "sqlite:x", "host:2#b").taken_up(
        record()
    )
    assert (gone_on.position, gone_on.rows, gone_on.readings) == ("p|9", 5, 25)
    assert gone_on.instance == "host:2#b"
    assert STANDING.taken_up(None) == STANDING


@pytest.mark.requirement("A5")
@pytest.mark.parametrize("other", [{"identity": "sqlite:y"}, {"mode": "rowversion"}])
def test_a_cursor_of_another_database_or_kind_is_not_carried_on(other: dict[str, str]) -> None:
    with pytest.raises(Configuration, match=next(iter(other.values()))):
        STANDING.taken_up(record(**other))


def test_the_instance_at_work_is_the_last_that_wrote_a_cursor_of_the_source() -> None:
    cursors = {
        "little:a": record(instance="old"),
        "little:b": record(instance="new"),
        "other:a": record(source="other", instance="stranger"),
        "little:a:backfill:x:1": record(mode="backfill", instance="historian"),
    }
    assert at_work(cursors, "little") == "new"
    assert at_work({}, "little") is None


def test_keys_are_station_sensor_and_source_with_table() -> None:
    topics = Topics(namespace="lab")
    topic, (message,) = Messages(topics, Ids()).cursors([record()])
    assert (topic, message["key"]) == (topics.cursors, b"little:hourly")
    decode = Decoder("source_cursor", Ids().schema_of)
    assert decode(message["value"]) == record(published=None)


def test_a_parameter_without_readings_makes_no_batch() -> None:
    assert Messages(Topics(), Ids()).readings({"wind": []}) == []
