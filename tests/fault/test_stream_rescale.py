"""Workers come, go and are killed while a network's history flows: the final verdicts stand."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import PARAMETERS, Topics
from tests.stream_fleet import Fleet
from tests.stream_history import Teller, Told, history
from tests.stream_verdicts import Verdicts, differences, verdicts

KILLS = int(os.environ.get("AOS_FAULT_ROUNDS", "5"))
READINGS = int(os.environ.get("AOS_FAULT_READINGS", str(8_000 * KILLS)))
STATIONS = 24
PARTITIONS = 3
SEED = 20130905
PATIENCE = 120 + READINGS / 1000
BATCH = max(600, READINGS // 400)
World = tuple[KafkaSettings, RegistrySettings, Topics]


@pytest.fixture(scope="module")
def told() -> Told:
    return history(STATIONS, READINGS // (STATIONS * len(PARAMETERS)), SEED)


def tell(world: World, registry: Registry, told: Told) -> None:
    teller = Teller(world[0], registry, world[2])
    teller.describe(STATIONS)
    teller.tell(told, piece=max(2000, len(told) // 40))
    teller.close_every_partition(STATIONS, int(told.minute.max()) + 1)


QUICK = {"session_timeout_seconds": 6.0}  # the least that a broker takes


def calm(world: World, logs: Path, **settings: object) -> None:
    """Run one worker until it has read everything."""
    with Fleet(world, logs, {**QUICK, **settings}, PATIENCE) as fleet:
        fleet.start("one")
        fleet.until_done()
        fleet.let_go("one", kill=False)


def stormy(world: World, logs: Path, **settings: object) -> Fleet:
    """Run 1, 2, 3 and again 1 worker, some of which are killed at random moments."""
    pick = random.Random(SEED)  # noqa: S311 - the same moments in every run
    kills = [(pick.uniform(0.02, 0.95), "kill", "") for _ in range(KILLS)]
    moves = [
        (0.2, "come", "two"),
        (0.4, "come", "three"),
        (0.65, "die", "one"),
        (0.85, "go", "two"),
    ]
    with Fleet(world, logs, {**QUICK, **settings}, PATIENCE) as fleet:
        fleet.start("one")
        for share, what, name in sorted([*kills, *moves]):
            fleet.until(share)
            assert not fleet.progress.done(), "the faults came after the work"
            if what == "come":
                fleet.start(name)
            elif what == "kill":
                fleet.kill_one(pick)
            else:
                fleet.let_go(name, kill=what == "die")
        fleet.until_done()
        return fleet


@pytest.fixture(scope="module")
def undisturbed(
    stack: Stack, told: Told, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Verdicts]]:
    """Give what a run without faults says, in exactly-once mode."""
    world = world_of(stack)
    with closing(Registry(world[1])) as registry:
        tell(world, registry, told)
        calm(world, tmp_path_factory.mktemp("calm") / "logs")
        yield {p: verdicts(world[0], registry, world[2], p) for p in PARAMETERS}


@pytest.mark.slow
@pytest.mark.requirement("E2", "B10")
@pytest.mark.parametrize("guarantee", ["exactly_once", "at_least_once"])
def test_workers_that_come_and_go_and_are_killed_change_no_final_verdict(
    guarantee: str,
    told: Told,
    undisturbed: dict[str, Verdicts],
    stack: Stack,
    registry: Registry,
    tmp_path: Path,
) -> None:
    world = world_of(stack)
    tell(world, registry, told)
    settings = {"processing_guarantee": guarantee, "batch_records": BATCH}
    stormy(world, tmp_path / "stormy", **settings)
    for number, parameter in enumerate(PARAMETERS):
        expected = undisturbed[parameter]
        found = verdicts(world[0], registry, world[2], parameter)
        assert not differences(parameter, expected, found)
        assert found.distinct == expected.distinct == versions(told, number) + STATIONS
        if guarantee == "exactly_once":
            assert found.repeats == 0


def world_of(stack: Stack) -> World:
    """Name a deployment of its own."""
    return (
        KafkaSettings(bootstrap_servers=stack.bootstrap_servers),
        RegistrySettings(url=stack.registry_url),
        Topics(namespace=f"t{uuid.uuid4().hex[:10]}", partitions=PARTITIONS),
    )


def versions(told: Told, parameter: int) -> int:
    """Count the versions of readings that the source gave of a parameter."""
    rows = told.take(told.parameter == parameter)
    return len(np.unique(np.stack([rows.station, rows.minute, rows.version]), axis=1).T)
