"""Source, stream and sink are killed in turn while readings flow: the tables end up the same."""

from __future__ import annotations

import itertools
import random
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack.sample import MAPPING
from devstack.sample.database import build
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.stage_process import StageProcess
from tests.table_contents import contents
from tests.waiting import eventually

SEED = 1048
STAGES = ("source", "stream", "sink")
HOURLY = (
    "DELETE FROM weather_hourly WHERE observed_at NOT BETWEEN '2013-10-28' AND '2013-11-12'"
    " AND NOT (observed_at LIKE '2013-02-12 03%')"
)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Make a sample of two weeks: enough to be killed in, quick to run twice."""
    build(path := tmp_path / "aos.db")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(HOURLY)
    return path


@pytest.fixture
def databases(postgres: str, postgres_server: str, namespace: str) -> tuple[str, str]:
    """Give two empty databases: one for an undisturbed run, one for a run with kills."""
    other = f"{namespace}_killed"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{other}"')
    return postgres, postgres.rpartition("/")[0] + f"/{other}"


class Chain:
    """The three stages of one deployment."""

    def __init__(
        self,
        sample: Path,
        database: str,
        world: tuple[KafkaSettings, RegistrySettings, Topics],
        logs: Path,
    ) -> None:
        logs.mkdir()
        self.database = database
        settings: dict[str, dict[str, Any]] = {
            "source": {"url": f"sqlite:///{sample}", "mapping": MAPPING, "page_rows": 100},
            "stream": {"instance": "one", "batch_records": 400},
            "sink": {"database_url": database, "instance_id": "one", "batch_rows": 1000},
        }
        self.stages = {
            name: StageProcess(name, settings[name], *world, logs / name) for name in STAGES
        }

    def rows(self) -> int:
        """Count what is loaded; nothing, while the tables are not there."""
        try:
            return sum(number for number, _, _ in contents(self.database).values())
        except (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
            return 0


def expected(sample: Path) -> int:
    with closing(sqlite3.connect(sample)) as database:
        [(wide,)] = database.execute("SELECT count(*) FROM weather_hourly")
        [(minutes,)] = database.execute("SELECT count(*) FROM aws_minute")
    return int(5 * wide + minutes)


@pytest.mark.requirement("E2", "E3", "C2")
def test_stages_that_are_killed_in_turn_leave_the_tables_of_an_undisturbed_run(
    sample: Path,
    databases: tuple[str, str],
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    namespace: str,
    tmp_path: Path,
) -> None:
    pick = random.Random(SEED)  # noqa: S311 - the same moments in every run
    total = expected(sample)
    chains = []
    for number, database in enumerate(databases):
        topics = Topics(namespace=f"{namespace}-{number}", partitions=2)
        world = (kafka, registry_settings, topics)
        chains.append(Chain(sample, database, world, tmp_path / f"logs-{number}"))
    calm, killed = chains
    with ExitStack() as running:
        for stage in (*calm.stages.values(), *killed.stages.values()):
            running.enter_context(stage)
        for name in itertools.chain(STAGES, pick.sample(STAGES, 3)):
            time.sleep(pick.uniform(0.5, 2.5))
            killed.stages[name].kill()
            killed.stages[name].start()
        for chain in (calm, killed):
            eventually(lambda chain=chain: chain.rows() >= total, seconds=150, every=1.0)
    content = contents(killed.database)
    assert content == contents(calm.database)
    assert sum(rows for rows, _, _ in content.values()) == total
    assert all(rows == keys for rows, keys, _ in content.values())
