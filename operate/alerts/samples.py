"""What the stages say of themselves at one moment: their metrics, and whether they answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from operate.settings import Settings

_LOGGER: Final = logging.getLogger("aos.alerts")
_SECONDS: Final = 5.0
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look.

    Attributes:
        at: rising seconds.
        up: of each stage, whether it answered.
        values: of each stage, its samples by name and labels.
        failed_jobs: runs that have failed of late, by job.
    """

    at: float
    up: Mapping[str, bool]
    values: Mapping[str, Mapping[tuple[str, Labels], float]] = field(default_factory=dict)
    failed_jobs: Mapping[str, int] = field(default_factory=dict)

    def of(self, name: str, by: str = "") -> dict[str, float]:
        """Add up a metric over all stages, by one of its labels; without one, in all."""
        found: dict[str, float] = {}
        for samples in self.values.values():
            for (known, labels), value in samples.items():
                if known == name:
                    key = dict(labels).get(by, "")
                    found[key] = found.get(key, 0.0) + value
        return found

    def most(self, name: str, by: str = "") -> dict[str, float]:
        """Give the greatest of a metric, by one of its labels."""
        found: dict[str, float] = {}
        for samples in self.values.values():
            for (known, labels), value in samples.items():
                if known == name:
                    key = dict(labels).get(by, "")
                    found[key] = max(found.get(key, value), value)
        return found


def parsed(text: str) -> dict[tuple[str, Labels], float]:
    r"""Read what a stage serves.

    >>> parsed('aos_sink_lag_records 7.0\n')
    {('aos_sink_lag_records', frozenset()): 7.0}
    """
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def places(settings: Settings) -> dict[str, str]:
    """Say where the metrics of each stage are: where the settings say so, or by their ports."""
    known: dict[str, Any] = {"stream": settings.stream, "sink": settings.sink}
    sources = settings.all_sources() if settings.source or settings.sources else ()
    several = len(sources) > 1
    known |= {f"source {n + 1}" if several else "source": s for n, s in enumerate(sources)}
    found = {
        name: f"http://{stage.metrics_host}:{stage.metrics_port}/metrics"
        for name, stage in known.items()
        if stage.metrics_port
    }
    return found | settings.alerts.stages


def look(
    client: httpx.Client, where: Mapping[str, str], at: float, failed_jobs: Mapping[str, int]
) -> Snapshot:
    """Ask every stage; one that does not answer is down."""
    values = {}
    for name, url in where.items():
        try:
            answer = client.get(url, timeout=_SECONDS).raise_for_status()
            values[name] = parsed(answer.text)
        except (httpx.HTTPError, ValueError) as error:
            _LOGGER.debug("%s does not answer: %s", name, error)
    return Snapshot(at, {name: name in values for name in where}, values, failed_jobs)
