"""All tests of one measure that look at neighbours in time, by the limits of a ruleset."""

from __future__ import annotations

import numpy as np

from weather.anomaly import anomaly_test
from weather.arrays import Flags, Floats, Micros
from weather.limits import Limits
from weather.qc.digits import digits_test
from weather.qc.flags import MISSING, aggregate
from weather.qc.flat_line import flat_line_test
from weather.qc.series import Neighbours
from weather.qc.spike import spike_test
from weather.qc.step import factor_test, step_test


def judge_in_time(
    at: Micros, values: Floats, found: Neighbours, limits: Limits
) -> dict[str, Flags]:
    """Give the flags of ``step``, ``spike`` and ``flat_line``, each of shape (n,).

    And of ``anomaly``, where the limits have a model.

    ``found`` is what :func:`weather.qc.series.neighbours` says of the same readings; they may be of
    many series, but all under the same limits. What is missing is 9.

    >>> from weather.qc.series import Past, neighbours
    >>> from weather.ruleset import DEFAULT
    >>> at, values = np.arange(3) * 60_000_000, np.array([20.0, 35.0, 20.0])
    >>> found = neighbours(at, values, np.ones(3, bool), np.array([3]), Past.nothing(1))
    >>> flags = judge_in_time(at, values, found, DEFAULT.limits_of("temperature", "value"))
    >>> {name: made.tolist() for name, made in flags.items()}
    {'step': [2, 3, 3], 'spike': [2, 4, 2], 'flat_line': [1, 1, 1]}
    """
    step = step_test(
        found.change,
        found.elapsed,
        limits.steps,
        rises_only=limits.rises_only,
        resolution=found.resolution,
    )
    if limits.factor is not None:
        step = aggregate(step, factor_test(values, found.change, found.elapsed, limits.factor))
    if limits.digits:
        step = aggregate(step, digits_test(found.odd))
    flags = {
        "step": step,
        "spike": spike_test(
            found.rise,
            found.fall,
            found.elapsed,
            found.to_behind,
            limits.spike,
            found.resolution,
        ),
        "flat_line": flat_line_test(
            values, at - found.past.since, found.past.length, found.resolution, limits.flat_line
        ),
    }
    if limits.anomaly is not None:
        flags["anomaly"] = anomaly_test(at, values, found, limits.anomaly)
    missing = np.isnan(values)
    return {name: np.where(missing, np.int32(MISSING), made) for name, made in flags.items()}
