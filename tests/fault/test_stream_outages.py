"""What the stream does when what it stands on fails: it waits, or ends, and neither in silence."""

from __future__ import annotations

import copy
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fastavro
import httpx
import pytest

from runtime.kafka import KafkaSettings
from schemas import avsc
from schemas.framing import frame
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.topics import Topics, raw_schema
from tests.broken_stream import FAULTS
from tests.own_broker import Broker
from tests.raw_records import local, raw
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.tcp_proxy import Proxy
from tests.unit.stream_fakes import mapping
from tests.waiting import eventually

MINUTE = 60_000_000
START = local("2013-07-01T00:00:00")


def readings(first: int, number: int) -> list[dict[str, Any]]:
    return [
        raw("temperature", station=f"S{n % 4}", key=str(n), observed_local=START + n // 4 * MINUTE)
        for n in range(first, first + number)
    ]


def once(raw_topics: RawTopics, number: int) -> None:
    """Wait until so many readings are there, and see that each is, and none twice."""
    found = eventually(lambda: all_ if (all_ := keys(raw_topics)).total() >= number else None)
    assert found == Counter(str(n) for n in range(number))
    assert raw_topics.dead_letters() == []


def keys(raw_topics: RawTopics) -> Counter[str]:
    return Counter(record["source_key"] for record in raw_topics.clean("temperature"))


@pytest.fixture
def raw_topics(kafka: KafkaSettings, registry: Registry, topics: Topics) -> RawTopics:
    made = RawTopics(kafka, registry, topics)
    made.publish_mapping(mapping("temperature"))
    return made


@pytest.mark.slow
@pytest.mark.requirement("D3", "E2")
def test_a_broker_that_goes_and_comes_back_costs_nothing_and_repeats_nothing(
    registry: Registry, registry_settings: RegistrySettings, topics: Topics, tmp_path: Path
) -> None:
    settings = {
        "instance": "one",
        "session_timeout_seconds": 4.0,
        "transaction_timeout_seconds": 4.0,
        "silence_check_seconds": 0.5,
    }
    with Broker(tmp_path / "broker") as broker:
        raw_topics = RawTopics(broker.kafka, registry, topics)
        raw_topics.publish_mapping(mapping("temperature"))
        world = broker.kafka, registry_settings, topics
        with StageProcess("stream", settings, *world, tmp_path / "log") as stream:
            raw_topics.publish("temperature", readings(0, 400))
            eventually(lambda: keys(raw_topics).total())
            broker.kill()
            broker.start()
            raw_topics.publish("temperature", readings(400, 100))
            eventually(lambda: not stream.running or keys(raw_topics).total() >= 500)
            if not stream.running:  # it ended, and said so: whoever watches over it starts it again
                assert stream.wait() == 1
                assert "cannot go on" in stream.log
                stream.start()
            once(raw_topics, 500)


@pytest.mark.requirement("B3", "D3")
def test_a_registry_that_is_away_when_a_new_schema_comes_is_waited_for(
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    raw_topics: RawTopics,
    tmp_path: Path,
) -> None:
    url = registry_settings.url
    with Proxy(urlsplit(url).port or 0, "cut") as proxy:
        away = registry_settings.model_copy(
            update={"url": url.replace(f":{urlsplit(url).port}", f":{proxy.port}")}
        )
        world = kafka, away, topics
        with StageProcess("stream", {"instance": "one"}, *world, tmp_path / "log") as stream:
            raw_topics.publish("temperature", readings(0, 10))
            once(raw_topics, 10)
            proxy.fail()
            told = newer(url, subject_of(topics.raw("temperature")), readings(10, 1)[0])
            raw_topics.publish_bytes("temperature", told)
            eventually(lambda: stream.log.count("batch will be tried again") >= 2)
            assert stream.running
            proxy.mend()
            once(raw_topics, 11)
            assert stream.stop() == 0, stream.log


def newer(url: str, subject: str, record: dict[str, Any]) -> bytes:
    """Write a record as a later source might: with a field more, under a schema of its own."""
    schema = copy.deepcopy(avsc.load(raw_schema("temperature")))
    schema["fields"].append({"name": "humour", "type": ["null", "string"], "default": None})
    answer = httpx.post(f"{url}/subjects/{subject}/versions", json={"schema": json.dumps(schema)})
    out = io.BytesIO()
    out.write(frame(answer.raise_for_status().json()["id"]))
    plain = fastavro.parse_schema(avsc.without_logical_types(schema))
    fastavro.schemaless_writer(out, plain, record)
    return out.getvalue()


@pytest.mark.requirement("D3", "E2")
@pytest.mark.parametrize("where", sorted(FAULTS))
def test_an_error_that_nobody_foresaw_ends_the_process_and_loses_nothing(
    where: str,
    kafka: KafkaSettings,
    registry_settings: RegistrySettings,
    topics: Topics,
    raw_topics: RawTopics,
    tmp_path: Path,
) -> None:
    raw_topics.publish("temperature", readings(0, 200))
    settings, world = {"instance": "one", "batch_records": 20}, (kafka, registry_settings, topics)
    module = "tests.broken_stream", where
    with StageProcess("stream", settings, *world, tmp_path / "one", module=module) as broken:
        assert broken.wait() == 1
        assert broken.log.splitlines()[-1].startswith("System: ")
        assert "nobody foresaw this" in broken.log
    with StageProcess("stream", settings, *world, tmp_path / "two") as sound:
        once(raw_topics, 200)
        assert sound.stop() == 0
