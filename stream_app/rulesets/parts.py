"""Parting what is observed by the rulesets that hold; at no cost where one holds for all."""

from __future__ import annotations

import numpy as np

from schemas.columnar import Integers
from weather.arrays import Micros
from weather.ruleset import Ruleset
from weather.ruleset_history import RulesetHistory

_ALL = slice(None)


def parted(history: RulesetHistory, observed: Micros) -> list[tuple[Ruleset, Integers | slice]]:
    """Give each ruleset that holds at some of the times, and at which: a slice where at all.

    >>> from dataclasses import replace
    >>> from weather.ruleset import DEFAULT
    >>> history = RulesetHistory([replace(DEFAULT, version="mine", valid_from=5)])
    >>> [(ruleset.version, rows) for ruleset, rows in parted(history, np.array([5, 9]))]
    [('mine', slice(None, None, None))]
    """
    if len(history.rulesets) == 1:
        return [(history.rulesets[0], _ALL)]
    found = history.parted(observed)
    if len(found) == 1:
        return [(found[0][0], _ALL)]
    return [(ruleset, np.flatnonzero(mask)) for ruleset, mask in found]
