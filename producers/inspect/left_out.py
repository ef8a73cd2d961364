"""What looks like a measure and is not mapped, and why."""

from __future__ import annotations

from typing import Final

from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import MEASURED, Layout
from producers.inspect.rain import daily_totals
from weather.parameters import PARAMETERS as KNOWN

_SURE: Final = 0.6


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


def _say_words(layout: Layout, notes: Notes) -> None:
    """Note measures that are words: points of the compass, say."""
    for name, sense in layout.senses.items():
        facts = layout.facts[name]
        looks = sense.value in MEASURED and sense.confidence >= _SURE
        if looks and facts.words and not facts.may_measure:
            some = ", ".join(word for word, _ in facts.words.most_common(3))
            notes.say(f"{name} is not mapped: it looks like {sense.value}, but holds {some}")
