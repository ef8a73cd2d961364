"""The rules of Prometheus: each is tested, asks for metrics there are, and names what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.requirement("D6")
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
TESTS = ("alerts.test.yml", "alerts.days.test.yml")
RUNBOOKS = {
    *("lag-grows", "database-full", "kafka-lost", "database-restored", "registry-lost"),
    *("hanging-transaction", "stuck-rowversion", "dead-letters", "silent-sensors", "stage-down"),
    "quality-drops",
}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_every_rule_says_how_bad_it_is_and_names_a_runbook() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        folder, _, name = rule["annotations"]["runbook_url"].rpartition("/")
        assert folder == "docs/runbooks" if name != "jobs.md" else folder == "docs"
        assert name.removesuffix(".md") in RUNBOOKS | {"jobs"}


def test_every_runbook_is_named_by_a_rule() -> None:
    named = {Path(rule["annotations"]["runbook_url"]).stem for rule in rules()}
    assert named >= RUNBOOKS


def test_every_metric_that_a_rule_asks_for_is_in_the_documents() -> None:
    told = "".join((ROOT / "docs" / page).read_text() for page in ("metrics.md", "jobs.md"))
    for rule in rules():
        for name in re.findall(r"\baos_[a-z_]+", rule["expr"]):
            histogram = re.sub(r"_(sum|count|bucket)$", "", name)
            assert name in told or histogram in told, name


def test_every_rule_is_held_to_a_failure() -> None:
    tested = {
        case["alertname"]
        for name in TESTS
        for test in yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in rules()}


@pytest.mark.slow
@pytest.mark.requirement("E5")
def test_the_rules_fire_and_clear_as_prometheus_reads_them() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is missing: it comes with Debian's package prometheus")
    command = [promtool, "test", "rules", *TESTS]
    told = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
