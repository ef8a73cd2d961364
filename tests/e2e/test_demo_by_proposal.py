"""What ``aos inspect`` proposes for the sample runs the demo unchanged, to the same counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devstack.sample import build
from tests.e2e.test_demo import aos, assert_all_arrived, assert_all_judged, ran

pytestmark = [
    pytest.mark.requirement("A2", "A4", "E2"),
    pytest.mark.backend("a stack of its own: embedded Kafka, registry and TimescaleDB"),
    pytest.mark.slow,
    pytest.mark.usefixtures("uncounted"),  # test_demo.py runs the same lines
]


def test_the_proposed_mapping_runs_the_demo_unchanged(tmp_path: Path) -> None:
    sample, out, place = tmp_path / "sample.db", tmp_path / "inspected", tmp_path / "demo"
    build(sample)
    ran("inspect", "--url", f"sqlite:///{sample}", "--out", str(out))
    proposed = ("--mapping", str(out / "mapping.yaml"))
    report = json.loads(ran("demo", *proposed, "--directory", str(place), "--json"))
    assert_all_arrived(report)
    assert_all_judged(report)


def test_a_mapping_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "mapping.yaml").write_text("source: sample\n", encoding="utf-8")
    wrong, place = ("--mapping", str(tmp_path / "mapping.yaml")), tmp_path / "demo"
    demo = aos("demo", *wrong, "--directory", str(place))
    _, told = demo.communicate(timeout=100)
    assert demo.returncode == 2
    assert told.startswith("aos: ")
    assert told.count("\n") == 1
    assert not place.exists()
