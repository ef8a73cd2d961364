"""Limits for some classes of station: they hold between neighbours too, whatever was told when."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream_app.metadata.sensors import Sensor
from tests.again_model import Model
from tests.unit.stream_fakes import interval, metadata
from tests.unit.test_stream_again_rounds import MINUTE, START, reading
from weather.limits import Step
from weather.ruleset import DEFAULT, Override, Ruleset
from weather.ruleset_history import RulesetHistory

pytestmark = pytest.mark.requirement("B6")

SENSOR = "JFK:temperature"
JUMPS = [20.0, 20.2, 24.4, 24.6]
"""The third is 4.2 degrees above the second: more than any station may rise in a minute."""


def sited(*classes: int) -> Ruleset:
    """Give rules that let stations of some classes rise by nine degrees in a minute."""
    usual = DEFAULT.limits_of("temperature", "value")
    lenient = replace(usual, steps=(Step(1, 9.0),), spike=None)
    override = Override("temperature", "value", lenient, classes=classes)
    return replace(DEFAULT, version="sited", overrides=(override,))


def steps(model: Model) -> list[int]:
    records = sorted(model.final().values(), key=lambda one: one["observed_at"])
    return [record["flag_step"] for record in records]


def told(siting: int | None, **changes: int) -> dict[str, object]:
    return metadata(SENSOR, interval(0, station_class=siting, **changes))


@pytest.mark.parametrize(
    ("siting", "flag"), [(4, 1), (5, 1), (1, 3), (None, 3)], ids=["four", "five", "one", "none"]
)
@pytest.mark.parametrize("first", [0, 2, 3, 4], ids=lambda n: f"told-behind-{n}")
def test_a_step_is_judged_by_the_limits_of_the_stations_class(
    siting: int | None, flag: int, first: int
) -> None:
    model = Model([reading("temperature", m, v) for m, v in enumerate(JUMPS)], sited(4, 5))
    model.batch(first)
    model.table.tell(told(siting))
    model.finish()
    assert steps(model) == [2, 1, flag, 1]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1)])
def test_what_comes_late_is_judged_by_the_class_of_its_time(order: tuple[int, ...]) -> None:
    """It was of class 4 until the minute of the jump, and of class 1 from then on."""
    model = Model([reading("temperature", m, JUMPS[m]) for m in order], sited(4))
    moved = START + 2 * MINUTE
    first = interval(0, moved, station_class=4)
    model.table.tell(metadata(SENSOR, first, interval(moved, station_class=1)))
    for _ in order:
        model.batch(1)
    assert steps(model) == [2, 1, 3, 1]


def test_a_class_is_that_of_the_interval_in_which_a_time_lies() -> None:
    sensor = Sensor(metadata(SENSOR, interval(10, 20, station_class=2), interval(30)))
    assert sensor.classes(np.array([9, 10, 19, 20, 29, 30])).tolist() == [0, 2, 2, 0, 0, 0]
    assert Sensor(metadata(SENSOR)).classes(np.array([5])).tolist() == [0]


def test_of_classes_is_only_asked_where_limits_depend_on_them() -> None:
    month = Override("temperature", "value", DEFAULT.limits_of("temperature", "value"), months=(1,))
    assert RulesetHistory([sited(4)]).by_class
    assert not RulesetHistory([replace(DEFAULT, overrides=(month,))]).by_class


@pytest.mark.parametrize(("siting", "flag"), [(4, 4), (1, 1)])
def test_amounts_from_a_counter_are_judged_by_the_class_too(siting: int, flag: int) -> None:
    usual = DEFAULT.limits_of("rainfall", "value")
    strict = replace(usual, amounts=(Step(1, 0.5, fail=1.0),))
    override = Override("rainfall", "value", strict, classes=(4,))
    rules = replace(DEFAULT, version="sited", overrides=(override,))
    totals = [reading("rainfall", m, v) for m, v in enumerate((3.0, 3.2, 5.2))]
    model = Model(totals, rules, counter="daily")
    model.table.tell(metadata("JFK:rainfall", interval(0, station_class=siting)))
    model.finish()
    last = max(model.final().values(), key=lambda one: one["observed_at"])
    assert last["flag_range"] == flag
