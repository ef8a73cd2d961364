"""Settings that are found, dead letters that are read, help that is plain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from operate.cli import app
from operate.commands.db import with_password
from operate.dlq.letters import Place, legible, letter_of
from operate.options import FOUND, settings_file
from runtime.errors import DataQuality
from schemas.dead_letters import Headers, Stage, headers
from sink.settings import SinkSettings
from sink.sqlstate import refused

CLI = CliRunner()
AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
ERROR = DataQuality("column height cannot hold 1e40", reason="does_not_fit_column")


@dataclass
class Dead:
    """A dead letter as it comes from its topic."""

    body: bytes | None = b"\0\0\0\0\7\6JFK"
    context: Headers = field(
        default_factory=lambda: headers("weather.clean.wind.v1", 3, 42, Stage.LOADING, ERROR)
    )

    def topic(self) -> str:
        return "weather.sink.dlq.v1"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 1, int(AT.timestamp() * 1000)

    def headers(self) -> Headers:
        return self.context

    def key(self) -> bytes:
        return b"JFK"

    def value(self) -> bytes | None:
        return self.body


@pytest.mark.requirement("D4")
def test_a_dead_letter_says_when_where_from_why_and_how_it_begins() -> None:
    letter = letter_of(Dead())  # type: ignore[arg-type]
    assert letter.time == AT
    assert letter.place == Place("weather.sink.dlq.v1", 0, 7)
    assert letter.origin == Place("weather.clean.wind.v1", 3, 42)
    assert letter.reason == "does_not_fit_column"
    assert letter.message == "column height cannot hold 1e40"
    assert (letter.station, letter.as_document()["start"]) == ("JFK", "......JFK")


def test_a_dead_letter_of_somebody_else_is_shown_as_far_as_it_goes() -> None:
    letter = letter_of(Dead(None, []))  # type: ignore[arg-type]
    assert (letter.origin, letter.reason, letter.value) == (Place("", -1, -1), "", None)


@pytest.mark.parametrize("value", [b"\x1b[2J\x07\r\n", b"\xff\xfe\xc3", "\u202e".encode()])
def test_no_bytes_of_a_record_reach_the_terminal_as_commands(value: bytes) -> None:
    assert set(legible(value)) <= set("[2J.")


def test_settings_are_found_where_the_demo_writes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AOS_CONFIG", raising=False)
    assert settings_file(None) is None
    assert CLI.invoke(app, ["config"]).stdout.startswith("# settings file: none")
    FOUND.parent.mkdir()
    FOUND.write_text("stream: {batch_records: 7}\n", encoding="utf-8")
    told = CLI.invoke(app, ["config"])
    assert told.stdout.startswith("# settings file: .aos/aos.yaml\n")
    assert "batch_records: 7" in told.stdout
    assert told.stderr == ""
    assert settings_file(Path("other.yaml")) == Path("other.yaml")


def test_the_url_with_its_password_reads_back_as_it_was() -> None:
    given = SinkSettings(database_url="postgresql://aos:a%2Fb%40c@db:5432/weather")
    again = SinkSettings(database_url=with_password(given))
    assert again == given
    assert with_password(SinkSettings(database_url="postgresql:///aos")) == "postgresql:///aos"


@pytest.mark.requirement("D3")
def test_a_wrong_password_is_named_before_the_address() -> None:
    error = psycopg.OperationalError('FATAL: password authentication failed for user "aos"')
    told = str(refused(error, "postgresql://aos@db/weather"))
    assert told.startswith("setting sink.password: ")
    assert "postgresql://aos@db/weather" in told
    away = str(refused(psycopg.OperationalError("connection refused"), "postgresql://db"))
    assert away.startswith("setting sink.database_url = ")


def test_help_names_no_type_behind_a_flag() -> None:
    for command in (["--help"], ["demo", "--help"], ["db", "query", "--help"]):
        told = CLI.invoke(app, command, env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})
        assert "--help" in told.stdout
        assert "bool" not in told.stdout
