"""Metrics: served on loopback, named by the rules, counted by whole batches."""

from __future__ import annotations

import re
import socket
from collections import Counter
from functools import partial
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from producers.metrics import SourceMetrics
from producers.progress import Summary, TableProgress
from runtime.breaker import Circuit
from runtime.errors import Configuration
from runtime.metrics import Distribution, new_registry, served
from stream_app.metrics import Standings, StreamMetrics
from stream_app.silence.watch import Standing
from tests.silence_columns import MINUTE, NOON, every, heard

UNITS = (
    r"_(seconds|bytes|ratio|fds|sensors|records|tables|partitions|batches|circuit|"
    r"(readings|letters|seconds|rows|transactions)_total)$"
)
STREAM_LABELS = {"topic", "partition", "parameter", "flag", "test", "le"}


@pytest.fixture
def stream() -> tuple[StreamMetrics, CollectorRegistry]:
    registry = new_registry()
    return StreamMetrics(registry), registry


@pytest.fixture
def source() -> CollectorRegistry:
    """Make the registry of a source that has read two tables, one of which fails now."""
    wide = TableProgress("wide", 7, Counter(wind=4, pressure=3), overdue_total=2, held_seconds=9.5)
    long = TableProgress("long", 5, Counter(wind=5), Counter(SNOW=2, X=1), error="it is locked")
    circuits = {"first:1433": Circuit.OPEN, "second:1433": Circuit.CLOSED}
    summary = Summary("aos", "host:1", {"wide": wide, "long": long}, circuits=circuits)
    registry = new_registry()
    registry.register(SourceMetrics(summary))
    return registry


@pytest.mark.requirement("D5")
def test_the_metrics_of_a_batch_are_found_where_prometheus_looks(
    stream: tuple[StreamMetrics, CollectorRegistry],
) -> None:
    metrics, registry = stream
    dead = {("raw", "no_time"): 1, ("raw", "bad_time"): 1}
    counts = metrics.counted([heard(every(MINUTE, 5))], [], dead, NOON + 4 * MINUTE)
    read = partial(
        registry.get_sample_value, "aos_stream_readings_total", {"parameter": "temperature"}
    )
    assert read() == 0
    metrics.committed(counts, 0.2)
    assert read() == 5
    metrics.stand(0, [Standing("temperature", NOON, 1)])
    with served(registry, 0, "stream.metrics_port") as url:
        assert urlsplit(url).hostname == "127.0.0.1"
        text = httpx.get(url, trust_env=False).text
    found = {
        (sample.name, sample.labels.get("parameter"), sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["aos_stream_readings_total", "temperature", None] == 5
    assert found["aos_stream_dead_letters_total", None, None] == 2
    assert found["aos_stream_lateness_seconds_bucket", "temperature", "120.0"] == 3
    assert found["aos_stream_lateness_seconds_bucket", "temperature", "+Inf"] == 5
    assert found["aos_stream_lateness_seconds_sum", "temperature", None] == 600
    assert found["aos_stream_batch_seconds_count", None, None] == 1
    assert found["aos_stream_silent_sensors", "temperature", None] == 1
    assert found["process_resident_memory_bytes", None, None] > 0


@pytest.mark.requirement("D5")
def test_names_and_labels_keep_the_rules(stream: tuple[StreamMetrics, CollectorRegistry]) -> None:
    metrics, registry = stream
    metrics.committed(
        metrics.counted([heard(every(MINUTE, 1))], [], {("raw", "no_time"): 1}, NOON), 0.1
    )
    metrics.stand(0, [Standing("temperature", NOON, 0)])
    for family in registry.collect():
        if not family.name.startswith("aos_"):
            continue
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.search(UNITS, name), name
        for sample in family.samples:
            assert set(sample.labels) <= STREAM_LABELS


@pytest.mark.requirement("D5")
def test_the_source_tells_what_it_reads_what_holds_it_and_which_database_is_away(
    source: CollectorRegistry,
) -> None:
    def value(name: str, **labels: str) -> float | None:
        return source.get_sample_value(f"aos_source_{name}", labels)

    assert value("rows_total", table="wide") == 7
    assert value("readings_total", parameter="wind") == 9
    assert value("unmapped_rows_total", table="long") == 3
    assert value("overdue_transactions_total", table="wide") == 2
    assert value("held_seconds", table="wide") == 9.5
    assert value("failing_tables") == 1
    assert value("database_circuit", endpoint="first:1433") == 2
    assert value("database_circuit", endpoint="second:1433") == 0
    for family in source.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.search(UNITS, name) or not name.startswith("aos_"), name


def test_metrics_are_served_where_the_settings_say(
    stream: tuple[StreamMetrics, CollectorRegistry],
) -> None:
    with served(stream[1], 0, "stream.metrics_port", "127.0.0.2") as url:
        assert urlsplit(url).hostname == "127.0.0.2"
        assert "aos_stream" in httpx.get(url, trust_env=False).text
    with (
        pytest.raises(Configuration, match=r"at 192\.0\.2\.1"),  # of nobody: RFC 5737
        served(stream[1], 0, "stream.metrics_port", "192.0.2.1"),
    ):
        pass


def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(Configuration, match=f"stream.metrics_port = {port}"),
            served(new_registry(), port, "stream.metrics_port"),
        ):
            pass


def test_without_a_port_nothing_is_served() -> None:
    with served(new_registry(), None, "sink.metrics_port") as url:
        assert url == ""


def test_the_port_is_free_again_afterwards() -> None:
    with served(new_registry(), 0, "x") as url:
        port = urlsplit(url).port
    with served(new_registry(), port, "x") as again:
        assert again == url


def test_the_watermark_of_a_parameter_is_the_oldest_of_all_partitions_and_ages() -> None:
    clock = [NOON]
    standings = Standings(lambda: clock[0])
    standings.partitions[0] = (
        Standing("wind", NOON - 60_000_000, 1),
        Standing("rainfall", None, 2),
    )
    standings.partitions[1] = (Standing("wind", NOON - 90_000_000, 1),)

    def samples() -> list[tuple[str, str, float]]:
        return [
            (sample.name.removeprefix("aos_stream_"), sample.labels["parameter"], sample.value)
            for family in standings.collect()
            for sample in family.samples
        ]

    assert samples() == [
        ("watermark_age_seconds", "wind", 90.0),
        ("silent_sensors", "wind", 2),
        ("silent_sensors", "rainfall", 2),
    ]
    clock[0] += 5_000_000
    assert samples()[0][2] == 95.0


def test_a_value_on_a_bound_belongs_below_it_and_none_is_negative() -> None:
    late = Distribution("late_seconds", "How late.", ["parameter"], [1.0, 2.0])
    late.observe(np.array([-5.0, 1.0, 2.0, 2.5]), "wind")
    late.observe(np.array([], dtype=np.float64), "wind")
    (family,) = late.collect()
    assert [(sample.labels.get("le"), sample.value) for sample in family.samples] == [
        ("1.0", 2),
        ("2.0", 3),
        ("+Inf", 4),
        (None, 4),
        (None, 5.5),
    ]


def test_a_worker_is_asked_when_prometheus_asks(
    stream: tuple[StreamMetrics, CollectorRegistry],
) -> None:
    metrics, registry = stream
    worker = SimpleNamespace(partitions=0, batches=0)
    metrics.work(worker)
    worker.partitions, worker.batches = 3, 5
    assert registry.get_sample_value("aos_stream_partitions") == 3
    assert registry.get_sample_value("aos_stream_buffered_batches") == 5
