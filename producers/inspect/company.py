"""What names mean by the company they keep: single letters among measures, and the table's name.

``T`` alone may be anything; beside ``TD``, ``FF`` and ``P0`` it is the temperature. A column
``value`` in a table ``humidity`` is the humidity, and ``dir`` in a table ``wind`` that of the wind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from producers.inspect.facts import Facts
from producers.inspect.guesses import Guess
from producers.inspect.names import letter_meaning, meaning, meanings, words

_COMPANY: Final = 2
_SAYS_MUCH: Final = 0.5
_OF_WIND: Final = ("wind speed", "wind direction", "gust")
_MEASURED: Final = (*_OF_WIND, "temperature", "humidity", "pressure", "rain")
_OF_WEATHER: Final = {*_MEASURED, "dew point", "sea-level pressure", "gust direction", "daily rain"}
_LIKELY: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    "temperature": ((-60, 60), (213, 333)),
    "humidity": ((5, 105),),
    "pressure": ((500, 1100), (50_000, 110_000)),
}
"""Between which numbers the values of a letter lie; others are not believed of a letter."""


def by_table(table: str, column: str) -> Guess | None:
    """Say what a column means because its table is one of wind.

    >>> by_table("wind", "dir").value, by_table("orders", "dir")
    ('wind direction', None)
    """
    if "wind" not in words(table) or "wind" in words(column):
        return None
    found = next((m for m in meanings(f"wind_{column}") if m.value in _OF_WIND), None)
    if found is None or found.confidence < 0.85:
        return None
    return Guess(found.value, 0.85, f"{found.reason}, with that of its table")


def topic(table: str, value: Guess | None) -> Guess | None:
    """Say what the only value of a row is, where the name of its table says it.

    >>> topic("tb_humidity", Guess("val", 0.9, "")).value
    'humidity'
    """
    found = meaning(table, _MEASURED)
    if value is None or found is None or found.confidence < _SAYS_MUCH:
        return None
    told = f"{value.value} is the only value of a table called {table}"
    return Guess(found.value, round(min(found.confidence, 0.8), 2), told)


def letters(senses: Mapping[str, Guess], facts: Mapping[str, Facts]) -> dict[str, Guess]:
    """Give what columns named by single letters hold, where others speak of the weather."""
    if sum(sense.value in _OF_WEATHER for sense in senses.values()) < _COMPANY:
        return {}
    return {
        name: sense
        for name, of in facts.items()
        if (sense := letter_meaning(name)) and of.may_measure and _is_likely(sense.value, of)
    }


def codes_meant(texts: Iterable[str]) -> dict[str, Guess]:
    """Give what the codes of a long table mean; letters only if other codes are known, too.

    >>> sorted(codes_meant(["T", "TD", "FF"])), codes_meant(["T", "F"])
    (['FF', 'T', 'TD'], {})
    """
    names = list(texts)
    known = {text: top for text in names if (top := next(iter(meanings(text)), None))}
    known = {text: top for text, top in known.items() if _speaks(top)}
    if sum(top.value in _OF_WEATHER for top in known.values()) < _COMPANY:
        return known
    more = {text: sense for text in names if (sense := letter_meaning(text))}
    return {**more, **known}


def _speaks(sense: Guess) -> bool:
    return sense.value in _OF_WEATHER or sense.value == "not mapped"


def _is_likely(sense: str, facts: Facts) -> bool:
    ranges = _LIKELY.get(sense)
    if ranges is None or not len(facts.measured):
        return ranges is not None
    low, high = np.percentile(facts.measured, [2, 98])
    return any(least <= low and high <= most for least, most in ranges)
