"""Rulesets as data: written and read again, refused where they make no sense, chosen by time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from weather.dense import DENSE
from weather.korea import KOREA
from weather.limits import Height, Limits, Span
from weather.parameters import PARAMETERS
from weather.qc.climate import climate_test
from weather.ruleset import ALWAYS, DEFAULT, Override, Ruleset, months_of
from weather.ruleset_history import RulesetHistory
from weather.ruleset_text import from_plain, to_plain
from weather.time import parse_local

pytestmark = pytest.mark.requirement("B6")

TEMPERATURE = ("temperature", "value")
WINTER = Override(
    *TEMPERATURE,
    replace(DEFAULT.limits_of(*TEMPERATURE), suspect=Span(-30.0, 20.0), spike=None),
    classes=(4, 5),
    months=(12, 1, 2),
)
SEOUL = replace(KOREA, version="seoul-1", overrides=(WINTER,), valid_from=1_772_323_200_000_000)


AROUND = {
    "radius": 1,
    "elevation": 1,
    "least": 5,
    "suspect": 2,
    "fail": 3,
    "least_spread": 1,
}


def plain(**changes: Any) -> dict[str, Any]:
    """Give a small ruleset as plain data, changed."""
    limits = {"temperature.value": {"fail": [-40, 60]}}
    return {"version": "lab-1", "limits": limits, **changes}


def limited(**limits: Any) -> dict[str, Any]:
    return plain(limits={"temperature.value": {"fail": [-40, 60], **limits}})


@pytest.mark.parametrize("ruleset", [DEFAULT, KOREA, DENSE, SEOUL], ids=lambda one: one.version)
def test_a_ruleset_is_the_same_after_json(ruleset: Ruleset) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(ruleset), allow_nan=False))) == ruleset


def test_an_override_tells_only_what_differs() -> None:
    (told,) = to_plain(SEOUL)["overrides"]
    assert told == {
        "measure": "temperature.value",
        "classes": [4, 5],
        "months": [12, 1, 2],
        "limits": {"suspect": [-30.0, 20.0], "spike": None, "fail": [-80.0, 60.0], "climate": None},
    }
    assert to_plain(SEOUL)["valid_from"] == "2026-03-01T00:00:00Z"


def test_every_part_of_a_ruleset_can_be_told() -> None:
    read = from_plain(
        limited(
            suspect=[-30, 50],
            climate=[[-40, 30]] * 12,
            steps=[{"minutes": 1, "suspect": 3, "fail": 9}, {"minutes": 60, "suspect": 7}],
            spike={"suspect": 3, "fail": 9, "within_minutes": 60, "height": "average"},
            flat_line={"suspect_minutes": 180, "fail_minutes": 720, "resolution": 0.1},
            rises_only=True,
        )
    ).limits_of(*TEMPERATURE)
    assert (read.suspect, read.climate[11], read.rises_only) == ((-30, 50), (-40, 30), True)
    assert (read.steps[0].fail, read.steps[1].fail) == (9, np.inf)
    assert read.spike is not None
    assert read.spike.height is Height.AVERAGE
    assert read.flat_line is not None
    assert read.flat_line.readings == 24


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (plain(version=None), "the ruleset has no 'version'"),
        (plain(version=" "), "it has no version"),
        (plain(version="a", extra=1), "tells of 'extra': known are version, valid_from"),
        (plain(valid_from="2026-03-01"), "give its zone too"),
        (plain(limits={"snow.depth": {"fail": [0, 1]}}), "unknown parameter 'snow'"),
        (plain(limits={"temperature.value": {}}), "temperature.value has no 'fail'"),
        (plain(limits=[1]), "limits is .* give an object"),
        (limited(fail=[1]), "give the lowest and the highest value"),
        (limited(fail=[60, -40]), "60.0 to -40.0 is no range"),
        (limited(fail=["a", 1]), "is 'a': give a number"),
        (limited(fail=[True, 1]), "is True: give a number"),
        (limited(fail=4), "is 4: give a list"),
        (limited(steps=[{"minutes": 1}]), "temperature.value.steps has no 'suspect'"),
        (limited(steps=[{"minutes": 1, "suspect": 3, "speed": 1}]), "tells of 'speed'"),
        (limited(steps=[{"minutes": 1, "suspect": 3, "fail": 2}]), "what fails must be more"),
        (
            limited(steps=[{"minutes": 60, "suspect": 3}, {"minutes": 1, "suspect": 3}]),
            "steps do not stand in rising order",
        ),
        (
            plain(
                overrides=[
                    {"measure": "temperature.value", "classes": [4], "limits": {"buddies": AROUND}}
                ]
            ),
            "neighbours for some classes: they are of all",
        ),
        (limited(climate=[[0, 1]]), "a climate has 12 months, not 1"),
        (limited(spike={"suspect": 3, "fail": 1, "within_minutes": 9}), "what fails must be more"),
        (
            limited(flat_line={"suspect_minutes": 9, "fail_minutes": 1, "resolution": 0.1}),
            "a flat line needs positive times",
        ),
        (limited(factor={"minutes": 60, "suspect": 1, "least": 0}), "a factor needs positive"),
        (plain(overrides=[{"measure": "wind.gust"}]), "wind.gust, which has no limits to override"),
        (
            plain(overrides=[{"measure": "temperature.value", "months": [13]}]),
            "names a month that is not 1 to 12",
        ),
        (
            plain(overrides=[{"measure": "temperature.value", "classes": [0]}]),
            "names a class that is not 1 to 5",
        ),
        (plain(overrides=[{"months": [1]}]), "an override has no 'measure'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(told: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        from_plain(told)


def test_limits_are_those_of_class_and_month() -> None:
    classes, months = np.array([5, 5, 1, 4]), np.array([1, 7, 1, 12])
    cases = SEOUL.cases(*TEMPERATURE, classes, months)
    assert [(limits.suspect, rows.tolist()) for limits, rows in cases] == [
        (None, [False, True, True, False]),
        (Span(-30.0, 20.0), [True, False, False, True]),
    ]
    assert SEOUL.depends(*TEMPERATURE)
    assert not SEOUL.depends("wind", "gust")
    everywhere = SEOUL.cases("wind", "gust", classes, months)
    assert [rows.all() for _, rows in everywhere] == [True]
    assert SEOUL.cases(*TEMPERATURE, classes[:0], months[:0]) == []


def test_of_two_overrides_the_last_one_holds() -> None:
    anywhere = Override(*TEMPERATURE, Limits(Span(-1, 1)))
    both = replace(SEOUL, overrides=(WINTER, anywhere))
    ((limits, _),) = both.cases(*TEMPERATURE, np.array([5]), np.array([1]))
    assert limits.fail == Span(-1, 1)


def test_a_korean_july_is_never_freezing_and_a_siberian_january_may_be() -> None:
    usual = KOREA.limits_of(*TEMPERATURE).climate
    months = np.array([7, 7, 1, 1, 1])
    values = np.array([4.9, 5.0, -40.0, -40.1, np.nan])
    assert climate_test(values, months, usual).tolist() == [3, 1, 1, 3, 9]
    assert climate_test(values, months, ()).tolist() == [2] * 5
    with pytest.raises(ValueError, match="12 months, this one 1"):
        climate_test(values, months, usual[:1])


def test_months_are_those_of_the_calendar_before_and_after_1970() -> None:
    texts = ["1969-12-31 23:59", "1970-01-01 00:00", "2013-02-28 24:00", "2016-02-29 12:00"]
    at = np.array([parse_local(text) for text in texts], np.int64)
    assert months_of(at).tolist() == [12, 1, 3, 2]
    assert months_of(at[:0]).tolist() == []


def test_a_reading_is_judged_by_what_was_valid_when_it_was_observed() -> None:
    summer, winter = (replace(DEFAULT, version=v, valid_from=t) for v, t in (("s", 10), ("w", 20)))
    history = RulesetHistory([winter, summer])
    observed = np.array([9, 10, 19, 20, 5])
    assert [history.rulesets[number].version for number in history.numbers(observed)] == [
        *("default-4", "s", "s", "w", "default-4")
    ]
    parts = {ruleset.version: rows.tolist() for ruleset, rows in history.parted(observed[:3])}
    assert parts == {"default-4": [True, False, False], "s": [False, True, True]}
    assert history.parted(observed[:0]) == []


def test_what_changes_is_judged_again_from_where_it_changes() -> None:
    summer = replace(DEFAULT, version="s", valid_from=10)
    before, after = RulesetHistory(), RulesetHistory([summer])
    assert before.since(RulesetHistory()) is None
    assert before.since(after) == after.since(before) == 10
    other = RulesetHistory([replace(KOREA, valid_from=ALWAYS)])
    assert after.since(other) == ALWAYS
    assert other.at(5).version == "korea-2"


def test_every_built_in_ruleset_limits_every_measure() -> None:
    for parameter in PARAMETERS.values():
        for measure in parameter.measures:
            for ruleset in (DEFAULT, KOREA):
                low, high = ruleset.range_of(parameter.name, measure.name)
                assert low < high
