"""What the source tells Prometheus: what it reads, how far it is behind, and what it waits for.

All of it stands in the summary already; it is read when Prometheus asks, and costs a page nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from producers.progress import Summary
from runtime.breaker import Circuit

_STATES: Final = {Circuit.CLOSED: 0, Circuit.HALF_OPEN: 1, Circuit.OPEN: 2}

_Family = TypeVar("_Family", CounterMetricFamily, GaugeMetricFamily)


class SourceMetrics(Collector):
    """The metrics of one source, by its summary."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary

    def collect(self) -> Iterable[Any]:
        """Give everything as it is at this moment."""
        tables = self._summary.tables.items()
        yield _counter("rows", "Rows read.", "table", {n: t.rows for n, t in tables})
        told = "Readings published, their transaction committed."
        yield _counter("readings", told, "parameter", self._summary.readings)
        told = "Rows that were not published: the mapping does not name their code."
        unmapped = {name: t.unmapped.copy().total() for name, t in tables}
        yield _counter("unmapped_rows", told, "table", unmapped)
        told = "Times that a transaction in the source began to be open for longer than allowed."
        overdue = {name: t.overdue_total for name, t in tables}
        yield _counter("overdue_transactions", told, "table", overdue)
        told = "How far the last row read lies before what may be read."
        yield _gauge("behind_seconds", told, "table", {n: t.behind_seconds for n, t in tables})
        told = "By how much an open transaction, or a replica, holds back what may be read."
        yield _gauge("held_seconds", told, "table", {n: t.held_seconds for n, t in tables})
        yield from self._summary.timings.collect()
        told = "Tables that could not be read at the last look."
        yield GaugeMetricFamily("aos_source_failing_tables", told, len(self._summary.errors))
        told = "Breaker around a database: 0 closed, 1 half open (one trial), 2 open (it is away)."
        circuits = {name: _STATES[state] for name, state in self._summary.circuits.items()}
        yield _gauge("database_circuit", told, "endpoint", circuits)


def _counter(name: str, told: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    return _filled(CounterMetricFamily(f"aos_source_{name}", told, labels=[label]), values)


def _gauge(name: str, told: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    return _filled(GaugeMetricFamily(f"aos_source_{name}", told, labels=[label]), values)


def _filled(family: _Family, values: Mapping[str, float]) -> _Family:
    for name, value in values.items():
        family.add_metric([name], value)
    return family
