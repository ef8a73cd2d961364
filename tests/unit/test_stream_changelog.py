"""The window's changelog: whatever was compacted away, the rings come back as they were."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas.avsc import load
from stream_app.window.changelog import PREFIX, RingReader
from stream_app.window.rings import K, Rings
from stream_app.window.state import State
from stream_app.window.writing import DELTAS
from tests.unit.windows import HISTORY, Reading, Stream, columns

Record = tuple[bytes, bytes]


def remembered(state: State) -> dict[tuple[str, str], Any]:
    """Give what is remembered, as text: NaN equals itself there."""
    return {name: repr(entries) for name, entries in state.rings.remembered().items()}


def compacted(records: list[Record], until: int) -> list[Record]:
    """Keep the newest record of each key of the first ``until``, and all behind them."""
    newest = {key: place for place, (key, _) in enumerate(records[:until])}
    return [r for place, r in enumerate(records) if place >= until or newest[r[0]] == place]


def _batches(seed: int) -> list[list[Reading]]:
    """Make many batches of two sensors: more readings than a ring holds, some late, some again.

    By a seed: to have hypothesis draw as many choices one by one takes longer than the test.
    """
    random, minutes = Random(seed), 0  # noqa: S311 - readings are no secret
    found: list[list[Reading]] = []
    for _ in range(random.randint(1, 3 * DELTAS)):
        batch = []
        for place in range(random.randint(1, 3)):
            minutes += random.randint(0, 2)
            minute = max(0, minutes - random.choice([0, 0, 0, 3, K + 4]))
            parameter = random.choice(["temperature", "wind"])
            value = random.choice([20.0, 20.1, 35.0, float("nan")])
            version, gone = random.randint(1, 2), random.randint(0, 9) == 0
            offset = 3 * len(found) + place
            batch.append(Reading(parameter, "A", minute, value, version, gone, offset))
        found.append(batch)
    return found


SEEDS = st.integers(0, 2**32).map(_batches)


@pytest.mark.requirement("D4", "C3")
@settings(max_examples=40, deadline=None)
@given(batches=SEEDS, data=st.data())
def test_the_rings_come_back_however_much_was_compacted(
    batches: list[list[Reading]], data: st.DataObject
) -> None:
    stream = Stream()
    for batch in batches:
        stream.take(batch)
    until = data.draw(st.integers(0, len(stream.topic)))
    restored = stream.restored(compacted(stream.topic, until))
    assert remembered(restored) == remembered(stream.state)


@pytest.mark.requirement("D4")
@settings(max_examples=12, deadline=None)
@given(before=SEEDS, after=SEEDS)
def test_a_restored_partition_goes_on_as_if_it_had_never_moved(
    before: list[list[Reading]], after: list[list[Reading]]
) -> None:
    stayed, moved = Stream(), Stream()
    for batch in before:
        stayed.take(batch)
    moved.resume(stayed.topic)
    for batch in after:
        later = [r._replace(minute=r.minute + 40, offset=r.offset + 1000) for r in batch]
        stayed.take(later)
        moved.take(later)
    assert remembered(moved.state) == remembered(stayed.state)
    topic = compacted(moved.topic, len(moved.topic))
    assert remembered(moved.restored(topic)) == remembered(stayed.state)


@pytest.mark.requirement("D4")
def test_what_was_aborted_leaves_nothing() -> None:
    stream = Stream()
    stream.take([Reading("temperature", "A", 0, 20.0)])
    known = remembered(stream.state)
    overlay = stream.take([Reading("temperature", "A", 1, 35.0, offset=1)], commit=False)
    stream.take([Reading("rainfall", "B", 1, 1.0, offset=2)], commit=False)
    assert remembered(stream.state) == known
    assert stream.state.overlay().revision == overlay.revision
    verdict = stream.state.overlay().judge(
        columns([Reading("temperature", "A", 1, 35.0, offset=1)]), HISTORY
    )
    assert verdict["temperature"].flags["flag_step"].tolist() == [3]


def test_an_entry_that_lives_in_the_oldest_delta_only_is_carried_into_the_newest() -> None:
    stream = Stream()
    stream.take([Reading("temperature", "A", 0, 20.0)])
    for version in range(1, 2 * DELTAS):
        stream.take([Reading("temperature", "A", 5, 20.0 + version, version, offset=version)])
    topic = compacted(stream.topic, len(stream.topic))
    assert len(topic) == DELTAS
    assert remembered(stream.restored(topic)) == remembered(stream.state)


def test_records_that_are_no_deltas_are_refused() -> None:
    stream = Stream()
    stream.take([Reading("temperature", "A", 0, 20.0)])
    [(key, value)] = stream.topic
    assert key.startswith(PREFIX)
    reader = RingReader(lambda _: load("ring_delta"), Rings())
    with pytest.raises(DataQuality, match="no delta"):
        reader.restore([key], [value[:-1]])


@pytest.mark.requirement("D4", "B6")
def test_rain_and_parched_air_meet_even_after_a_move() -> None:
    stayed, moved = Stream(), Stream()
    stayed.take([Reading("humidity", "A", 0, 5.0)])
    moved.resume(stayed.topic)
    overlay = moved.state.overlay()
    verdict = overlay.judge(columns([Reading("rainfall", "A", 0, 1.0, offset=9)]), HISTORY)
    assert verdict["rainfall"].flags["flag_consistency"].tolist() == [3]
    again = verdict["humidity"].again
    assert again.raw_offset.tolist() == [0]
    assert again.flags["flag_consistency"].tolist() == [3]
