"""Numbers that stand for *missing*: they recur, lie at the end of all values, and look the part."""

from __future__ import annotations

from typing import Final

import numpy as np

from weather.arrays import Floats

MIN_TIMES: Final = 3
_KNOWN: Final = {6999.0, 7999.0, 32767.0, 32768.0, 65535.0, 8888.0, 888.0, 777.0, 1e20, 9.96921e36}
_NINES: Final = {"9", "99", "999", "9999", "99999", "999999", "9999999", "98", "998", "9998"}
_WORDS: Final = {
    "m", "mm", "na", "n/a", "nan", "null", "none", "nil", "missing", "-", "--", "---", "----", "*",
    "**", "***", "****", "/", "//", "///", "////", "x", "xx", "err", "error", "?", "결측", "없음",
    "fault", "nodata",
    "mq", "s/d", "nd", "n.d.", "k.a.", "欠測", "缺测", "no data", "bad", "inf",
    "-inf", "infinity", "-infinity", "#n/a",
}  # fmt: skip


def looks_like_a_sentinel(number: float) -> bool:
    """Say whether a number is of the kind that people write for *missing*.

    >>> [n for n in (-9999, -999.9, 99.9, 32767, 9.9, 71.06) if looks_like_a_sentinel(n)]
    [-9999, -999.9, 99.9, 32767]
    """
    size = abs(number)
    if float(size) in _KNOWN or float(size) > 1e9:
        return True
    digits = f"{size:.6f}".rstrip("0").rstrip(".").replace(".", "")
    return digits in _NINES and size >= 90


def numeric_sentinels(numbers: Floats, *, signed: bool = True) -> dict[float, int]:
    """Find numbers that recur, look like sentinels, and lie beyond all that are measured.

    Of what has no sign, as humidity, -9 is one, too.

    >>> numeric_sentinels(np.array([20.1, 20.2, 20.0, -9999, -9999, -9999]))
    {-9999.0: 3}
    >>> numeric_sentinels(np.array([60.0, 61.0, -9, -9, -9]), signed=False)
    {-9.0: 3}
    """
    found: dict[float, int] = {}
    values, counts = np.unique(numbers, return_counts=True)
    if not signed:
        small = {float(v): int(n) for v, n in zip(values, counts, strict=True) if _is_nine(v)}
        found = {value: n for value, n in small.items() if n >= MIN_TIMES}
    for order in (np.arange(len(values)), np.arange(len(values))[::-1]):
        for i in order:
            value, count = float(values[i]), int(counts[i])
            if not looks_like_a_sentinel(value) or value in found:
                break
            rest = values[~np.isin(values, [*found, value])]
            if count < MIN_TIMES or not _stands_apart(value, rest):
                break
            found[value] = count
    return found


def _is_nine(value: float) -> bool:
    return value < 0 and f"{-value:g}".replace(".", "") in _NINES


def words_for_missing(words: dict[str, int]) -> list[str]:
    """Choose the words that stand for *missing* rather than for something else.

    >>> words_for_missing({"MM": 4, "T": 2, "calm": 1})
    ['MM']
    """
    return [word for word in words if word.lower() in _WORDS]


def _stands_apart(value: float, rest: Floats) -> bool:
    """Say whether a value is farther from the others than they are from one another."""
    if not len(rest):
        return abs(value) >= 900
    nearest = float(np.abs(rest - value).min())
    low, high = np.percentile(rest, [5, 95])
    return nearest > max(0.5 * float(high - low), 5.0)
