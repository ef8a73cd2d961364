"""What is noted of a run: the rows that its tests prove, and those that something else proves."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.requirements import note


def test_a_proof_is_noted_beside_those_before_it_and_again_when_it_has_changed(
    tmp_path: Path,
) -> None:
    results = tmp_path / "cache" / "requirements.json"
    note({"tests/a.py::test": (["A1"], "passed")}, results)
    note({"make coverage": (["E9"], "failed")}, results)
    note({"make coverage": (("E9",), "passed")}, results)
    assert json.loads(results.read_text()) == {
        "make coverage": {"rows": ["E9"], "outcome": "passed"},
        "tests/a.py::test": {"rows": ["A1"], "outcome": "passed"},
    }
