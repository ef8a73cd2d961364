"""Dead letters and tables as ``aos dlq list`` and ``aos db query`` show them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from devstack.stack import Stack
from operate.cli import app
from runtime.errors import DataQuality
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.dead_letters import Stage, headers
from schemas.topics import Topics

Run = Callable[..., Result]


@pytest.fixture
def run(stack: Stack, namespace: str, tmp_path: Path) -> Run:
    """Give a way to run a command on the stack."""
    config = tmp_path / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": namespace, "partitions": 2},
        "sink": {"database_url": stack.database_url},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, [*words, "--config", str(config)])


def send(kafka: KafkaSettings, topic: str, count: int) -> None:
    producer = Producer(kafka.client())
    error = DataQuality("no such unit", reason="unknown_unit")
    for offset in range(count):
        context = headers("aos.raw.wind.v1", 1, offset, Stage.CLEANING, error)
        producer.produce(topic, b"value", b"JFK", headers=list(context))
    assert producer.flush(10) == 0


@pytest.mark.requirement("D4")
def test_dead_letters_are_listed_the_newest_last(
    run: Run, kafka: KafkaSettings, topics: Topics
) -> None:
    assert json.loads(run("dlq", "list", "--json").stdout) == []
    ensure_topics(AdminClient(kafka.client()), topics.specs(), 1)
    send(kafka, topics.clean_dead_letters, 3)
    send(kafka, topics.sink_dead_letters, 1)
    assert len(json.loads(run("dlq", "list", "--json").stdout)) == 4
    chosen = json.loads(run("dlq", "list", "--json", "--topic", "clean", "--limit", "2").stdout)
    assert [letter["offset"] for letter in chosen] == [1, 2]
    assert {letter["reason"] for letter in chosen} == {"unknown_unit"}
    assert "no such unit" in run("dlq", "list").stdout


def test_a_query_shows_rows(run: Run) -> None:
    told = run("db", "query", "SELECT 1 AS one, 'x' AS two", "--json")
    assert json.loads(told.stdout) == [{"one": 1, "two": "x"}]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE never (n int)",
        "COMMIT; CREATE TABLE never (n int)",
        "SELECT 1; ROLLBACK; CREATE TABLE never (n int)",
    ],
)
def test_a_query_changes_nothing(statement: str, run: Run) -> None:
    refused = run("db", "query", statement)
    assert refused.exit_code == 2
    assert "only reads" in refused.stderr
    there = run("db", "query", "SELECT to_regclass('never')::text AS there", "--json")
    assert json.loads(there.stdout) == [{"there": None}]
