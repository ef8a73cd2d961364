"""Traces requirements: which tests prove which row, and how they fared in the last run.

Tests carry ``@pytest.mark.requirement("A6", "D4")``. Each run notes the results in
``.cache/requirements.json``, and so does ``make coverage``, which proves a row by itself;
``make requirements`` prints them beside the rows of ``docs/requirements.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".cache" / "requirements.json"
_OUTCOMES: dict[str, tuple[list[str], str]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the rows of each test, where the report will find them."""
    for item in items:
        rows = [row for mark in item.iter_markers("requirement") for row in mark.args]
        item.user_properties.append(("requirements", sorted(set(rows))))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep a test's outcome; a failure in setting up or tearing down counts as its own."""
    rows = dict(report.user_properties).get("requirements", [])
    if not rows:
        return
    _, before = _OUTCOMES.get(report.nodeid, (rows, "passed"))
    worst = report.outcome if report.outcome != "passed" else before
    _OUTCOMES[report.nodeid] = (list(rows), worst)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes down beside those of earlier, smaller runs."""
    if hasattr(session.config, "workerinput") or not _OUTCOMES:
        return
    note(_OUTCOMES)


def note(outcomes: Mapping[str, tuple[Sequence[str], str]], results: Path = RESULTS) -> None:
    """Write down the rows and the outcome of each test, or of another proof, by its name."""
    results.parent.mkdir(exist_ok=True)
    known = json.loads(results.read_text()) if results.exists() else {}
    for name, (rows, outcome) in outcomes.items():
        known[name] = {"rows": list(rows), "outcome": outcome}
    results.write_text(json.dumps(known, indent=1, sort_keys=True))
