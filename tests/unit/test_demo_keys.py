"""Keys are read from many records at once; what cannot be read harms no other, and is not lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from operate.demo.keys import READING, ROW, Key, Keys
from operate.demo.tally import Hops, _note_clean, _note_raw
from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.codec import Encoder
from tests.clean_records import clean

pytestmark = pytest.mark.requirement("E3", "D7")

TOPIC = "weather.clean.rainfall.v1"
SCHEMAS = {1: "clean_reading", 2: "mapping"}


def schema_of(schema_id: int) -> Schema:
    if schema_id not in SCHEMAS:
        problem = "no such schema"
        raise DataQuality(problem, reason="unknown_schema")
    return avsc.load(SCHEMAS[schema_id])


@dataclass
class Met:
    """A record as it was met on a topic."""

    number: int

    def topic(self) -> str:
        return TOPIC

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.number


def note(hops: Hops, keys: list[Key | None], *, raw: bool) -> None:
    messages = [Met(n) for n in range(len(keys))]
    (_note_raw if raw else _note_clean)(hops, messages, keys)  # type: ignore[arg-type]


def test_the_key_of_every_record_is_read() -> None:
    encode = Encoder("clean_reading", 1)
    records = [clean("rainfall", number) for number in (5, 7)]
    found = Keys((*ROW, *READING), schema_of)([encode(record) for record in records])
    assert found == [tuple(r[name] for name in (*ROW, *READING)) for r in records]


def test_what_cannot_be_read_has_no_key_and_harms_no_other() -> None:
    record = clean("rainfall")
    good = Encoder("clean_reading", 1)(record)
    another = Encoder("mapping", 2)(
        {"source": "s", "version": 1, "document": "{}", "published_at": 0}
    )
    unknown = b"\0\0\0\0\x09" + good[5:]
    found = Keys(READING, schema_of)([None, b"", b"text", good[:-3], another, unknown, good])
    assert found[:-1] == [None] * 6
    assert found[-1] == (record["sensor_id"], record["observed_at"])


def test_records_of_one_key_are_counted_and_the_key_once() -> None:
    hops = Hops()
    note(hops, [("t", "1", "s"), ("t", "1", "s"), ("t", "2", "s")], raw=True)
    note(hops, [("t", "1", "s", "s", 7), ("t", "1", "s", "s", 7)], raw=False)
    assert (hops.published, len(hops.raw)) == (3, 2)
    assert (hops.judged, hops.origins, hops.clean) == (2, {("t", "1", "s")}, {("s", 7)})


def test_a_dead_letter_is_accounted_for_whether_or_not_it_can_be_read() -> None:
    hops = Hops(dead={(TOPIC, 0, 0), (TOPIC, 0, 1)})
    note(hops, [None, ("t", "1", "s")], raw=True)
    assert hops.raw - hops.dead_raw == set()
    assert hops.published == 1


def test_what_cannot_be_read_and_is_no_dead_letter_is_lost() -> None:
    hops = Hops()
    note(hops, [None], raw=True)
    assert hops.raw - hops.dead_raw == {(TOPIC, 0, 0)}
