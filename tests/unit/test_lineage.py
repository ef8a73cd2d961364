"""Where a reading comes from, as it is told; what names no sensor, time or mapping is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from operate.commands.lineage import moment, tell
from operate.lineage.impact import Change, impact
from operate.lineage.trace import Hop, Trace, parameter_of
from operate.settings import Settings
from runtime.errors import Configuration
from schemas.topics import PARAMETERS

AT = datetime(2013, 11, 3, 6, tzinfo=UTC)


@pytest.mark.requirement("D9")
@pytest.mark.parametrize(
    ("winner", "words"),
    [(True, "is the winner"), (False, "is NOT the winner"), (None, "cannot be said")],
)
def test_every_hop_is_told_and_whether_the_right_record_won(
    winner: bool | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hops = [
        Hop("source", "sample, t, key 1", problem="the row is gone"),
        Hop("raw", "a:0:7", {"value": 71.5}),
    ]
    tell(Trace("JFK:temperature", AT, hops, winner, []))
    told = capsys.readouterr().out
    assert "the row is gone" in told
    assert "a:0:7" in told
    assert "71.5" in told
    assert words in told


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_sensor_tells_its_parameter_wherever_it_stands(parameter: str) -> None:
    assert parameter_of(f"JFK:{parameter}") == parameter_of(f"JFK:{parameter}:2") == parameter


def test_what_is_no_sensor_time_or_mapping_is_refused() -> None:
    with pytest.raises(Configuration, match="no sensor"):
        parameter_of("JFK")
    with pytest.raises(Configuration, match="no time"):
        moment("TIME", "yesterday")
    with pytest.raises(Configuration, match="no source and version"):
        impact(Settings(), Change.MAPPING, "sample")


def test_a_time_without_an_offset_is_utc() -> None:
    assert moment("TIME", "2013-11-03T06:00") == AT
    assert moment("TIME", "2013-11-03T01:00-05:00") == AT
