"""What ``aos ruleset`` and ``aos flag`` refuse before anything is written, and how they say so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from operate.cli import app
from operate.commands.flag import parameter_of
from weather.ruleset import DEFAULT
from weather.ruleset_text import to_plain

Change = Callable[[dict[str, Any]], object]
TIMES = ("2026-03-01T00:00Z", "2026-03-02T00:00Z")


def aos(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refusal(*words: str) -> str:
    """Give the line with which a command refuses."""
    told = aos(*words)
    assert told.exit_code == 2
    assert len(told.stderr.splitlines()) == 1
    assert told.stdout == ""
    return told.stderr


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., str]:
    """Give a way to publish the default ruleset, changed."""

    def refused(change: Change, *words: str) -> str:
        plain = to_plain(DEFAULT)
        change(plain)
        file = tmp_path / "rules.json"
        file.write_text(json.dumps(plain), encoding="utf-8")
        return refusal("ruleset", "publish", str(file), *words)

    return refused


@pytest.mark.requirement("B6", "D3")
@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda plain: plain.pop("version"), "the ruleset has no 'version'"),
        (lambda plain: plain["limits"].pop("wind.gust"), "nothing for wind.gust"),
        (lambda plain: plain["limits"]["wind.gust"].pop("fail"), "wind.gust has no 'fail'"),
        (lambda plain: plain["limits"].update(snow={}), "snow"),
        (lambda plain: plain["limits"]["wind.gust"].update(fail=[9, 1]), "wind.gust: 9.0 to 1.0"),
    ],
)
def test_a_ruleset_that_makes_no_sense_is_refused_by_its_place(
    publish: Callable[..., str], change: Change, place: str
) -> None:
    assert place in publish(change, "--from", "always")


def test_a_ruleset_is_not_published_for_all_time_by_mistake(publish: Callable[..., str]) -> None:
    assert "give --from TIME, or --from always" in publish(lambda _: None)
    assert "it has no zone" in publish(lambda _: None, "--from", "2026-03-01T00:00")


def test_what_is_no_json_or_not_there_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    assert "cannot be read" in refusal("ruleset", "publish", str(file))
    file.write_text("version: 1", encoding="utf-8")
    assert "it is no JSON" in refusal("ruleset", "publish", str(file))


def test_a_built_in_ruleset_is_shown_as_it_can_be_published() -> None:
    shown = json.loads(aos("ruleset", "show", DEFAULT.version).stdout)
    assert shown == json.loads(json.dumps(to_plain(DEFAULT)))


@pytest.mark.requirement("B12", "D3")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("JFK", *TIMES), "it names no sensor"),
        (("JFK:snow", *TIMES), "it names no sensor"),
        (("JFK:wind", *TIMES[::-1]), "it does not lie behind FROM"),
        (("JFK:wind", "yesterday", TIMES[1]), "FROM 'yesterday': it is no time"),
        (("JFK:wind", "2026-03-01", TIMES[1]), "it has no zone"),
        (("JFK:wind", *TIMES, "--measure", "value"), "speed, direction, gust"),
        (("JFK:pressure", *TIMES, "--measure", "value"), "leave --measure out"),
        (("JFK:wind", *TIMES, "--why", " "), "--why ' ': it says nothing"),
    ],
)
def test_a_flag_that_would_flag_something_else_is_refused(
    words: tuple[str, ...], told: str
) -> None:
    given = words if "--why" in words else (*words, "--why", "seen")
    assert told in refusal("flag", *given, "--as", "4")


def test_a_single_measure_is_not_called_good() -> None:
    words = ("flag", "JFK:wind", *TIMES, "--as", "1", "--why", "seen", "--measure", "gust")
    assert "give 3 or 4" in refusal(*words)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("JFK:wind", "wind"),
        ("UAT:temperature:2", "temperature"),
        ("KR:47:humidity", "humidity"),
        ("JFK", None),
        ("wind", None),
        ("KR:47", None),
    ],
)
def test_a_sensor_is_told_from_a_station_by_its_name(name: str, parameter: str | None) -> None:
    assert parameter_of(name) == parameter
