"""The command line: help is quick, errors are one line and the right exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from operate.cli import COMMANDS, app, load
from operate.foreground import plain
from operate.printing import table, text
from producers.progress import Summary, TableProgress

pytestmark = pytest.mark.requirement("D3")
CLI = CliRunner()


@pytest.mark.requirement("F3")
def test_help_lists_every_command_without_importing_any() -> None:
    asked = (
        "import sys\nfrom operate.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as ended:\n    print(ended.code)\n"
        "rooms = {'producers', 'stream_app', 'sink', 'devstack', 'faust', 'confluent_kafka'}\n"
        "print(sorted(rooms & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-2:] == ["0", "[]"]
    assert all(name in told.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    ("stage", "others"),
    [
        ("source", {"stream_app.stage", "sink.stage", "faust"}),
        ("stream", {"producers.stage", "sink.stage", "sqlalchemy", "psycopg"}),
        ("sink", {"producers.stage", "stream_app.stage", "faust", "sqlalchemy"}),
    ],
)
def test_a_stage_imports_nothing_of_the_others(stage: str, others: set[str]) -> None:
    asked = (
        f"import sys; from operate.cli import load; load({stage!r}); "
        f"print(sorted({others!r} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    told = CLI.invoke(app, [name, "--help"])
    assert told.exit_code == 0
    assert load(name).help


def test_a_configuration_error_is_one_line_and_exit_code_2() -> None:
    told = CLI.invoke(app, ["config", "--config", "/nowhere/aos.yaml"])
    assert told.exit_code == 2
    assert told.stderr.count("\n") == 1
    assert told.stderr.startswith("aos: setting --config = '/nowhere/aos.yaml'")
    assert "Mend:" in told.stderr


@pytest.mark.parametrize("arguments", [["snik"], ["demo", "--db", "oracle"], ["topics", "--no"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert CLI.invoke(app, arguments).exit_code == 2


def test_config_shows_what_is_in_force_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "aos.yaml"
    path.write_text(
        "sink: {password: hunter2}\n"
        "source: {url: 'mssql+pyodbc://reader:hunter3@host/AOS', mapping: m.yaml}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("AOS_STREAM__BATCH_RECORDS", "3")
    told = CLI.invoke(app, ["config", "--config", str(path)])
    assert told.exit_code == 0
    assert "hunter" not in told.stdout
    shown = yaml.safe_load(told.stdout)
    assert shown["stream"]["batch_records"] == 3
    as_json = CLI.invoke(app, ["config", "--config", str(path), "--json"])
    assert json.loads(as_json.stdout) == shown


def test_schemas_are_compatible_with_all_that_landed() -> None:
    told = CLI.invoke(app, ["schema", "check", "--json"])
    assert (told.exit_code, json.loads(told.stdout)) == (0, [])


def test_status_of_a_directory_without_a_stack_starts_nothing(tmp_path: Path) -> None:
    told = CLI.invoke(app, ["status", "--directory", str(tmp_path / "none"), "--json"])
    assert {row["state"] for row in json.loads(told.stdout)} == {"stopped"}
    down = CLI.invoke(app, ["down", "--directory", str(tmp_path / "none")])
    assert down.stdout.strip() == "nothing was running"


def test_the_version_is_told() -> None:
    told = CLI.invoke(app, ["--version"])
    assert (told.exit_code, told.stdout) == (0, f"aos-stream {version('aos-stream')}\n")


def test_a_mapping_is_checked_where_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text("source: SET-ME")
    for arguments in ([str(path)], ["--file", str(path)]):
        told = CLI.invoke(app, ["mapping", "check", *arguments])
        assert (told.exit_code, "mapping.yaml" in told.stderr) == (2, True)


def test_a_path_in_the_place_of_a_url_is_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "aos.db"
    path.touch()
    told = CLI.invoke(app, ["inspect", "--url", str(path)])
    assert (told.exit_code, told.stderr.strip()[-len(str(path)) :]) == (2, str(path))
    assert "sqlite:///" in told.stderr
    assert "hunter2" not in CLI.invoke(app, ["inspect", "--url", "Server=a;PWD=hunter2"]).stderr


def test_a_summary_with_counters_can_be_logged() -> None:
    progress = TableProgress("weather_hourly")
    progress.readings.update({"wind": 2})
    told = plain(Summary("sample", "here", {"weather_hourly": progress}))
    assert json.loads(json.dumps(told))["tables"]["weather_hourly"]["readings"] == {"wind": 2}


def test_a_table_aligns_numbers_and_writes_nothing_for_none() -> None:
    drawn = table([{"topic": "a", "records": 1234, "there": True}])
    assert [column.justify for column in drawn.columns] == ["left", "right", "left"]
    assert [text(value) for value in (1234, None, False)] == ["1,234", "", "no"]
