"""By which limits readings are asked about: those of the ruleset that each of them names.

So the agent follows the stream: readings that new rules concern are sent again under their version,
and are asked about anew. A version that nobody has heard of yet is looked up once.
"""

from __future__ import annotations

from collections.abc import Iterable

from weather.limits import Buddies
from weather.parameters import PARAMETERS, parameter_of
from weather.ruleset import DEFAULT, Ruleset
from weather.ruleset_history import RulesetHistory


class Rules:
    """The rulesets that are known, and the versions that could not be found."""

    def __init__(self, history: RulesetHistory, now: int, strange: Iterable[str] = ()) -> None:
        """``now``: in UTC microseconds; what holds then stands in for versions that are lost."""
        self._by_version = {one.version: one for one in (DEFAULT, *history.rulesets)}
        self._usual = history.at(now)
        self._strange = {*strange}

    def limits(self, parameter: str, version: str) -> Buddies | None:
        """Give the limits that a ruleset has for a parameter."""
        return _limits(self._by_version.get(version, self._usual), parameter)

    def radius(self, parameter: str) -> float:
        """Say how far any ruleset looks, in metres; 0 where none does."""
        every = (_limits(one, parameter) for one in (*self._by_version.values(), self._usual))
        return max((one.radius for one in every if one is not None), default=0.0)

    @property
    def parameters(self) -> list[str]:
        """Give the parameters that any ruleset has limits for."""
        return [name for name in PARAMETERS if self.radius(name)]

    def news(self, versions: Iterable[str]) -> set[str]:
        """Give the versions that ought to be looked up."""
        return {*versions} - self._by_version.keys() - self._strange


def _limits(ruleset: Ruleset, parameter: str) -> Buddies | None:
    return ruleset.limits_of(parameter, parameter_of(parameter).main.name).buddies
