"""SIGKILL for the backfill in the middle of its work: each reading is there once, all the same."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from pathlib import Path

import pytest

from devstack.sample import MAPPING
from schemas.topics import PARAMETERS
from tests.source_runs import Deployment, keys_held
from tests.stage_process import BackfillProcess

ROUNDS = int(os.environ.get("AOS_FAULT_ROUNDS", "3"))
SEED = 19480716
ALL_ROWS = 26_115 + 7_200
YEARS = ("--years", "2013,2018")


def source(sample: Path) -> dict[str, object]:
    return {"url": f"sqlite:///{sample}", "mapping": MAPPING, "page_rows": 100}


@pytest.mark.requirement("A7", "E2")
def test_a_backfill_that_is_killed_again_and_again_publishes_each_reading_once(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    pick = random.Random(SEED)  # noqa: S311 - the same moments in every run
    # Slow enough that every run is killed in the middle.
    wanted = (*YEARS, "--rows-per-second", "1000")
    with BackfillProcess(deployment, source(sample), tmp_path / "run", *wanted) as process:
        for _ in range(ROUNDS):
            deployment.wait_for_more("sample")
            threading.Event().wait(pick.uniform(0, 0.05))
            process.kill()
            process.start()
        process.kill()
    before = deployment.rows_by_now("sample")
    assert 0 < before < ALL_ROWS, "the kills came before or after the work"
    large = source(sample) | {"page_rows": 5000}
    with BackfillProcess(deployment, large, tmp_path / "last", *YEARS) as last:
        assert last.wait() == 0, last.log
    assert last.last["state"] == "done"
    assert deployment.rows("sample") == ALL_ROWS
    assert max(Counter(process.chunks_done + last.chunks_done).values()) == 1
    held = keys_held(sample, MAPPING)
    for parameter in PARAMETERS:
        found = Counter((r["sensor_id"], r["source_key"]) for r in deployment.raw(parameter))
        assert max(found.values()) == 1
        assert len(found) == held[parameter]


@pytest.mark.requirement("A7")
def test_a_second_process_with_the_same_job_shuts_out_the_first(
    deployment: Deployment, sample: Path, tmp_path: Path
) -> None:
    slow = (*YEARS, "--workers", "3", "--rows-per-second", "2000")
    with BackfillProcess(deployment, source(sample), tmp_path / "one", *slow) as first:
        deployment.wait_for_more("sample")
        second = BackfillProcess(deployment, source(sample), tmp_path / "two", *YEARS)
        with second:
            assert second.wait() == 0, second.log
        assert first.wait() == 1
    assert "has taken up backfill" in first.log.splitlines()[-1]
    assert set(first.chunks_done).isdisjoint(second.chunks_done)
    for parameter in PARAMETERS:
        found = Counter((r["sensor_id"], r["source_key"]) for r in deployment.raw(parameter))
        assert max(found.values()) == 1
        assert len(found) == keys_held(sample, MAPPING)[parameter]
