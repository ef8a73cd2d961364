"""Of several sources, a command takes the one that is named; else the first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from operate.cli import app
from runtime.errors import Exit
from tests.sources import create, hourly, insert, write_mapping

pytestmark = pytest.mark.requirement("A5", "A7")
CLI = CliRunner()
YEARS = ["--years", "2019,2020,2021", "--dry-run", "--json"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Configure two sources: ``best`` with three rows, ``older`` with one."""
    sources = []
    for name, rank, rows in (("best", 2, 3), ("older", 1, 1)):
        database = create(tmp_path / f"{name}.db")
        insert(database, "hourly", [hourly(n) for n in range(rows)])
        mapping = write_mapping(tmp_path / f"{name}.yaml", source=name, rank=rank)
        sources.append({"url": f"sqlite:///{database}", "mapping": str(mapping)})
    path = tmp_path / "aos.yaml"
    path.write_text(yaml.safe_dump({"sources": sources}))
    return path


def planned(config: Path, *named: str) -> list[int]:
    names = [part for name in named for part in ("--source", name)]
    told = CLI.invoke(app, ["backfill", "--config", str(config), *names, *YEARS])
    assert told.exit_code == 0, told.output
    decoder, found, text = json.JSONDecoder(), [], told.stdout.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document["tables"][0]["rows"])
        text = text[end:].lstrip()
    return found


def test_a_backfill_is_of_the_sources_that_are_named(config: Path) -> None:
    assert planned(config) == [3]
    assert planned(config, "older") == [1]
    assert planned(config, "older", "best") == [1, 3]


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("command", [["backfill", *YEARS], ["inspect", "--json"]])
def test_a_source_that_there_is_not_is_refused_with_the_names_that_are(
    config: Path, command: list[str]
) -> None:
    told = CLI.invoke(app, [*command, "--config", str(config), "--source", "oldest"])
    assert told.exit_code == Exit.USAGE
    assert "name some of: best, older" in told.stderr


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(("named", "rows"), [([], 3), (["--source", "older"], 1)])
def test_an_inspection_is_of_the_source_that_is_named(
    config: Path, named: list[str], rows: int
) -> None:
    told = CLI.invoke(app, ["inspect", "--config", str(config), "--json", *named])
    assert told.exit_code == 0, told.output
    tables = {t["name"]: t["count"]["rows"] for t in json.loads(told.stdout)["schema"]}
    assert tables["hourly"] == rows
