"""What the stream finally says: of every key, the record with the highest version and revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import AdminClient
from numpy.typing import NDArray

from operate.kafka_offsets import committed, ends
from runtime.kafka import KafkaSettings
from runtime.kafka_read import is_end, reader
from schemas import avsc
from schemas.codec import Decoder, Record
from schemas.columnar import Numbers, numbers, packed, strings
from schemas.columnar_decoding import ColumnarDecoder
from schemas.columnar_encoding import ColumnarEncoder, constant
from schemas.framing import frame
from schemas.registry import Registry
from schemas.topics import Topics, clean_schema

_MARKS = 4
_PATIENCE_SECONDS = 10
OF_A_RUN = ("revision", "processed_at", "raw_topic")
"""Fields that another run fills otherwise; the topics of two deployments differ by their names."""


class Verdicts(NamedTuple):
    """Everything in one clean topic, as a reader of committed records sees it.

    Attributes:
        final: by sensor and time the winning record, encoded without the fields ``OF_A_RUN``.
        records: how many there are in all.
        distinct: how many differ by sensor, time and version.
        repeats: how many share sensor, time, version *and* revision with another: two that nobody
            could choose between.
    """

    final: dict[tuple[bytes, int], bytes]
    records: int
    distinct: int
    repeats: int


def verdicts(kafka: KafkaSettings, registry: Registry, topics: Topics, parameter: str) -> Verdicts:
    """Read a clean topic to its end."""
    schema = avsc.load(clean_schema(parameter))
    messages = list(read_all(kafka, topics.clean(parameter), topics.partitions))
    columns, good = ColumnarDecoder(schema)(messages)
    assert good.all(), "a clean record cannot be read"
    n = len(messages)
    names = strings(columns, "sensor_id").bytes()
    sensors, sensor = np.unique(np.array(names, np.bytes_), return_inverse=True)
    at, version, revision = (
        numbers(columns, name) for name in ("observed_at", "source_version", "revision")
    )
    order = np.lexsort((revision, version, at, sensor))
    last = order[np.append(_differ(order, sensor, at), True)]
    zeros = Numbers(np.zeros(n, np.int64))
    given = {"revision": zeros, "processed_at": zeros, "raw_topic": constant("raw", n)}
    head = packed([frame(0)]).take(np.zeros(n, np.int64))
    encoded = ColumnarEncoder(schema)(head, {**columns, **given})
    return Verdicts(
        {(bytes(sensors[sensor[row]]), int(at[row])): encoded[row] for row in last.tolist()},
        n,
        int(_differ(order, sensor, at, version).sum()) + bool(n),
        int((~_differ(order, sensor, at, version, revision)).sum()),
    )


def _differ(order: NDArray[np.int64], *columns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each but the last whether the next one differs."""
    sorted_ = [column[order] for column in columns]
    found: NDArray[np.bool_] = np.logical_or.reduce([c[1:] != c[:-1] for c in sorted_])
    return found


def differences(parameter: str, one: Verdicts, other: Verdicts, most: int = 5) -> list[object]:
    """Tell in which fields two runs differ, of the first few readings in which they do."""
    schema = avsc.load(clean_schema(parameter))
    decode = Decoder(clean_schema(parameter), lambda _id: schema)
    found: list[object] = []
    for key in sorted({*one.final, *other.final}):
        mine, theirs = one.final.get(key), other.final.get(key)
        if mine != theirs:
            found.append((key, _fields(mine, theirs, decode)))
            if len(found) >= most:
                break
    return found


def _fields(mine: bytes | None, theirs: bytes | None, decode: Decoder) -> object:
    if mine is None or theirs is None:
        return "only in the first" if mine else "only in the second"
    a: Record = decode(mine)
    b: Record = decode(theirs)
    return {name: (a[name], b[name]) for name in a if a[name] != b[name]}


def read_all(kafka: KafkaSettings, topic: str, partitions: int) -> Iterator[bytes]:
    """Read the values of a topic to its end."""
    with closing(reader(kafka)) as consumer:
        consumer.assign([TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(partitions)])
        left = partitions
        while left:
            for message in consumer.consume(10_000, 0.2):
                if is_end(message):
                    left -= 1
                else:
                    yield message.value() or b""


class Progress:
    """How far the stream of a deployment has read its raw topics."""

    def __init__(self, kafka: KafkaSettings, topics: Topics) -> None:
        self._kafka = kafka
        self._admin = AdminClient(kafka.client())
        self._group = topics.named("aos-stream")
        self._places = [
            TopicPartition(topic, n) for topic in topics.all_raw() for n in range(topics.partitions)
        ]

    @property
    def places(self) -> Sequence[TopicPartition]:
        """Every partition of every raw topic."""
        return self._places

    def share(self) -> float:
        """Give the part of all that is written which has been read, from 0 to 1."""
        reached = committed(self._admin, self._group, self._places)
        return sum(reached.values()) / max(1, sum(ends(self._admin, self._places).values()))

    def done(self) -> bool:
        """Say whether only the marks of transactions are left in every partition."""
        return not self.left()

    def left(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Give what is reached and the end, for each partition that has more to read."""
        reached = committed(self._admin, self._group, self._places)
        places = {
            place: (reached.get(place, 0), end)
            for place, end in ends(self._admin, self._places).items()
        }
        return {
            place: (at, end) for place, (at, end) in places.items() if self._more(*place, at, end)
        }

    def _more(self, topic: str, partition: int, at: int, end: int) -> bool:
        """Say whether a record stands there: where several write, several marks may be the last."""
        if not 1 < end - at <= _MARKS:
            return end - at > _MARKS
        with closing(reader(self._kafka)) as consumer:
            consumer.assign([TopicPartition(topic, partition, at)])
            message = consumer.poll(_PATIENCE_SECONDS)
            return message is None or not is_end(message)
