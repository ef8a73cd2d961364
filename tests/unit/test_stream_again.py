"""What has to be judged again: which times of which sensors, and where their readings lie."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas.codec import Record
from stream_app.again.form import UNCERTAIN, Change, changes, form_of
from stream_app.again.index import Range, joined, ranges
from stream_app.again.scan import Scan
from stream_app.again.task import GAP_MICROS, MEMORY_MICROS, Item, Task, Window
from stream_app.again.wire import Known, Progress, Wire
from stream_app.metadata.sensors import FIRST, LAST, Sensor
from tests.raw_batches import TOPICS, Schemas
from tests.unit.stream_fakes import interval, metadata

SENSOR = "JFK:temperature"


def sensor(*intervals: Record) -> Sensor:
    return Sensor(metadata(SENSOR, *intervals))


def changed(old: Sensor | None, new: Sensor | None) -> list[Change]:
    return changes(form_of(old), form_of(new))


def test_metadata_that_comes_late_concerns_all_the_time_that_it_tells_of() -> None:
    assert changed(None, sensor(interval(10, 20), interval(30))) == [
        Change(10, 20, valued=False),
        Change(30, LAST, valued=False),
    ]


def test_the_same_told_again_is_no_change() -> None:
    again = sensor(interval(10, 20)), sensor(interval(10, 20))
    assert changed(*again) == []
    assert changed(None, None) == []


def test_an_interval_that_is_cut_in_two_changes_only_what_differs() -> None:
    old = sensor(interval(0))
    new = sensor(interval(0, 50), interval(50, height=3.0))
    assert changed(old, new) == [Change(50, LAST, valued=False)]
    assert changed(new, old) == [Change(50, LAST, valued=False)]


def test_a_calibration_changes_values_and_a_place_does_not() -> None:
    old = sensor(interval(0, 100), interval(100))
    new = sensor(interval(0, 100, scale=1.1), interval(100, y=40.0))
    assert changed(old, new) == [
        Change(0, 100, valued=True),
        Change(100, LAST, valued=False),
    ]


def test_what_is_uncertain_differs_from_everything() -> None:
    assert changes(UNCERTAIN, form_of(None)) == [Change(FIRST, LAST, valued=True)]


@pytest.mark.requirement("B3")
def test_a_place_beyond_the_bounds_of_its_system_is_refused_by_name() -> None:
    with pytest.raises(DataQuality) as refused:
        sensor(interval(0, x=126.97, y=137.57))
    assert refused.value.reason == "bad_coordinates"


BOUNDS = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted)


@st.composite
def sensors(draw: Any) -> Sensor | None:
    """Make a sensor whose intervals may touch or leave gaps."""
    bounds = draw(BOUNDS)
    made = [
        interval(since, draw(st.sampled_from([until, until, (since + until + 1) // 2])), offset=o)
        for since, until in pairwise(bounds)
        for o in [draw(st.sampled_from([0.0, 1.0]))]
    ]
    return sensor(*made) if draw(st.booleans()) else None


@given(sensors(), sensors())
def test_changes_are_exactly_the_times_at_which_something_else_holds(
    old: Sensor | None, new: Sensor | None
) -> None:
    found = changed(old, new)
    for at in range(-1, 63):
        differs = holding(old, at) != holding(new, at)
        assert differs == any(c.since <= at < c.until for c in found)


def holding(known: Sensor | None, at: int) -> object:
    placement = known.at(at) if known else sensor().at(at)
    return sorted(placement.fields.items(), key=str), str(placement.scale), placement.offset


def item(parameter: str = "temperature", *, valued: bool = False) -> Item:
    change = Change(10 * MEMORY_MICROS, 11 * MEMORY_MICROS, valued)
    return Item(f"JFK:{parameter}", "JFK", parameter, change)


def test_a_new_place_is_sent_for_its_times_and_judged_with_what_lies_around() -> None:
    (wanted,) = Task((item(),), {}, {}).wanted().values()
    assert wanted.sent == (Window(10 * MEMORY_MICROS, 11 * MEMORY_MICROS),)
    assert wanted.judged == Window(9 * MEMORY_MICROS, 12 * MEMORY_MICROS)


def test_new_values_are_felt_by_neighbours() -> None:
    (wanted,) = Task((item(valued=True),), {}, {}).wanted().values()
    assert wanted.sent == (Window(10 * MEMORY_MICROS - GAP_MICROS, 12 * MEMORY_MICROS),)


def test_rain_brings_the_humidity_of_its_station_which_is_sent_where_rain_has_other_values() -> (
    None
):
    for valued in (False, True):
        wanted = Task((item("rainfall", valued=valued),), {}, {}).wanted()
        assert wanted.keys() == {("rainfall", "JFK:rainfall"), ("humidity", "@JFK")}
        assert bool(wanted["humidity", "@JFK"].sent) == valued


def test_all_that_is_kept_comes_back_as_it_was() -> None:
    wire = Wire(TOPICS, Schemas())
    task = Task((item(), item("wind", valued=True)), {"a": 3, "b": 4}, {"a": 9, "b": 8})
    known = Known("JFK", "wind", 5, form_of(sensor(interval(0, 5, scale=2.0))))
    (kept,) = wire.bulks(0, {"JFK:wind": known}, task)
    values = {(key or b"").decode(): value or b"" for key, value in kept.messages.pairs()}
    assert wire.sensor_of("meta#JFK:wind") == "JFK:wind"
    assert wire.known(values["meta#JFK:wind"]) == known
    assert wire.task(values["again#task"]) == task
    assert wire.task(b"") is None
    (kept,) = wire.went_on(0, Progress({"a": 4}, 7))
    assert wire.progress(kept.messages.values.bytes()[0]) == Progress({"a": 4}, 7)


def test_ranges_that_overlap_or_lie_near_are_read_in_one() -> None:
    entries = [entry(0, 9, 5, 6), entry(10, 19, 90, 99), entry(20, 29, 1, 7), entry(5, 5, None, 0)]
    found = ranges(entries, 0, {"t": Window(5, 6)})
    assert found == {"t": [Range(0, 30)]}
    assert joined([Range(0, 10), Range(20, 30)], near=9) == [Range(0, 10), Range(20, 30)]
    assert ranges(entries, 1, {"t": Window(5, 6)}) == {"t": []}


def entry(first: int, last: int, least: int | None, greatest: int) -> Record:
    times = {"least_observed_at": least, "greatest_observed_at": greatest}
    return {"topic": "t", "partition": 0, "first_offset": first, "last_offset": last, **times}


class FakeMessage:
    """A raw record: its offset, when it was published, and whose it is."""

    def __init__(self, offset: int, published: int, key: bytes) -> None:
        self._told = offset, (1, published), key

    def offset(self) -> int:
        return self._told[0]

    def timestamp(self) -> tuple[int, int]:
        return self._told[1]

    def key(self) -> bytes:
        return self._told[2]

    def value(self) -> bytes:
        return b"v"


class FakeReading:
    """A topic in memory whose every third offset is no record."""

    def __init__(self, published: Sequence[int]) -> None:
        keys = (b"JFK", b"LGA")
        self._messages = [
            FakeMessage(offset, at, keys[offset % 2])
            for offset, at in enumerate(published)
            if offset % 3 != 1
        ]

    def read(self, start: int, end: int, most: int) -> tuple[Any, int]:
        """Give what there is."""
        found = [m for m in self._messages if start <= m.offset() < end][:most]
        return found, found[-1].offset() + 1 if len(found) == most else end

    def close(self) -> None:
        """Do nothing."""


@given(
    st.lists(st.integers(0, 9), max_size=40), st.lists(st.integers(0, 9), max_size=40), st.data()
)
def test_a_scan_hands_on_every_record_once_in_the_order_of_their_publication(
    steps: list[int], others: list[int], data: st.DataObject
) -> None:
    published = {"a": sums(steps), "b": sums(others)}
    readings = {topic: FakeReading(times) for topic, times in published.items()}
    ends = {topic: len(times) for topic, times in published.items()}
    known = {topic: data.draw(st.integers(0, end)) for topic, end in ends.items()}
    whole = {topic: [Range(0, at)] if at else [] for topic, at in known.items()}
    scan = Scan(0, frozenset([b"JFK"]), readings, whole, known)
    found: dict[str, list[int]] = {"a": [], "b": []}
    newest = -1
    while not scan.done(ends):
        batch = scan.take(data.draw(st.integers(1, 9)), ends)
        times = [t for records in batch.records.values() for t in records.published.tolist()]
        assert min(times, default=newest) >= newest
        newest = max([newest, *times])
        for topic, records in batch.records.items():
            found[topic] += records.offsets.tolist()
    assert found == {
        topic: [n for n in range(end) if n % 3 != 1 and n % 2 == 0] for topic, end in ends.items()
    }
    assert scan.left(ends) == 0
    assert scan.next() == ends


def sums(steps: list[int]) -> list[int]:
    return [sum(steps[: n + 1]) for n in range(len(steps))]


@pytest.mark.parametrize("first", [0, 12])
def test_a_scan_leaves_out_what_lies_between_its_ranges(first: int) -> None:
    reading = FakeReading(range(100))
    scan = Scan(0, frozenset([b"JFK"]), {"t": reading}, {"t": [Range(first, 20)]}, {"t": 90})
    found: list[int] = []
    while not scan.done({"t": 100}):
        batch = scan.take(3, {"t": 100})
        found += [n for records in batch.records.values() for n in records.offsets.tolist()]
    inside = [*range(first, 20), *range(90, 100)]
    assert found == [n for n in inside if n % 3 != 1 and n % 2 == 0]
