"""Two writers at once on a real PostgreSQL: whichever commits first, no row is lost or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import make_url

from producers.connection.endpoints import Endpoints
from producers.reading.cursor_checks import check_cursors
from producers.reading.feed import TableFeed, feeds_of
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from schemas.mapping import Mapping
from tests.sources import document, mapping
from tests.waiting import eventually

_TABLE: Final = """
CREATE TABLE hourly (
    id bigint PRIMARY KEY, station text NOT NULL, at timestamp NOT NULL, ta float,
    changed timestamp{null} DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')
)
"""
_INSERT: Final = "INSERT INTO hourly (id, station, at, ta) VALUES (%s, 'A', '2020-01-01 00:00', %s)"
LAG: Final = 0.3
MODES: Final[dict[str, dict[str, Any]]] = {
    "timestamp_id": {"column": "changed", "id": "id", "lag_seconds": LAG},
    "timestamp": {"mode": "timestamp", "column": "changed", "lag_seconds": LAG},
    "id": {"mode": "id", "column": "id", "lag_seconds": LAG},
}


class Source:
    """A table of a PostgreSQL, read as the stage would read it."""

    def __init__(self, url: str, cursor: dict[str, Any], *, null: bool = False) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_TABLE.format(null="" if null else " NOT NULL"))
        address = make_url(url).set(drivername="postgresql+psycopg")
        password = address.password or ""
        shown = address.set(password=None).render_as_string()
        settings = SourceSettings.model_validate(
            {"url": shown, "password": password, "mapping": "m.yaml"}
        )
        self._database = Endpoints.open(settings)
        self._mapping = self._mapped(cursor)
        self._feeds = self._database.ask("opening", self._opened)
        self._positions = dict.fromkeys((feed.table for feed in self._feeds), "")
        self.found: list[str] = []

    def close(self) -> None:
        self._database.dispose()

    def poll(self) -> Any:
        """Read one page of each feed; give what was last seen of the open transactions."""
        for feed in self._feeds:
            page = feed.next_page(self._positions[feed.table])
            self._positions[feed.table] = page.position
            readings = page.readings.records.get("temperature", [])
            self.found += [reading.as_record()["source_key"] for reading in readings]
            if feed.published is not None:
                feed.published.settle()
        return page.held

    def reads(self, *keys: str) -> None:
        """Read until these are there."""

        def all_there() -> bool:
            self.poll()
            return set(keys) <= set(self.found)

        eventually(all_there)
        assert sorted(self.found) == sorted(keys)

    def _opened(self, connection: Any) -> list[TableFeed]:
        types = check_mapping(connection, self._mapping)
        check_cursors(connection, self._mapping)
        (table,) = self._mapping.tables
        return feeds_of(self._database, self._mapping, table, types["hourly"], 2)

    @staticmethod
    def _mapped(cursor: dict[str, Any]) -> Mapping:
        wide, _ = document()["tables"]
        readings = [each for each in wide["readings"] if each["parameter"] == "temperature"]
        return mapping(tables=[{**wide, "cursor": cursor, "readings": readings, "flag": None}])


@pytest.fixture
def writers(postgres: str) -> Iterator[tuple[Any, Any]]:
    with psycopg.connect(postgres) as slow, psycopg.connect(postgres) as quick:
        yield slow, quick


@pytest.mark.requirement("A6")
@pytest.mark.backend("postgresql")
@pytest.mark.parametrize("mode", MODES)
def test_two_transactions_that_commit_in_reverse_order_lose_no_row(
    postgres: str, writers: tuple[Any, Any], mode: str
) -> None:
    slow, quick = writers
    with closing(Source(postgres, MODES[mode])) as source:
        slow.execute(_INSERT, (1, 1.0))
        quick.execute(_INSERT, (2, 2.0))
        quick.commit()
        source.poll()
        assert source.found == []
        slow.commit()
        source.reads("1", "2")


@pytest.mark.requirement("A6", "D5")
@pytest.mark.backend("postgresql")
@pytest.mark.parametrize("mode", MODES)
def test_a_transaction_that_outlasts_the_lag_is_waited_for_and_told(
    postgres: str, writers: tuple[Any, Any], mode: str
) -> None:
    slow, quick = writers
    with closing(Source(postgres, MODES[mode])) as source:
        slow.execute(_INSERT, (1, 1.0))
        quick.execute(_INSERT, (2, 2.0))
        quick.commit()
        eventually(lambda: (source.poll().oldest or 0.0) > 4 * LAG)
        assert source.found == []
        slow.commit()
        source.reads("1", "2")


@pytest.mark.requirement("A6", "D5")
@pytest.mark.backend("postgresql")
@pytest.mark.parametrize("mode", MODES)
def test_a_transaction_that_outlasts_all_patience_is_told(
    postgres: str, writers: tuple[Any, Any], mode: str
) -> None:
    slow, _ = writers
    with closing(Source(postgres, {**MODES[mode], "wait_seconds": 0.2})) as source:
        slow.execute(_INSERT, (1, 1.0))
        eventually(lambda: "second look" in source.poll().overdue)
        slow.commit()
        eventually(lambda: not source.poll().overdue)


@pytest.mark.requirement("A6")
@pytest.mark.backend("postgresql")
def test_a_row_that_comes_later_than_anybody_waits_is_found_by_the_second_look(
    postgres: str, writers: tuple[Any, Any]
) -> None:
    slow, quick = writers
    overlap = {"every_seconds": 0.2, "back_seconds": 600}
    how = {**MODES["timestamp_id"], "wait_seconds": 0, "overlap": overlap}
    with closing(Source(postgres, how)) as source:
        slow.execute(_INSERT, (1, 1.0))
        for number in (2, 3, 4):
            quick.execute(_INSERT, (number, 2.0))
        quick.commit()
        source.reads("2", "3", "4")
        slow.commit()
        source.reads("1", "2", "3", "4")
        quick.execute(_INSERT, (5, 2.0))
        quick.commit()
        source.reads("1", "2", "3", "4", "5")


@pytest.mark.requirement("A6")
@pytest.mark.backend("postgresql")
def test_rows_without_a_time_are_read_by_their_id(postgres: str, writers: tuple[Any, Any]) -> None:
    _, quick = writers
    how = {**MODES["timestamp_id"], "null_rows": "by_id"}
    with closing(Source(postgres, how, null=True)) as source:
        for number in (1, 2, 3):
            quick.execute(_INSERT, (number, 1.0))
        quick.execute("UPDATE hourly SET changed = NULL WHERE id IN (1, 3)")
        quick.commit()
        source.reads("1", "2", "3")
