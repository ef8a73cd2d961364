"""Making a replay stand: what would change is written to the clean topics, and wins.

A row gets the revision behind the last batch that the stream had committed when the replay began.
So it takes the place of all that had been said by then, and of nothing that is said later. Sent
twice, it is the same record twice: whoever is killed at it begins again, and all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from operate.board import board
from operate.given import wrong
from operate.replay.difference import FIRST, Comparison, Row
from operate.replay.ledger import Entry, micros
from operate.settings import Settings
from producers.reading.times import now_micros
from runtime.errors import Configuration, System
from schemas import avsc
from schemas.codec import Encoder
from schemas.registry import Registry, subject_of
from schemas.rulesets import PublishedRuleset, same_limits
from schemas.topics import PARAMETERS, clean_schema
from sink.database import Database
from stream_app.outputs.delivery import Bulk, Outputs, bulk
from stream_app.outputs.transaction import Transactions
from stream_app.replay.shadow import shadow_group
from stream_app.revisions import MOST_PROMOTIONS
from weather.ruleset import Ruleset

_AT_ONCE: Final = 5_000


class Promotion:
    """Promotes one replay."""

    def __init__(
        self, settings: Settings, database: Database, registry: Registry, entry: Entry, number: int
    ) -> None:
        self._settings = settings
        self._database = database
        self._registry = registry
        self._entry = entry
        self._number = number

    def run(self, tell: Callable[[int], None]) -> int:
        """Write what would change; give how many readings that were.

        Raises:
            Fenced: another process promotes the same replay.
            AosError: it cannot go on; begun again, it does what is left.
        """
        sent, timeout = 0, self._settings.stream.transaction_timeout_seconds
        group = shadow_group(self._settings.topics, self._entry.name)
        delivery = Transactions(self._settings.kafka, f"{group}-promoted", 0, timeout)
        try:
            for parameter in PARAMETERS:
                for rows in self._rows(parameter):
                    delivery.commit(Outputs(self._bulks(parameter, rows)), {})
                    sent += len(rows)
                    tell(sent)
        finally:
            delivery.close()
        return sent

    def _rows(self, parameter: str) -> Iterator[list[Row]]:
        after = FIRST
        while True:
            with self._database.transaction("comparing a replay") as connection:
                compared = Comparison(connection, self._entry, self._number)
                rows = compared.rows(parameter, after, _AT_ONCE)
            if not rows:
                return
            yield rows
            after = rows[-1]["sensor_id"], rows[-1]["observed_at"]

    def _bulks(self, parameter: str, rows: list[Row]) -> list[Bulk]:
        topic, schema = self._settings.topics.clean(parameter), clean_schema(parameter)
        encode = Encoder(schema, self._registry.id_of(subject_of(topic), schema))
        names = [field["name"] for field in avsc.load(schema)["fields"]]
        by_partition: dict[int, list[tuple[bytes | None, bytes | None]]] = {}
        for row in rows:
            message = row["station_id"].encode(), encode(record_of(row, names))
            by_partition.setdefault(row["raw_partition"], []).append(message)
        return [bulk(topic, number, some) for number, some in by_partition.items()]


def record_of(row: Row, names: list[str]) -> dict[str, Any]:
    """Make the clean record of a row, under the revision that it is to have."""
    told = {**row, "revision": row["becomes"], "op": "delete" if row["deleted_at"] else "upsert"}
    return {name: _plain(told[name]) for name in names}


def _plain(value: Any) -> Any:
    if not isinstance(value, datetime):
        return value
    return micros(value if value.tzinfo else value.replace(tzinfo=UTC))


def refuse_number(entry: Entry, number: int) -> None:
    """Refuse a promotion for which no revision is left behind the batch it stands by.

    Raises:
        System: so many have been promoted while the stream said nothing at all.
    """
    if number > MOST_PROMOTIONS:
        problem = f"{number - 1} replays were promoted since the stream last said anything"
        mend = f"promote {entry.name} again when a reading has come, as a new replay"
        raise System(problem, mend=mend)


def let_hold(settings: Settings, entry: Entry, who: str) -> bool:
    """Publish the ruleset of a replay for the times it was asked for; say whether it has one.

    Raises:
        Configuration: a ruleset judges all stations and parameters, or is known for other times.
        AosError: brokers or registry do not answer, or somebody else is at it.
    """
    held = entry.request.held
    if held is None:
        return False
    if not entry.request.is_of_all:
        problem = f"replay {entry.name} tries ruleset {held.version} on some readings only"
        mend = "a ruleset judges all that is observed in its time: replay all stations, parameters"
        raise Configuration(problem, mend=mend)
    new = PublishedRuleset(held, who, f"replay {entry.name}", now_micros())
    with board(settings, settings.topics.rulesets) as place, place.changing() as put:
        known = [PublishedRuleset.of_record(record).ruleset for record in place.records()]
        same = [one for one in known if one.version == held.version]
        if not same:
            put(held.version, new.to_record())
        elif not same_limits(same[0], held) or not _of_same_times(same[0], held):
            problem = "a ruleset of this version is published for other times, or says otherwise"
            raise wrong(held.version, problem, "replay under a new version", name="ruleset")
    return True


def _of_same_times(one: Ruleset, other: Ruleset) -> bool:
    return (one.valid_from, one.valid_until) == (other.valid_from, other.valid_until)
