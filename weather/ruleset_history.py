"""Which ruleset judges a reading: the one that was valid when it was observed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Micros
from weather.ruleset import DEFAULT, Ruleset


class RulesetHistory:
    """Rulesets by the observation time from which each is valid, until the next one is.

    Before all of them the default one is. Of two from one time the later given is; so a reading is
    judged alike whenever it arrives, and again by every replay.

    >>> from dataclasses import replace
    >>> history = RulesetHistory([replace(DEFAULT, version="summer", valid_from=100)])
    >>> [(rules.version, rows.tolist()) for rules, rows in history.parted(np.array([99, 100]))]
    [('default-3', [True, False]), ('summer', [False, True])]
    """

    def __init__(self, rulesets: Iterable[Ruleset] = ()) -> None:
        by_time = {ruleset.valid_from: ruleset for ruleset in (DEFAULT, *rulesets)}
        self.rulesets = tuple(by_time[at] for at in sorted(by_time))
        self._from = np.array([ruleset.valid_from for ruleset in self.rulesets], np.int64)

    def numbers(self, observed: Micros) -> NDArray[np.int64]:
        """Give for each reading the place of its ruleset in ``rulesets``."""
        return np.searchsorted(self._from, observed, side="right") - 1

    def parted(self, observed: Micros) -> list[tuple[Ruleset, Bools]]:
        """Part readings by their ruleset; each comes with its readings, as a mask of shape (n,)."""
        number = self.numbers(observed)
        return [(self.rulesets[place], number == place) for place in np.unique(number).tolist()]

    def since(self, other: RulesetHistory) -> int | None:
        """Say from which observation time on the two judge differently; None where they never do.

        What was observed from then on has to be judged again.
        """
        for at in sorted({one.valid_from for one in (*self.rulesets, *other.rulesets)}):
            one, two = self.at(at), other.at(at)
            if (one.limits, one.overrides, one.version) != (two.limits, two.overrides, two.version):
                return at
        return None

    def at(self, time: int) -> Ruleset:
        """Give the ruleset that judges what is observed then."""
        return self.rulesets[int(self.numbers(np.array([time]))[0])]
