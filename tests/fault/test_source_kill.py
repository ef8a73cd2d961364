"""SIGKILL for the source in the middle of its work: each reading of the sample is there once."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest

import devstack.sample
from schemas.topics import PARAMETERS
from tests.source_runs import Deployment, keys_held
from tests.stage_process import StageProcess

ROUNDS = int(os.environ.get("AOS_FAULT_ROUNDS", "5"))
MAPPING = Path(devstack.sample.__file__).parent / "mapping.yaml"
# Small enough that every incarnation is killed in the middle, however many there are.
PAGE_ROWS = 60 if ROUNDS <= 10 else 5
SEED = 20181018


def source(
    deployment: Deployment, sample: Path, log: Path, *, once: bool, page_rows: int = PAGE_ROWS
) -> StageProcess:
    settings = {"url": f"sqlite:///{sample}", "mapping": MAPPING, "page_rows": page_rows}
    world = (deployment.kafka, deployment.registry, deployment.topics)
    return StageProcess("source", settings, *world, log, once=once)


@pytest.mark.requirement("A6", "E2")
def test_a_source_that_is_killed_again_and_again_publishes_each_reading_once(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    pick = random.Random(SEED)  # noqa: S311 - the same moments in every run
    all_rows = 26_115 + 7_200
    with source(deployment, sample, tmp_path / "killed.log", once=False) as process:
        for _ in range(ROUNDS):
            deployment.wait_for_more("sample")
            threading.Event().wait(pick.uniform(0, 0.05))
            process.kill()
            process.start()
        process.kill()
    before = deployment.rows_by_now("sample")
    assert 0 < before < all_rows, "the kills came before or after the work"
    with source(deployment, sample, tmp_path / "last.log", once=True, page_rows=5000) as process:
        assert process.wait() == 0, process.log
    assert deployment.rows("sample") == all_rows
    held = keys_held(sample, MAPPING)
    for parameter in PARAMETERS:
        found = Counter((r["sensor_id"], r["source_key"]) for r in deployment.raw(parameter))
        assert max(found.values()) == 1
        assert len(found) == held[parameter]


@pytest.mark.requirement("D3")
def test_a_source_that_is_asked_to_stop_finishes_its_page_and_ends_well(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    with source(deployment, sample, tmp_path / "stopped.log", once=False) as process:
        deployment.wait_for_more("sample")
        assert process.stop() == 0, process.log
    rows = {t: deployment.cursor("sample", t) for t in ("weather_hourly", "aws_minute")}
    assert len(deployment.raw("rainfall")) == rows["weather_hourly"]["rows"]
    assert sum(len(deployment.raw(p)) for p in PARAMETERS) == sum(
        cursor["readings"] for cursor in rows.values()
    )


@pytest.mark.requirement("D3")
def test_a_missing_table_ends_the_process_with_one_line_and_exit_code_2(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    changed = tmp_path / "mapping.yaml"
    changed.write_text(MAPPING.read_text(encoding="utf-8").replace("aws_minute", "aws_second"))
    settings = {"url": f"sqlite:///{sample}", "mapping": changed}
    world = (deployment.kafka, deployment.registry, deployment.topics)
    with StageProcess("source", settings, *world, tmp_path / "log", once=True) as process:
        assert process.wait() == 2
        lines = process.log.splitlines()
    assert len(lines) == 1
    assert "no table aws_second" in lines[0]
