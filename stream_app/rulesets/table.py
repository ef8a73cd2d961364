"""The rulesets that hold now, each from an observation time on.

There is one table for all partitions of a worker. Its history is replaced as a whole, never
changed: whoever has it in hand judges by one set of rules to the end.
"""

from __future__ import annotations

from weather.ruleset import Ruleset
from weather.ruleset_history import RulesetHistory


class Rulesets:
    """Rulesets by version; of one version the last that was published holds.

    >>> from weather.ruleset import DEFAULT
    >>> Rulesets().history.at(0) is DEFAULT
    True
    """

    def __init__(self, *rulesets: Ruleset) -> None:
        self._by_version: dict[str, Ruleset] = {}
        self.history = RulesetHistory()
        for ruleset in rulesets:
            self.put(ruleset)

    def put(self, ruleset: Ruleset) -> None:
        """Take in a ruleset; published again, it stands behind all others and where it is told."""
        self._by_version.pop(ruleset.version, None)
        self._by_version[ruleset.version] = ruleset
        self.history = RulesetHistory(self._by_version.values())

    def drop(self, version: str) -> None:
        """Forget a ruleset: what was before it holds again."""
        self._by_version.pop(version, None)
        self.history = RulesetHistory(self._by_version.values())
