"""How long the source takes: to get a page from AOS, and to have it committed on Kafka."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from prometheus_client import Histogram

_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Timings:
    """Two histograms, observed once for each page.

    >>> timings = Timings()
    >>> with timings.publishing():
    ...     pass
    >>> [family.name for family in timings.collect()]
    ['aos_source_read_seconds', 'aos_source_publish_seconds']
    """

    def __init__(self) -> None:
        self._read = Histogram(
            "aos_source_read_seconds",
            "Waiting for a page of rows; what was read ahead is there at once.",
            buckets=_BOUNDS,
            registry=None,
        )
        self._publish = Histogram(
            "aos_source_publish_seconds",
            "From handing over a page to its committed transaction.",
            buckets=_BOUNDS,
            registry=None,
        )

    def reading(self) -> Any:
        """Give what measures as a context manager."""
        return self._read.time()

    def publishing(self) -> Any:
        """Give what measures as a context manager."""
        return self._publish.time()

    def collect(self) -> Iterable[Any]:
        """Give both as Prometheus reads them."""
        yield from self._read.collect()
        yield from self._publish.collect()
