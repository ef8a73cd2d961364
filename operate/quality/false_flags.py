"""How many readings of healthy data are flagged: by data set, parameter, month and test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from operate.quality.course import Verdicts, is_bad
from weather.qc.flags import Flag

MOST_PERCENT: Final = 0.5
"""The most that may be flagged of any data set, parameter and month."""


@dataclass(frozen=True, slots=True)
class Count:
    """What was flagged of the readings of a month that have a value; ``tests`` only those that did.

    A reading that two tests flag counts once in ``flagged``.
    """

    data: str
    parameter: str
    month: str
    readings: int
    flagged: int
    tests: Mapping[str, int]

    @property
    def percent(self) -> float:
        """The flagged part."""
        return 100.0 * self.flagged / self.readings if self.readings else 0.0

    @property
    def holds(self) -> bool:
        """Whether that is little enough."""
        return self.percent < MOST_PERCENT

    def as_row(self) -> dict[str, Any]:
        """Give it as a line of a table."""
        told = ", ".join(f"{name} {n}" for name, n in self.tests.items())
        return {**self._plain(), "tests": told}

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        return {**self._plain(), "tests": dict(self.tests)}

    def _plain(self) -> dict[str, Any]:
        plain = asdict(self)
        plain.pop("tests")
        return {**plain, "percent": round(self.percent, 3), "holds": self.holds}


def counts(data: str, verdicts: Mapping[str, Verdicts]) -> Iterator[Count]:
    """Count what was flagged of a data set; months are those of the stations' own clocks."""
    for parameter, found in sorted(verdicts.items()):
        months = months_of(found.judged.local)
        for month in np.unique(months):
            which = (months == month) & (found.flag != Flag.MISSING)
            if which.any():
                yield _count(data, parameter, str(month), found, which)


def months_of(local: NDArray[np.int64]) -> NDArray[Any]:
    """Give the month of local times.

    >>> months_of(np.array([0])).astype(str).tolist()
    ['1970-01']
    """
    return local.astype("datetime64[us]").astype("datetime64[M]")


def _count(
    data: str, parameter: str, month: str, found: Verdicts, which: NDArray[np.bool_]
) -> Count:
    tests = {
        field.removeprefix("flag_"): int((is_bad(flags) & which).sum())
        for field, flags in found.flags.items()
    }
    flagged = int((found.bad & which).sum())
    found_tests = {name: number for name, number in tests.items() if number}
    return Count(data, parameter, month, int(which.sum()), flagged, found_tests)
