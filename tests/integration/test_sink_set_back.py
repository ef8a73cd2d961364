"""A database that was restored from a backup, a topic that is another one, one reading in 100,000.

What the sink relied on is not as it was; it notices while it runs.
"""

from __future__ import annotations

import logging
import re
from contextlib import closing

import psycopg
import pytest
from confluent_kafka.admin import AdminClient
from psycopg.sql import SQL, Identifier

from runtime.errors import System
from tests.clean_records import clean
from tests.sinks import Rig
from tests.waiting import eventually

MANY = 100_000


class Backups:
    """A copy of the database of a test."""

    def __init__(self, rig: Rig, server: str) -> None:
        self._server = server
        self._name = rig.database_url.rpartition("/")[2]

    def take(self) -> None:
        """Copy the database, which nobody may be using."""
        self._run("CREATE DATABASE {backup} TEMPLATE {name}")

    def restore(self) -> None:
        """Put the copy in its place, whoever is using it."""
        self._run("ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        with closing(psycopg.connect(self._server, autocommit=True)) as connection:
            gone = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(gone, (self._name,))
        self._run("ALTER DATABASE {name} RENAME TO {lost}")
        self._run("ALTER DATABASE {backup} RENAME TO {name}")

    def _run(self, statement: str) -> None:
        names = {"name": self._name, "backup": f"{self._name}_b", "lost": f"{self._name}_l"}
        quoted = {key: Identifier(name) for key, name in names.items()}
        with closing(psycopg.connect(self._server, autocommit=True)) as connection:
            connection.execute(SQL(statement).format(**quoted))


@pytest.fixture
def backups(rig: Rig, postgres_server: str) -> Backups:
    return Backups(rig, postgres_server)


@pytest.mark.requirement("C2", "D3")
def test_a_database_restored_under_a_running_sink_is_filled_again_from_the_topic(
    rig: Rig, backups: Backups, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publisher.readings([clean("wind", n) for n in range(10)])
    rig.load()
    backups.take()
    with rig.in_background(batch_seconds=0.05) as sink:
        rig.publisher.readings([clean("wind", n) for n in range(10, 20)])
        sink.progress.wait_for(records=10)
        with caplog.at_level(logging.WARNING, "aos.sink"):
            backups.restore()
            rig.publisher.readings([clean("wind", n) for n in range(20, 30)])
            eventually(lambda: len(rig.readings("wind")) == 30)
    assert sink.error is None
    assert "the database was set back" in caplog.text


@pytest.mark.requirement("C2", "D3")
def test_a_database_restored_before_the_sink_starts_is_noticed_and_filled_again(
    rig: Rig, backups: Backups, caplog: pytest.LogCaptureFixture
) -> None:
    rig.publisher.readings([clean("wind", n) for n in range(10)])
    rig.load()
    backups.take()
    rig.publisher.readings([clean("wind", n) for n in range(10, 20)])
    rig.load()
    backups.restore()
    with caplog.at_level(logging.WARNING, "aos.sink"):
        rig.load()
    assert len(rig.readings("wind")) == 20
    assert "the database was set back: it knows less than was loaded, records 10 to 21" in (
        caplog.text
    )


@pytest.mark.requirement("C2", "D3")
def test_a_topic_that_becomes_another_under_a_running_sink_stops_it_with_what_is_lost(
    rig: Rig,
) -> None:
    topic = rig.topics.clean("wind")
    admin = AdminClient(rig.kafka.client())
    with rig.in_background(batch_seconds=0.05) as sink:
        rig.publisher.readings([clean("wind", n) for n in range(5)])
        sink.progress.wait_for(records=5)
        admin.delete_topics([topic])[topic].result(30)
        rig.make_topics()
        rig.publisher.readings([clean("wind", n) for n in range(100, 120)])
        sink.thread.join(60)
    assert isinstance(sink.error, System)
    said = rf"topic {topic} was created anew: .* was loaded up to \d+ of .*, what followed is lost"
    assert re.search(said, str(sink.error))


@pytest.mark.requirement("C5")
def test_one_poison_row_among_a_hundred_thousand_costs_no_other_its_place(rig: Rig) -> None:
    rig.load()
    rig.query("ALTER TABLE weather.pressure ADD CHECK (value < 2000)")
    template = clean("pressure")
    poison = MANY * 2 // 3
    rig.publisher.readings(
        template | {"observed_at": template["observed_at"] + n, "value": 9999.0 * (n == poison)}
        for n in range(MANY)
    )
    summary = rig.load(batch_rows=MANY, batch_bytes=1 << 28, batch_seconds=5)
    assert (summary.counts.inserted, summary.counts.dead_lettered) == (MANY - 1, 1)
    assert rig.query("SELECT count(*)::int AS n FROM weather.pressure") == [{"n": MANY - 1}]
    (letter,) = rig.dead_letters()
    headers = dict(letter.headers() or [])
    assert headers["__connect.errors.offset"] == str(poison).encode()
    assert headers["aos.reason"] == b"refused_by_database_23514"
