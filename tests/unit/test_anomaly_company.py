"""A model of readings beside their neighbours: it sees what drifts away, by whoever is near."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from operate.anomaly.company import beside_neighbours, odd_beside
from operate.anomaly.forest import Growth
from operate.anomaly.history import History, Place
from operate.anomaly.store import Trained, _of_row, to_bytes
from operate.anomaly.training import trained
from operate.anomaly.tuning import with_models
from weather.anomaly import from_plain, to_plain
from weather.company import Around
from weather.ruleset import DEFAULT
from weather.ruleset_text import from_plain as ruleset_of
from weather.ruleset_text import to_plain as ruleset_text

pytestmark = pytest.mark.requirement("B9")

HOUR = 3_600_000_000
START = 1_700_000_000_000_000 // HOUR * HOUR
PLACES = {f"{n}:temperature": Place(60 + n * 0.05, 10.0, 10.0) for n in range(4)}
FAR = {"far:temperature": Place(65.0, 10.0, 10.0)}


def history(days: int = 90, seed: int = 3, places: dict[str, Place] | None = None) -> History:
    """Make hours of a climate that stations share, each with a noise of its own."""
    hours, rng = np.arange(24 * days), np.random.default_rng(seed)
    course = 10 + 8 * np.sin(2 * np.pi * hours / 24) + 6 * np.sin(2 * np.pi * hours / 24 / 11)
    names = sorted(places or PLACES)
    values = [np.round(course + rng.normal(0, 0.3, len(hours)), 1) for _ in names]
    columns = np.repeat(names, len(hours)), np.tile(START + hours * HOUR, len(names))
    flags = np.full(len(hours) * len(names), 1)
    made = History.of_columns("temperature", *columns, np.concatenate(values), flags)
    return replace(made, places=places or PLACES)


@pytest.fixture(scope="module")
def known() -> Trained:
    found = trained(history(), Growth(trees=20, sample=256), rate=0.005)
    assert found is not None
    assert found.beside is not None
    return found


def test_a_difference_is_that_from_the_median_of_the_clean_ones_around_at_the_same_time() -> None:
    some = history(days=1, places={**PLACES, **FAR})
    some.values[:] = np.tile(np.arange(24.0), 5)
    some.values[:24] += 3.0
    some.clean[24:48] = False
    beside = beside_neighbours(some, some, Around()).reshape(5, 24)
    assert (beside[0] == 3.0).all()
    assert (beside[1] == 0.0).all(), "one that is not clean is held against the others all the same"
    assert (beside[2] == -1.5).all(), "of two that differ it lies in the middle"
    assert np.isnan(beside[4]).all(), "it has nobody around"
    assert np.isnan(beside_neighbours(some, some, Around(least=4))).all()


def test_what_drifts_is_unusual_beside_others_long_before_it_is_by_itself(known: Trained) -> None:
    model, later = known.at(0.005), history(days=20, seed=8)
    assert model.company is not None
    healthy = odd_beside(later, later, model.company)
    assert healthy.mean() < 0.03
    drifting = replace(later, values=later.values.copy())
    first = drifting.sensors == "0:temperature"
    drifting.values[first] += 2.0
    odd = odd_beside(drifting, later, model.company)
    assert odd[first].mean() > 0.9
    assert (odd[~first] == healthy[~first]).all(), "its neighbours were looked up as they were"


def test_without_neighbours_there_is_a_model_of_each_by_itself_alone() -> None:
    found = trained(history(places={"1:temperature": PLACES["1:temperature"], **FAR}), Growth(20))
    assert found is not None
    assert found.beside is None
    assert found.at(0.002).company is None
    assert found.metrics["beside_neighbours"] == 0


def test_it_is_kept_and_published_with_the_other_model(known: Trained) -> None:
    told = (known.version, known.parameter, known.trained_at, known.since, known.until)
    back = _of_row((*told, known.readings, to_bytes(known), known.metrics))
    one, other = back.at(0.005).company, known.at(0.005).company
    assert one is not None
    assert other is not None
    assert (one.edges, one.around, one.seasons) == (other.edges, other.around, other.seasons)
    made = with_models(DEFAULT, "1", {"temperature": known.at(0.005)})
    assert ruleset_of(json.loads(json.dumps(ruleset_text(made)))) == made


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda told: told.pop("beside"), "not whole"),
        (lambda told: told.update(beside=[1.0, -1.0]), "do not rise"),
        (lambda told: told.update(radius=0.0), "looks nowhere"),
        (lambda told: told.update(least=0), "looks nowhere"),
        (lambda told: told.update(seasons=[7]), "seasons"),
        (lambda told: told.update(table="%%%"), "cannot be read"),
    ],
)
def test_one_that_makes_no_sense_is_refused(
    known: Trained, spoil: Callable[[dict[str, Any]], Any], problem: str
) -> None:
    told = to_plain(known.at(0.005))
    spoil(told["company"])
    with pytest.raises(ValueError, match=problem):
        from_plain(told)
