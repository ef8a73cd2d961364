"""Readings of times that are yet to come: flagged, sent, and nobody's neighbour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.judging.judge import Judge
from stream_app.window.rings import K
from stream_app.window.state import State
from tests.raw_batches import Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import mapping
from tests.unit.windows import HISTORY, MINUTE, START, Key, Reading, Stream, columns, expected

pytestmark = pytest.mark.requirement("B6", "D4")

YEARS = 10**6
"""Minutes."""
TODAY = [
    Reading("temperature", "A", minute, value, offset=minute)
    for minute, value in enumerate([20.0, 35.0, 20.0, *[20.1] * K])
]


def flags_of(batches: list[list[Reading]]) -> dict[Key, dict[str, int]]:
    stream = Stream()
    for batch in batches:
        stream.take(batch)
    return {key: flags for key, (reading, flags) in stream.flags().items() if not reading.ahead}


def fantasies(number: int) -> list[Reading]:
    return [
        Reading("temperature", "A", YEARS + n, -10.0, ahead=True, offset=100 + n)
        for n in range(number)
    ]


@given(st.sets(st.integers(0, len(TODAY)), max_size=4), st.integers(1, 2 * K), st.booleans())
def test_however_many_there_are_those_of_today_are_judged_as_without_them(
    places: set[int], number: int, together: bool
) -> None:
    batches = [[one] for one in TODAY]
    for place in sorted(places, reverse=True):
        batches.insert(place, fantasies(number))
    if together:
        batches = [[one for batch in batches for one in batch]]
    assert flags_of(batches) == {key: flags for key, (_, flags) in expected(TODAY).items()}


def test_they_are_never_the_newest_of_their_sensor_and_are_sent_all_the_same() -> None:
    stream = Stream()
    stream.take(TODAY[:3])
    stream.take(fantasies(2))
    at, _ = stream.state.overlay().newest("temperature", ["A:temperature"])
    assert at.tolist() == [START + 2 * MINUTE]
    assert [stream.final[one.key][3]["flag_step"] for one in fantasies(2)] == [2, 2]
    told = State(0).overlay().judge(columns(fantasies(3)), HISTORY)["temperature"]
    assert not told.newest.any()
    assert told.alone.all()


def test_one_that_was_told_too_early_is_judged_when_it_is_told_in_its_time() -> None:
    early = TODAY[1]._replace(ahead=True, offset=90)
    for batches in ([[early], TODAY], [TODAY, [early]], [[*TODAY, early]]):
        assert flags_of(batches)["temperature", "A", 1]["flag_step"] == 3


@pytest.mark.parametrize(("ahead", "expects"), [(200, False), (301, True)])
def test_what_is_ahead_of_its_time_is_told_by_when_it_was_read(ahead: int, expects: bool) -> None:
    noon, schemas, how = local("2013-07-01T12:00:00"), Schemas(), mapping("temperature")
    extracted = noon - ahead * 1_000_000
    reading = raw("temperature", zone="UTC", observed_local=noon, extracted_at=extracted)
    step = Columns(schemas, Judge({}, {(how.source, how.version): how})).step(
        {"temperature": records("temperature", encoded(schemas, "temperature", [reading]))},
        State(0).overlay(),
    )
    assert step.judged["temperature"].cleaned().ahead.tolist() == [expects]
    reason = step.clean["temperature"][0]["reason"]
    assert (reason == "time_in_future,no_metadata,low_score") == expects
