"""From models to a ruleset: thresholds for a wanted rate of alerts, beside the rules that hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from operate.audit import operator
from operate.board import board
from operate.settings import Settings
from producers.reading.times import now_micros
from schemas.rulesets import PublishedRuleset
from stream_app.rulesets.table import Rulesets
from weather.anomaly import Anomaly
from weather.parameters import parameter_of
from weather.ruleset import Override, Ruleset

_MARK: Final = "+anomaly-"


def with_models(base: Ruleset, version: str, models: Mapping[str, Anomaly]) -> Ruleset:
    """Put models into a ruleset, by parameter; overrides of a measure have its model, too.

    >>> from weather.ruleset import DEFAULT
    >>> with_models(replace(DEFAULT, version="mine"), "1", {}).version
    'mine+anomaly-1'
    """
    named = {(name, parameter_of(name).main.name): model for name, model in models.items()}
    limits = {
        name: replace(one, anomaly=named.get(name, one.anomaly))
        for name, one in base.limits.items()
    }
    overrides = tuple(_with_model(one, named) for one in base.overrides)
    version = f"{base.version.partition(_MARK)[0]}{_MARK}{version}"
    return replace(base, version=version, limits=MappingProxyType(limits), overrides=overrides)


def without_models(base: Ruleset, version: str) -> Ruleset:
    """Take all models out of a ruleset."""
    limits = {name: replace(one, anomaly=None) for name, one in base.limits.items()}
    overrides = tuple(
        one._replace(limits=replace(one.limits, anomaly=None)) for one in base.overrides
    )
    version = f"{base.version.partition(_MARK)[0]}{_MARK}{version}"
    return replace(base, version=version, limits=MappingProxyType(limits), overrides=overrides)


def publish(
    settings: Settings, models: Mapping[str, Anomaly] | None, since: int | None, why: str
) -> PublishedRuleset:
    """Publish the ruleset that holds at a time with models put in; None takes all of them out.

    It judges what is observed from then on (UTC microseconds; now, where nothing is said).

    Raises:
        AosError: brokers or registry do not answer, or somebody else is at it.
    """
    now = now_micros()
    at = now if since is None else since
    with board(settings, settings.topics.rulesets) as place, place.changing() as put:
        known = [PublishedRuleset.of_record(record).ruleset for record in place.records()]
        base = Rulesets(*known).history.at(at)
        stamp = str(now // 1_000_000)
        made = without_models(base, stamp) if models is None else with_models(base, stamp, models)
        found = PublishedRuleset(replace(made, valid_from=at), operator(), why, now)
        put(found.ruleset.version, found.to_record())
    return found


def carried(settings: Settings) -> dict[str, str]:
    """Say which ruleset carries which models: the ruleset by the model's version."""
    with board(settings, settings.topics.rulesets) as place:
        known = [PublishedRuleset.of_record(record).ruleset for record in place.records()]
    return {
        limits.anomaly.version: ruleset.version
        for ruleset in known
        for limits in ruleset.limits.values()
        if limits.anomaly is not None
    }


def judging(settings: Settings) -> set[str]:
    """Name the models by which readings of this moment are judged; none where none is published."""
    return {model.version for model in holding(settings).values()}


def holding(settings: Settings) -> dict[str, Anomaly]:
    """Give the models by which readings of this moment are judged, by parameter."""
    with board(settings, settings.topics.rulesets) as place:
        known = [PublishedRuleset.of_record(record).ruleset for record in place.records()]
    limits = Rulesets(*known).history.at(now_micros()).limits
    return {name: one.anomaly for (name, _), one in limits.items() if one.anomaly is not None}


def _with_model(one: Override, models: Mapping[tuple[str, str], Anomaly]) -> Override:
    model = models.get((one.parameter, one.measure), one.limits.anomaly)
    return one._replace(limits=replace(one.limits, anomaly=model))
