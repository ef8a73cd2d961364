"""Rows become raw readings by the mapping, with every value as the source gave it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from producers.connection.dialects import Sqlite
from producers.cursors import TimestampIdCursor
from producers.publishing.encoding import ReadingEncoder
from producers.reading.rows import Readings, RowReader, columns_of
from producers.reading.tables import mapped_table
from producers.reading.times import observed
from runtime.errors import DataQuality
from schemas.codec import Encoder
from tests.sources import AT, hourly, mapping, minutely

EXTRACTED = 1_600_000_000_000_000


def readings(number: int, rows: list[dict[str, Any]]) -> Readings:
    mapped = mapping()
    table = mapped.tables[number]
    cursor = TimestampIdCursor(table.cursor, mapped_table(table), Sqlite())
    names = [*columns_of(table), "changed", "id"]
    reader = RowReader(mapped, table, cursor)
    return reader.readings([[row[name] for name in names] for row in rows], EXTRACTED)


def test_a_wide_row_gives_one_reading_of_each_mapped_parameter() -> None:
    found = readings(0, [hourly(7, flag="ok")]).records
    assert [reading.as_record() for reading in found["temperature"]] == [
        {
            "station_id": "A",
            "sensor_id": "A:temperature",
            "zone": "Asia/Seoul",
            "source": "little",
            "source_rank": 1,
            "source_table": "hourly",
            "mapping_version": 3,
            "op": "upsert",
            "unit": "degC",
            "observed_local": 1_577_840_400_000_000,
            "observed_text": None,
            "source_flag": "ok",
            "source_key": "7",
            "source_version": 1_577_840_460_000_000,
            "cursor": "2020-01-01 01:01:00.000000|7",
            "extracted_at": EXTRACTED,
            "value": 1.5,
            "value_text": None,
        }
    ]
    (wind,) = [reading.as_record() for reading in found["wind"]]
    assert (wind["speed"], wind["speed_unit"]) == (2.0, "kt")
    assert (wind["direction"], wind["direction_unit"]) == (90.0, "degree")
    assert (wind["gust"], wind["gust_text"], wind["gust_unit"]) == (None, None, "m/s")


@pytest.mark.requirement("B5")
@pytest.mark.parametrize("number", [0, 1])
def test_every_reading_fits_its_schema_and_has_the_bytes_of_the_plain_codec(number: int) -> None:
    row = hourly(1, ta="12.3", at="soon") if number == 0 else minutely(1, v=None, at=None)
    for parameter, found in readings(number, [row, {**row, "id": 2}]).records.items():
        name = "raw_wind" if parameter == "wind" else "raw_reading"
        plain = Encoder(name, 7)
        assert ReadingEncoder(name, 7).messages(found).pairs() == [
            (reading.sensor["station_id"].encode(), plain(reading.as_record())) for reading in found
        ]


def test_a_reading_that_does_not_fit_its_schema_is_told_from_others() -> None:
    (found,) = readings(1, [minutely(1)]).records["temperature"]
    broken = found._replace(measures={"value": "seven", "value_text": None})
    with pytest.raises(DataQuality, match="raw_reading"):
        ReadingEncoder("raw_reading", 7).messages([broken])


@pytest.mark.requirement("B5")
@pytest.mark.parametrize(
    ("given", "number", "text"),
    [
        (None, None, None),
        (-7999, -7999.0, None),
        (Decimal("1.25"), 1.25, None),
        ("12.3", None, "12.3"),
        (" M ", None, " M "),
        ("", None, ""),
    ],
)
def test_numbers_stay_numbers_and_text_stays_text(
    given: object, number: float | None, text: str | None
) -> None:
    (found,) = readings(0, [hourly(1, ta=given)]).records["temperature"]
    assert (found.measures["value"], found.measures["value_text"]) == (number, text)


@pytest.mark.requirement("B5")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, (None, None)),
        (AT, (1_577_840_400_000_000, None)),
        (datetime(2020, 1, 1, 1), (1_577_840_400_000_000, None)),  # noqa: DTZ001
        (202001010100, (1_577_840_400_000_000, None)),
        ("2020-13-01 01:00", (None, "2020-13-01 01:00")),
        (datetime(2020, 1, 1, 1, tzinfo=UTC), (None, "2020-01-01 01:00:00+00:00")),
    ],
)
def test_a_time_that_cannot_be_read_travels_as_it_was_given(
    given: object, expected: tuple[int | None, str | None]
) -> None:
    assert observed(given) == expected


def test_a_long_row_gives_the_reading_that_its_code_names_at_its_position() -> None:
    found = readings(1, [minutely(1), minutely(2, code="T  ", no=None)])
    assert [r.sensor["sensor_id"] for r in found.records["temperature"]] == [
        "B:temperature:2",
        "B:temperature",
    ]
    assert found.records["temperature"][0].sensor["unit"] == "K"
    assert found.count == 2


@pytest.mark.requirement("A8")
def test_rows_of_an_unknown_code_are_counted() -> None:
    found = readings(1, [minutely(1, code="SNOW"), minutely(2), minutely(3, code=None)])
    assert dict(found.unmapped) == {"SNOW": 1, "": 1}
    assert found.count == 1


def test_a_row_of_no_station_travels_too() -> None:
    (found,) = readings(0, [hourly(1, station=None)]).records["wind"]
    assert (found.sensor["station_id"], found.sensor["sensor_id"]) == ("", ":wind")
