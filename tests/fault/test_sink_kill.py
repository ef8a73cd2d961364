"""SIGKILL for the sink at every boundary of its batch, for the database too, again and again.

A round publishes readings, holds the sink where it is to die (see tests/wire_trap.py), and kills
it. Its successor goes on. The rounds take turns: seven of them try every death once. In the five of
`make test` every boundary of a batch is met: in the first rebalance the sink dies before its COPY.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.codec import Record
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink.batch import Partition
from sink.broker import Broker
from tests.clean_records import clean
from tests.killable_postgres import Server
from tests.sinks import Rig
from tests.stage_process import StageProcess
from tests.support.sinks import on_native_timescale
from tests.waiting import eventually
from tests.wire_trap import Boundary, Trap

ROUNDS: Final = int(os.environ.get("AOS_FAULT_ROUNDS", "5"))
READINGS: Final = 400
"""In each round."""
PARAMETERS: Final = ("wind", "pressure")
_REBALANCE: Final = "in a rebalance"
_DATABASE: Final = "with the database"
_IN_A_BATCH: Final = [boundary for boundary in Boundary if boundary is not Boundary.CLAIM]
_DEATHS: Final = (
    Boundary.IN_COPY,
    Boundary.BEFORE_COMMIT,
    Boundary.AFTER_COMMIT,
    _REBALANCE,
    _DATABASE,
    Boundary.BEFORE_COPY,
    Boundary.CLAIM,
)


@pytest.fixture
def server() -> Iterator[Server]:
    with TemporaryDirectory(prefix="aos-postgres-", ignore_cleanup_errors=True) as directory:
        made = Server(Path(directory))
        try:
            yield made
        finally:
            made.stop()


@pytest.fixture
def sink_database(server: Server) -> str:
    return server.url


@pytest.mark.backend("native PostgreSQL + embedded Kafka, registry and TimescaleDB")
@pytest.mark.requirement("C2", "C3")
def test_a_sink_that_is_killed_at_every_boundary_loads_the_winner_of_every_key(
    rig: Rig, server: Server, tmp_path: Path
) -> None:
    deaths = [_DEATHS[number % len(_DEATHS)] for number in range(ROUNDS)]
    _hold_to_the_topics(rig, server, deaths, tmp_path)
    assert rig.dead_letters() == []


@pytest.mark.requirement("C1", "C2", "C3")
def test_hypertables_hold_the_same_after_a_kill_in_a_copy_and_around_a_commit(
    stack: Stack,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    """One backend serves all clients here, so no one may ask anything while a sink is held."""
    deaths = [Boundary.IN_COPY, Boundary.AFTER_COMMIT]
    with closing(Rig(kafka, registry_settings, topics, stack.database_url)) as rig:
        _hold_to_the_topics(rig, None, deaths * (1 + ROUNDS // 10), tmp_path)


@on_native_timescale
@pytest.mark.requirement("C1", "C2", "C3")
def test_hypertables_with_many_backends_hold_the_same_after_a_kill_at_every_boundary(
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    timescale: str,
    tmp_path: Path,
) -> None:
    deaths = [death for death in _DEATHS if death != _DATABASE] * (1 + ROUNDS // 10)
    with closing(Rig(kafka, registry_settings, topics, timescale)) as rig:
        _hold_to_the_topics(rig, None, deaths, tmp_path)


def _hold_to_the_topics(rig: Rig, server: Server | None, deaths: Sequence[str], logs: Path) -> None:
    """Publish and kill, round by round; what is loaded must be what the topics say."""
    draw = random.Random(20130101)  # noqa: S311 - the same run every time
    records: list[Record] = []
    with Trap(urlsplit(rig.database_url).port or 0) as trap:
        for number, death in enumerate(deaths):
            records += (new := [_reading(draw, rig) for _ in range(READINGS)])
            rig.publisher.readings(new)
            boundary = _boundary(death, draw, first=number < len(_DEATHS))
            trap.arm(boundary, 0 if boundary is Boundary.CLAIM else draw.randrange(2))
            _die(rig, trap, server, death, logs, connections=1 + number % 2)
        with _sink(
            rig, trap, logs, batch_rows=5000
        ) as process:  # it was killed too soon to keep up
            eventually(lambda: _loaded(rig) >= len(records))
            assert process.stop() == 0
    for parameter in PARAMETERS:
        ours = [row for row in rig.readings(parameter) if row["station_id"] in _stations(rig)]
        assert {_key(row): _version(row) for row in ours} == _winners(records, parameter)
    assert _loaded(rig) == len(records)
    assert _known_of_the_topics(rig) == _ends(rig)
    assert _gaps_and_overlaps(rig) == []


def _die(
    rig: Rig,
    trap: Trap,
    server: Server | None,
    how: str,
    logs: Path,
    connections: int,
) -> None:
    """Let a sink load, up to a boundary of one of its first batches, and kill it there."""
    with _sink(rig, trap, logs, connections=connections) as process:
        trap.wait()
        if how == _DATABASE and server:
            server.kill()
            trap.cut()
            server.start()
            before = _loaded(rig)
            eventually(lambda: _loaded(rig) > before)
        elif how == _REBALANCE:
            with _sink(rig, trap, logs, instance_id=""):
                eventually(lambda: _is_rebalancing(rig))
                process.kill()
                trap.cut()
        if process.running:
            process.kill()
        trap.cut()


def _boundary(death: str, draw: random.Random, *, first: bool) -> Boundary:
    """Say where a sink is held: where it dies, or anywhere in a batch when more than it dies."""
    if death in list(Boundary):
        return Boundary(death)
    return Boundary.BEFORE_COPY if first and death == _REBALANCE else draw.choice(_IN_A_BATCH)


def _sink(rig: Rig, trap: Trap, logs: Path, **changes: Any) -> StageProcess:
    url = urlsplit(rig.database_url)
    through_trap = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{trap.port}"))
    settings = {
        "database_url": through_trap.geturl(),
        "instance_id": "sink-1",  # its successor takes over at once
        "batch_rows": 100,
        "batch_seconds": 0.05,
        "retry_seconds": 0.5,
        "session_timeout_seconds": 6,
        **changes,
    }
    log = logs / "log"
    return StageProcess("sink", settings, rig.kafka, rig.registry, rig.topics, log)


def _is_rebalancing(rig: Rig) -> bool:
    group = _group(rig)
    admin = AdminClient(rig.kafka.client())
    found = admin.describe_consumer_groups([group])[group].result(10)
    return bool(found.state is not ConsumerGroupState.STABLE)


def _group(rig: Rig) -> str:
    return f"{rig.topics.namespace}.aos-sink"


def _stations(rig: Rig) -> list[str]:
    return [f"{rig.topics.namespace}-{number}" for number in range(3)]


def _reading(draw: random.Random, rig: Rig) -> Record:
    parameter, station = draw.choice(PARAMETERS), draw.choice(_stations(rig))
    version = {"source_version": draw.randrange(3), "revision": draw.randrange(1_000_000)}
    return clean(parameter, draw.randrange(500), station, **version)


def _winners(records: list[Record], parameter: str) -> dict[tuple[str, str], tuple[int, int]]:
    winners: dict[tuple[str, str], tuple[int, int]] = {}
    for record in records:
        if record["parameter"] == parameter:
            key = _key(record)
            winners[key] = max(winners.get(key, (-1, -1)), _version(record))
    return winners


def _key(record: Record) -> tuple[str, str]:
    return record["sensor_id"], record["source_key"]


def _version(record: Record) -> tuple[int, int]:
    return record["source_version"], record["revision"]


def _loaded(rig: Rig) -> int:
    """Count the records that are loaded: the ledger is committed with them."""
    (row,) = rig.query(
        "SELECT coalesce(sum(records), 0)::int AS n FROM ops.sink_batch WHERE consumer_group = %s",
        _group(rig),
    )
    return int(row["n"])


def _known_of_the_topics(rig: Rig) -> dict[str, int]:
    rows = rig.query(
        "SELECT topic || '-' || partition AS place, next_offset FROM ops.sink_offset"
        " WHERE next_offset > 0 AND consumer_group = %s",
        _group(rig),
    )
    return {row["place"]: row["next_offset"] for row in rows}


def _ends(rig: Rig) -> dict[str, int]:
    """Give the offset behind the last record of each partition: a commit marker follows it."""
    topics = rig.topics
    places = {
        Partition(topics.clean(name), number)
        for name in PARAMETERS
        for number in range(topics.partitions)
    }
    logs = Broker(rig.kafka).logs(places)
    return {str(place): log.high - 1 for place, log in logs.items() if log.high}


def _gaps_and_overlaps(rig: Rig) -> list[object]:
    """Look for offsets that the ledger names twice or not at all, behind those before them."""
    rows = rig.query(
        "SELECT topic, o.key AS number, (o.value->>0)::bigint AS first, (o.value->>1)::bigint"
        " AS next FROM ops.sink_batch, jsonb_each(offsets::jsonb) AS o"
        " WHERE consumer_group = %s ORDER BY 1, 2, 3",
        _group(rig),
    )
    return [
        (before, after)
        for before, after in pairwise(rows)
        if (before["topic"], before["number"]) == (after["topic"], after["number"])
        and before["next"] != after["first"]
    ]
