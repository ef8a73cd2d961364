"""Which ruleset judges a reading: the one that was valid when it was observed."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Micros
from weather.ruleset import DEFAULT, FOR_EVER, Ruleset


class RulesetHistory:
    """Rulesets by the observation time from which each is valid, until the next one is or it ends.

    Before all of them the default one is. Of two from one time the later given is; so a reading is
    judged alike whenever it arrives, and again by every replay. Where one ends, that holds again
    which would hold without it.

    >>> from dataclasses import replace
    >>> history = RulesetHistory([replace(DEFAULT, version="summer", valid_from=100)])
    >>> [(rules.version, rows.tolist()) for rules, rows in history.parted(np.array([99, 100]))]
    [('default-4', [True, False]), ('summer', [False, True])]
    >>> history = RulesetHistory([replace(DEFAULT, version="may", valid_from=5, valid_until=9)])
    >>> [rules.version for rules in history.rulesets], history.starts[1:]
    (['default-4', 'may', 'default-4'], (5, 9))
    """

    def __init__(self, rulesets: Iterable[Ruleset] = ()) -> None:
        given = (DEFAULT, *rulesets)
        bounds = {bound for one in given for bound in (one.valid_from, one.valid_until)}
        pieces: list[tuple[int, Ruleset]] = []
        for at in sorted(bounds - {FOR_EVER}):
            holds = _holding(given, at)
            if not pieces or pieces[-1][1] is not holds:
                pieces.append((at, holds))
        self.starts = tuple(at for at, _ in pieces)
        """From when each of ``rulesets`` holds, until the next one does."""
        self.rulesets = tuple(one for _, one in pieces)
        """What holds, piece by piece; one that is interrupted stands there more than once."""
        self.by_class = any(o.classes for one in self.rulesets for o in one.overrides)
        """Whether any limits depend on the class of a station."""
        self._from = np.array(self.starts, np.int64)

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
        for at in sorted({*self.starts, *other.starts}):
            one, two = self.at(at), other.at(at)
            if (one.limits, one.overrides, one.version) != (two.limits, two.overrides, two.version):
                return at
        return None

    def at(self, time: int) -> Ruleset:
        """Give the ruleset that judges what is observed then."""
        return self.rulesets[int(self.numbers(np.array([time]))[0])]


def _holding(rulesets: Iterable[Ruleset], at: int) -> Ruleset:
    """Find what holds then: of those that cover it the one that began last, of equals the last."""
    covering = [one for one in rulesets if one.valid_from <= at < one.valid_until]
    began = max(one.valid_from for one in covering)
    return next(one for one in reversed(covering) if one.valid_from == began)
