"""Stations never seen, through the whole of a partition: no crash, no nonsense."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import Record
from tests.again_model import Key, Model
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, metadata

SECOND = 1_000_000
MINUTE = 60 * SECOND
NOON = local("2013-07-01T12:00:00")
DAYS = {
    "1900-01-01T00:00:00": "UTC",
    "1908-03-31T23:40:00": "Asia/Seoul",  # the clocks were half an hour off from then on
    "1988-05-08T01:55:00": "Asia/Seoul",  # an hour that never was
    "2013-11-03T01:10:00": "America/New_York",  # one that came twice
    "2013-07-01T12:00:00": "+09:00",
    "2100-12-31T23:50:00": "UTC",
}
"""From the first stations to the last of the century, and hours that clocks go through oddly."""
EXTREMES = [math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, -0.0, 0.0, 9.969e36]
DIRECTIONS = [None, -0.0, 0.0, 360.0, 361.0, -1.0, 990.0, math.nan, math.inf]
LATER = 48 * 60 * MINUTE
UNITS = {
    "temperature": ["degC", "degF", "K"],
    "humidity": ["%", "1"],
    "rainfall": ["mm", "in"],
    "wind": ["m/s", "kt"],
    "pressure": ["hPa", "inHg", "Pa"],
}


@st.composite
def _station(draw: st.DrawFn, station: str) -> list[tuple[str, Record]]:
    """Draw a station that has some sensors, a cadence of its own, and holes."""
    seconds = draw(st.sampled_from([1, 10, 60, 300, 600, 3600, 10_800, 21_600]))
    day, zone = draw(st.sampled_from([*DAYS.items()]))
    found = []
    for parameter in draw(st.sets(st.sampled_from(sorted(UNITS)), min_size=1)):
        unit = draw(st.sampled_from(UNITS[parameter]))
        for number in sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=8))):
            at = local(day) + number * seconds * SECOND
            given: dict[str, Any] = {"observed_local": at, "zone": zone}
            given["extracted_at"] = at + LATER
            given["source_version"] = number  # an hour that never was falls upon the next one
            values = _values(draw, parameter, unit)
            key = f"{parameter}{number}"
            record = raw(parameter, station=station, key=key, **given, **values)
            found.append((parameter, record))
    return found


def _values(draw: st.DrawFn, parameter: str, unit: str) -> dict[str, Any]:
    number = draw(
        st.one_of(
            st.none(),
            st.integers(-20, 1200),
            st.floats(-1e6, 1e6),
            st.just(-99.0),
            st.sampled_from(EXTREMES),
        )
    )
    text = draw(st.sampled_from([None, "", "MM", " 7 ", "1e400"])) if number is None else None
    if parameter != "wind":
        return {"unit": unit, "value": number, "value_text": text}
    wind = {"direction": draw(st.sampled_from(DIRECTIONS)), "gust": draw(st.sampled_from(EXTREMES))}
    return {**wind, "speed_unit": unit, "speed": number, "speed_text": None, "gust_unit": unit}


def _known(readings: list[tuple[str, Record]]) -> Model:
    """Make a partition where one of two stations has metadata."""
    model = Model(readings)
    for parameter in UNITS:
        model.table.tell(metadata(f"A:{parameter}", interval(local("1880-01-01T00:00:00"))))
    return model


def _verdicts(model: Model) -> dict[Key, dict[str, Any]]:
    return {
        key: {name: value for name, value in record.items() if name.startswith("flag")}
        for key, record in model.final().items()
    }


@pytest.mark.requirement("B6", "E3")
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_a_network_reports_each_reading_has_flags_and_a_score(data: st.DataObject) -> None:
    readings = [*data.draw(_station("A")), *data.draw(_station("B"))]
    model = _known(data.draw(st.permutations(readings)))
    size = data.draw(st.integers(1, len(readings)))
    for _ in range(0, len(readings), size):
        model.batch(size)
    in_order = _known(readings)
    in_order.finish()
    assert _verdicts(model) == _verdicts(in_order)
    for record in model.final().values():
        flags = {v for name, v in record.items() if name.startswith("flag")}
        assert flags <= {1, 2, 3, 4, 9}
        assert record["score"] is None or 0.0 <= record["score"] <= 1.0
        main = record["speed" if record["parameter"] == "wind" else "value"]
        measured = [record.get(name) for name in ("value", "speed", "direction", "gust")]
        assert all(one is None or math.isfinite(one) for one in measured)
        assert (record["flag"] == 9) <= (main is None)
        assert (record["flag"] == 1) <= (main is not None)


@pytest.mark.requirement("B6", "E3")
@pytest.mark.parametrize("cadence", [1, 10, 60, 180])
@pytest.mark.parametrize("missing", ["temperature", "humidity", "rainfall", "wind"])
def test_a_smooth_healthy_station_without_one_of_its_sensors_is_left_alone(
    cadence: int, missing: str
) -> None:
    readings = []
    for number in range(30):
        at = NOON + number * cadence * MINUTE
        phase = math.sin(2 * math.pi * number * cadence / 1440)
        given: dict[str, Any] = {"observed_local": at, "extracted_at": at + LATER, "zone": "UTC"}
        values: dict[str, dict[str, Any]] = {
            "temperature": {"value": round(15 + 5 * phase + 0.1 * (number % 3), 1)},
            "humidity": {"value": round(60 - 20 * phase + number % 2)},
            "rainfall": {"value": [0.0, 0.0, 0.2, 0.5, 1.1][number % 5]},
            "wind": {
                "speed": round(4 + phase + 0.3 * (number % 4), 1),
                "direction": 200.0 + 10 * (number % 7),
                "gust": 9.5,
            },
        }
        readings += [
            (name, raw(name, key=f"{name}{number}", **given, **told))
            for name, told in values.items()
            if name != missing
        ]
    model = Model(readings)
    model.batch(len(readings))
    reasons = {record["reason"] for record in model.final().values()}
    assert reasons == {"no_metadata"}, reasons
