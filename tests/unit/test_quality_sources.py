"""Sources that are not the sample: texts for numbers, parameters of which nothing can be used."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from operate.cli import app
from operate.quality.faults import Case
from operate.quality.readings import read_past
from operate.quality.recall import recalls
from producers.settings import SourceSettings
from weather.injection import Fault

ODD = """
source: odd
version: 1
tables:
  - shape: wide
    table: obs
    key: [id]
    cursor: {column: modified, id: id, lag_seconds: 0}
    station: stn
    time: {column: tm, zone: "+09:00"}
    readings:
      - parameter: temperature
        measures: {value: {column: ta, unit: degC, sentinels: [MM]}}
      - parameter: pressure
        measures: {value: {column: pa, unit: hPa}}
"""


@pytest.fixture
def odd(tmp_path: Path) -> list[object]:
    """Make a source whose values are texts, some of which are none, and a parameter of none."""
    rows = [
        (
            f"2024-07-{1 + n // 144:02} {n // 6 % 24:02}:{n % 6}0",
            "warm" if n == 30 else "MM" if n % 50 == 7 else f"{25 + n % 7 / 10:.1f}",
        )
        for n in range(300)
    ]
    (tmp_path / "odd.yaml").write_text(ODD)
    with closing(sqlite3.connect(tmp_path / "odd.db")) as database:
        columns = "id INTEGER PRIMARY KEY, stn TEXT, tm TEXT, ta TEXT, pa TEXT, modified TEXT"
        database.execute(f"CREATE TABLE obs({columns})")
        insert = "INSERT INTO obs(stn, tm, ta, pa, modified) VALUES ('108', ?, ?, 'high', ?)"
        database.executemany(insert, [(at, ta, f"{at}:30") for at, ta in rows])
        database.commit()
    return ["--url", f"sqlite:///{tmp_path / 'odd.db'}", "--mapping", tmp_path / "odd.yaml"]


@pytest.mark.parametrize(("command", "readings"), [("scores", 299), ("false-flags", 293)])
def test_a_source_of_texts_and_of_values_that_are_none_is_measured(
    odd: list[object], command: str, readings: int
) -> None:
    """Of 300 readings one is no number and a dead letter; six are missing, and not counted."""
    told = run(command, *odd, "--json")
    assert told.exit_code == 0
    rows = json.loads(told.stdout)
    assert {row.get("parameter", "temperature") for row in rows} == {"temperature"}
    assert sum(row["readings"] for row in rows) == readings


@pytest.mark.requirement("B6")
def test_faults_are_found_in_values_that_come_as_text(odd: list[object]) -> None:
    past = read_past(SourceSettings(url=str(odd[1]), mapping=Path(str(odd[3]))))
    (leaked,) = recalls("obs", past.only("obs"), [Case(Fault.SENTINEL, 0)])
    assert (leaked.parameter, leaked.recall) == ("temperature", 1.0)
    assert leaked.events > 1


@pytest.mark.parametrize("command", ["false-flags", "recall", "scores"])
def test_an_empty_source_is_told_to_be_empty(odd: list[object], command: str) -> None:
    with closing(sqlite3.connect(str(odd[1]).removeprefix("sqlite:///"))) as database:
        database.execute("DELETE FROM obs")
        database.commit()
    told = run(command, *odd)
    assert (told.exit_code, "there are no" in told.stdout) == (0, True)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["quality", *map(str, arguments)])
