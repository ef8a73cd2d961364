"""What an operator does with dead letters, by the settings of a deployment: for CLI and API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from functools import partial
from typing import Any, Final, Self

from operate.audit import Audit, Stand, operator
from operate.dlq import editing
from operate.dlq.choosing import Choice, Kind, counted
from operate.dlq.fields import Contents, contents
from operate.dlq.letters import Letter, Place, dead_letter_topics, letter_at, letters
from operate.dlq.redriving import ACTION, REFUSED, Changed, Outcome, Redriver, Sender, unchanged
from operate.settings import Settings
from runtime.errors import Configuration
from schemas import avsc
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, clean_schema, raw_schema
from sink import migrate
from sink.database import Database

_EDIT_MEND: Final = "redrive it as it is, or publish the record anew from its source"


class Desk:
    """Reads, counts, edits and redrives; nothing is connected before it is needed."""

    def __init__(self, settings: Settings, who: str | None = None) -> None:
        self._settings = settings
        self._opened = ExitStack()
        self._registry = self._opened.enter_context(closing(Registry(settings.registry)))
        self._database = self._opened.enter_context(closing(Database(settings.sink)))
        self._audit = Audit(self._database, ACTION, who or operator())
        self._schemas = schema_names(settings.topics)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of registry and database."""
        self._opened.close()

    def letters(self, choice: Choice, which: str | None = None) -> Iterator[Letter]:
        """Give the letters that are meant, of both topics or of ``clean`` or ``sink`` alone."""
        named = dead_letter_topics(self._settings.topics)
        for topic in [named[which]] if which else named.values():
            yield from filter(choice, letters(self._settings.kafka, topic))

    def counts(
        self, choice: Choice, by: Sequence[Kind], now: datetime, which: str | None = None
    ) -> list[dict[str, Any]]:
        """Count them by some of reason, topic, station and age."""
        return counted(self.letters(choice, which), by, now)

    def letter(self, place: str) -> Letter:
        """Read the letter that a person names like ``clean:0:17``."""
        return letter_at(self._settings.kafka, Place.of(place, self._settings.topics))

    def contents(self, letter: Letter) -> Contents:
        """Read the value of a letter field by field, as far as possible."""
        name = self._schemas.get(letter.origin.topic)
        otherwise = avsc.load(name) if name else None
        return contents(letter.value, self._registry.schema_of, otherwise)

    def stands(self, some: Sequence[Letter]) -> list[Stand | None]:
        """Say of each letter how its last redrive stands, None where there was none."""
        acts = [(str(one.place), one.time) for one in some]
        known = self._audit.stands(acts)
        return [known.get(act) for act in acts]

    def redrive(self, some: Iterator[Letter], *, again: bool = False) -> Iterator[Outcome]:
        """Send letters where they came from, as they are."""
        return self._redriver().redrive(some, unchanged, again=again)

    def edit(self, letter: Letter, changes: Sequence[str], *, again: bool = False) -> Outcome:
        """Send a changed copy where a letter came from, in its place.

        Raises:
            Configuration: the changes do not fit, or it is no reading.
        """
        changed = self.changed(letter, changes)
        redriven = self._redriver().redrive([letter], partial(_given, changed), again=again)
        return next(redriven)

    def changed(self, letter: Letter, changes: Sequence[str]) -> Changed:
        """Make the changed copy; a new station is its new key."""
        topic = letter.origin.topic
        name = self._schemas.get(topic)
        if name is None:
            problem = f"{letter.place} came from {topic or 'nowhere'}: it is no reading"
            raise Configuration(problem, mend=_EDIT_MEND)
        before = self.contents(letter).fields
        record = editing.edited(name, before, changes)
        value = editing.encoded(name, self._registry.id_of(subject_of(topic), name), record)
        moved = record["station_id"] != before.get("station_id", letter.station)
        key = record["station_id"].encode() if moved else letter.key
        return Changed(key, value, {"changes": list(changes)})

    def history(self, most: int = 50) -> list[dict[str, Any]]:
        """Give the newest redrives, by whomever."""
        return self._audit.newest(most)

    def _redriver(self) -> Redriver:
        self._database.check()
        migrate.check_migrated(self._database)
        return Redriver(self._audit, self._settings.topics, Sender(self._settings.kafka))


def schema_names(topics: Topics) -> dict[str, str]:
    """Name the schema of every topic whose records may be edited."""
    raw = {topics.raw(p): raw_schema(p) for p in PARAMETERS}
    return raw | {topics.clean(p): clean_schema(p) for p in PARAMETERS}


def refused(outcomes: Sequence[Outcome]) -> bool:
    """Say whether any of them could not be sent."""
    return any(one.state == REFUSED for one in outcomes)


def _given(changed: Changed, _letter: Letter) -> Changed:
    return changed
