"""Readings beside hourly samples: the same in any order, and after any move of a partition."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_app.again.rehearsal import instead
from stream_app.again.task import Window
from stream_app.window import hours_kernels as kernels
from stream_app.window.entries import ENTRY, Entries
from stream_app.window.rings import K
from stream_app.window.samples import Samples
from stream_app.window.writing import DELTAS
from tests.unit.windows import MINUTE, START, Reading, Stream, expected
from weather.limits import Step
from weather.qc.hours import HOUR, HOURS, hours_test
from weather.ruleset import DEFAULT

pytestmark = pytest.mark.requirement("B3", "B4", "D4")

_GAPS = st.lists(st.sampled_from([1, 7, 20, 31, 60, 61, 150, 800]), min_size=1, max_size=60)
_SWINGS = st.sampled_from([0.0, 0.1, 1.0, -4.0, 6.9, 7.0, 7.1, -10.2, 13.0, 30.0])
_PARAMETERS = st.sampled_from(["temperature", "pressure", "humidity", "wind", "rainfall"])


@st.composite
def series(draw: st.DrawFn) -> list[Reading]:
    """Some hours of one sensor: values that come and go, some missing, some taken back."""
    parameter, gaps = draw(_PARAMETERS), draw(_GAPS)
    base = {"pressure": 1000.0}.get(parameter, 40.0)
    minutes = np.cumsum(gaps).tolist()
    found = []
    for offset, minute in enumerate(minutes):
        value = draw(st.one_of(_SWINGS, _SWINGS, st.just(np.nan)))
        gone = draw(st.integers(0, 9)) == 0
        found.append(Reading(parameter, "A", minute, base + value, deleted=gone, offset=offset))
    return found


def shuffled(readings: Sequence[Reading], seed: int) -> list[list[Reading]]:
    """Give batches of readings, none of which comes later than the window remembers."""
    source = np.random.default_rng(seed)
    keys = np.arange(len(readings)) + source.uniform(0, K - 2, len(readings))
    mixed = [readings[place] for place in np.argsort(keys)]
    cuts = sorted(source.integers(0, len(mixed) + 1, 4).tolist())
    bounds = [0, *cuts, len(mixed)]
    return [mixed[a:b] for a, b in itertools.pairwise(bounds) if a < b]


def compacted(topic: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Keep the last record of each key."""
    return list({key: (key, value) for key, value in topic}.values())


def samples_of(stream: Stream) -> list[Any]:
    """Give what is held of every series."""
    rings = stream.state.rings
    return [rings.samples.entries(row)[["at", "value"]].tolist() for row in range(len(rings))]


@settings(max_examples=150)
@given(readings=series(), seed=st.integers(0, 2**16))
def test_any_order_within_the_lateness_finds_what_hours_say(
    readings: list[Reading], seed: int
) -> None:
    stream = Stream()
    for batch in shuffled(readings, seed):
        stream.take(batch)
    assert stream.flags() == expected(readings)


@settings(max_examples=60)
@given(readings=series(), seed=st.integers(0, 2**16))
def test_samples_are_the_same_however_readings_came_and_after_a_move(
    readings: list[Reading], seed: int
) -> None:
    straight, moved = Stream(), Stream()
    straight.take(readings)
    for number, batch in enumerate(shuffled(readings, seed)):
        moved.resume(compacted(moved.topic))
        moved.state.batch = number  # what a partition has on a record of its own
        moved.take(batch)
    assert samples_of(moved) == samples_of(straight)


@settings(max_examples=25)
@given(readings=series(), seed=st.integers(0, 2**16))
def test_the_walk_does_as_it_was_written(readings: list[Reading], seed: int) -> None:
    walk: Any = kernels.look_at_hours
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "look_at_hours", walk.py_func)
        stream = Stream()
        for batch in shuffled(readings, seed):
            stream.take(batch)
    assert stream.flags() == expected(readings)


def test_a_drift_that_every_minute_allows_is_found_within_the_hour() -> None:
    drifts = [Reading("temperature", "A", m, 20.0 + 0.2 * m, offset=m) for m in range(60)]
    stream = Stream()
    for reading in drifts:
        stream.take([reading])
    flags = [found["flag_step"] for _, (_, found) in sorted(stream.flags().items())]
    begins = START // HOUR * HOUR
    first = next(r for r in drifts if START + r.minute * MINUTE >= begins + HOUR)
    assert 3 in flags
    assert flags == [f["flag_step"] for _, (_, f) in sorted(expected(drifts).items())]
    assert flags.index(3) < first.minute + 37 + 60


def test_a_level_that_changed_for_good_is_let_pass_after_twelve_hours_at_most() -> None:
    at = np.arange(0, 20 * HOUR, HOUR // 2)
    values = np.where(at < 2 * HOUR, 0.0, 27.0)
    steps = DEFAULT.limits_of("temperature", "value").steps
    fine = np.ones(len(at), np.int32)
    flags = hours_test(at, values, fine, fine, steps)
    passes = int(np.flatnonzero(flags >= 3)[-1]) + 1
    assert flags[4] == 3
    assert (flags[passes:] == 1).all()
    assert at[passes] - 2 * HOUR <= 12 * HOUR


def test_what_is_suspect_is_nobodys_sample() -> None:
    at, values = np.arange(4) * HOUR, np.array([10.0, 30.0, 10.0, 10.0])
    fine = np.ones(4, np.int32)
    assert hours_test(at, values, fine, fine, (Step(60, 7.0),)).tolist() == [1, 3, 1, 1]
    spike = np.array([1, 3, 1, 1], np.int32)
    assert hours_test(at, values, fine, spike, (Step(60, 30.0),)).tolist() == [1, 1, 1, 1]


def test_a_spike_that_opens_an_hour_does_not_condemn_what_follows() -> None:
    values = {6: 20.0, 26: 20.0, 46: 26.5, 66: 20.0, 86: 15.5}  # an hour begins at minute 46
    stream = Stream()
    for offset, (minute, value) in enumerate(values.items()):
        stream.take([Reading("temperature", "A", minute, value, offset=offset)])
    flags = [found for _, (_, found) in sorted(stream.flags().items())]
    assert [one["flag_spike"] for one in flags] == [2, 1, 3, 1, 1]
    assert [one["flag_step"] for one in flags] == [2, 1, 1, 1, 1]


def test_the_resolution_of_a_sensor_is_allowed_for() -> None:
    at, values, fine = np.arange(2) * HOUR, np.array([10.0, 18.0]), np.ones(2, np.int32)
    coarse = np.array([np.nan, 1.0])
    assert hours_test(at, values, fine, fine, (Step(60, 7.0),), coarse).tolist() == [1, 1]


def test_a_change_as_large_as_the_limit_passes_though_samples_are_singles() -> None:
    at, values, fine = np.arange(2) * HOUR, np.array([13.1, 20.1]), np.ones(2, np.int32)
    assert hours_test(at, values, fine, fine, (Step(60, 7.0),)).tolist() == [1, 1]


def entries(*samples: tuple[int, float]) -> Entries:
    """Make entries of which only hour and value are known."""
    found = np.zeros(len(samples), ENTRY)
    found["at"], found["value"] = [hour * HOUR for hour, _ in samples], [v for _, v in samples]
    return found


def test_a_sample_gives_way_to_that_of_half_a_day_later() -> None:
    samples = Samples()
    samples.put(np.array([300, 300, 2]), entries((5, 1.0), (5 + HOURS, 2.0), (7, 3.0)))
    assert samples.entries(300)[["at", "value"]].tolist() == [((5 + HOURS) * HOUR, 2.0)]
    assert samples.entries(2)["value"].tolist() == [3.0]
    assert not len(samples.entries(1))
    assert not len(samples.entries(10_000))
    for row in range(400, 900):
        samples.put(np.array([row]), entries((row, float(row))))
    assert samples.entries(899)["value"].tolist() == [899.0]
    assert samples.entries(300)["value"].tolist() == [2.0]


def test_the_changelog_holds_one_record_for_each_hour_of_twelve() -> None:
    stream = Stream()
    for place in range(60):
        stream.take([Reading("temperature", "A", 60 * place, 20.0, offset=place)])
    kept = [key for key, _ in compacted(stream.topic)]
    slots = [key.rpartition(b"#")[2] for key in kept]
    assert sum(slot.startswith(b"h") for slot in slots) == HOURS
    assert len(slots) == HOURS + DELTAS


def test_a_worker_that_knows_of_no_samples_takes_them_for_old_deltas() -> None:
    stream = Stream()
    for place in range(60):
        stream.take([Reading("temperature", "A", 60 * place, 20.0, offset=place)])
    topic = [(key.replace(b"#h", b"#x"), value) for key, value in compacted(stream.topic)]
    older = stream.restored(topic).rings
    assert older.remembered() == stream.state.rings.remembered()
    assert older.delta.max() == stream.state.rings.delta.max()
    assert not len(older.samples.entries(0))


def test_what_was_judged_again_takes_the_place_of_samples_in_its_times_alone() -> None:
    held = entries((1, 1.0), (2, 2.0), (3, 3.0), (9, 9.0))
    known = entries((0, 0.0), (2, 20.0), (4, 40.0))
    found = instead(held, known, Window(1 * HOUR, 9 * HOUR))
    expected_ = {HOUR: None, 3 * HOUR: None, 2 * HOUR: 20.0, 4 * HOUR: 40.0}
    told = {e["at"].item(): None if np.isnan(e["value"]) else e["value"].item() for e in found}
    assert told == expected_


def test_a_sample_without_a_value_condemns_nothing() -> None:
    stream = Stream()
    stream.take([Reading("temperature", "A", m, 20.0, offset=m) for m in range(K + 4)])
    rings = stream.state.rings
    before = rings.samples.entries(0)
    assert len(before) == 1
    before["value"] = np.nan
    rings.samples.put(np.zeros(1, np.int64), before)
    stream.take([Reading("temperature", "A", 30, 20.5, offset=99)])
    assert {found["flag_step"] for _, found in stream.flags().values()} <= {1, 2}
