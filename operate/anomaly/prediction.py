"""What a sensor's next day will be worth.

The simplest guesses, and a line through more of its past; and how wrong each was on days that it
had not seen. The one that was least wrong speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from psycopg import sql

from sink.database import Connection
from weather.arrays import Floats

_LOOK_BACK: Final = 28
_FEWEST: Final = 60
"""Pairs of a past and the day behind it, for a line to be drawn through them."""
_RIDGE: Final = 1e-3

_SCORES: Final = """
    SELECT sensor_id, day, least(1, score * least(1, readings / nullif(expected, 0))),
           coalesce(readings >= 0.95 * expected, false)
    FROM (
        SELECT sensor_id, (observed_local - interval '1 microsecond')::date AS day,
               avg(score) AS score
        FROM weather.{table} JOIN (
            SELECT DISTINCT ON (sensor_id) sensor_id, observed_at AS newest
            FROM weather.latest WHERE parameter = %s AND observed_at IS NOT NULL
        ) AS known USING (sensor_id)
        WHERE deleted_at IS NULL AND observed_at > newest - %s
        GROUP BY 1, 2
    ) AS judged
    JOIN weather.{days} AS of_day USING (sensor_id, day)
    WHERE score IS NOT NULL ORDER BY sensor_id, day
"""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a sensor's day is expected to be worth; ``was`` is the last day that is known."""

    sensor: str
    day: date
    score: float
    was: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """Predictions, by which guess, and the mean error of every guess on days it had not seen."""

    predictions: list[Prediction]
    by: str
    errors: Mapping[str, float]
    judged_on: int


Scores = dict[str, dict[date, float]]
"""The score of each day, by sensor."""


def day_scores(connection: Connection, parameter: str, days: float) -> Scores:
    """Give the scores of each sensor's newest days; what is missing of a day counts as nothing.

    A first or last day that is not whole is left out: it is of the past, or not over yet.

    Raises:
        psycopg.Error: what the database says.
    """
    names = {"table": sql.Identifier(parameter), "days": sql.Identifier(f"{parameter}_day")}
    found: Scores = {}
    begun: dict[str, date] = {}
    given = (parameter, timedelta(days=days))
    for sensor, day, score, is_whole in connection.execute(sql.SQL(_SCORES).format(**names), given):
        begun.pop(sensor, None)
        if score is not None and (is_whole or sensor in found):
            found.setdefault(sensor, {})[day] = float(score)
            if not is_whole:
                begun[sensor] = day
    for sensor, day in begun.items():
        del found[sensor][day]
    return found


def outlook(scores: Scores) -> Outlook | None:
    """Predict the day behind each sensor's last; None where there are no scores.

    Guesses are fitted on the first three fifths of all days, chosen by the next, and their error is
    that of the last fifth, which neither has seen.

    >>> day = date(2026, 3, 1)
    >>> steady = {"JFK:wind": {day + timedelta(days=n): 0.9 for n in range(40)}}
    >>> found = outlook(steady)
    >>> (found.predictions[0].day.isoformat(), round(found.predictions[0].score, 3))
    ('2026-04-10', 0.9)
    """
    series = {sensor: _series(known) for sensor, known in sorted(scores.items()) if known}
    if not series:
        return None
    past, then, when = _pairs(series)
    guesses = dict(_GUESSES)
    bounds = np.quantile(when, [0.6, 0.8]) if len(when) else (0.0, 0.0)
    fit, choose, told = (
        when <= bounds[0],
        (when > bounds[0]) & (when <= bounds[1]),
        when > bounds[1],
    )
    if fit.sum() >= _FEWEST:
        guesses["line"] = _line(past[fit], then[fit])
    by = min(guesses, key=lambda name: _error(guesses[name], past[choose], then[choose]))
    errors = {name: _error(guess, past[told], then[told]) for name, guess in guesses.items()}
    predictions = [
        Prediction(
            sensor,
            one.last + timedelta(days=1),
            float(np.clip(guesses[by](_features(one.values[-_LOOK_BACK:])[None, :])[0], 0, 1)),
            float(one.values[-1]),
        )
        for sensor, one in series.items()
    ]
    predictions.sort(key=lambda one: (one.score, one.sensor))
    return Outlook(predictions, by, errors, int(told.sum()))


@dataclass(frozen=True, slots=True)
class _Series:
    """Scores of the days up to the last; a day without readings is worth nothing."""

    last: date
    values: Floats


def _series(known: Mapping[date, float]) -> _Series:
    first, last = min(known), max(known)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return _Series(last, np.array([known.get(day, 0.0) for day in days]))


def _pairs(series: Mapping[str, _Series]) -> tuple[Floats, Floats, Floats]:
    """Give what was known, what came then, and when, as the number of the day."""
    rows: list[Floats] = []
    then: list[float] = []
    when: list[float] = []
    for one in series.values():
        for place in range(1, len(one.values)):
            rows.append(_features(one.values[max(0, place - _LOOK_BACK) : place]))
            then.append(float(one.values[place]))
            when.append(one.last.toordinal() - len(one.values) + 1 + place)
    shape = (len(rows), len(_NAMES))
    return np.array(rows).reshape(shape), np.array(then), np.array(when)


_NAMES: Final = ("the day before", "week", "four weeks", "worst of the week")


def _features(past: Floats) -> Floats:
    return np.array([past[-1], past[-7:].mean(), past.mean(), past[-7:].min()])


Guess = Callable[[Floats], Floats]


def _line(past: Floats, then: Floats) -> Guess:
    """Draw a line through a sensor's last weeks, by least squares, hardly bent."""
    rows = np.column_stack([past, np.ones(len(past))])
    weights = np.linalg.solve(rows.T @ rows + _RIDGE * np.eye(rows.shape[1]), rows.T @ then)

    def guess(asked: Floats) -> Floats:
        found: Floats = np.column_stack([asked, np.ones(len(asked))]) @ weights
        return found

    return guess


def _column(number: int) -> Guess:
    return lambda past: past[:, number]


_GUESSES: Final[Sequence[tuple[str, Guess]]] = (
    ("as the day before", _column(0)),
    ("mean of a week", _column(1)),
    ("mean of four weeks", _column(2)),
)


def _error(guess: Guess, past: Floats, then: Floats) -> float:
    """Give the mean distance of guesses from what came; infinite where there was nothing."""
    return float(np.abs(guess(past) - then).mean()) if len(then) else float("inf")


def as_rows(found: Outlook) -> list[dict[str, Any]]:
    """Give predictions as lines of a table."""
    return [
        {
            "sensor": one.sensor,
            "day": one.day,
            "predicted": round(one.score, 3),
            "day before": round(one.was, 3),
        }
        for one in found.predictions
    ]
