"""The agent that asks the stations around, on a real broker: what it says, killed in between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer

from runtime.kafka import KafkaSettings
from schemas.codec import Encoder, Record
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.rulesets import PublishedRuleset
from schemas.topics import Topics, clean_schema
from stream_app.neighbours.memory import FREE, OURS
from tests.clean_records import clean
from tests.raw_topics import RawTopics
from tests.stage_process import StageProcess
from tests.waiting import eventually
from weather.ruleset import DEFAULT, Ruleset

STATIONS = [f"S{i}" for i in range(8)]


class Clean:
    """The clean topic of temperatures, as the stream writes it, and as a reader has it."""

    def __init__(self, kafka: KafkaSettings, registry: Registry, topics: Topics) -> None:
        self._kafka, self._registry, self._topics = kafka, registry, topics
        self._raw = RawTopics(kafka, registry, topics)
        self._topic, name = topics.clean("temperature"), clean_schema("temperature")
        self._encode = Encoder(name, registry.id_of(subject_of(self._topic), name))
        self._producer = Producer(kafka.client(transactional_id=topics.named("test-clean")))
        self._producer.init_transactions()

    def publish(self, records: Iterable[Record]) -> None:
        """Write records in one transaction."""
        self._producer.begin_transaction()
        for record in records:
            self._producer.produce(self._topic, self._encode(record), record["station_id"].encode())
        self._producer.commit_transaction()

    def rule(self, ruleset: Ruleset) -> None:
        """Publish a ruleset."""
        record = PublishedRuleset(ruleset, "test", None, 0).to_record()
        schema_id = self._registry.id_of(subject_of(self._topics.rulesets), "ruleset")
        producer = Producer(self._kafka.client())
        value = Encoder("ruleset", schema_id)(record)
        producer.produce(self._topics.rulesets, value, ruleset.version.encode())
        assert producer.flush(30) == 0

    def last(self, station: str, number: int) -> Record:
        """Give the last word on a reading; no two may have one version and revision."""
        sensor = f"{station}:temperature"
        at = clean("temperature", number)["observed_at"]
        all_ = self._raw.clean("temperature")
        mine = [r for r in all_ if (r["sensor_id"], r["observed_at"]) == (sensor, at)]
        ranks = [(r["source_version"], r["revision"]) for r in mine]
        assert len(set(ranks)) == len(ranks), "two words with one revision"
        return max(mine, key=lambda r: (r["source_version"], r["revision"]))

    def said(self, station: str, number: int, flag: int) -> Record:
        """Wait for what the agent says of a reading."""

        def found() -> list[Record]:
            last = self.last(station, number)
            return [last] if last["flag_buddy"] == flag else []

        return eventually(found, every=0.5)[0]


def hour(number: int, revision: int = FREE, ruleset: str = "r1", **values: float) -> list[Record]:
    """Make an hour of stations a mile apart; all have ten degrees but those that are named."""
    return [
        clean(
            "temperature",
            number,
            station,
            value=values.get(station, 10.0),
            latitude=40.0 + place / 60,
            revision=revision,
            ruleset_version=ruleset,
        )
        for place, station in enumerate(STATIONS)
    ]


@pytest.mark.requirement("B6", "D1", "D4")
def test_what_the_stations_around_contradict_is_said_once_and_taken_back(
    kafka: KafkaSettings,
    registry: Registry,
    registry_settings: RegistrySettings,
    topics: Topics,
    tmp_path: Path,
) -> None:
    topic = Clean(kafka, registry, topics)
    topic.publish(hour(1, S3=31.0)[:4])
    agent = StageProcess(
        "stream", {"neighbours": True}, kafka, registry_settings, topics, tmp_path / "agent.log"
    )
    with agent:
        topic.publish([*hour(1)[4:], *hour(2)])
        found = topic.said("S3", 1, 4)
        assert (found["flag"], found["reason"]) == (4, "buddy,low_score")
        assert found["revision"] == FREE + OURS
        agent.kill()
        agent.start()
        topic.publish(hour(3, S5=-9.0))
        topic.said("S5", 3, 4)
        assert topic.last("S3", 1) == found
        # The others are corrected: now the one that stood alone is among its like.
        topic.publish(hour(1, 2 * FREE, **dict.fromkeys(STATIONS, 31.0))[:3])
        topic.publish(hour(1, 2 * FREE, **dict.fromkeys(STATIONS, 31.0))[4:])
        back = topic.said("S3", 1, 2)
        assert (back["flag"], back["reason"], back["score"]) == (1, None, 1.0)
        assert {topic.last(s, 2)["revision"] for s in STATIONS} == {FREE}
        # Rules that are published while it runs hold for the readings that name them.
        topic.rule(lenient())
        topic.publish(
            [*hour(4, ruleset="lenient", S2=19.0), *hour(5, ruleset=DEFAULT.version, S2=19.0)]
        )
        topic.said("S2", 5, 4)
        assert topic.last("S2", 4)["revision"] == FREE


def lenient() -> Ruleset:
    """Give rules by which a station may be twenty degrees from its neighbours."""
    usual = DEFAULT.limits_of("temperature", "value")
    assert usual.buddies is not None
    wide = replace(usual, buddies=usual.buddies._replace(suspect=20.0, fail=30.0))
    limits = {**DEFAULT.limits, ("temperature", "value"): wide}
    return replace(DEFAULT, version="lenient", limits=limits)
