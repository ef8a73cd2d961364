"""Readings that took too long, or came before their time: by the limits of their ruleset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.again_model import Model
from tests.unit.stream_fakes import interval, metadata
from tests.unit.test_stream_again_rounds import MINUTE, START, reading
from weather.limits import Timeliness
from weather.ruleset import DEFAULT, Override, Ruleset
from weather.ruleset_text import from_plain, to_plain

pytestmark = pytest.mark.requirement("B6", "E3")

NAME = "temperature", "value"
DELAYS = (1, 59, 60, 61, 600)
"""Minutes from the observation until the row was read."""


def rules(limits: Timeliness, **where: Any) -> Ruleset:
    usual = DEFAULT.limits_of(*NAME)
    told = replace(usual, timeliness=limits)
    if where:
        return replace(DEFAULT, version="mine", overrides=(Override(*NAME, told, **where),))
    return replace(DEFAULT, version="mine", limits={**DEFAULT.limits, NAME: told})


def delayed(delay: int, number: int = 0, parameter: str = "temperature") -> tuple[str, Any]:
    at = START + number * MINUTE
    _, record = reading(parameter, number, 20.0)
    return parameter, {**record, "extracted_at": at + delay * MINUTE}


def judged(ruleset: Ruleset, *, first: int = 0) -> Model:
    model = Model([delayed(delay, n) for n, delay in enumerate(DELAYS)])
    model.batch(first)
    model.table.publish(ruleset)
    model.table.tell(metadata("JFK:temperature", interval(0, station_class=4)))
    model.finish()
    return model


def told(model: Model) -> list[tuple[int, str | None]]:
    records = sorted(model.final().values(), key=lambda one: one["observed_at"])
    return [(record["flag_time"], record["reason"]) for record in records]


GOOD, LATE = (1, None), (3, "late,low_score")


@pytest.mark.parametrize("first", [0, 3, 5], ids=lambda n: f"published-behind-{n}")
def test_a_reading_is_late_beyond_the_limit_of_its_ruleset_whenever_that_was_told(
    first: int,
) -> None:
    model = judged(rules(Timeliness(late_minutes=60)), first=first)
    assert told(model) == [GOOD, GOOD, GOOD, LATE, LATE]


def test_no_reading_is_late_by_default() -> None:
    assert told(judged(replace(DEFAULT, version="mine"))) == [GOOD] * 5


@pytest.mark.parametrize(
    ("where", "late"),
    [
        ({"classes": (4, 5)}, True),
        ({"classes": (1,)}, False),
        ({"months": (7,)}, True),
        ({"months": (1, 2)}, False),
    ],
    ids=str,
)
def test_the_limit_may_be_one_of_a_class_or_of_months(where: Any, late: bool) -> None:
    model = judged(rules(Timeliness(late_minutes=60), **where))
    assert told(model)[3:] == [LATE if late else GOOD] * 2


def test_the_tolerance_of_times_to_come_is_the_rulesets_where_it_has_one() -> None:
    ahead = [delayed(-4, 0), delayed(-4, 0, "humidity")]
    found = {}
    for minutes in (3.0, 5.0):
        model = Model(ahead, rules(Timeliness(future_minutes=minutes)))
        model.finish()
        found[minutes] = {r["parameter"]: r["flag_time"] for r in model.final().values()}
    assert found == {
        3.0: {"temperature": 3, "humidity": 1},
        5.0: {"temperature": 1, "humidity": 1},
    }


def test_a_late_reading_that_is_not_to_be_judged_is_not() -> None:
    model = Model([delayed(600)], rules(Timeliness(late_minutes=60)), validate=False)
    model.finish()
    (record,) = model.final().values()
    assert (record["flag_time"], record["reason"]) == (2, "no_metadata")


def test_a_limit_survives_json_and_one_that_makes_no_sense_is_refused() -> None:
    mine = rules(Timeliness(late_minutes=60))
    plain = to_plain(mine)
    assert plain["limits"]["temperature.value"]["timeliness"] == {"late_minutes": 60}
    assert from_plain(plain) == mine
    for wrong in ({"late_minutes": 0}, {"future_minutes": -1}, {"future_minutes": float("inf")}):
        plain["limits"]["temperature.value"]["timeliness"] = wrong
        with pytest.raises(ValueError, match="under way"):
            from_plain(plain)
