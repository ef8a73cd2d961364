"""How the observation time of a row is read: from one column or several, by what the mapping says.

What cannot be read travels as the text it was given as; what it means is for the stream to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from producers.reading.identifiers import identifier
from producers.reading.times import Observed, observed
from schemas.mapping_parts import Time
from weather.zones import zone_of

Row = Sequence[Any]
Observation = Callable[[Row], Observed]

_REMEMBERED: Final = 1 << 16
_MICROS: Final = {"s": 1_000_000, "ms": 1_000, "us": 1}
_COMPACT_DATE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_DATE: Final = re.compile(
    r"(\d{4})[-/.](\d\d?)[-/.](\d\d?)(?:[ T]00:00(?::00(?:\.0*)?)?)?", re.ASCII
)
_MOST_DIGITS_OF_AN_HOUR: Final = 2
_DIRECTIVES: Final = {
    "%Y": r"(?P<Y>\d{4})", "%y": r"(?P<y>\d\d)", "%m": r"(?P<m>\d\d?)", "%d": r"(?P<d>\d\d?)",
    "%H": r"(?P<H>\d\d?)", "%I": r"(?P<I>\d\d?)", "%M": r"(?P<M>\d\d)", "%S": r"(?P<S>\d\d)",
    "%f": r"(?P<f>\d{1,9})", "%p": r"(?P<p>[AaPp]\.?[Mm]\.?)", "%%": "%",
}  # fmt: skip
# Digits that run together have no blank or sign between them: there each has its full width.
_FULL_WIDTH: Final = {"m": r"\d\d", "d": r"\d\d", "H": r"\d\d", "I": r"\d\d"}


def observation(how: Time, at: Mapping[str, int]) -> Observation:
    """Give the function that reads the time of a row whose columns stand ``at`` these places.

    >>> apart = Time(date="d", time="t", zone="UTC", digits="hour")
    >>> observation(apart, {"d": 0, "t": 1})(["19700101", 24])
    (86400000000, None)
    """
    if how.column is None:
        days, clocks = _places(how.date, at), _places(how.time, at)
        return lambda row: joined(_text(row, days, "-"), _text(row, clocks, ":"), how.digits)
    place = at[how.column]
    if how.epoch:
        factor = _MICROS[how.epoch]
        return lambda row: counted(row[place], factor)
    if how.format:
        pattern = _pattern(how.format)
        return lambda row: written(identifier(row[place]) or None, pattern)
    offset = _fixed(how.zone)
    return lambda row: _of_column(row[place], offset)


def counted(value: object, factor: int) -> Observed:
    """Read a time that is counted from 1970 in UTC, in units of ``factor`` microseconds.

    >>> counted("1.5", 1_000_000), counted("soon", 1)
    ((1500000, None), (None, 'soon'))
    """
    if value is None:
        return None, None
    try:
        return int(Decimal(str(value)) * factor), None
    except (ArithmeticError, ValueError):
        return None, str(value)


@lru_cache(maxsize=_REMEMBERED)
def written(text: str | None, pattern: re.Pattern[str]) -> Observed:
    """Read a time by a pattern; hour 24 is the next day's 00:00.

    >>> written("31.12.1969 24:00", _pattern("%d.%m.%Y %H:%M"))
    (0, None)
    """
    if text is None:
        return None, None
    found = pattern.fullmatch(text.strip())
    if found is None:
        return None, text
    part = found.groupdict()
    year = part.get("Y") or ("20" if part.get("y", "99") < "70" else "19") + part.get("y", "70")
    hour = part.get("H") or _of_twelve(part.get("I") or "0", part.get("p") or "")
    day = f"{year}-{part.get('m') or 1}-{part.get('d') or 1}"
    clock = f"{hour}:{part.get('M') or '00'}:{part.get('S') or '00'}.{part.get('f') or '0'}"
    local, _ = observed(f"{day} {clock}")
    return (local, None) if local is not None else (None, text)


@lru_cache(maxsize=_REMEMBERED)
def joined(day: str | None, clock: str | None, digits: str = "hhmm") -> Observed:
    """Read a date and a time of day that stand apart.

    >>> joined("2018-10-18", "9:05")[0] == joined("20181018", "905")[0]
    True
    >>> joined("2018-10-18", None), joined(None, None)
    ((None, '2018-10-18 '), (None, None))
    """
    if day is None and clock is None:
        return None, None
    found = _DATE.fullmatch((day or "").strip()) or _COMPACT_DATE.fullmatch((day or "").strip())
    if found is not None and clock is not None:
        local, _ = observed(f"{'-'.join(found.groups())} {_clock(clock.strip(), digits)}")
        if local is not None:
            return local, None
    return None, f"{day or ''} {clock or ''}"


def _clock(text: str, digits: str) -> str:
    """Write a time of day with colons; digits alone are an hour, or hour and minute."""
    if not text.isdecimal():
        hour, colon, rest = text.partition(":")
        return f"{hour}:{rest.zfill(2)}" if colon and rest else text
    if len(text) <= _MOST_DIGITS_OF_AN_HOUR and digits == "hour":
        return f"{text}:00"
    padded = text.zfill(4 if len(text) <= len("hhmm") else 6)
    return ":".join(padded[i : i + 2] for i in range(0, len(padded), 2))


def _of_twelve(hour: str, half: str) -> str:
    return str(int(hour) % 12 + (12 if half[:1].lower() == "p" else 0))


def _of_column(value: object, offset: int | None) -> Observed:
    """Read a time; one with an offset of its own is local only to a zone of a fixed offset."""
    local, text = observed(value)
    if text is None or offset is None:
        return local, text
    return _shifted(text, offset) or (None, text)


@lru_cache(maxsize=_REMEMBERED)
def _shifted(text: str, offset: int) -> Observed | None:
    try:
        aware = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if aware.tzinfo is None:
        return None
    utc, _ = observed(aware.astimezone(UTC).replace(tzinfo=None))
    return None if utc is None else (utc + offset, None)


def _fixed(zone: str) -> int | None:
    """Give the offset of a zone that never changes, in microseconds."""
    try:
        offsets = zone_of(zone).offsets
    except ValueError:
        return None  # the check at start names it
    return int(offsets[0]) if len(offsets) == 1 else None


def _places(columns: str | tuple[str, ...] | None, at: Mapping[str, int]) -> tuple[int, ...]:
    named = (columns,) if isinstance(columns, str) else columns or ()
    return tuple(at[name] for name in named)


def _text(row: Row, places: tuple[int, ...], between: str) -> str | None:
    values = [row[place] for place in places]
    if any(value is None for value in values):
        return None
    return between.join(_part(value) for value in values)


def _part(value: object) -> str:
    if isinstance(value, datetime):
        value = value.date() if value.time() == time() else value.time()
    if isinstance(value, (date, time)):
        return value.isoformat()
    text = identifier(value)
    return text.removesuffix(".0") if isinstance(value, (float, Decimal)) else text


def _pattern(form: str) -> re.Pattern[str]:
    """Turn the directives of strptime into a pattern; others than ours are taken as they stand."""
    parts = re.split(r"(%.)", form)
    together = not any(between for between in parts[2:-1:2])
    pattern = "".join(_DIRECTIVES.get(part, re.escape(part)) for part in parts)
    if together:
        for name, digits in _FULL_WIDTH.items():
            pattern = pattern.replace(rf"(?P<{name}>\d\d?)", f"(?P<{name}>{digits})")
    return re.compile(pattern, re.ASCII)
