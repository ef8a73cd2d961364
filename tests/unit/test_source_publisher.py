"""A page goes out whole or not at all, and a cursor is only carried on where it belongs."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from producers.publishing.messages import Batch, Messages
from producers.publishing.positions import Standing, at_work
from producers.publishing.publisher import Publisher
from runtime.errors import Configuration, Fenced, System, Transient
from schemas import avsc
from schemas.codec import Decoder
from schemas.columnar import Keyed, Strings
from schemas.topics import Topics

PAGE: list[Batch] = [("raw", Keyed.of([(b"a", b"1")])), ("cursors", Keyed.of([(b"c", b"2")]))]
STANDING = Standing("little", "hourly", "timestamp_id", "sqlite:x", "host:1#a")


class FakeTransactions:
    """A broker's view of one producer: what is committed, and which call is to fail."""

    def __init__(self, fails: dict[str, KafkaError] | None = None) -> None:
        self.calls: list[str] = []
        self.committed: list[str] = []
        self.failure: KafkaError | None = None
        self._fails = fails or {}
        self._queued: list[str] = []

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self._fails:
            raise KafkaException(self._fails[name])

    def init_transactions(self, seconds: float) -> None:
        self._call("init")

    def begin_transaction(self) -> None:
        self._call("begin")

    def produce(self, topic: str, keys: Strings, values: Strings) -> None:
        self._queued += [f"{topic} {value.decode()}" for value in values.bytes()]

    def commit_transaction(self, seconds: float) -> None:
        self._call("commit")
        self.committed += self._queued

    def abort_transaction(self, seconds: float) -> None:
        self._call("abort")

    def close(self) -> None:
        self.calls.append("close")


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
    assert broker.calls == ["init", "begin", "commit", "close"]
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
    assert broker.calls == ["begin", "commit", "abort", "close"]
    assert broker.committed == []


def test_a_broker_that_is_not_ready_is_asked_again_later() -> None:
    broker = FakeTransactions({"init": KafkaError(KafkaError._TIMED_OUT, "loading")})
    with pytest.raises(Transient, match="taking over"):
        Publisher(broker).take_over()


def test_the_first_undelivered_message_gives_the_reason() -> None:
    broker = FakeTransactions({"commit": KafkaError(KafkaError._STATE, "see the reports")})
    broker.failure = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")
    with pytest.raises(System, match="too large"):
        Publisher(broker).publish(PAGE)


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
    topic, messages = Messages(topics, Ids()).cursors([record()])
    ((key, value),) = messages.pairs()
    assert (topic, key) == (topics.cursors, b"little:hourly")
    assert Decoder("source_cursor", Ids().schema_of)(value) == record(published=None)


def test_a_parameter_without_readings_makes_no_batch() -> None:
    assert Messages(Topics(), Ids()).readings({"wind": []}) == []
