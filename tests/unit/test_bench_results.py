"""What was measured is kept in one form, and a bar that is said to hold does."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bench.harness import RESULTS, at_least, at_most

pytestmark = pytest.mark.requirement("E4")
FILES = sorted(RESULTS.glob("*.json"))


def read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_every_stage_and_the_whole_way_were_measured() -> None:
    assert {"source", "stream", "sink", "latency"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_result_names_its_machine_its_runs_and_its_bars(path: Path) -> None:
    found = read(path)
    assert found["machine"]["cores"] >= 1
    assert found["runs"]
    assert found["bars"]
    for run in found["runs"]:
        assert run["name"]
        if rounds := run.get("rounds"):
            assert run["rate"] == pytest.approx(median(rounds), rel=0.02, abs=1)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_bar_that_is_said_to_hold_is_held_from_one_side(path: Path) -> None:
    for bar in read(path)["bars"]:
        held = {
            at_least(bar["name"], bar["value"], bar["bar"]).holds,
            at_most(bar["name"], bar["value"], bar["bar"]).holds,
        }
        assert bar["holds"] in held
        assert isinstance(bar["value"], float | int)


def test_no_two_bars_of_a_result_have_one_name() -> None:
    for path in FILES:
        names = [bar["name"] for bar in read(path)["bars"]]
        assert len(names) == len(set(names))
