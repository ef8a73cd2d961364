"""However a batch is loaded, copied, sifted or merged, the newest of each key stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.codec import Encoder
from sink.batch import Counts
from sink.database import Connection, Database
from sink.migrate import migrate
from sink.readings import ReadingTable
from sink.settings import Conflict, SinkSettings
from sink.turns import Turns
from tests.clean_records import clean
from tests.sink_fakes import FakeMessage


class Told(NamedTuple):
    """What a record says: of which hour of which station, in which version."""

    station: str
    hour: int
    version: int
    revision: int
    deleted: bool


Key = tuple[str, int]
BATCHES = st.lists(
    st.lists(
        st.builds(
            Told,
            st.sampled_from(["JFK", "LGA", "서울"]),
            st.integers(0, 2) | st.integers(900, 901),
            st.integers(1, 3),
            st.integers(1, 2),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def connection(postgres: str) -> Iterator[Connection]:
    with closing(Database(SinkSettings(database_url=postgres))) as database:
        migrate(database)
    with closing(psycopg.connect(postgres, autocommit=True)) as made:
        yield made


@pytest.mark.requirement("C3", "C5")
@pytest.mark.parametrize("conflict", Conflict)
@given(batches=BATCHES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_whatever_came_before_the_table_holds_the_winner_of_each_key(
    connection: Connection, conflict: Conflict, batches: list[list[Told]]
) -> None:
    connection.execute("TRUNCATE weather.wind")
    table = _table(conflict)
    known: dict[Key, tuple[int, int, bool]] = {}
    for batch in batches:
        expected = _merged(known, batch, conflict)
        assert _load(table, connection, batch) == expected
        assert _there(connection) == known


@pytest.mark.requirement("C2", "C3")
def test_a_row_that_came_between_asking_and_copying_is_merged_with(
    connection: Connection, postgres: str
) -> None:
    class Meddling(Turns):
        """Has another writer load a row as soon as the table was asked."""

        others: list[Connection]

        @contextmanager
        def busy(self) -> Iterator[None]:
            with super().busy():
                yield
            if self.others:
                _load(_table(), self.others.pop(), [Told("JFK", 2, 5, 1, deleted=False)])

    turns = Meddling()
    turns.others = []
    table = _table(turns=turns)
    first = [Told("JFK", hour, 1, 1, deleted=False) for hour in range(2)]
    _load(table, connection, first)
    assert _load(table, connection, first).skipped == 2
    with closing(psycopg.connect(postgres, autocommit=True)) as other:
        turns.others.append(other)
        more = [Told("JFK", hour, 2, 1, deleted=False) for hour in range(1, 4)]
        found = _load(table, connection, more)
    assert not turns.others
    assert (found.inserted, found.updated, found.skipped) == (1, 1, 1)
    assert [_there(connection)["JFK", hour][0] for hour in range(4)] == [1, 2, 5, 2]


@pytest.mark.requirement("C5")
def test_a_row_that_another_constraint_refuses_is_refused_in_every_way(
    connection: Connection,
) -> None:
    connection.execute("CREATE UNIQUE INDEX ON weather.wind (raw_offset)")
    table = _table()
    _load(table, connection, [Told("JFK", 1, 1, 1, deleted=False)])
    for _ in range(3):
        with pytest.raises(DataQuality, match="raw_offset"):
            _load(table, connection, [Told("LGA", 1, 1, 1, deleted=False)])
    assert _there(connection).keys() == {("JFK", 1)}


def _table(conflict: Conflict = Conflict.UPDATE, turns: Turns | None = None) -> ReadingTable:
    return ReadingTable("wind", lambda _: avsc.load("clean_wind"), conflict, turns=turns)


def _load(table: ReadingTable, connection: Connection, batch: list[Told]) -> Counts:
    encode = Encoder("clean_wind", 1)
    entries, rejects = table.prepare([FakeMessage(value_=encode(_record(t))) for t in batch])
    assert not rejects
    with connection.transaction():
        return table.load(connection, entries)


def _record(told: Told) -> dict[str, Any]:
    return clean(
        "wind",
        told.hour,
        told.station,
        source_version=told.version,
        revision=told.revision,
        op="delete" if told.deleted else "upsert",
    )


def _merged(known: dict[Key, tuple[int, int, bool]], batch: list[Told], how: Conflict) -> Counts:
    """Do the same, one after the other; of one key in a batch only the winner counts."""
    winners: dict[Key, tuple[int, int, bool]] = {}
    for told in batch:
        key, new = (told.station, told.hour), told[2:]
        if key not in winners or (how is Conflict.UPDATE and new[:2] > winners[key][:2]):
            winners[key] = new
    inserted = updated = deleted = 0
    for key, new in winners.items():
        if key in known and (how is Conflict.SKIP or new[:2] <= known[key][:2]):
            continue
        inserted, updated = inserted + (key not in known), updated + (key in known)
        deleted += new[2]
        known[key] = new
    skipped = len(batch) - inserted - updated
    return Counts(len(batch), inserted, updated, skipped, deleted)


def _there(connection: Connection) -> dict[Key, tuple[int, int, bool]]:
    rows = connection.execute(
        "SELECT station_id, raw_offset, source_version, revision, deleted_at IS NOT NULL"
        " FROM weather.wind"
    )
    return {
        (station, hour): (version, revision, gone)
        for station, hour, version, revision, gone in rows
    }
