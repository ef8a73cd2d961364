"""A sink for each test, on native PostgreSQL unless a file says otherwise of ``sink_database``.

What hypertables do under concurrency shows on a native TimescaleDB alone: such tests run where
``AOS_TEST_TIMESCALE_URL`` names a server whose user may make databases, and are else not selected,
so that nobody takes them for passed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.sinks import Rig

_SERVER: Final = os.environ.get("AOS_TEST_TIMESCALE_URL", "")
_NATIVE_TIMESCALE: Final = "native TimescaleDB + embedded Kafka and registry"

on_native_timescale = pytest.mark.backend(_NATIVE_TIMESCALE)
CONCURRENT: Final = ("postgres", pytest.param("timescale", marks=on_native_timescale))
"""Databases with many backends, by the fixture that makes one."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what wants a native TimescaleDB where there is none."""
    if not _SERVER:
        out = [item for item in items if _is_on_native_timescale(item)]
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


def _is_on_native_timescale(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("backend")
    return mark is not None and mark.args == (_NATIVE_TIMESCALE,)


@pytest.fixture
def timescale(namespace: str) -> Iterator[str]:
    """Make a database that no other test has on a native TimescaleDB, and give its address."""
    name = Identifier(namespace)
    with psycopg.connect(_SERVER, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(name))
        url = _SERVER.rpartition("/")[0] + f"/{namespace}"
        with psycopg.connect(url, autocommit=True) as inside:
            inside.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        yield url
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def sink_database(postgres: str) -> str:
    """Give the database that the sink of a test loads to."""
    return postgres


@pytest.fixture
def rig(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics, sink_database: str
) -> Iterator[Rig]:
    """Give a sink with topics of its own."""
    with closing(Rig(kafka, registry_settings, topics, sink_database)) as made:
        yield made
