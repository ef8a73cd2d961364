"""Prints every requirement with the tests that prove it: `make requirements`."""

from __future__ import annotations

import json
import re
import sys

from rich.console import Console
from rich.table import Column, Table

from tests.support.requirements import RESULTS, ROOT

_ROW = re.compile(r"^\| ([A-F]\d+a?) \| (.+?) \| ([a-z, ]+) \|$", re.MULTILINE)


def main() -> int:
    """Print the table; the exit code is 1 if a test of a row has failed."""
    rows = _ROW.findall((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not results:
        print("no test has run here yet: run `make test`")  # noqa: T201
    table = Table("row", Column("what", overflow="fold"), "room", "tests", "result")
    verdicts = []
    for row, what, room in rows:
        outcomes = [r["outcome"] for r in results.values() if row in r["rows"]]
        verdicts.append(_verdict(outcomes))
        table.add_row(row, what, room, str(len(outcomes) or "-"), verdicts[-1])
    Console(width=150).print(table)
    print(f"{verdicts.count('proven')} of {len(rows)} rows have passing tests; the others are open")  # noqa: T201
    failed = [test for test, r in sorted(results.items()) if r["rows"] and r["outcome"] == "failed"]
    for test in failed:
        print(f"failed: {test}")  # noqa: T201
    return 1 if failed else 0


def _verdict(outcomes: list[str]) -> str:
    if "failed" in outcomes:
        return "FAILED"
    return "proven" if "passed" in outcomes else "open"


if __name__ == "__main__":
    sys.exit(main())
