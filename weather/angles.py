"""Latitudes and longitudes as people write them: degrees, minutes and seconds, with a letter."""

from __future__ import annotations

import re
from typing import Final

_MOST: Final = 60.0
_SIGNS: Final = {"N": 1.0, "E": 1.0, "S": -1.0, "W": -1.0}
_NUMBER: Final = r"\d+(?:[.,]\d+)?"
_PARTED: Final = re.compile(
    rf"(?P<before>[NSEW])?\s*(?P<sign>[+-])?(?P<d>{_NUMBER})\s*[°º:\s]?\s*"
    rf"(?:(?P<m>{_NUMBER})\s*['\u2032\u2019:\s]?\s*)?(?:(?P<s>{_NUMBER})\s*(?:[\"\u2033\u201d]|'')?\s*)?"
    r"(?P<after>[NSEW])?"
)
_TOGETHER: Final = re.compile(r"(?P<d>\d{2,3})(?P<m>\d\d)(?P<s>\d\d)(?P<after>[NSEW])")


def degrees(text: str) -> float:
    r"""Read an angle as decimal degrees; south and west are negative.

    >>> degrees("37°34'12\"N"), degrees("034030W"), degrees("48,5"), degrees("-3 30")
    (37.57, -3.675, 48.5, -3.5)

    Raises:
        ValueError: it is none. Neither is one with an ``O``: it is east in German, west in French.
    """
    plain = text.strip().upper()
    found = _TOGETHER.fullmatch(plain) or _PARTED.fullmatch(plain)
    parts = found.groupdict() if found else {}
    letters = [letter for letter in (parts.get("before"), parts.get("after")) if letter]
    if not parts or len(letters) > 1 or (letters and parts.get("sign")):
        raise _no_angle(text)
    whole, minutes, seconds = (_number(parts[name]) for name in ("d", "m", "s"))
    if minutes >= _MOST or seconds >= _MOST:
        raise _no_angle(text)
    sign = _SIGNS[letters[0]] if letters else -1.0 if parts.get("sign") == "-" else 1.0
    return round(sign * (whole + minutes / 60 + seconds / 3600), 9)


def _number(text: str | None) -> float:
    return float(text.replace(",", ".")) if text else 0.0


def _no_angle(text: str) -> ValueError:
    problem = f"{text!r} is no angle: write 37.57, 37°34'12\"N or 373412N"
    return ValueError(problem)
