"""The benchmark of the sink does its work in small batches, over several connections, too.

What it measures is asserted nowhere; that each contestant loads what it says it loads is, so that a
figure is never one of work that was not done.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from bench import sink_peers as peers
from bench.sink import Course
from bench.sink_data import PARAMETERS, Readings, publish
from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.registry import Registry
from schemas.topics import Topics

COUNT = 3_000

pytestmark = [
    pytest.mark.requirement("E4"),
    pytest.mark.slow,
    pytest.mark.backend("native PostgreSQL + embedded Kafka and registry"),
]


@dataclass
class Place:
    """The session's broker and registry, and a database of the test's own."""

    bootstrap_servers: str
    registry_url: str
    database_url: str


@pytest.fixture
def course(stack: Stack, postgres: str) -> Course:
    place = Place(stack.bootstrap_servers, stack.registry_url, postgres)
    return Course(place, COUNT)  # type: ignore[arg-type]


@pytest.fixture
def published(kafka: KafkaSettings, registry: Registry, topics: Topics) -> Topics:
    publish(kafka, registry, topics, Readings(COUNT))
    return topics


def loaded(url: str) -> int:
    with closing(psycopg.connect(url)) as connection:
        counts = [
            connection.execute(
                SQL("SELECT count(*) FROM {}").format(Identifier("weather", name))
            ).fetchall()[0][0]
            for name in PARAMETERS
        ]
    return sum(counts)


def test_small_batches_over_two_connections_load_all_of_it_once(
    course: Course, published: Topics
) -> None:
    course.ours(published, (COUNT, 0), batch=150, connections=2)
    assert loaded(course.url) == COUNT
    loads = list(Readings(COUNT).loads(200))
    course.clear()
    assert peers.side_by_side(course.url, loads, connections=2) > 0
    assert loaded(course.url) == COUNT
    assert peers.merging(course.url, loads) > 0
    assert loaded(course.url) == COUNT
