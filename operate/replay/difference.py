"""What would change if a replay were promoted: its tables beside those of the readings.

A reading changes where the replay has the last word (nobody said anything of it since the replay
began, and no newer version of it came) and says something else. Outside of the times that were
asked for only another verdict counts; within them, so does another ruleset that is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Literal

from operate.replay.ledger import Entry
from operate.replay.shadow import shadow_table
from sink.columns import KEY, table
from sink.database import Connection
from stream_app.revisions import ALONE, GENERATION
from weather.parameters import parameter_of

_NAMED: Final = frozenset(
    {
        "ruleset_version",
        "mapping_version",
        "metadata_version",
        "calibration_version",
        "source_name",
        "source_rank",
        "source_table",
        "source_key",
    }
)
"""What is named beside a verdict: by what it was found, and where the reading came from."""

_BY_CHANCE: Final = frozenset(
    {
        "source_version",
        "revision",
        "processed_at",
        "extracted_at",
        "raw_topic",
        "raw_partition",
        "raw_offset",
        "deleted_at",
    }
)
"""What may differ though the same was said: when, and of which of several equal records."""

_CHANGES: Final = SQL("""
SELECT * FROM (
    SELECT told.*, {was}, live.sensor_id IS NULL AS added,
        ({verdict}, told.deleted_at IS NULL)
            IS DISTINCT FROM ({verdict_was}, live.deleted_at IS NULL) AS judged,
        ({named}) IS DISTINCT FROM ({named_was})
            AND told.observed_at >= %(since)s AND told.observed_at < %(until)s AS named
    FROM (
        SELECT shadow.*, part.revision + %(promotion)s
            - CASE WHEN shadow.revision %% {generation} < {alone} THEN {alone} ELSE 0 END AS becomes
        FROM {shadow} AS shadow
        JOIN ops.replay_part AS part
            ON part.name = %(name)s AND part.partition = shadow.raw_partition
        WHERE (sensor_id, observed_at) > (%(sensor)s, %(at)s)
    ) AS told
    LEFT JOIN {live} AS live USING (sensor_id, observed_at)
    WHERE live.sensor_id IS NULL
        OR (told.source_version, told.becomes) > (live.source_version, live.revision)
) AS compared
WHERE CASE WHEN added THEN deleted_at IS NULL ELSE judged OR named END
""")
_ROWS: Final = SQL(" ORDER BY sensor_id, observed_at LIMIT %(most)s")
_KEEP: Final = SQL("CREATE TEMPORARY TABLE replay_change ON COMMIT DROP AS ")
_FORGET: Final = "DROP TABLE replay_change"
_COUNTS: Final = SQL("""
SELECT count(*) AS readings,
    count(*) FILTER (WHERE added) AS added,
    count(*) FILTER (WHERE judged AND NOT added) AS judged,
    count(*) FILTER (WHERE named AND NOT judged AND NOT added) AS named
FROM replay_change
""")
_FLAGS: Final = SQL("""
SELECT was_flag AS was, flag AS becomes, count(*) AS readings
FROM replay_change WHERE judged AND NOT added GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
""")
_DAYS: Final = SQL("""
SELECT date_trunc('day', observed_at) AS day, count(*) AS readings
FROM replay_change WHERE judged GROUP BY 1 ORDER BY 1
""")
_LARGEST: Final = SQL("""
SELECT sensor_id, observed_at, {name} AS measure, {was} AS was, {becomes} AS becomes, {raw} AS raw,
    was_flag, flag, reason
FROM replay_change WHERE judged AND NOT added AND {was} IS DISTINCT FROM {becomes}
ORDER BY ({was} IS NULL) <> ({becomes} IS NULL) DESC,
    abs(coalesce({becomes}, {raw}) - coalesce({was}, {raw})) DESC NULLS LAST, 1, 2
LIMIT %(most)s
""")
_SAMPLE: Final = SQL("""
SELECT sensor_id, observed_at, was_flag, flag, was_reason, reason
FROM replay_change WHERE judged AND NOT added ORDER BY 2, 1 LIMIT %(most)s
""")
_COMPARED: Final = SQL("SELECT count(*) FROM {}")

Row = dict[str, Any]
FIRST: Final[tuple[str, Any]] = ("", "-infinity")
"""A key before all others."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What would change of one parameter.

    Attributes:
        compared: readings that the replay judged.
        counts: how many would change: added, judged otherwise, or only named otherwise.
        flags: how many go from which flag to which.
        days: how many are judged otherwise, by day.
        largest: the largest changes, of any measure.
        sample: some that are judged otherwise.
    """

    parameter: str
    compared: int
    counts: dict[str, int]
    flags: list[Row]
    days: list[Row]
    largest: list[Row]
    sample: list[Row]


class Comparison:
    """Compares one replay, as if its promotion had a number."""

    def __init__(self, connection: Connection, entry: Entry, promotion: int) -> None:
        self._connection = connection
        self._entry = entry
        self._values: dict[str, Any] = {
            "name": entry.name,
            "since": entry.row["since"],
            "until": entry.row["until"],
            "promotion": promotion,
        }

    def difference(self, parameter: str, most: int) -> Difference:
        """Compare a parameter; at most so many rows are named."""
        table_ = shadow_table(self._entry.name, parameter)
        ((compared,),) = self._connection.execute(_COMPARED.format(table_)).fetchall()
        first = {"sensor": FIRST[0], "at": FIRST[1]}
        query = _KEEP + changes(self._entry.name, parameter)
        self._connection.execute(query, {**self._values, **first})
        (counts,) = self._ask(_COUNTS)
        largest = [
            row
            for measure in parameter_of(parameter).measures
            for row in self._ask(_largest(measure.name), most=most)
        ]
        flags, days = self._ask(_FLAGS), self._ask(_DAYS)
        sample = self._ask(_SAMPLE, most=most)
        self._connection.execute(_FORGET)
        return Difference(parameter, compared, counts, flags, days, largest[:most], sample)

    def rows(self, parameter: str, after: tuple[str, Any], most: int) -> list[Row]:
        """Give the rows that would change behind a key; ``becomes`` is the revision of each."""
        query = changes(self._entry.name, parameter) + _ROWS
        return self._ask(query, **{**self._values, "sensor": after[0], "at": after[1]}, most=most)

    def _ask(self, query: SQL | Composed, **values: Any) -> list[Row]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(query, values).fetchall()


def changes(name: str, parameter: str) -> Composed:
    """Compose the query for what would change: the row as it becomes, beside it as it was."""
    names = [one for one in table(parameter).names if one not in {*KEY, *_BY_CHANCE}]
    verdict = [one for one in names if one not in _NAMED]
    named = [one for one in names if one in _NAMED]
    was = (
        SQL("{} AS {}").format(Identifier("live", one), Identifier(f"was_{one}")) for one in names
    )
    return _CHANGES.format(
        shadow=shadow_table(name, parameter),
        live=Identifier("weather", parameter),
        generation=SQL(str(GENERATION)),
        alone=SQL(str(ALONE)),
        was=SQL(", ").join(was),
        verdict=_of("told", verdict),
        verdict_was=_of("live", verdict),
        named=_of("told", named),
        named_was=_of("live", named),
    )


def _of(whose: str, names: list[str]) -> Composed:
    return SQL(", ").join(Identifier(whose, name) for name in names)


def _largest(measure: str) -> Composed:
    return _LARGEST.format(
        name=Literal(measure),
        was=Identifier(f"was_{measure}"),
        becomes=Identifier(measure),
        raw=Identifier(f"raw_{measure}"),
    )
