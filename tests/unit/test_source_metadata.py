"""Station, sensor and calibration rows, cut into intervals in which nothing changed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.sensors.metadata import Rows, same, sensor_records
from producers.sensors.validity import BEGINNING, FOR_EVER, Fact, refined
from runtime.errors import DataQuality
from schemas import avsc
from schemas.codec import Decoder, Encoder
from schemas.mapping import Metadata

HOW = Metadata.model_validate(
    {
        "zone": "+09:00",
        "stations": {"table": "station", "station": "id"},
        "sensors": {
            "table": "sensor",
            "key": "id",
            "station": "station",
            "code": "code",
            "codes": {"TA": "temperature", "WS": "wind"},
        },
    }
)
DAY = 86_400_000_000
NINE_HOURS = 9 * 3_600_000_000


def station(**changes: Any) -> dict[str, Any]:
    return {"station": "A", "name": "Alpha", "x": 127, "y": 37.5, "elevation": 30, **changes}


def sensor(key: int = 1, **changes: Any) -> dict[str, Any]:
    return {"key": key, "station": "A", "code": "TA", "position": 1, "serial": f"s{key}", **changes}


def calibration(key: int, offset: float, **changes: Any) -> dict[str, Any]:
    return {"key": key, "sensor": 1, "scale": 1, "offset": offset, **changes}


def record(rows: Rows, sensor_id: str = "A:temperature") -> dict[str, Any]:
    found = sensor_records(rows, HOW, "little", published_at=5)
    assert found.problems == []
    return found.records[sensor_id]


def facts(bounds: list[int], gaps: set[int]) -> list[Fact]:
    spans = pairwise(bounds)
    return [Fact(str(n), a, b, {}) for n, (a, b) in enumerate(spans) if n not in gaps]


kinds = st.builds(
    facts,
    st.lists(st.integers(0, 30), unique=True, max_size=6).map(sorted),
    st.sets(st.integers(0, 5), max_size=2),
)


@pytest.mark.requirement("B4")
@given(sensors=kinds, stations=kinds, calibrations=kinds)
def test_at_every_moment_the_intervals_say_what_the_rows_say(
    sensors: list[Fact], stations: list[Fact], calibrations: list[Fact]
) -> None:
    by_sensor = {fact.key: calibrations for fact in sensors}
    intervals = refined(sensors, stations, by_sensor)
    for moment in range(31):
        holding = [i for i in intervals if i.start <= moment < i.end]
        true = [next((f for f in kind if f.start <= moment < f.end), None) for kind in
                (stations, sensors, calibrations)]  # fmt: skip
        expected = [tuple(true)] if true[0] and true[1] else []
        assert [(i.station, i.sensor, i.calibration) for i in holding] == expected


@pytest.mark.requirement("B4")
def test_a_replaced_sensor_and_its_calibrations_have_versions_of_their_own() -> None:
    rows = Rows(
        [station()],
        [sensor(1, valid_to="1970-01-11"), sensor(2, valid_from="1970-01-11 00:00:00")],
        [
            calibration(8, 0.0, valid_from="1970-01-01", valid_to="1970-01-06"),
            calibration(9, 0.4, valid_from="1970-01-06", valid_to="1970-01-11"),
        ],
    )
    intervals = record(rows)["intervals"]
    assert [i["valid_from"] for i in intervals] == [
        BEGINNING, -NINE_HOURS, 5 * DAY - NINE_HOURS, 10 * DAY - NINE_HOURS,
    ]  # fmt: skip
    assert [i["valid_to"] for i in intervals] == [i["valid_from"] for i in intervals[1:]] + [None]
    assert [i["offset"] for i in intervals] == [0.0, 0.0, 0.4, 0.0]
    assert [i["serial"] for i in intervals] == ["s1", "s1", "s1", "s2"]
    assert len({i["metadata_version"] for i in intervals}) == 4
    assert [(i["calibration_version"] or "-")[0] for i in intervals] == ["-", "8", "9", "-"]


@pytest.mark.requirement("B4")
def test_a_version_changes_with_any_of_its_content_and_with_nothing_else() -> None:
    def version(**changes: Any) -> str:
        name: str = record(Rows([station(**changes)], [sensor()]))["intervals"][0][
            "metadata_version"
        ]
        return name

    assert version() == version() == version(name="Beta")
    assert version().startswith("1-")
    assert (
        len({version(), version(elevation=31), version(x=128), version(crs_column="EPSG:5179")})
        == 4
    )


def test_the_record_fits_its_schema() -> None:
    made = record(Rows([station()], [sensor()], [calibration(8, 0.1, valid_to="2020-01-01")]))
    decode = Decoder("sensor_metadata", lambda _id: avsc.load("sensor_metadata"))
    assert decode(Encoder("sensor_metadata", 1)(made)) == made


def test_the_same_metadata_published_later_is_the_same() -> None:
    made = record(Rows([station()], [sensor()]))
    assert same(made, {**made, "published_at": 99})
    assert not same(made, {**made, "station_name": "Beta"})


@pytest.mark.requirement("A8")
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (Rows([station()], [sensor(1), sensor(2)]), "overlapping_validity"),
        (Rows([station(), station(valid_from="2020-01-01")], [sensor()]), "overlapping_validity"),
        (Rows([], [sensor()]), "no_station"),
        (Rows([station()], [sensor(valid_from="soon")]), "no_time"),
        (Rows([station()], [sensor(height="high")]), "not_a_number"),
        (
            Rows([station()], [sensor(valid_from="2020-01-02", valid_to="2020-01-01")]),
            "inverted_validity",
        ),
    ],
)
def test_a_sensor_whose_rows_contradict_each_other_is_left_out_alone(
    rows: Rows, reason: str
) -> None:
    wind = sensor(50, station="B", code="WS")
    mixed = Rows([*rows.stations, station(station="B")], [*rows.sensors, wind])
    found = sensor_records(mixed, HOW, "little", published_at=5)
    assert list(found.records) == ["B:wind"]
    assert [problem.reason for problem in found.problems] == [reason]
    assert "A:temperature" in str(found.problems[0])


def test_codes_that_are_not_mapped_make_no_sensor() -> None:
    assert sensor_records(Rows([station()], [sensor(code="SNOW")]), HOW, "s", 0).records == {}


def test_a_fact_for_ever_overlaps_one_that_begins_later() -> None:
    with pytest.raises(DataQuality, match="rows a and b"):
        refined([Fact("a", 0, FOR_EVER, {}), Fact("b", 5, 9, {})], [], {})


@pytest.mark.requirement("A5", "B6")
def test_the_class_of_a_station_travels_and_none_changes_no_version() -> None:
    (known,) = record(Rows([station(station_class=3)], [sensor()]))["intervals"]
    (unknown,) = record(Rows([station(station_class=None)], [sensor()]))["intervals"]
    (untold,) = record(Rows([station()], [sensor()]))["intervals"]
    assert (known["station_class"], unknown["station_class"]) == (3, None)
    assert unknown["metadata_version"] == untold["metadata_version"] != known["metadata_version"]
    found = sensor_records(Rows([station(station_class=6)], [sensor()]), HOW, "little", 5)
    assert [problem.reason for problem in found.problems] == ["bad_class"]
