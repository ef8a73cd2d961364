"""What looks like a measure and is not mapped, and why."""

from __future__ import annotations

import re
from typing import Final

from producers.inspect.facts import Facts
from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import MEASURED, Layout
from producers.inspect.rain import daily_totals
from producers.inspect.sentinels import words_for_missing
from weather.parameters import PARAMETERS as KNOWN

_SURE: Final = 0.6
_NO_COMMA: Final = "; a decimal comma is not read: make a view or a computed column"
_COMMA: Final = re.compile(r"-?\d+,\d+")


def why_not(layout: Layout, key: str, text: str, meant: Guess | None) -> str:
    """Say why rows of a code are not mapped."""
    known = f"{key} ({text})" if text != key else key
    where = f"rows of code {known} in {layout.table.full_name}"
    if meant is None:
        return f"{where} are not mapped: what they are is not known"
    if meant.value in {"wind direction", "gust"}:
        return f"{where} are not mapped: a reading of wind needs {meant.value} beside its speed"
    if meant.value in {"daily rain", "rain"}:
        return f"{where} are not mapped: {daily_totals(text)}"
    if meant.value == "not mapped":
        return f"{where} are not mapped: by its name it is no parameter of ours"
    return f"{where} are not mapped: {meant.value} is none of {', '.join(KNOWN)}"


def say_what_is_left(layout: Layout, notes: Notes) -> None:
    """Note the columns of a wide table that look like measures and cannot be mapped."""
    _say_words(layout, notes)
    for name, _ in layout.measures.get("daily rain", []):
        notes.say(f"{name} is not mapped: {daily_totals(name)}")
    for name, sense in layout.senses.items():
        if sense.value == "sea-level pressure" and layout.facts[name].may_measure:
            notes.say(f"{name} is not mapped: by its name it is reduced to sea level, not measured")
    if layout.measures.keys() & {"wind direction", "gust"} and "wind speed" not in layout.measures:
        notes.say("wind direction or gust is there, but no wind speed: wind is not mapped")


def say_values_in_words(layout: Layout, notes: Notes) -> None:
    """Note that a table is left out, since the values of its rows are no numbers."""
    for name, sense in layout.senses.items():
        facts = layout.facts[name]
        if sense.value == "value" and facts.words and not facts.may_measure:
            told = f"{name} looks like its value, but holds {_some_words(facts)}"
            notes.say(f"{layout.table.full_name} is not mapped: {told}")


def _say_words(layout: Layout, notes: Notes) -> None:
    """Note measures that are words: points of the compass, say."""
    for name, sense in layout.senses.items():
        facts = layout.facts[name]
        looks = sense.value in MEASURED and sense.confidence >= _SURE
        if looks and facts.words and not facts.may_measure:
            told = f"it looks like {sense.value}, but holds {_some_words(facts)}"
            notes.say(f"{name} is not mapped: {told}")
        elif looks and (others := _other_words(facts)):
            notes.say(
                f"{name} holds {others} among its numbers: such values are published as text, and "
                "flagged, unless you name them under sentinels"
            )


def _some_words(facts: Facts) -> str:
    some = ", ".join(word for word, _ in facts.words.most_common(3))
    return f"{some}{_NO_COMMA}" if _with_comma(facts) else some


def _with_comma(facts: Facts) -> bool:
    found = sum(count for word, count in facts.words.items() if _COMMA.fullmatch(word))
    return found > 0.5 * facts.words.total()


def _other_words(facts: Facts) -> str:
    """Quote the words that stand among numbers and are not known to mean *missing*."""
    known = set(words_for_missing(dict(facts.words)))
    return ", ".join(
        f"{word!r} ({count} times)"
        for word, count in facts.words.most_common(3)
        if word not in known
    )
