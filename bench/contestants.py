"""Who is measured: our stream as a process of its own, and its peers, each on the same raw topics.

Each starts on complete input, with a group, output topics and a state directory of its own, and
writes a record of the same mean size for each reading, as Confluent-framed Avro, keyed by station.
All of them read all five raw topics, hold state with a changelog, and compress with lz4. The peers
do one step check and nothing else; ours does everything. How each peer is tuned stands with it:
``peers/quix_step.py``, ``peers/faust_step.py``, and here for Kafka Streams.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import fastavro
import yaml
from confluent_kafka.admin import AdminClient

from bench import jars
from bench.outputs import PEER_SCHEMA, Output, our_output, peer_output
from bench.stream_data import START, Readings
from devstack.cache import cache_directory
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.registry import Registry, RegistrySettings
from schemas.topics import PARAMETERS, Topics, TopicSpec
from stream_app.settings import StreamSettings

_SCHEMA_ID: Final = "1"  # whatever: nobody looks it up

# For throughput, and in the peer's favour: a store in memory behind a cache, so that a commit
# writes each sensor's last value once to the changelog; large compressed batches; Java's server
# compiler. It reads the few fields it needs by hand and writes the rest likewise, faster than a
# library would. Its commit interval is the default of exactly_once_v2.
STREAMS_TUNING: Final = (
    "store=memory",
    "commit.interval.ms=100",
    "statestore.cache.max.bytes=67108864",
    "producer.linger.ms=20",
    "producer.batch.size=262144",
    "producer.compression.type=lz4",
    "consumer.max.poll.records=5000",
    "consumer.fetch.max.wait.ms=50",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contestant runs: brokers, the raw topics to read, a directory, a name of its own."""

    kafka: KafkaSettings
    registry: RegistrySettings
    topics: Topics
    readings: Readings
    directory: Path
    name: str
    padding: int = 0

    @property
    def raw(self) -> list[str]:
        """The raw topics."""
        return [self.topics.raw(parameter) for parameter in PARAMETERS]


class Contestant(Protocol):
    """Something that reads the raw topics and writes a record for each reading."""

    @property
    def sizes(self) -> tuple[int, int]:
        """Readings of its short and of its long run."""

    def prepare(self, place: Place) -> None:
        """Create what has to be there before it starts."""

    def commands(self, place: Place) -> Sequence[Sequence[str]]:
        """Give the command line of each process."""

    def group(self, place: Place) -> str:
        """Name its consumer group."""

    def output(self, place: Place) -> Output:
        """Read what it wrote."""

    def tidy(self, place: Place) -> None:
        """Delete what it wrote."""


@dataclass(frozen=True, slots=True)
class Ours:
    """`aos stream`, with everything on; ``settings`` go into its section of the settings."""

    settings: Mapping[str, Any]
    sizes: tuple[int, int]
    workers: int = 1

    @staticmethod
    def knows(setting: str) -> bool:
        """Say whether the stream has such a setting."""
        return setting in StreamSettings.model_fields

    def prepare(self, place: Place) -> None:
        """Create its topics, so that creating them is no part of what is measured."""
        specs = place.topics.stream_specs()
        ensure_topics(AdminClient(place.kafka.client()), specs, place.topics.replication)

    def commands(self, place: Place) -> list[list[str]]:
        """Start the command line as an operator does."""
        return [self._command(place, number) for number in range(self.workers)]

    def group(self, place: Place) -> str:
        """Name the group, in the namespace."""
        return place.topics.named(place.name)

    def output(self, place: Place) -> Output:
        """Read the clean topics."""
        return our_output(place.kafka, Registry(place.registry), place.topics)

    def tidy(self, place: Place) -> None:
        """Delete its topics: clean readings, state and all."""
        delete(place.kafka, [spec.name for spec in place.topics.stream_specs()])

    def _command(self, place: Place, number: int) -> list[str]:
        settings = {
            "kafka": place.kafka.model_dump(mode="json", exclude_defaults=True),
            "registry": place.registry.model_dump(mode="json", exclude_defaults=True),
            "topics": place.topics.model_dump(mode="json", exclude_defaults=True),
            "stream": {"group": place.name, "instance": f"w{number}", **self.settings},
        }
        config = place.directory / f"{place.name}-{number}.yaml"
        config.write_text(yaml.safe_dump(settings))
        return [str(Path(sys.executable).with_name("aos")), "stream", "--config", str(config)]


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that takes its orders on the command line, see :class:`bench.peers.step.Order`."""

    program: tuple[str, ...]
    sizes: tuple[int, int]
    extra: tuple[str, ...] = ()

    def prepare(self, place: Place) -> None:
        """Create its output topics: Faust leaves out topics that are not there when it starts."""
        specs = [TopicSpec(out, place.topics.partitions) for out in _outputs(place)]
        ensure_topics(AdminClient(place.kafka.client()), specs, place.topics.replication)

    def commands(self, place: Place) -> list[list[str]]:
        """Give its orders."""
        state = place.directory / place.name / str(place.topics.partitions)
        state.mkdir(parents=True)
        orders = [
            place.kafka.bootstrap_servers,
            place.name,
            ",".join(place.raw),
            ",".join(_outputs(place)),
            _SCHEMA_ID,
            str(place.padding),
            str(state),
        ]
        return [[*self.program, *orders, *self.extra]]

    def group(self, place: Place) -> str:
        """Name the group."""
        return place.name

    def output(self, place: Place) -> Output:
        """Read its output topics."""
        return peer_output(place.kafka, _outputs(place), place.topics.partitions)

    def tidy(self, place: Place) -> None:
        """Delete its topics, changelogs too."""
        known = AdminClient(place.kafka.client()).list_topics(timeout=10).topics
        delete(place.kafka, [topic for topic in known if place.name in topic])


def plain_faust() -> Peer:
    """Make the Faust peer; so slow that it is given fewer readings."""
    return Peer((sys.executable, "-m", "bench.peers.faust_step"), (5_000, 20_000))


def quix_streams(sizes: tuple[int, int]) -> Peer:
    """Make the Quix peer, which lives in an environment of its own."""
    python = cache_directory() / "bench-quix" / "bin" / "python"
    return Peer((str(python), "-m", "bench.peers.quix_step"), sizes)


def kafka_streams(sizes: tuple[int, int]) -> Peer:
    """Make the Kafka Streams peer: Java as a server runs it, with its best compiler."""
    options = ("-Xms512m", "-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    return Peer(
        (jars.java(), *options, "-cp", jars.class_path(), "StepCheck"), sizes, STREAMS_TUNING
    )


def padding_for(size: float) -> int:
    """Say how much padding makes a peer's record, with its key, as large as ours on average."""
    bare: dict[str, Any] = {field["name"]: START for field in PEER_SCHEMA["fields"]}
    texts = {"station_id": 8, "sensor_id": 18, "source": 5, "source_table": 10, "op": 6}
    texts |= {"unit": 3, "source_key": 6, "padding": 0}
    bare |= {name: "x" * length for name, length in texts.items()} | {"value": 1.0, "flag_step": 1}
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(PEER_SCHEMA), bare)
    frame_key_and_length = 5 + 8 + 1
    return max(0, round(size) - len(stream.getvalue()) - frame_key_and_length)


def delete(kafka: KafkaSettings, topics: Sequence[str]) -> None:
    """Delete topics, and wait until they are gone."""
    admin = AdminClient(kafka.client())
    for done in admin.delete_topics(list(topics), operation_timeout=30).values():
        done.result()


def _outputs(place: Place) -> list[str]:
    # Named so that every peer can tell a wind topic by its name.
    return [f"{place.name}.out.{parameter}.v1" for parameter in PARAMETERS]
