"""The job that trains: a model for each parameter from the newest days that the tables hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import numpy as np

from operate.anomaly import store
from operate.anomaly.company import beside_neighbours, grow_beside
from operate.anomaly.forest import USUAL, Growth, grow
from operate.anomaly.held_out import quantiles_of
from operate.anomaly.history import History, halves
from operate.anomaly.store import Trained
from operate.given import wrong
from schemas.topics import PARAMETERS
from sink.database import Connection
from weather.company import Around

ALERT_RATE: Final = 0.002
"""The part of usual readings that may be flagged: one in five hundred."""
MOST_RATE: Final = 0.05


class Tables(Protocol):
    """What training needs of whoever starts it: a way to the tables."""

    def database(self, doing: str = ...) -> AbstractContextManager[Connection]:
        """Open a transaction."""


def train(
    context: Tables,
    parameters: Sequence[str] = (),
    days: float = 365,
    growth: Growth | None = None,
    rate: float = ALERT_RATE,
) -> dict[str, dict[str, Any]]:
    """Train and keep a model of each parameter; give what was measured, by parameter.

    Nothing judges by them until they are published, see :mod:`operate.anomaly.tuning`. A parameter
    of which there are too few clean readings says so, under ``left_out``.

    Args:
        context: opens the tables; no transaction is open while trees grow.
        parameters: which ones; all, where none is named.
        days: how far back from each sensor's newest reading.
        growth: how trees are grown.
        rate: the part of usual readings that may be flagged.

    Raises:
        AosError: the database does not answer.
        Configuration: a parameter or a figure is none.
    """
    return train_at(context, datetime.now(UTC), parameters, days, growth, rate)


def train_at(
    context: Tables,
    at: datetime,
    parameters: Sequence[str] = (),
    days: float = 365,
    growth: Growth | None = None,
    rate: float = ALERT_RATE,
) -> dict[str, dict[str, Any]]:
    """Train as :func:`train` does, models of a moment: trained again, they take their place."""
    growth = growth or USUAL
    _check(parameters, days, growth, rate)
    told: dict[str, dict[str, Any]] = {}
    for parameter in parameters or PARAMETERS:
        with context.database("reading what to learn from") as connection:
            history = History.of_tables(connection, parameter, days)
        found = None if history is None else trained(history, growth, rate, at)
        if found is None:
            told[parameter] = {"left_out": "too few clean readings"}
            continue
        with context.database("keeping a model") as connection:
            store.put(connection, found)
        told[parameter] = {"version": found.version, **found.metrics}
    return told


def trained(
    history: History,
    growth: Growth,
    rate: float = ALERT_RATE,
    at: datetime | None = None,
    among: History | None = None,
) -> Trained | None:
    """Grow a model on every other week, and measure it on the rest; None where there is too little.

    Where the rest is nothing (less than a week in all), it is measured on what it grew on.
    Neighbours are looked for in ``among``; in the history itself, where that is not given.
    """
    began = time.perf_counter()
    mine, rest = halves(history)
    if not mine.clean.any() or not rest.clean.any():
        mine = rest = history
    model = grow(mine, growth)
    if model is None:
        return None
    scores = model.of(rest)
    held_out = quantiles_of(scores)
    at = at or datetime.now(UTC)
    version = f"{history.parameter}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    span = history.span()
    found = Trained(
        version, history.parameter, at, *span, len(history), model, held_out, metrics={}
    )
    beside = beside_neighbours(history, among or history, Around())
    found = replace(found, beside=grow_beside(mine, rest, beside, growth, Around()))
    threshold = found.threshold(rate)
    measured = {
        "readings": len(history),
        "sensors": len(np.unique(history.sensors)),
        "grown_on": int(mine.clean.sum()),
        "beside_neighbours": int((history.clean & ~np.isnan(beside)).sum()) if found.beside else 0,
        "held_out": int(rest.clean.sum()),
        "contamination": growth.contamination,
        "odd_by_contamination": round(float((scores >= model.offset).mean()), 5),
        "alert_rate": rate,
        "threshold": round(threshold, 4),
        "flagged_of_held_out": round(float((scores >= threshold).mean()), 5),
        "cells": int(model.scores.size),
        "bytes": len(found.at(rate).table),
        "seconds": round(time.perf_counter() - began, 2),
    }
    return replace(found, metrics=measured)


def _check(parameters: Sequence[str], days: float, growth: Growth, rate: float) -> None:
    for name in parameters:
        if name not in PARAMETERS:
            mend = f"name some of {', '.join(PARAMETERS)}"
            raise wrong(name, "there is no such parameter", mend, name="--parameter")
    if days <= 0:
        raise wrong(days, "it is no time", "give days above 0", name="--days")
    if not 0.0 < growth.contamination <= 0.5:
        mend = "give a part above 0, up to 0.5"
        given = growth.contamination
        raise wrong(given, "no forest takes it", mend, name="--contamination")
    check_rate(rate)


def check_rate(rate: float) -> None:
    """Refuse a rate of alerts that is none.

    Raises:
        Configuration: it is not above 0, or more than one in twenty.
    """
    if not 0.0 < rate <= MOST_RATE:
        problem = "it is no part of readings to be flagged"
        mend = f"give a part above 0, up to {MOST_RATE}"
        raise wrong(rate, problem, mend, name="--rate")
