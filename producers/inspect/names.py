"""What the name of a column says, in English, Korean, German and French, and as loggers shorten it.

A name is cut into words; each meaning is a list of word groups, and the group that explains most
of the name wins. The groups stand in ``vocabulary``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from producers.inspect.guesses import Guess
from producers.inspect.vocabulary import (
    ATTRIBUTES,
    LETTERS,
    MEANINGS,
    UNITS,
    WEAK,
    WHOLE_NAME_UNITS,
)

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+|\d+")
_IN_BRACKETS: Final = re.compile(r"[\(\[\{]([^()\[\]{}]*)[\)\]\}]")

_MEASURES: Final = {
    "temperature", "humidity", "pressure", "wind speed", "wind direction", "gust", "rain",
}  # fmt: skip


def without_accents(text: str) -> str:
    """Take accents and umlauts away, in every script alike.

    >>> without_accents("Böe précipité 기온")
    'Boe precipite 기온'
    """
    apart = unicodedata.normalize("NFD", text)
    bare = "".join(letter for letter in apart if unicodedata.category(letter) != "Mn")
    return unicodedata.normalize("NFC", bare)


_GROUPS: Final = [
    (meaning, frozenset(without_accents(group).split("+")))
    for meaning, groups in MEANINGS.items()
    for group in groups.split()
]


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Cut a name into words, in lower case; what stands in brackets is a unit, and left out.

    >>> words("WindSpeed_kmh"), words("기온(°C)"), words("TA")
    (('wind', 'speed', 'kmh'), ('기온',), ('ta',))
    """
    plain = _IN_BRACKETS.sub(" ", unicodedata.normalize("NFKC", name).replace("º", "°"))
    return tuple(word.lower() for word in _WORD.findall(without_accents(plain)))


@lru_cache(maxsize=4096)
def meanings(name: str) -> tuple[Guess, ...]:
    """Give what a name may mean, best first.

    >>> [guess.value for guess in meanings("RN_DAY")][:1], meanings("TA")[0].confidence
    (['daily rain'], 0.9)
    """
    parts = words(name)
    bare = [word for word in parts if not word.isdigit()]
    about = len(bare) > 1 and bare[-1] in ATTRIBUTES
    found: dict[str, Guess] = {}
    for meaning, group in _GROUPS:
        weight = _weight(parts, bare, group) * (0.4 if about and meaning in _MEASURES else 1.0)
        if weight > 0 and (meaning not in found or found[meaning].confidence < weight):
            found[meaning] = Guess(meaning, round(weight, 2), f"its name has {_quoted(group)}")
    ranked = sorted(found.values(), key=lambda guess: -guess.confidence)
    return tuple(ranked)


def meaning(name: str, wanted: Sequence[str]) -> Guess | None:
    """Give the best of the meanings asked for, if there is one among all that is not far better."""
    return next((guess for guess in meanings(name) if guess.value in wanted), None)


def letter_meaning(name: str) -> Guess | None:
    """Give what a name of one letter, or of two, stands for among others of its kind.

    >>> letter_meaning("T").value, letter_meaning("X")
    ('temperature', None)
    """
    sense = LETTERS.get(name.strip().lower())
    return Guess(sense, 0.6, f"{name} stands for it among such names") if sense else None


def unit_in(text: str) -> str | None:
    """Find a unit in a name, or in a comment.

    >>> unit_in("temp_f"), unit_in("풍속(m/s)"), unit_in("BP_kPa_Avg"), unit_in("PA")
    ('degF', 'm/s', 'kPa', None)
    """
    plain = unicodedata.normalize("NFC", text).replace("º", "°").strip()
    for inside in _IN_BRACKETS.findall(plain):
        if unit := unit_of(inside):
            return unit
    parts = [w for w in words(plain) if not w.isdigit()]
    if len(parts) == 1:
        return WHOLE_NAME_UNITS.get(parts[0])
    pairs = [parts[i : i + 2] for i in range(1, len(parts) - 1)]
    joined = [between.join(pair) for pair in pairs for between in (" ", "")]
    return next((u for u in map(UNITS.get, [*joined, *reversed(parts[1:])]) if u), None)


def unit_of(text: object) -> str | None:
    """Read a unit as somebody wrote it.

    >>> unit_of("°F"), unit_of(" hPa "), unit_of("parsec")
    ('degF', 'hPa', None)
    """
    plain = unicodedata.normalize("NFC", str(text)).replace("º", "°").strip().lower()
    return UNITS.get(plain) or UNITS.get(plain.replace(" ", ""))


def _weight(parts: tuple[str, ...], bare: list[str], group: frozenset[str]) -> float:
    """Say how well a group of words explains a name: all of it must be there."""
    if not bare:
        return 0.0
    if len(group) == 1:
        (word,) = group
        if word in bare:
            alone = 0.9 if len(bare) == 1 else 0.75 if word == bare[0] else 0.7
            return alone * (0.6 if word in WEAK else 1.0)
        joined = "".join(bare)
        if joined == word or "".join(parts) == word:
            return 0.9
        long = len(word) > 3 or not word.isascii()
        return 0.55 if long and len(word) > 1 and any(w.endswith(word) for w in bare) else 0.0
    return 0.7 + 0.1 * len(group) if group <= set(parts) else 0.0


def _quoted(group: frozenset[str]) -> str:
    return " and ".join(f"'{word}'" for word in sorted(group))
