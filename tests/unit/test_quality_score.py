"""The score: five dimensions, one product, the same for a reading and a month of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import avsc
from schemas.topics import PARAMETERS, clean_schema
from weather.qc.flags import Flag, aggregate
from weather.score import (
    Dimension,
    Scores,
    dimension_of,
    of_groups,
    of_readings,
    of_stream,
    validity,
)
from weather.score_policy import Policy, decide

HOUR = 3_600_000_000
FLAGS = st.sampled_from([1, 2, 3, 4])


def reading(delay_hours: float = 0.0, *, repeated: bool = False, **flags: int) -> Scores:
    return of_readings(
        {name: np.array([flag]) for name, flag in flags.items()},
        np.array([False]),
        np.array([round(delay_hours * HOUR)]),
        np.array([repeated]),
    )


@pytest.mark.requirement("B8")
@pytest.mark.parametrize(
    ("scores", "score"),
    [
        (reading(flag_range=1, flag_step=1, flag_consistency=1, flag_time=1), 1.0),
        (reading(flag_range=1, flag_step=3), 0.5),
        (reading(flag_range=4), 0.0),
        (reading(flag_range=1, flag_consistency=3), 0.5),
        (reading(flag_range=1, flag_step=3, flag_consistency=3), 0.25),
        (reading(24, flag_range=1), 0.5),
        (reading(24 * 400, flag_range=1), 1.0),
        (reading(flag_range=1, flag_time=3), 0.5),
        (reading(flag_range=1, repeated=True), 0.0),
    ],
    ids=["good", "suspect", "failed", "contradicted", "both", "late", "history", "future", "gone"],
)
def test_a_reading_is_worth_the_product_of_its_sides(scores: Scores, score: float) -> None:
    assert scores.score.tolist() == [pytest.approx(score)]


@pytest.mark.requirement("B8")
def test_a_missing_reading_is_worth_nothing_and_an_unjudged_one_has_no_score() -> None:
    missing = of_readings({"flag_range": np.array([9])}, np.array([True]))
    unjudged = of_readings({"flag_range": np.array([2])}, np.array([False]))
    assert (missing.score[0], missing.completeness[0]) == (0.0, 0.0)
    assert np.isnan(unjudged.score[0])


@given(FLAGS, FLAGS, st.floats(0, 24 * 8))
def test_no_flag_and_no_delay_makes_a_reading_better(first: int, second: int, hours: float) -> None:
    plain = reading(0, flag_range=first).score[0]
    more = reading(hours, flag_range=first, flag_consistency=second).score[0]
    assert np.isnan(plain) == np.isnan(more)
    assert np.isnan(plain) or more <= plain


@given(st.integers(0, 999), st.booleans())
def test_the_stream_scores_what_is_good_without_looking_and_says_the_same(
    seed: int, timed: bool
) -> None:
    rng = np.random.default_rng(seed)
    names = ("flag_range", "flag_step", "flag_consistency", "flag_time")
    flags = {name: rng.choice([1, 1, 1, 2, 3, 4], 40).astype(np.int32) for name in names}
    flags["flag_range"] = np.where(flags["flag_range"] == 2, 1, flags["flag_range"])
    flag, delay = aggregate(*flags.values()), rng.integers(-HOUR, 200 * HOUR, 40)
    late = delay if timed else None
    whole = of_readings(flags, np.zeros(40, np.bool_), late).score
    np.testing.assert_array_equal(of_stream(flag, flags, late), whole)
    unknown = np.full(40, Flag.NOT_EVALUATED)
    assert np.isnan(of_stream(unknown, flags, late)).all()


@given(st.lists(FLAGS, min_size=1, max_size=30))
def test_without_delays_a_score_is_what_stood_on_clean_readings_before(flags: list[int]) -> None:
    given_flags = np.array(flags)
    scores = of_readings({"flag_range": given_flags}, np.zeros(len(flags), np.bool_))
    np.testing.assert_array_equal(scores.score, validity(given_flags))


@pytest.mark.requirement("B8")
def test_a_day_counts_what_did_not_come_and_what_came_twice() -> None:
    flags = {"flag_range": np.array([1, 1, 3, 1])}
    repeated = np.array([False, False, False, True])
    scores = of_readings(flags, np.zeros(4, np.bool_), None, repeated)
    day = of_groups(scores, np.zeros(4, np.int64), 1, np.array([6.0]))
    assert day.completeness[0] == pytest.approx(3 / 6)
    assert day.validity[0] == pytest.approx(2.5 / 3)
    assert day.uniqueness[0] == pytest.approx(3 / 4)
    assert day.score[0] == pytest.approx(3 / 6 * 2.5 / 3 * 3 / 4)


def test_groups_are_scored_as_if_each_stood_alone() -> None:
    rng = np.random.default_rng(7)
    flags = {"flag_range": rng.choice([1, 3, 4], 60), "flag_consistency": rng.choice([1, 2, 3], 60)}
    missing, sensor = rng.random(60) < 0.2, rng.integers(0, 4, 60)
    together = of_groups(of_readings(flags, missing), sensor, 4)
    for number in range(4):
        mine = sensor == number
        alone = of_readings({name: f[mine] for name, f in flags.items()}, missing[mine])
        one = of_groups(alone, np.zeros(int(mine.sum()), np.int64), 1)
        np.testing.assert_allclose([s[0] for s in one], [s[number] for s in together])


def test_a_group_without_readings_that_were_expected_is_worth_nothing() -> None:
    nothing = of_readings({"flag_range": np.zeros(0, np.int32)}, np.zeros(0, np.bool_))
    silent = of_groups(nothing, np.zeros(0, np.int64), 1, np.array([24.0]))
    assert (silent.completeness[0], silent.score[0]) == (0.0, 0.0)


def test_every_flag_of_the_clean_schemas_belongs_to_a_side_of_quality() -> None:
    fields = {f for p in PARAMETERS for f in avsc.field_names(clean_schema(p)) if "flag" in f}
    known = {field: dimension_of(field) for field in sorted(fields)}
    assert {field for field, side in known.items() if side is None} == {"flag", "flag_metadata"}
    assert known["flag_consistency"] is Dimension.CONSISTENCY
    assert known["flag_time"] is Dimension.TIMELINESS


@pytest.mark.requirement("B8")
def test_what_is_below_the_threshold_is_flagged_held_or_told_of() -> None:
    score = np.array([1.0, 0.7, 0.69, np.nan, 0.0])
    flag = np.array([1, 1, 2, 2, 4], np.int32)
    below = [False, False, True, False, True]
    flagged, held, alerted = (decide(score, flag, policy) for policy in Policy)
    assert flagged.flag.tolist() == [1, 1, Flag.SUSPECT, 2, 4]
    assert (held.held.tolist(), held.flag.tolist()) == (below, flag.tolist())
    assert (alerted.alerted.tolist(), alerted.held.any()) == (below, False)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, np.nan])
def test_a_threshold_that_is_no_part_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="quality_threshold"):
        decide(np.ones(1), np.ones(1, np.int32), threshold=threshold)
