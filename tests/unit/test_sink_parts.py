"""The sink's pure parts: batches, halving, meanings of errors, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import errors

from runtime.errors import Configuration, DataQuality, System, Transient
from schemas.dead_letters import Stage
from sink.batch import Batch, Counts, Partition, Span
from sink.database import Database
from sink.loading import Part, Prepared
from sink.offsets import Claim
from sink.places import Places
from sink.poison import isolate
from sink.settings import SinkSettings
from sink.sqlstate import translated
from tests.sink_fakes import FakeMessage


@dataclass(frozen=True)
class Numbers:
    """Entries that are only numbers."""

    found: Sequence[int]

    def __len__(self) -> int:
        return len(self.found)

    def message(self, index: int) -> FakeMessage:
        return FakeMessage(offset_=self.found[index])

    def pick(self, indexes: Sequence[int]) -> Numbers:
        return Numbers([self.found[i] for i in indexes])


@pytest.mark.requirement("C5")
@given(poison=st.sets(st.integers(0, 99), max_size=5))
def test_halving_loads_all_but_the_poison_once_and_in_order(poison: set[int]) -> None:
    loaded: list[int] = []

    def load(entries: Numbers) -> Counts:
        if poison.intersection(entries.found):
            problem = "refused"
            raise DataQuality(problem, reason="refused")
        loaded.extend(entries.found)
        return Counts(len(entries), inserted=len(entries))

    counts, rejects = isolate(Numbers(range(100)), load)
    assert loaded == [n for n in range(100) if n not in poison]
    assert [reject.message.offset() for reject in rejects] == sorted(poison)
    assert {reject.stage for reject in rejects} <= {Stage.LOADING}
    assert counts.inserted == 100 - len(poison)


@pytest.mark.requirement("D3")
def test_halving_passes_an_outage_on() -> None:
    def load(_: Numbers) -> Counts:
        problem = "away"
        raise Transient(problem)

    with pytest.raises(Transient):
        isolate(Numbers(range(8)), load)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.NumericValueOutOfRange, DataQuality),
        (errors.CheckViolation, DataQuality),
        (psycopg.DataError, DataQuality),
        (errors.DeadlockDetected, Transient),
        (errors.AdminShutdown, Transient),
        (errors.DiskFull, Transient),
        (errors.TooManyConnections, Transient),
        (errors.ReadOnlySqlTransaction, Transient),
        (errors.LockNotAvailable, Transient),
        (psycopg.OperationalError, Transient),
        (errors.UndefinedTable, Configuration),
        (errors.InsufficientPrivilege, Configuration),
        (errors.InvalidPassword, Configuration),
        (errors.InvalidCatalogName, Configuration),
        (errors.DataCorrupted, System),
        (psycopg.InternalError, System),
    ],
)
def test_the_class_of_the_sqlstate_decides(
    error: type[psycopg.Error], kind: type[Exception]
) -> None:
    found = translated(error("said\nso"), "loading")
    assert type(found) is kind
    assert "\n" not in str(found)


def test_a_batch_without_a_partition_keeps_the_others_whole() -> None:
    batch = Batch(opened_at=0.0)
    for number in (0, 1):
        partition = Partition("t", number)
        for first in (0, 2):
            messages = [FakeMessage("t", number, first + i, b"12345") for i in range(2)]
            batch.add(partition, messages, Span(first, first + 2, epoch=7))
    rest = batch.without({Partition("t", 0)})
    assert (batch.rows, batch.size, rest.rows, rest.size) == (8, 40, 4, 20)
    assert rest.spans == {Partition("t", 1): Span(0, 4, 7)}
    assert [(m.partition(), m.offset()) for m in rest.messages["t"]] == [(1, n) for n in range(4)]


@pytest.mark.requirement("C2")
def test_records_that_were_given_before_or_are_not_claimed_are_left_out() -> None:
    places = Places({Partition("t", 0): Claim(5, 1)}, {Partition("t", 1)})
    came = [*_records(0, range(3, 8)), *_records(1, range(2)), *_records(0, range(4, 10))]
    pieces = list(places.pieces(came))
    assert [[m.offset() for m in piece.messages] for piece in pieces] == [[5, 6, 7], [8, 9]]
    assert [(p.span.first, p.span.next) for p in pieces] == [(5, 8), (8, 10)]
    assert list(places.pieces(_records(0, range(10)))) == []
    set_back = [*_records(0, range(10, 13)), *_records(0, range(8, 14))]
    (piece,) = places.pieces(set_back)
    assert [m.offset() for m in piece.messages] == [10, 11, 12, 13]


@pytest.mark.requirement("C2")
def test_a_partition_whose_records_were_left_out_is_not_taken_for_read() -> None:
    ours, places = Partition("t", 0), Places()
    places.assign([ours])
    assert list(places.pieces(_records(0, range(2)))) == []  # sent before it was paused
    places.end(ours, 3)
    places.claim(ours, Claim(0, 1))
    assert not places.drained
    places.end(ours, 3)
    assert places.drained


def _records(partition: int, offsets: range) -> list[FakeMessage]:
    return [FakeMessage("t", partition, offset) for offset in offsets]


@pytest.mark.requirement("C2")
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), most=st.integers(1, 6))
def test_shares_of_a_batch_hold_each_topic_once_with_all_its_partitions(
    sizes: list[int], most: int
) -> None:
    topics = {f"t{number}": Part(Numbers(range(size)), []) for number, size in enumerate(sizes)}
    spans = {Partition(topic, number): Span(0, 9, 1) for topic in topics for number in (0, 1)}
    shares = Prepared(spans, topics).shares(most)
    assert len(shares) == min(most, len(sizes))
    assert sorted(topic for share in shares for topic in share.parts) == sorted(topics)
    for share in shares:
        assert {span.topic for span in share.spans} == set(share.parts)
    assert sum(len(share.spans) for share in shares) == len(spans)
    loads = [sum(len(part.entries) for part in share.parts.values()) for share in shares]
    assert max(loads) - min(loads) <= max(sizes)


def test_a_password_in_the_url_is_never_shown() -> None:
    settings = SinkSettings(database_url="postgresql://u:hidden@h:1/d?sslmode=require")
    assert "hidden" not in repr(settings)
    assert settings.database_url == "postgresql://u@h:1/d?sslmode=require"
    given = SinkSettings(database_url="postgresql://u:old@h/d", password="new")
    assert given.password.get_secret_value() == "new"


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("url", ["nonsense", "postgresql//aos:hush@db/weather"])
def test_an_url_that_is_none_is_told_with_the_mend_and_not_shown(url: str) -> None:
    with pytest.raises(Configuration, match="write it as postgresql://") as told:
        Database(SinkSettings(database_url=url)).check()
    assert "sink.database_url is no URL" in str(told.value)
    assert "hush" not in str(told.value)
