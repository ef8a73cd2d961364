"""One reading can be followed through the logs, and nobody pays for it who does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import pytest

from producers.publishing.encoding import RawReading
from producers.reading.rows import Readings as Published
from producers.telling import tell_published
from runtime.following import readings_of, tell
from schemas.codec import Encoder
from schemas.columnar import packed
from sink.columns import table
from sink.lines import Layout, Lines
from sink.readings import Readings as Loaded
from sink.telling import tell_loaded
from stream_app.judging.worth import Bar
from stream_app.outputs.records import Finished
from stream_app.telling import tell_judged
from tests.clean_records import clean
from tests.raw_batches import TOPICS
from tests.raw_records import raw
from tests.unit.test_stream_worth import judged

pytestmark = pytest.mark.requirement("D5")


class Heard(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(vars(record))


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listen to the readings of all stages."""
    handler, loggers = Heard(), [readings_of(name) for name in ("source", "stream", "sink")]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield handler
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


class Record:
    """A record of a clean topic, as far as where it lies."""

    def topic(self) -> str:
        return "weather.clean.humidity.v1"

    def partition(self) -> int:
        return 2

    def offset(self) -> int:
        return 8

    def key(self) -> bytes:
        return b"JFK"

    def value(self) -> bytes:
        return b""

    def __len__(self) -> int:
        return 0


def test_every_stage_tells_of_a_reading_by_the_same_names(heard: Heard) -> None:
    record = raw("humidity", value=60.0)
    tell_published("hourly", Published({"humidity": [RawReading(record, {}, {})]}))
    found = judged(record)
    tell_judged([Finished(found, {}, np.array([True])).weighed(Bar())], 2, TOPICS)
    told = {
        "sensor_id": "JFK:humidity",
        "source_key": str(record["source_key"]),
        "raw_topic": TOPICS.raw("humidity"),
        "raw_partition": 2,
        "raw_offset": int(found.offsets[0]),
        "revision": 1,
        "flag": 1,
        "observed_at": int(found.utc[0]),
        "source_version": int(found.version[0]),
    }
    values = packed([Encoder("clean_reading", 1)({**clean("humidity"), **told})])
    lines = Lines.of(Layout.of("clean_reading", table("humidity")), values)
    loaded = Loaded([Record()], table("humidity"), lines, np.array([0], np.int64))
    tell_loaded({"clean": loaded})

    source, stream, sink = heard.lines
    shared = ("sensor", "source_key", "source_version")
    assert [source[n] for n in shared] == [stream[n] for n in shared] == [sink[n] for n in shared]
    since = ("observed", "raw_topic", "raw_partition", "raw_offset", "flag")
    assert [stream[name] for name in since] == [sink[name] for name in since]
    assert stream["tests"]["flag_range"] == 1
    assert (sink["table"], sink["partition"], sink["offset"]) == ("weather.humidity", 2, 8)


def test_nothing_is_made_ready_while_nobody_listens() -> None:
    def costs() -> NoReturn:
        pytest.fail("it was asked for")

    tell(readings_of("stream"), "reading judged", costs)
