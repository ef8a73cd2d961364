"""Metrics in Prometheus form: a registry of the process's own, served on loopback by default.

Names end in their base unit (``_seconds``), those of counters in ``_total``; labels are ``topic``,
``partition`` and ``parameter``, and of a source its ``table`` and ``endpoint``; never a station: a
series for each of ten thousand sensors would cost more than the readings. What is told of single
sensors stands on topics and in tables.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from runtime.errors import Configuration

_LOG: Final = logging.getLogger("aos.metrics")
_LOOPBACK: Final = "127.0.0.1"


def new_registry() -> CollectorRegistry:
    """Make the registry of a process: it tells of memory, processor time and open files already.

    >>> "process_cpu_seconds" in {metric.name for metric in new_registry().collect()}
    True
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


@contextmanager
def served(
    registry: CollectorRegistry, port: int | None, setting: str, host: str = _LOOPBACK
) -> Iterator[str]:
    """Serve a registry at ``http://<host>:<port>/metrics``, and give that address.

    Port 0 takes a free one, which the log names; with None nothing is served and the address is
    empty.

    Raises:
        Configuration: the port, which is that of ``setting``, is taken, or there is no such host.
    """
    if port is None:
        yield ""
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        problem = f"no metrics can be served at {host}: {error.strerror}"
        mend = "take another port, or 0 for any that is free"
        raise Configuration.of(setting, port, problem, mend=mend) from error
    url = f"http://{host}:{server.server_port}/metrics"
    _LOG.info("metrics are served", extra={"url": url})
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Distribution(Collector):
    """A histogram that takes arrays: Prometheus's own is asked once for each value.

    >>> lateness = Distribution("aos_late_seconds", "How late.", ["parameter"], [1.0, 60.0])
    >>> lateness.observe(np.array([0.5, 1.0, 3.0, 900.0]), "wind")
    >>> [int(sample.value) for metric in lateness.collect() for sample in metric.samples]
    [2, 3, 4, 4, 904]
    """

    def __init__(
        self, name: str, told: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> None:
        self._name, self._told, self._labels = name, told, tuple(labels)
        self._bounds = np.array(bounds, dtype=np.float64)
        self._series: dict[tuple[str, ...], tuple[NDArray[np.int64], float]] = {}
        self._lock = threading.Lock()

    def observe(self, values: NDArray[np.float64], *labels: str) -> None:
        """Count values; what is below nought counts as nought."""
        self.observed(values, *labels)()

    def observed(self, values: NDArray[np.float64], *labels: str) -> Callable[[], None]:
        """Count values apart; they are in once what is given is called."""
        values = np.maximum(values, 0.0)
        places = np.searchsorted(self._bounds, values)
        counts = np.bincount(places, minlength=len(self._bounds) + 1)
        return partial(self._add, labels, counts, float(values.sum()))

    def _add(self, labels: tuple[str, ...], counts: NDArray[np.int64], total: float) -> None:
        with self._lock:
            before, of_before = self._series.get(labels, (0, 0.0))
            self._series[labels] = counts + before, total + of_before

    def collect(self) -> Iterable[Any]:
        """Give the histogram as Prometheus reads it: each bucket holds those below it."""
        family = HistogramMetricFamily(self._name, self._told, labels=self._labels)
        names = [*map(floatToGoString, self._bounds.tolist()), "+Inf"]
        with self._lock:
            series = list(self._series.items())
        for labels, (counts, total) in series:
            buckets = list(zip(names, np.cumsum(counts).tolist(), strict=True))
            family.add_metric(labels, buckets, total)
        return [family]
