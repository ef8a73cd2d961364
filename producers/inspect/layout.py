"""Which column of a table plays which part: station, time, code, value, flag, key, change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np

from producers.inspect.catalogue import Table
from producers.inspect.company import by_table, codes_meant, letters, topic
from producers.inspect.database import Sample
from producers.inspect.facts import NO_TIME, Facts, local_times
from producers.inspect.guesses import Guess, best
from producers.inspect.names import meaning, meanings
from producers.inspect.plain import as_text
from schemas.mapping_parts import Time
from weather.arrays import Micros

MEASURED: Final = (
    "temperature", "humidity", "pressure", "wind speed", "wind direction", "gust", "rain",
)  # fmt: skip
PARAMETERS: Final = {
    "temperature": "temperature", "humidity": "humidity", "pressure": "pressure",
    "wind speed": "wind", "rain": "rainfall",
}  # fmt: skip
_MOST_CODES: Final = 64
_NOW: Final = ("now", "current_timestamp", "getdate", "getutcdate", "sysdatetime", "sysutcdatetime")


@dataclass
class Layout:
    """A table with a sample of its rows, and what its columns are taken for."""

    table: Table
    sample: Sample
    codes: dict[str, str] = field(default_factory=dict)
    """What the values of its code column mean, where another table says so."""
    units: dict[str, str] = field(default_factory=dict)
    """In which unit the values of a code are, where another table says so."""

    @cached_property
    def facts(self) -> dict[str, Facts]:
        """What the values of each sampled column say."""
        at = {c.name: c for c in self.table.columns}
        return {name: Facts(at[name], values) for name, values in self.sample.columns.items()}

    @cached_property
    def senses(self) -> dict[str, Guess]:
        """The best meaning of each column's name, or else of its comment."""
        found = {name: sense for name in self.facts if (sense := self._sense(name)) is not None}
        return {**letters(found, self.facts), **found}

    @cached_property
    def measures(self) -> dict[str, list[tuple[str, Guess]]]:
        """Columns that hold a measure, by what they measure; the likeliest first."""
        found: dict[str, list[tuple[str, Guess]]] = {}
        for name, sense in self.senses.items():
            if sense.value in {*MEASURED, "daily rain"} and self.facts[name].may_measure:
                found.setdefault(sense.value, []).append((name, sense))
        only = topic(self.table.name, self.value) if self.code is None else None
        if only and self.value and only.value not in found:
            found[only.value] = [(self.value.value, only)]
        return found

    @cached_property
    def station(self) -> Guess | None:
        """The column that says which station."""
        referring = {
            key.columns[0]: Guess(key.columns[0], 0.9, f"refers to {key.table}")
            for key in self.table.foreign_keys
            if len(key.columns) == 1 and (m := meaning(key.table, ["station"])) and m.confidence
        }
        named = [
            Guess(name, sense.confidence, sense.reason)
            for name, sense in self._all("station")
            if name not in referring
        ]
        return best([*referring.values(), *named])

    @cached_property
    def sensor(self) -> Guess | None:
        """The column that says which sensor, by a number or name of its own."""
        return best(
            Guess(name, sense.confidence, sense.reason)
            for name, sense in self._all("sensor", "position")
        )

    @cached_property
    def code(self) -> Guess | None:
        """The column that says which parameter a row is of."""
        return best(self._code_guess(name) for name in self.facts)

    @cached_property
    def value(self) -> Guess | None:
        """The column of a row's only value."""
        return best(
            Guess(name, sense.confidence, sense.reason)
            for name, sense in self._all("value")
            if self.facts[name].may_measure and name not in self.table.primary_key
        )

    @cached_property
    def meant(self) -> dict[str, Guess]:
        """What the codes of a long table stand for, by their texts."""
        return codes_meant(self.known_codes(self.code.value).values()) if self.code else {}

    @cached_property
    def flag(self) -> Guess | None:
        """The column of a quality flag for the whole row."""
        found = [
            Guess(name, sense.confidence, sense.reason)
            for name, sense in self.senses.items()
            if sense.value == "flag" and not meaning(name, MEASURED)
        ]
        return best(found)

    @cached_property
    def modified(self) -> Guess | None:
        """The column of the last change."""
        return best(self._modified_guess(name) for name in self.facts)

    @cached_property
    def key(self) -> Guess | None:
        """The columns that tell rows apart."""
        if self.table.primary_key:
            return Guess(list(self.table.primary_key), 1.0, "its primary key")
        uniques = [*self.table.uniques, *(i for i in self.table.indexes if i.unique)]
        if uniques:
            return Guess(list(uniques[0].columns), 0.95, f"unique by {uniques[0].name or 'index'}")
        for name, facts in self.facts.items():
            is_id = meaning(name, ["id"]) is not None
            if is_id and facts.distinct == self.sample.rows > 0 and not facts.nulls:
                return Guess([name], 0.6, "no two sampled rows share it; no constraint says so")
        return None

    def row_id(self) -> str | None:
        """Give the column that alone tells rows apart, if there is one."""
        names = self.key.value if self.key else []
        return names[0] if len(names) == 1 else None

    def first(self, *wanted: str, but: Iterable[str | None] = ()) -> Guess | None:
        """Give the likeliest column of a meaning."""
        found = self._all(*wanted)
        return best(Guess(n, s.confidence, s.reason) for n, s in found if n not in but)

    def times(self, how: dict[str, Any] | None) -> Micros | None:
        """Give every sampled row's local time by the keys of a mapping."""
        if how is None:
            return None
        return local_times(Time.model_validate({**how, "zone": "UTC"}), self.sample.columns)

    def known_codes(self, name: str) -> dict[str, str]:
        """Give the codes in a column, and what each is called where it is explained."""
        values = {as_text(v) for v in self.facts[name].present}
        return {code: self.codes.get(code, code) for code in sorted(values)}

    def _sense(self, name: str) -> Guess | None:
        by_name = by_table(self.table.name, name) or next(iter(meanings(name)), None)
        comment = self.facts[name].column.comment
        by_comment = next(iter(meanings(comment)), None) if comment else None
        if by_name and by_name.value == "clock" and not self._may_be_clock(name):
            by_name = meaning(name, MEASURED) or by_name
        if by_comment and (by_name is None or by_name.confidence < 0.6):
            return Guess(by_comment.value, by_comment.confidence, "its comment says so")
        return by_name

    def _may_be_clock(self, name: str) -> bool:
        facts = self.facts[name]
        return not facts.present or facts.is_clock or facts.clock_digits() is not None

    def _all(self, *wanted: str) -> Iterator[tuple[str, Guess]]:
        """Give the columns that may well mean something, even if they may mean more."""
        for name in self.facts:
            sense = meaning(name, wanted)
            top = self.senses.get(name)
            if sense and top and sense.confidence >= top.confidence - 0.2:
                yield name, sense

    def _code_guess(self, name: str) -> Guess | None:
        facts = self.facts[name]
        if not 1 <= facts.distinct <= _MOST_CODES or facts.column.kind in {"time", "date", "clock"}:
            return None
        named = meaning(name, ["code", "sensor", "name"])
        codes = self.known_codes(name)
        told = len(codes_meant(codes.values())) / len(codes)
        if told < 0.5 or (named is None and len(codes) < 2):
            return None
        sure = 0.5 * told + 0.45 * (named.confidence if named and named.value == "code" else 0.5)
        return Guess(name, round(sure, 2), f"it holds {', '.join(list(codes)[:6])}")

    def _modified_guess(self, name: str) -> Guess | None:
        column, sense = self.facts[name].column, meaning(name, ["modified"])
        is_time = self.facts[name].form is not None or column.kind == "time"
        if not is_time:
            return None
        if sense is not None:
            return Guess(name, sense.confidence, sense.reason)
        default = (column.default or "").lower()
        if any(word in default for word in _NOW) and not meaning(name, ["time"]):
            return Guess(name, 0.7, f"its default is {column.default}")
        return None


def parameter_of_code(text: str) -> Guess | None:
    """Say what the code of a long table stands for; None where it is no parameter.

    >>> parameter_of_code("TA").value, parameter_of_code("SNOW")
    ('temperature', None)
    """
    sense = next(iter(meanings(text)), None)
    if sense is None or sense.value not in {*MEASURED, "daily rain", "sea-level pressure"}:
        return None
    return sense


def seconds_between(local: Micros, groups: list[Any]) -> float:
    """Give the usual distance of consecutive times of one group, in seconds; 0 if unknown."""
    usual = [
        float(np.median(steps)) / 1e6
        for times in by_group(local, groups).values()
        if len(steps := np.diff(np.unique(times))) >= 2
    ]
    return float(np.median(usual)) if usual else 0.0


def by_group(local: Micros, groups: list[Any]) -> dict[Any, Micros]:
    """Part times by group, without those that are none."""
    parted: dict[Any, list[int]] = {}
    for time, group in zip(local.tolist(), groups, strict=True):
        if time != NO_TIME:
            parted.setdefault(group, []).append(time)
    return {group: np.array(times, dtype=np.int64) for group, times in parted.items()}
