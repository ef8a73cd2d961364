"""A learnt model: it finds what is unusual, fails no reading, and is plain data all the way."""

from __future__ import annotations

import base64
import io
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.anomaly import prediction
from operate.anomaly.forest import Growth, grow
from operate.anomaly.history import History, halves
from operate.anomaly.store import Trained, _of_row, to_bytes
from operate.anomaly.training import train, trained
from operate.anomaly.tuning import with_models, without_models
from runtime.errors import Configuration
from weather.anomaly import Anomaly, Edges, anomaly_test, from_plain, to_plain
from weather.cells import SEASONS
from weather.parameters import PARAMETERS
from weather.qc.flags import Flag
from weather.qc.series import Past, neighbours
from weather.ruleset import DEFAULT, Override
from weather.ruleset_text import from_plain as ruleset_of
from weather.ruleset_text import to_plain as ruleset_text

HOUR = 3_600_000_000
START = 1_700_000_000_000_000 // HOUR * HOUR
EDGES = Edges(value=(0.0, 10.0), change=(-3.0, 3.0), still=(5.0,))
QUICK = Growth(trees=20, sample=256)


def history(days: int = 120, seed: int = 3) -> History:
    """Make hours of a calm climate: a day's course, a slow wave, a little noise."""
    hours = np.arange(24 * days)
    rng = np.random.default_rng(seed)
    course = 10 + 5 * np.sin(2 * np.pi * hours / 24) + 4 * np.sin(2 * np.pi * hours / 24 / 15)
    values = np.round(course + rng.normal(0, 0.4, len(hours)), 1)
    flags = np.full(len(hours), 1)
    names = np.full(len(hours), "A:temperature")
    return History.of_columns("temperature", names, START + hours * HOUR, values, flags)


@pytest.fixture(scope="module")
def known() -> Trained:
    found = trained(history(), QUICK, rate=0.005)
    assert found is not None
    return found


def flags_of(model: Anomaly, at: Any, values: Any) -> list[int]:
    count = len(values)
    alive = np.ones(count, np.bool_)
    found = neighbours(np.array(at), np.array(values), alive, np.array([count]), Past.nothing(1))
    return anomaly_test(np.array(at), np.array(values), found, model).tolist()


def model_of(scores: Any, threshold: float = 0.5) -> Anomaly:
    return Anomaly.of_scores("test", scores, threshold, EDGES, tuple(range(SEASONS)))


@pytest.mark.requirement("B9")
def test_what_never_happened_is_suspect_and_what_happens_daily_is_not(known: Trained) -> None:
    usual = history(days=20, seed=9)
    values = usual.values.copy()
    values[200] += 9.0
    flags = flags_of(known.at(0.005), usual.at, values)
    assert flags[200] == Flag.SUSPECT
    assert np.mean(np.array(flags) == Flag.SUSPECT) < 0.03


@pytest.mark.requirement("B9")
@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=40))
def test_it_never_fails_a_reading(values: list[float]) -> None:
    scores = np.random.default_rng(1).random(EDGES.shape)
    at = START + np.arange(len(values)) * HOUR
    assert set(flags_of(model_of(scores), at, values)) <= {Flag.GOOD, Flag.SUSPECT}


@pytest.mark.requirement("B9")
def test_the_flagged_part_of_unseen_weeks_is_what_was_wanted(known: Trained) -> None:
    assert known.metrics["flagged_of_held_out"] == pytest.approx(0.005, abs=0.003)
    assert known.threshold(0.001) >= known.threshold(0.01) >= known.threshold(0.05)


@pytest.mark.requirement("B9")
def test_contamination_is_the_part_of_its_own_history_that_a_forest_calls_odd() -> None:
    for part in (0.02, 0.2):
        model = grow(history(), replace(QUICK, contamination=part))
        assert model is not None
        odd = float((model.of(history()) >= model.offset).mean())
        assert odd == pytest.approx(part, abs=0.03)


def test_the_same_history_gives_the_same_model() -> None:
    one, other = grow(history(), QUICK), grow(history(), QUICK)
    assert one is not None
    assert other is not None
    assert (one.scores == other.scores).all()
    assert one.edges == other.edges


def test_too_few_readings_give_no_model() -> None:
    assert trained(history(days=5), QUICK) is None


def test_a_season_that_was_not_learnt_is_not_evaluated() -> None:
    model = replace(model_of(np.ones(EDGES.shape)), seasons=(0,))
    year = [0, 200 * 24 * HOUR]
    assert flags_of(model, year, [1.0, 1.0]) == [Flag.SUSPECT, Flag.NOT_EVALUATED]


def test_halves_share_nothing_and_leave_nothing_out() -> None:
    for days in (1, 120):
        whole = history(days)
        one, other = halves(whole)
        assert (one.clean ^ other.clean == whole.clean).all()
        assert 0.3 < one.clean.mean() < 0.7


@pytest.mark.requirement("B9")
def test_a_ruleset_with_models_survives_its_text() -> None:
    summer = Override("temperature", "value", DEFAULT.limits["temperature", "value"], (), (7,))
    base = replace(DEFAULT, overrides=(summer,))
    model = model_of(np.random.default_rng(0).random(EDGES.shape))
    made = with_models(base, "1", dict.fromkeys(PARAMETERS, model))
    back = ruleset_of(json.loads(json.dumps(ruleset_text(made))))
    assert back == made
    assert back.overrides[0].limits.anomaly == model
    assert without_models(back, "2").limits == DEFAULT.limits


def _table(cells: int) -> str:
    return base64.b64encode(zlib.compress(bytes(cells))).decode()


@pytest.mark.requirement("B9")
@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda told: told.pop("table"), "not whole"),
        (lambda told: told.update(value=None), "not whole"),
        (lambda told: told.update(change=[3.0, -3.0]), "do not rise"),
        (lambda told: told.update(still=[float("inf")]), "do not rise"),
        (lambda told: told.update(seasons=[0, 6]), "seasons"),
        (lambda told: told.update(table="%%%"), "cannot be read"),
        (lambda told: told.update(table=base64.b64encode(b"no zlib").decode()), "cannot be read"),
        (lambda told: told.update(table=_table(1)), "has not"),
        (lambda told: told.update(table=_table(50_000_000)), "has not"),
        (lambda told: told.update(value=list(range(1000))), "too large"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(
    spoil: Callable[[dict[str, Any]], Any], problem: str
) -> None:
    told = to_plain(model_of(np.zeros(EDGES.shape)))
    spoil(told)
    with pytest.raises(ValueError, match=problem):
        from_plain(told)


def _row(known: Trained, stored: bytes) -> tuple[Any, ...]:
    told = (known.version, known.parameter, known.trained_at, known.since, known.until)
    return (*told, known.readings, stored, known.metrics)


def test_a_kept_model_judges_as_before(known: Trained) -> None:
    back = _of_row(_row(known, to_bytes(known)))
    usual = history(days=30, seed=4)
    one, other = back.at(0.005), known.at(0.005)
    assert flags_of(one, usual.at, usual.values) == flags_of(other, usual.at, usual.values)
    assert np.array_equal(back.held_out, known.held_out.astype(np.float32))


def test_nothing_that_would_run_is_read_back(known: Trained) -> None:
    out = io.BytesIO()
    edges = {name: np.array([1.0]) for name in ("value", "change", "still")}
    np.savez(out, scores=np.array([{"runs": 1}], dtype=object), **edges)
    with pytest.raises(ValueError, match="allow_pickle"):
        _of_row(_row(known, out.getvalue()))


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"parameters": ["snow"]}, "--parameter"),
        ({"days": 0}, "--days"),
        ({"growth": Growth(contamination=0.7)}, "--contamination"),
        ({"rate": 0.0}, "--rate"),
        ({"rate": 0.5}, "--rate"),
    ],
)
def test_training_refuses_what_is_none(asked: dict[str, Any], named: str) -> None:
    with pytest.raises(Configuration, match=named):
        train(_Closed(), **asked)


class _Closed:
    """Tables that nobody may open."""

    def database(self, doing: str = "") -> Any:
        raise AssertionError(doing)


DAY = date(2026, 3, 1)


def scores(values: list[float]) -> dict[date, float]:
    return {DAY + timedelta(days=n): value for n, value in enumerate(values)}


@pytest.mark.requirement("B9")
def test_the_guess_that_was_least_wrong_speaks_of_the_next_day() -> None:
    every_other = [1.0, 0.4] * 60
    found = prediction.outlook({f"{n}:wind": scores(every_other) for n in range(3)})
    assert found is not None
    assert found.by == "line"
    assert found.errors["line"] < 0.5 * found.errors["as the day before"]
    assert found.predictions[0].score == pytest.approx(1.0, abs=0.1)
    assert found.predictions[0].day == DAY + timedelta(days=120)


@pytest.mark.requirement("B9")
def test_a_line_that_guesses_no_better_does_not_speak() -> None:
    found = prediction.outlook({f"{n}:wind": scores([0.9] * 40) for n in range(3)})
    assert found is not None
    assert found.by == "as the day before"
    assert found.judged_on > 0


def test_days_without_readings_are_worth_nothing_and_no_scores_give_no_outlook() -> None:
    gap = {DAY: 1.0, DAY + timedelta(days=9): 1.0}
    found = prediction.outlook({"A:wind": gap})
    assert found is not None
    assert found.judged_on >= 1
    assert prediction.outlook({}) is None
    assert prediction.outlook({"A:wind": {}}) is None


def test_a_history_says_from_when_to_when() -> None:
    first, last = history(days=2).span()
    assert last - first == timedelta(hours=47)
    assert first == datetime.fromtimestamp(START / 1e6, UTC)
