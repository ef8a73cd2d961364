"""The source against a real broker and registry: exactly once, across restarts and rivals."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from producers.publishing.publisher import Publisher
from producers.settings import SourceSettings
from runtime.bulk_producer import BulkProducer
from runtime.errors import Configuration, Exit, Fenced
from runtime.kafka import KafkaSettings
from runtime.kafka_read import read_to_end
from runtime.kafka_topics import ensure_topics
from schemas.columnar import Keyed
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.source_runs import Deployment, InThread
from tests.sources import create, hourly, insert, minutely, write_mapping


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return create(tmp_path / "little.db")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return write_mapping(tmp_path / "mapping.yaml")


@pytest.mark.requirement("A6", "B5")
def test_every_row_is_published_with_null_times_and_text_as_given(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    insert(database, "hourly", [hourly(1), hourly(2, at=None), hourly(3, ta="M", at="soon")])
    insert(database, "minutely", [minutely(1, v="7.0")])
    summary = deployment.run(database, mapping)
    found = sorted(
        deployment.raw("temperature"), key=lambda r: (r["source_table"], r["source_key"])
    )
    assert [
        (r["value"], r["value_text"], r["observed_local"], r["observed_text"]) for r in found
    ] == [
        (1.5, None, 1_577_840_400_000_000, None),
        (1.5, None, None, None),
        (None, "M", None, "soon"),
        (None, "7.0", 1_577_840_400_000_000, None),
    ]
    assert [r["key"] for r in found] == [b"A", b"A", b"A", b"B"]
    assert len(deployment.raw("wind")) == 3
    assert summary.readings == {"temperature": 4, "wind": 3}


@pytest.mark.requirement("A6")
def test_a_restart_goes_on_within_a_tie_and_a_changed_row_comes_again_with_a_higher_version(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    insert(database, "hourly", [hourly(n) for n in (1, 2, 3)])
    deployment.run(database, mapping, page_rows=2)
    insert(database, "hourly", [hourly(4), hourly(5, changed="2020-01-02 00:00:00.000000")])
    summary = deployment.run(database, mapping, page_rows=2)
    assert summary.rows == 2
    keys = [r["source_key"] for r in deployment.raw("wind")]
    assert sorted(keys) == ["1", "2", "3", "4", "5"]
    versions = {r["source_key"]: r["source_version"] for r in deployment.raw("wind")}
    assert versions["5"] > versions["4"]
    standing = deployment.cursor("little", "hourly")
    assert standing["position"] == "2020-01-02 00:00:00.000000|5"
    assert (standing["rows"], standing["readings"]) == (5, 10)


@pytest.mark.requirement("A6", "D10")
def test_a_page_that_the_producers_queue_cannot_hold_is_published_whole_and_in_order(
    deployment: Deployment, kafka: KafkaSettings, topics: Topics
) -> None:
    ensure_topics(AdminClient(kafka.client()), topics.source_specs(), topics.replication)
    narrow = kafka.client(transactional_id=topics.named("narrow"), queue_buffering_max_messages=70)
    publisher = Publisher(BulkProducer(narrow))
    publisher.take_over()
    numbers = [b"%d" % number for number in range(1000)]
    publisher.publish([(topics.cursors, Keyed.of((b"k", value) for value in numbers))])
    assert [message.value() for message in read_to_end(kafka, topics.cursors, 0)] == numbers


@pytest.mark.requirement("A6")
def test_a_row_that_is_inserted_meanwhile_is_published_once(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    source = InThread(deployment, database, mapping)
    source.wait_until_drained()
    insert(database, "hourly", [hourly(1)])
    deadline = time.monotonic() + 30
    while not (found := deployment.raw("wind")) and time.monotonic() < deadline:
        pass
    source.finish()
    assert source.error is None
    assert [r["source_key"] for r in found] == ["1"]
    assert len(deployment.raw("wind")) == 1


@pytest.mark.requirement("A6")
def test_the_newer_of_two_instances_wins_and_the_older_says_who_took_over(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    older = InThread(deployment, database, mapping, instance="older")
    older.wait_until_drained()
    newer = InThread(deployment, database, mapping, instance="newer")
    newer.wait_until_drained()
    insert(database, "hourly", [hourly(n) for n in range(1, 30)])
    older.join()
    newer.finish()
    assert isinstance(older.error, Fenced)
    assert "newer#" in str(older.error)
    assert newer.error is None
    assert Counter(r["source_key"] for r in deployment.raw("wind")) == Counter(
        str(n) for n in range(1, 30)
    )


@pytest.mark.requirement("A8")
def test_a_table_whose_cursor_column_holds_no_time_stops_no_other(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    insert(database, "hourly", [hourly(1, changed="2020-99-99")])
    insert(database, "minutely", [minutely(n) for n in range(1, 6)])
    summary = deployment.run(database, mapping, page_rows=2)
    assert list(summary.errors) == ["hourly"]
    assert "is no time" in summary.errors["hourly"]
    assert len(deployment.raw("temperature")) == 5


@pytest.mark.requirement("B1")
def test_a_changed_mapping_needs_a_higher_version(
    deployment: Deployment, database: Path, mapping: Path
) -> None:
    deployment.run(database, mapping)
    with pytest.raises(Configuration, match="higher version"):
        deployment.run(database, write_mapping(mapping, rank=2))
    deployment.run(database, write_mapping(mapping, rank=2, version=4))
    assert list(deployment.mappings()) == ["little:3", "little:4"]


@pytest.mark.requirement("A5")
def test_a_cursor_is_not_carried_on_in_another_database(
    deployment: Deployment, database: Path, mapping: Path, tmp_path: Path
) -> None:
    deployment.run(database, mapping)
    with pytest.raises(Configuration, match="identity of little:hourly"):
        deployment.run(create(tmp_path / "other.db"), mapping)


@pytest.mark.requirement("D3")
def test_a_broker_that_is_not_there_stops_the_source_at_start(
    registry_settings: RegistrySettings, topics: Topics, database: Path, mapping: Path
) -> None:
    nobody = KafkaSettings(bootstrap_servers="127.0.0.1:9", connect_timeout_seconds=0.5)
    with (
        closing(Deployment(nobody, registry_settings, topics)) as lost,
        pytest.raises(Configuration, match="bootstrap_servers") as caught,
    ):
        lost.run(database, mapping)
    assert caught.value.exit_code == Exit.USAGE
    assert "\n" not in str(caught.value)


def test_the_default_instance_names_host_and_process() -> None:
    settings = SourceSettings.model_validate({"url": "sqlite://", "mapping": "m"})
    assert settings.instance.rpartition(":")[2].isdigit()
