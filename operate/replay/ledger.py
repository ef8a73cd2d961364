"""What is known of each replay: what was asked for, how far it has come, where it began.

It stands in ``ops.replay`` and ``ops.replay_part``; a name is never given to another request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from psycopg.rows import dict_row

from schemas.rulesets import usable
from schemas.topics import PARAMETERS
from sink.database import Database
from stream_app.replay.plan import Stand
from stream_app.replay.request import Request
from weather.ruleset import Ruleset
from weather.ruleset_text import to_plain

_BEGIN: Final = """
INSERT INTO ops.replay (name, who, since, until, stations, parameters, ruleset, ruleset_document,
    destination, state, readings_total)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'judging', %s)
"""
_PART: Final = """
INSERT INTO ops.replay_part (name, partition, revision, positions) VALUES (%s, %s, %s, %s)
"""
_PARTS: Final = "SELECT partition, revision, positions FROM ops.replay_part WHERE name = %s"
_STATE: Final = """
UPDATE ops.replay SET state = %(state)s, problem = %(problem)s, updated_at = clock_timestamp(),
    promoted_at = CASE WHEN %(state)s = 'promoted' THEN clock_timestamp() ELSE promoted_at END
WHERE name = %(name)s
"""
_PROGRESS: Final = """
UPDATE ops.replay SET readings_done = greatest(readings_done, %s),
    readings_sent = readings_sent + %s, updated_at = clock_timestamp() WHERE name = %s
"""
_NEXT: Final = """
SELECT 1 + coalesce(max(other.promotion), 0) FROM ops.replay AS other
JOIN ops.replay_part AS theirs USING (name)
JOIN ops.replay_part AS ours USING (partition, revision)
WHERE ours.name = %s
"""
_NUMBER: Final = "SELECT promotion FROM ops.replay WHERE name = %s"
_TAKE: Final = "UPDATE ops.replay SET promotion = %s WHERE name = %s AND promotion IS NULL"
_ALL: Final = "SELECT * FROM ops.replay ORDER BY started_at DESC LIMIT %s"
_ONE: Final = "SELECT * FROM ops.replay WHERE name = %s"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A replay, as its row tells of it."""

    row: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.row["name"])

    @property
    def state(self) -> str:
        """How it stands: judging, loading, ready, promoting, promoted, failed or dropped."""
        return str(self.row["state"])

    @property
    def into_live(self) -> bool:
        """Whether it is to be promoted as soon as it is ready."""
        return bool(self.row["destination"] == "live")

    @property
    def request(self) -> Request:
        """What was asked for."""
        row = self.row
        since, until = (micros(row[name]) for name in ("since", "until"))
        return Request(since, until, tuple(row["stations"]), tuple(row["parameters"]), self.ruleset)

    @property
    def ruleset(self) -> Ruleset | None:
        """The ruleset that it tries."""
        plain = self.row["ruleset_document"]
        return None if plain is None else usable(plain)

    def document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        row = self.row
        told = ("who", "problem", "readings_sent", "promoted_at")
        return {
            "name": row["name"],
            "state": row["state"],
            "from": row["since"].isoformat(),
            "to": row["until"].isoformat(),
            "stations": row["stations"],
            "parameters": row["parameters"],
            "ruleset": row["ruleset"],
            "into": row["destination"],
            "readings_done": row["readings_done"],
            "readings_total": row["readings_total"],
            "started_at": row["started_at"],
            "updated_at": row["updated_at"],
            **{name: row[name] for name in told},
        }


class Ledger:
    """Keeps the entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self,
        name: str,
        who: str,
        request: Request,
        stands: Mapping[int, Stand],
        total: int,
        *,
        into_live: bool,
    ) -> None:
        """Write down what is asked for, and where the stream stood."""
        rules = request.ruleset
        values = (
            name,
            who,
            *(_EPOCH + timedelta(microseconds=at) for at in request.asked),
            list(request.stations),
            list(request.parameters),
            rules.version if rules else None,
            json.dumps(to_plain(rules)) if rules else None,
            "live" if into_live else "shadow",
            total,
        )
        parts = [
            (name, n, one.revision, json.dumps(dict(one.positions))) for n, one in stands.items()
        ]
        with self._database.transaction("beginning a replay") as connection:
            connection.execute(_BEGIN, values)
            connection.cursor().executemany(_PART, parts)

    def stands(self, name: str) -> dict[int, Stand]:
        """Give where the stream stood when a replay began, by partition."""
        with self._database.transaction("reading the ledger of replays") as connection:
            rows = connection.execute(_PARTS, (name,)).fetchall()
        return {number: Stand(revision, positions) for number, revision, positions in rows}

    def turn(self, name: str, state: str, problem: str | None = None) -> None:
        """Note how it stands from now on."""
        with self._database.transaction("noting how a replay stands") as connection:
            connection.execute(_STATE, {"name": name, "state": state, "problem": problem})

    def went_on(self, name: str, done: int, sent: int) -> None:
        """Note how many records lie behind, and how many readings more were sent."""
        with self._database.transaction("noting how far a replay is") as connection:
            connection.execute(_PROGRESS, (done, sent, name))

    def promotion(self, name: str) -> int:
        """Give the number that its promotion has, or is to have, behind the batches it stands by.

        Of replays that were judged as of one batch, the one that is promoted last stands above.
        """
        with self._database.transaction("numbering a promotion") as connection:
            (own,) = connection.execute(_NUMBER, (name,)).fetchall()
            return int(own[0] or connection.execute(_NEXT, (name,)).fetchall()[0][0])

    def take_number(self, name: str, promotion: int) -> None:
        """Let a promotion have its number for good."""
        with self._database.transaction("numbering a promotion") as connection:
            connection.execute(_TAKE, (promotion, name))

    def newest(self, most: int = 100) -> list[Entry]:
        """Give the newest replays."""
        return self._entries(_ALL, most)

    def one(self, name: str) -> Entry | None:
        """Give one, None where there is none of that name."""
        return next(iter(self._entries(_ONE, name)), None)

    def _entries(self, query: str, value: object) -> list[Entry]:
        with self._database.transaction("reading the ledger of replays") as connection:
            cursor = connection.cursor(row_factory=dict_row)
            return [Entry(row) for row in cursor.execute(query.encode(), (value,))]


def name_of(request: Request) -> str:
    """Name a replay after what is asked for: asked for again, it is the same one.

    >>> name_of(Request(1_372_636_800_000_000, 1_375_315_200_000_000))
    '20130701-20130801-2fd5'
    """
    days = [f"{_EPOCH + timedelta(microseconds=at):%Y%m%d}" for at in request.asked]
    rules = to_plain(request.ruleset) if request.ruleset else None
    parameters = sorted(request.parameters, key=PARAMETERS.index)
    asked = [*request.asked, sorted(request.stations), parameters, rules]
    digest = blake2b(json.dumps(asked).encode(), digest_size=2).hexdigest()
    return "-".join([*days, digest])


def micros(at: datetime) -> int:
    """Give a time in UTC microseconds."""
    return (at - _EPOCH) // timedelta(microseconds=1)
