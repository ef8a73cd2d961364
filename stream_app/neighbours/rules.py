"""By which limits and models readings are asked about: those of the ruleset that each names.

So the agent follows the stream: readings that new rules concern are sent again under their version,
and are asked about anew. A version that nobody has heard of yet is looked up once.
"""

from __future__ import annotations

from collections.abc import Iterable

from weather.company import Company
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

    def limits(self, parameter: str, version: str, month: int) -> Buddies | None:
        """Give the limits that a ruleset has for a parameter in a month, 1 to 12.

        Those of a class are for none: neighbours are of all classes.
        """
        return _limits(self._by_version.get(version, self._usual), parameter, month)

    def company(self, parameter: str, version: str) -> Company | None:
        """Give the model of a parameter beside its neighbours that a ruleset carries, if any."""
        return _company(self._by_version.get(version, self._usual), parameter)

    def radius(self, parameter: str) -> float:
        """Say how far any ruleset or its model looks in any month, in metres; 0 for nowhere."""
        every = [*self._by_version.values(), self._usual]
        found = (_limits(one, parameter, month) for one in every for month in range(1, 13))
        models = (_company(one, parameter) for one in every)
        radii = [one.radius for one in found if one is not None]
        return max([0.0, *radii, *(one.around.radius for one in models if one is not None)])

    @property
    def parameters(self) -> list[str]:
        """Give the parameters that any ruleset has limits for."""
        return [name for name in PARAMETERS if self.radius(name)]

    def news(self, versions: Iterable[str]) -> set[str]:
        """Give the versions that ought to be looked up."""
        return {*versions} - self._by_version.keys() - self._strange


def _limits(ruleset: Ruleset, parameter: str, month: int) -> Buddies | None:
    main = parameter_of(parameter).main.name
    found = ruleset.limits_of(parameter, main)
    for one in ruleset.overrides:
        mine = (one.parameter, one.measure) == (parameter, main) and not one.classes
        if mine and (not one.months or month in one.months):
            found = one.limits
    return found.buddies


def _company(ruleset: Ruleset, parameter: str) -> Company | None:
    anomaly = ruleset.limits_of(parameter, parameter_of(parameter).main.name).anomaly
    return None if anomaly is None else anomaly.company
