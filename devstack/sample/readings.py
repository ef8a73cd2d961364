"""The two tables of readings: a wide one, a row an hour, and a long one, a row a sensor and minute.

A row's modification time is a little after its observation, as if loggers had just delivered it.
Source rows and their order are those of the files in ``data/``; so are gaps, NULLs and mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from devstack.sample.tables import Table, Value, as_text, from_data

ARIZONA: Final = timezone(timedelta(hours=-7))
"""Arizona has no summer time."""

HOURLY_DELAY: Final = timedelta(minutes=2)
MINUTE_DELAY: Final = timedelta(seconds=20)

HOURLY_MEASURES: Final = (
    *("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust"),
    *("precip", "pressure", "visib"),
)
HOURLY_COLUMNS: Final = ("id", "station_id", "observed_at", *HOURLY_MEASURES, "modified_at")

MINUTE_COLUMNS: Final = (
    *("id", "station_id", "element", "sensor_no", "observed_at"),
    *("value", "direction", "gust", "quality", "modified_at"),
)

# Element, sensor number, and the columns of value, direction and gust. The pyrheliometer's
# thermometer was not connected that day: 1,247 times the logger's sentinel of -7999, and 193 times
# something from -1972 to -221.7 degC.
_MINUTELY: Final = (
    ("TA", 1, "Air Temperature [deg C]", None, None),
    ("TA", 2, "Temp CHP1 [deg C]", None, None),
    ("HM", 1, "Rel Humidity [%]", None, None),
    ("PA", 1, "Station Pressure [mBar]", None, None),
    (
        *("WS", 1, "Avg Wind Speed @ 3m [m/s]"),
        *("Avg Wind Direction @ 3m [deg from N]", "Peak Wind Speed @ 3m [m/s]"),
    ),
)


def tables() -> list[Table]:
    """Give both tables."""
    return [
        Table("weather_hourly", HOURLY_COLUMNS, _hourly()),
        Table("aws_minute", MINUTE_COLUMNS, _minutely()),
    ]


def _hourly() -> Iterator[tuple[Value, ...]]:
    for number, row in enumerate(from_data("weather.csv.xz"), start=1):
        year, month, day, hour = (int(row[part]) for part in ("year", "month", "day", "hour"))
        # What the clock in New York showed. Of two equal hours the first is summer time.
        observed = f"{year}-{month:02}-{day:02} {hour:02}:00:00.000000"
        modified = as_text(datetime.fromisoformat(row["time_hour"]) + HOURLY_DELAY)
        measured = (_number(row[measure]) for measure in HOURLY_MEASURES)
        yield (number, row["origin"], observed, *measured, modified)


def _minutely() -> Iterator[tuple[Value, ...]]:
    number = 0
    for row in from_data("midc_20181018.csv.xz"):
        at = _arizona_time(row)
        times = as_text(at), as_text(at.astimezone(UTC) + MINUTE_DELAY)
        for element, sensor, *columns in _MINUTELY:
            number += 1
            measured = (_number(row[column]) if column else None for column in columns)
            yield (number, "UAT", element, sensor, times[0], *measured, None, times[1])


def _arizona_time(row: dict[str, str]) -> datetime:
    """Read year, day of the year, and the time as a number: 905 is 09:05."""
    hour, minute = divmod(int(row["MST"]), 100)
    new_year = datetime(int(row["Year"]), 1, 1, tzinfo=ARIZONA)
    return new_year + timedelta(days=int(row["DOY"]) - 1, hours=hour, minutes=minute)


def _number(text: str) -> float | None:
    return None if text == "NA" else float(text)
