"""The rank of a source stands above the versions of its rows, and rank 0 changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas.codec import Record
from stream_app.judging.judge import Judge
from stream_app.judging.versions import MOST_RANK, MOST_VERSION, ranked
from stream_app.window.state import State
from tests.raw_batches import Columns, Schemas, Step, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import mapping

NOW = local("2014-01-01T00:00:00")
RANKS = st.integers(-MOST_RANK, MOST_RANK)
VERSIONS = st.integers(-MOST_VERSION, MOST_VERSION - 1)

pytestmark = pytest.mark.requirement("A5")


@given(VERSIONS)
def test_rank_0_keeps_the_numbers_that_it_always_had(version: int) -> None:
    assert ranked(0, version) == version


@given(st.tuples(RANKS, VERSIONS), st.tuples(RANKS, VERSIONS))
def test_rank_is_compared_first_and_version_second(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    assert (ranked(*one) < ranked(*other)) == (one < other)


@pytest.mark.parametrize("rank", [-MOST_RANK, MOST_RANK])
@pytest.mark.parametrize("version", [-MOST_VERSION, MOST_VERSION - 1])
def test_every_version_fits_into_a_bigint(rank: int, version: int) -> None:
    assert -(2**63) <= ranked(rank, version) < 2**63


@pytest.mark.parametrize(
    ("rank", "version"), [(0, MOST_VERSION), (1, -MOST_VERSION - 1), (MOST_RANK + 1, 0)]
)
def test_what_cannot_be_kept_apart_is_refused(rank: int, version: int) -> None:
    with pytest.raises(DataQuality, match="cannot be ordered") as caught:
        ranked(rank, version)
    assert caught.value.reason == "version_out_of_range"


def step(*readings: Record) -> Step:
    how, schemas = mapping("temperature"), Schemas()
    judge = Judge({}, {(name, how.version): how for name in ("aos", "archive", "sample")})
    made = records("temperature", encoded(schemas, "temperature", readings))
    return Columns(schemas, judge).step({"temperature": made}, State(generation=0).overlay())


def test_a_clean_reading_bears_its_rank_and_one_that_cannot_is_a_dead_letter() -> None:
    readings = [
        raw(source="archive", source_rank=-1, source_version=NOW, key="9"),
        raw(source="aos", source_rank=0, source_version=5),
        raw(source="aos", source_rank=0, source_version=2**60),
    ]
    done = step(*readings)
    versions = {c["source_name"]: c["source_version"] for c in done.clean["temperature"]}
    assert versions["aos"] == 5
    assert versions["archive"] < versions["aos"]
    assert [(letter.raw.offset, letter.error.reason) for letter in done.dead] == [
        (4, "version_out_of_range")
    ]


@pytest.mark.requirement("B3")
def test_two_sources_that_tell_of_one_reading_are_not_the_two_comings_of_an_hour() -> None:
    repeated = local("2013-11-03T01:30:00")
    readings = [
        raw(source=source, key=key, observed_local=repeated)
        for source, key in [("aos", "7"), ("archive", "7000"), ("aos", "8"), ("archive", "8000")]
    ]
    done = step(*readings)
    times = {c["source_key"]: c["observed_at"] for c in done.clean["temperature"]}
    assert times["7"] == times["7000"] == times["8"] - 3_600_000_000
    assert times["8"] == times["8000"]
