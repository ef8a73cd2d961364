"""Models in the table ``ops.anomaly_model``: plain arrays by version, and what is told of them.

Arrays are read back without pickle, so a row can hold numbers and nothing that would run.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import numpy as np
from psycopg.types.json import Jsonb

from operate.anomaly.company import Beside
from operate.anomaly.forest import Model
from operate.anomaly.held_out import threshold_of
from sink.database import Connection
from weather.anomaly import Anomaly, Edges
from weather.arrays import Floats
from weather.parameters import parameter_of

_PUT: Final = """
    INSERT INTO ops.anomaly_model
        (version, parameter, measure, trained_at, since, until, readings, model, metrics)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (version) DO UPDATE SET
        since = excluded.since, until = excluded.until, readings = excluded.readings,
        model = excluded.model, metrics = excluded.metrics
"""
_COLUMNS: Final = "version, parameter, trained_at, since, until, readings, model, metrics"
_ALL: Final = f"SELECT {_COLUMNS} FROM ops.anomaly_model ORDER BY trained_at, version"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, what it was trained on, and the scores of readings it did not grow on.

    ``held_out`` are quantiles of these scores, rising; ``metrics`` what the training measured;
    ``beside`` the model of the same measure beside its neighbours, where there were any.
    """

    version: str
    parameter: str
    trained_at: datetime
    since: datetime
    until: datetime
    readings: int
    model: Model
    held_out: Floats
    metrics: dict[str, Any]
    beside: Beside | None = None

    def threshold(self, rate: float) -> float:
        """Give the score from which so small a part of the held-out readings is odd."""
        return threshold_of(self.held_out, rate)

    def at(self, rate: float) -> Anomaly:
        """Give what a ruleset carries of it, at a wanted rate of alerts."""
        model, threshold = self.model, self.threshold(rate)
        found = (self.version, model.scores, threshold, model.edges, model.seasons)
        company = None if self.beside is None else self.beside.at(rate)
        return replace(Anomaly.of_scores(*found), company=company, rate=rate)


def put(connection: Connection, trained: Trained) -> None:
    """Keep a model; of one version the last."""
    measure = parameter_of(trained.parameter).main.name
    named = (trained.version, trained.parameter, measure, trained.trained_at)
    span = (trained.since, trained.until, trained.readings)
    connection.execute(_PUT, (*named, *span, to_bytes(trained), Jsonb(trained.metrics)))


def every(connection: Connection) -> list[Trained]:
    """Give all models, the oldest first."""
    return [_of_row(row) for row in connection.execute(_ALL)]


def newest(connection: Connection) -> dict[str, Trained]:
    """Give the newest model of each parameter."""
    return {one.parameter: one for one in every(connection)}


def to_bytes(trained: Trained) -> bytes:
    """Write down the arrays of a model."""
    model, out = trained.model, io.BytesIO()
    np.savez_compressed(
        out,
        scores=model.scores.astype(np.float32),
        value=model.edges.value,
        change=model.edges.change,
        still=model.edges.still,
        seasons=np.array(model.seasons, np.int64),
        offset=np.array(model.offset),
        held_out=trained.held_out.astype(np.float32),
        **({} if trained.beside is None else trained.beside.arrays()),
    )
    return out.getvalue()


def _of_row(row: tuple[Any, ...]) -> Trained:
    version, parameter, trained_at, since, until, readings, stored, metrics = row
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        edges = Edges(*(tuple(arrays[name].tolist()) for name in ("value", "change", "still")))
        scores = arrays["scores"].astype(np.float64)
        seasons = tuple(arrays["seasons"].tolist())
        model = Model(edges, scores, seasons, float(arrays["offset"]))
        held_out = arrays["held_out"].astype(np.float64)
        beside = Beside.of_arrays(arrays)
    told = (version, parameter, trained_at, since, until, readings)
    return Trained(*told, model, held_out, metrics, beside)
