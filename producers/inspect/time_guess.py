"""Where the observation time of a table stands: in one column, in two, or in parts."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from producers.inspect.facts import NO_TIME, Facts
from producers.inspect.guesses import Guess, best
from producers.inspect.layout import Layout
from producers.inspect.names import meaning, words

_NAMED: Final = 0.7
_GREENWICH: Final = {"utc", "gmt", "zulu"}


def time_of(layout: Layout) -> Guess | None:
    """Guess the keys of a mapping's ``time``, but for the zone."""
    modified = layout.modified.value if layout.modified else None
    whole = best(
        _whole(layout, name, facts) for name, facts in layout.facts.items() if name != modified
    )
    if whole and whole.confidence >= 0.6:
        return whole
    return best([_apart(layout), _in_parts(layout), whole, _only_modified(layout, modified)])


def is_utc(layout: Layout, how: dict[str, Any]) -> Guess | None:
    """Say whether the times need no zone: they count from 1970, or bring an offset, or say UTC."""
    column = how.get("column")
    facts = layout.facts.get(str(column))
    if facts is None or facts.form is None:
        return None
    if "epoch" in how:
        return Guess("UTC", 1.0, "it counts from 1970-01-01 in UTC")
    if facts.form.with_offset or facts.column.has_zone:
        return Guess("UTC", 1.0, "its times bring their offsets")
    if any(word in str(column).lower() for word in _GREENWICH):
        return Guess("UTC", 0.9, "its name says so")
    return None


def _whole(layout: Layout, name: str, facts: Facts) -> Guess | None:
    if meaning(name, ["valid from", "valid to"]):
        return None
    sense = meaning(name, ["time", "date", "clock"])
    if facts.form is None or (not facts.present and facts.column.kind != "time"):
        return _named(layout, name, sense)
    sure = 0.35 if sense is None else max(0.65, sense.confidence) + _without_zone(name)
    if "epoch" in facts.form.keys and sense is None:
        return None  # any large number would do
    reasons = [sense.reason if sense else "it holds times"]
    if name in layout.table.primary_key or layout.table.leads_an_index(name):
        sure, reasons = sure + 0.05, [*reasons, "a key or index has it"]
    if facts.present and _is_regular(facts):
        sure, reasons = sure + 0.1, [*reasons, "its times are round"]
    if facts.form.keys:
        reasons.append(f"read by {facts.form.keys}")
    if facts.form.doubtful:
        sure, reasons = min(sure, 0.6), [*reasons, "but day and month may be the other way round"]
    keys = {"column": name, **facts.form.keys}
    return Guess(keys, round(min(sure * facts.form.share, 0.98), 2), ", ".join(reasons))


def _without_zone(name: str) -> float:
    """Give weight to the one of two times that needs no zone."""
    return 0.05 if set(words(name)) & _GREENWICH else 0.0


def _named(layout: Layout, name: str, sense: Guess | None) -> Guess | None:
    """Take a time by its name alone where no row is there yet."""
    if layout.sample.rows or sense is None or sense.confidence <= _NAMED:
        return None
    return Guess({"column": name}, 0.4, f"{sense.reason}; there is no row yet")


def _apart(layout: Layout) -> Guess | None:
    days = [n for n, f in layout.facts.items() if f.present and f.is_date and _may_be_day(n)]
    clocks = [n for n, f in layout.facts.items() if f.present and n not in days and _is_clock(f)]
    if not days or not clocks:
        return None
    day = max(days, key=lambda n: _weight(n, "date", "time"))
    clock = max(clocks, key=lambda n: _weight(n, "clock", "time"))
    keys = {"date": day, "time": clock}
    facts = layout.facts[clock]
    if not facts.is_clock and facts.clock_digits() == "hour":
        keys["digits"] = "hour"
    sure = 0.85 if _weight(clock, "clock", "time") else 0.5
    return Guess(keys, sure, f"{day} holds days, {clock} times of the day")


def _in_parts(layout: Layout) -> Guess | None:
    found = {
        part: guess.value
        for part in ("year", "month", "date", "clock", "minute")
        if (guess := layout.first(part)) and layout.facts[guess.value].is_numeric
    }
    if not {"year", "month", "date", "clock"} <= set(found):
        return None
    day = [found[part] for part in ("year", "month", "date")]
    keys: dict[str, Any] = {"date": day, "time": found["clock"]}
    if "minute" in found:
        keys["time"] = [found["clock"], found["minute"]]
    elif layout.facts[found["clock"]].clock_digits() == "hour":
        keys["digits"] = "hour"
    return Guess(keys, 0.8, "year, month, day and hour stand apart")


def _only_modified(layout: Layout, name: str | None) -> Guess | None:
    """Take the time of change for want of any other."""
    form = layout.facts[name].form if name else None
    if name is None or form is None:
        return None
    return Guess({"column": name, **form.keys}, 0.3, "there is no other time")


def _may_be_day(name: str) -> bool:
    return not meaning(name, ["valid from", "valid to", "modified"])


def _is_clock(facts: Facts) -> bool:
    if facts.is_clock or (facts.is_hhmm and facts.distinct > 1):
        return True
    named = meaning(facts.name, ["clock", "time"])
    return named is not None and facts.clock_digits() is not None


def _weight(name: str, *wanted: str) -> float:
    found = meaning(name, wanted)
    return found.confidence if found else 0.0


def _is_regular(facts: Facts) -> bool:
    """Say whether the times lie on whole minutes, as observations do and changes do not."""
    local = facts.local()
    local = local[local != NO_TIME]
    return len(local) > 0 and float(np.mean(local % 60_000_000 == 0)) > 0.9
