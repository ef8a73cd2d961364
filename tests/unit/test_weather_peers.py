"""Our flags beside those of ioos_qc and titanlib: vectors, real days, fields of stations."""

from __future__ import annotations

import gzip
import json
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.peers_data import RECORDED, Asked, fields, series
from weather.arrays import Flags
from weather.limits import Buddies, FlatLine, Height, Span, Spike, Step
from weather.qc.buddy import Places, buddy_test
from weather.qc.climate import climate_test
from weather.qc.flags import Flag
from weather.qc.flat_line import flat_line_test
from weather.qc.range import range_test
from weather.qc.series import Neighbours, Past, neighbours
from weather.qc.spike import spike_test
from weather.qc.step import step_test

pytestmark = pytest.mark.requirement("B6", "E3")

ASKED = {asked.name: asked for asked in series()}
EVERY = pytest.mark.parametrize("name", ASKED)
REAL = pytest.mark.parametrize("name", [name for name in ASKED if " " in name])
SECOND = 1_000_000


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return found


def theirs(name: str, test: str) -> list[int]:
    return [int(flag) for flag in recorded()["series"][name][test]]


def around(asked: Asked) -> Neighbours:
    n = len(asked.values)
    live = np.ones(n, np.bool_)
    at = asked.seconds * SECOND
    return neighbours(at, asked.values, live, np.array([n]), Past.nothing(1))


def ours(flags: Flags, asked: Asked) -> list[int]:
    return np.where(np.isnan(asked.values), Flag.MISSING, flags).tolist()


def test_the_answers_are_those_of_the_libraries_that_the_documents_name() -> None:
    assert (recorded()["ioos_qc"], recorded()["titanlib"]) == ("3.0.0", "0.4.0")
    assert set(recorded()["series"]) == set(ASKED)


@EVERY
def test_ranges_are_flagged_as_ioos_qc_flags_them(name: str) -> None:
    suspect, fail = (Span(*span) for span in ASKED[name].span)
    assert range_test(ASKED[name].values, fail, suspect).tolist() == theirs(name, "range")


@EVERY
def test_climates_are_flagged_as_ioos_qc_flags_them_but_what_is_missing_is_9(name: str) -> None:
    asked = ASKED[name]
    months = np.full(len(asked.values), 5)
    flags = climate_test(asked.values, months, [Span(*asked.span[0])] * 12)
    there = ~np.isnan(asked.values)
    assert flags[there].tolist() == np.array(theirs(name, "climate"))[there].tolist()
    assert (flags[~there] == Flag.MISSING).all()


@EVERY
@pytest.mark.parametrize("height", Height)
def test_spikes_are_flagged_as_ioos_qc_flags_them_by_either_method(
    name: str, height: Height
) -> None:
    asked, found = ASKED[name], around(ASKED[name])
    limits = Spike(*asked.spike, within_minutes=60, height=height)
    flags = spike_test(found.rise, found.fall, found.elapsed, found.to_behind, limits)
    expected = np.array(theirs(name, height.value))
    if height is Height.DIFFERENTIAL:
        # One that did not jump cannot become a spike, whatever comes: we say so, and they wait.
        calm = (np.abs(found.rise) <= limits.suspect) & np.isnan(found.fall)
        expected[calm & (expected == Flag.NOT_EVALUATED)] = Flag.GOOD
    assert ours(flags, asked) == expected.tolist()


@EVERY
def test_steps_are_flagged_as_ioos_qc_flags_them_but_for_the_first(name: str) -> None:
    asked, found = ASKED[name], around(ASKED[name])
    flags = step_test(found.change, found.elapsed, [Step(60, *asked.change)])
    assert ours(flags, asked)[1:] == theirs(name, "step")[1:]
    assert flags[0] == Flag.NOT_EVALUATED


@REAL
def test_flat_lines_of_real_days_are_flagged_as_ioos_qc_flags_them(name: str) -> None:
    asked, found = ASKED[name], around(ASKED[name])
    soon, late = asked.flat_seconds
    limits = FlatLine(soon / 60, late / 60, resolution=1e9, readings=1)
    at = asked.seconds * SECOND
    stood, count = at - found.past.since, found.past.length
    flags = flat_line_test(asked.values, stood, count, found.resolution, limits)
    moved = int(np.flatnonzero(np.diff(asked.values))[0])  # before, its resolution is not known
    assert flags[moved:].tolist() == theirs(name, "flat_line")[moved:]


@pytest.mark.requirement("B6")
@pytest.mark.parametrize("number", range(40))
def test_stations_are_flagged_by_their_neighbours_as_titanlib_flags_them(number: int) -> None:
    field = list(fields())[number]
    places = Places(field.latitude, field.longitude, field.elevation)
    limits = Buddies(
        *(50_000.0, 200.0, 5),
        suspect=field.threshold,
        fail=field.threshold,
        least_spread=1.0,
        gradient=field.gradient,
    )
    flags = buddy_test(places, field.values, limits, rounds=field.rounds)
    expected = [int(flag) for flag in recorded()["fields"][number]]
    assert (flags == Flag.FAIL).astype(int).tolist() == expected


def test_the_recorded_fields_hold_errors_that_are_found() -> None:
    found = [answer.count("1") for answer in recorded()["fields"]]
    assert sum(found) > 100
