"""The share of false flags, from flagged readings that were looked at by hand.

In the manner of GHCN-Daily's quality control (Durre et al. 2010): each flagged reading of a sample
is looked at in its window, and judged: rightly flagged, falsely, or not to be said.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from typing import Final, NamedTuple

from operate.quality.catalogue import markdown

_Z: Final = 1.959963984540054
"""The normal deviate of 95 %."""
JUDGEMENTS: Final = ("right", "false", "unclear")


class Interval(NamedTuple):
    """A part of a whole, with the ends of its 95 % interval."""

    part: float
    low: float
    high: float


def wilson(hits: int, of: int) -> Interval:
    """Give a binomial share with Wilson's interval, which holds for few and for none, too.

    >>> [round(one, 3) for one in wilson(0, 10)]
    [0.0, 0.0, 0.278]

    Raises:
        ValueError: there is nothing to take a part of.
    """
    if of < 1:
        problem = "no readings were judged"
        raise ValueError(problem)
    part, square = hits / of, _Z * _Z / of
    middle = (part + square / 2) / (1 + square)
    half = _Z * math.sqrt(part * (1 - part) / of + square / (4 * of)) / (1 + square)
    return Interval(part, max(0.0, middle - half), min(1.0, middle + half))


def told(document: str) -> str:
    """Write what the judgements come to, as Markdown; by test, and over all.

    Raises:
        ValueError: a line says something else than right, false or unclear.
    """
    found: dict[str, Counter[str]] = {}
    for row in csv.DictReader(io.StringIO(document)):
        if row["judgement"] not in JUDGEMENTS:
            problem = f"{row['judgement']!r} is no judgement: they are {', '.join(JUDGEMENTS)}"
            raise ValueError(problem)
        found.setdefault(row["test"], Counter())[row["judgement"]] += 1
    every: Counter[str] = sum(found.values(), Counter())
    return markdown([_row(test, found[test]) for test in sorted(found)] + [_row("all", every)])


def _row(test: str, counted: Counter[str]) -> dict[str, object]:
    decided = counted["right"] + counted["false"]
    share = "-"
    if decided:
        interval = wilson(counted["false"], decided)
        share = (
            f"{100 * interval.part:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f} %)"
        )
    return {
        "test": test,
        "looked at": sum(counted.values()),
        **{name: counted[name] for name in JUDGEMENTS},
        "false, of those decided (95 %)": share,
    }
