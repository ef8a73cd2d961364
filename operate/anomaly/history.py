"""What a model learns from: readings of one measure, sensor by sensor, and what stands around them.

They come from the tables, or from verdicts over a source that lies ready.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from operate.quality.course import Verdicts
from schemas.columnar import Integers
from sink.database import Connection
from weather.arrays import Bools, Floats, Micros
from weather.parameters import parameter_of
from weather.qc.flags import Flag
from weather.qc.series import Neighbours, Past, neighbours

MOST_READINGS: Final = 1_000_000
"""More tell a forest nothing new: beyond this, whole sensors are left out, drawn by lot."""
WEEK: Final = 7 * 86_400_000_000

_PARTS: Final = 16
"""Into how many parts a short history falls, half of which are grown on."""

_SENSORS: Final = """
    SELECT sensor_id, newest, count(*), max(latitude) FILTER (WHERE observed_at = newest),
           max(longitude) FILTER (WHERE observed_at = newest),
           max(elevation) FILTER (WHERE observed_at = newest)
    FROM (
        SELECT DISTINCT ON (sensor_id) sensor_id, observed_at AS newest
        FROM weather.latest WHERE parameter = %s AND observed_at IS NOT NULL
    ) AS known
    JOIN weather.{table} AS reading USING (sensor_id)
    WHERE observed_at > newest - %s AND deleted_at IS NULL
    GROUP BY sensor_id, newest ORDER BY sensor_id
"""
_READ: Final = """
    SELECT sensor_id, (extract(epoch FROM observed_at) * 1000000)::bigint, {measure}, flag
    FROM unnest(%s::text[], %s::timestamptz[]) AS chosen (sensor_id, newest)
    JOIN weather.{table} AS reading USING (sensor_id)
    WHERE observed_at > newest - %s AND deleted_at IS NULL
    ORDER BY sensor_id, observed_at
"""


class Place(NamedTuple):
    """Where a sensor stands: degrees, and metres of height."""

    latitude: float
    longitude: float
    elevation: float


@dataclass(frozen=True, slots=True)
class History:
    """Readings of one measure, by sensor and then by time; arrays are of shape (n,).

    ``clean`` are those that are there and that no test flagged: what a model is to find usual.
    ``places`` are those of sensors, where they are known: degrees, and metres of height.
    """

    parameter: str
    sensors: NDArray[np.str_]
    at: Micros
    values: Floats
    clean: Bools
    places: Mapping[str, Place] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the readings."""
        return len(self.at)

    @classmethod
    def of_tables(cls, connection: Connection, parameter: str, days: float) -> Self | None:
        """Read the newest days of each sensor of a parameter; None where there are none.

        Raises:
            psycopg.Error: what the database says.
        """
        names = {
            "table": sql.Identifier(parameter),
            "measure": sql.Identifier(parameter_of(parameter).main.name),
        }
        back = timedelta(days=days)
        known = connection.execute(sql.SQL(_SENSORS).format(**names), (parameter, back)).fetchall()
        chosen = set(_drawn([(sensor, count) for sensor, _, count, *_ in known]))
        ends = {sensor: newest for sensor, newest, *_ in known if sensor in chosen}
        places = {sensor: Place(*where) for sensor, _, _, *where in known if None not in where}
        given = (list(ends), list(ends.values()), back)
        rows = connection.execute(sql.SQL(_READ).format(**names), given).fetchall()
        if not rows:
            return None
        return replace(cls.of_columns(parameter, *zip(*rows, strict=True)), places=places)

    @classmethod
    def of_verdicts(cls, parameter: str, found: Verdicts) -> Self:
        """Take what was judged of a source that lies ready."""
        return cls.in_order(parameter, found)[0]

    @classmethod
    def in_order(cls, parameter: str, found: Verdicts) -> tuple[Self, Integers]:
        """Take it, and say where each of its readings stands in the verdicts."""
        judged = found.judged
        names = np.array([origin.head.sensor for origin in judged.origins])[judged.origin]
        values = judged.measures[parameter_of(parameter).main.name].value
        order = np.lexsort((judged.utc, names))
        columns = (names[order], judged.utc[order], values[order], found.flag[order])
        fields = {one.head.sensor: one.placement.fields for one in judged.origins}
        where = {name: [of[part] for part in Place._fields] for name, of in fields.items()}
        places = {name: Place(*parts) for name, parts in where.items() if None not in parts}
        return replace(cls.of_columns(parameter, *columns), places=places), order

    @classmethod
    def of_columns(cls, parameter: str, sensors: Any, at: Any, values: Any, flag: Any) -> Self:
        """Make it of columns that are in order: by sensor, and then by time."""
        found = np.array(values, np.float64)
        flags = np.array(flag, np.int64)
        clean = ~np.isnan(found) & ((flags == Flag.GOOD) | (flags == Flag.NOT_EVALUATED))
        return cls(
            parameter, np.array(sensors, dtype=np.str_), np.array(at, np.int64), found, clean
        )

    def around(self) -> Neighbours:
        """Look around each reading, as the stream does."""
        opens = np.append(True, self.sensors[1:] != self.sensors[:-1])[: len(self)]
        lengths = np.diff(np.append(np.flatnonzero(opens), len(self)))
        alive = np.ones(len(self), np.bool_)
        return neighbours(self.at, self.values, alive, lengths, Past.nothing(len(lengths)))

    def clean_where(self, which: Bools) -> History:
        """Call only some readings clean; the others stay, as their neighbours."""
        return replace(self, clean=self.clean & which)

    def span(self) -> tuple[datetime, datetime]:
        """Say from when to when there are readings."""
        first, last = (np.datetime64(int(at), "us") for at in (self.at.min(), self.at.max()))
        return _aware(first), _aware(last)


def histories(found: Mapping[str, Verdicts]) -> dict[str, History]:
    """Give the history of every parameter that was judged."""
    return {name: History.of_verdicts(name, one) for name, one in found.items()}


def halves(history: History) -> tuple[History, History]:
    """Part a history by the week, in turns: one half to grow on, the other to be honest with.

    Weeks, since readings of one day are too much alike; in turns, so that both know every season.
    A sensor of which there is less than that is parted more finely.
    """
    _, which = np.unique(history.sensors, return_inverse=True)
    first, last = np.full((2, which.max(initial=0) + 1), history.at[:1])
    np.minimum.at(first, which, history.at)
    np.maximum.at(last, which, history.at)
    part = np.clip((last - first) // _PARTS, 1, WEEK)
    even = (history.at - first[which]) // part[which] % 2 == 0
    return history.clean_where(even), history.clean_where(~even)


def _drawn(counted: Sequence[tuple[Any, ...]], most: int = MOST_READINGS) -> list[str]:
    """Draw sensors until they have so many readings; the same draw every time.

    >>> _drawn([("a", 3), ("b", 3)], most=100), len(_drawn([("a", 3), ("b", 3)], most=3))
    (['a', 'b'], 1)
    """
    order = list(counted)
    if sum(count for _, count in order) > most:
        random.Random(0).shuffle(order)  # noqa: S311 - no secret depends on it
    chosen: list[str] = []
    readings = 0
    for sensor, count in order:
        if chosen and readings + count > most:
            continue
        chosen.append(str(sensor))
        readings += count
    return sorted(chosen)


def _aware(at: np.datetime64) -> datetime:
    found: datetime = at.astype("datetime64[us]").astype(datetime)
    return found.replace(tzinfo=UTC)
