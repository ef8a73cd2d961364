"""The stream's columns against the same step row by row: equal to the last field."""

from __future__ import annotations

import copy
import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import Schema
from schemas.codec import Decoder, Encoder, Record
from schemas.columnar import packed
from schemas.dead_letters import Stage
from schemas.framing import frame
from schemas.topics import raw_schema
from stream_app.judging.decoding import MOST_BYTES
from stream_app.judging.heads import Heads
from stream_app.judging.judge import Judge
from stream_app.metadata.sensors import Sensor
from stream_app.transport.batch import Records
from stream_app.window.state import State
from tests.raw_batches import TOPICS, Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.row_by_row import Row, RowJudge
from tests.unit.stream_fakes import interval, mapping, metadata

pytestmark = pytest.mark.requirement("B2", "B3", "B5")

NOON = local("2013-07-01T16:00:00")
NOW = local("2014-01-01T00:00:00")
HOUR = 3_600_000_000


class CountingHeads(Heads):
    """Says how often it read a head."""

    read = 0

    def _read(self, message: bytes) -> int:
        self.read += 1
        return super()._read(message)


SENSORS = {
    f"JFK:{parameter}": Sensor(
        metadata(
            f"JFK:{parameter}",
            interval(NOON - 2 * HOUR, NOON, metadata_version="old", offset=0.5),
            interval(NOON, NOON + 2 * HOUR, metadata_version="new", scale=1.1),
        )
    )
    for parameter in ("temperature", "humidity", "wind", "rainfall", "pressure")
}
TIMES = st.sampled_from(
    [
        local("2013-07-01T12:00:00"),
        local("2013-07-01T11:59:00"),
        local("2013-07-01T20:00:00"),
        local("2013-11-03T01:30:00"),
        local("2013-03-10T02:30:00"),
        local("2099-01-01T00:00:00"),
        None,
    ]
)
TEXTS = st.sampled_from([None, "", "  ", "MM", " 12.5 ", "warm", "inf", "-99", "ä"])
NUMBERS = st.none() | st.floats(-120.0, 120.0, width=32) | st.sampled_from([-99.0, 0.0, 1e308])


@st.composite
def readings(draw: st.DrawFn, parameter: str) -> Record:
    measures = ("speed", "direction", "gust") if parameter == "wind" else ("value",)
    changes: dict[str, Any] = {name: draw(NUMBERS) for name in measures}
    changes |= {f"{name}_text": draw(TEXTS) for name in measures}
    return raw(
        parameter,
        station=draw(st.sampled_from(["JFK", "JFK", "EWR"])),
        key=draw(st.sampled_from(["1", "2", "10", "schlüssel"])),
        observed_local=draw(TIMES),
        observed_text=draw(st.sampled_from([None, "2013-07-01 12:30", "noon", ""])),
        op=draw(st.sampled_from(["upsert", "upsert", "delete"])),
        zone=draw(st.sampled_from(["America/New_York", "America/New_York", "+09:00", "Mars"])),
        mapping_version=draw(st.sampled_from([1, 1, 1, 2])),
        source_rank=draw(st.sampled_from([0, 0, -1, 5000])),
        source_version=draw(st.sampled_from([1, 2**51, 2**52, -(2**60)])),
        **changes,
    )


def newer(parameter: str) -> Schema:
    """Make a schema as a later source might write it: with a field more."""
    schema = copy.deepcopy(avsc.load(raw_schema(parameter)))
    schema["fields"].append({"name": "humour", "type": ["null", "string"], "default": None})
    return schema


def other(parameter: str) -> Schema:
    """Make a schema that columns cannot hold: it has a list."""
    schema = copy.deepcopy(avsc.load(raw_schema(parameter)))
    words = {"type": "array", "items": "string"}
    schema["fields"].append({"name": "words", "type": words, "default": []})
    return schema


def written(schemas: Schemas, schema: Schema, record: Record) -> bytes:
    out = io.BytesIO(frame(schemas.keep(schema)))
    out.seek(0, 2)
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(avsc.without_logical_types(schema)), record
    )
    return out.getvalue()


def both(parameter: str, raw_records: Records, schemas: Schemas) -> None:
    """Take records through both steps, and compare what comes out."""
    how = mapping(parameter)
    mappings = {(how.source, how.version): how}
    columns = Columns(schemas, Judge(SENSORS, mappings)).step(
        {parameter: raw_records}, State(0).overlay(), 7, NOW
    )
    decode, rows, dead = Decoder(raw_schema(parameter), schemas.schema_of), [], []
    for number in range(len(raw_records)):
        one = raw_records.raw(number)
        try:
            rows.append(Row(one, decode(one.value)))
        except DataQuality as error:
            dead.append((one.offset, error.reason, Stage.DECODING))
    verdicts = RowJudge(SENSORS, mappings).judge(parameter, rows, State(0).overlay(), 7, NOW)
    dead += [(d.raw.offset, d.error.reason, d.stage) for d in verdicts.dead]
    assert sorted((d.raw.offset, d.error.reason, d.stage) for d in columns.dead) == sorted(dead)
    plain = sorted((clean.record for clean in verdicts.clean), key=lambda r: int(r["raw_offset"]))
    name = {"wind": "clean_wind"}.get(parameter, "clean_reading")
    own = Decoder(name, schemas.schema_of)
    again = [own(Encoder(name, schemas.id_of("", name))(record)) for record in plain]
    assert columns.clean.get(parameter, []) == again
    if parameter in columns.judged:
        keys = columns.judged[parameter].keys.bytes()
        assert keys == [r["station_id"].encode() for r in again]


@pytest.mark.parametrize("parameter", ["temperature", "wind"])
@given(data=st.data())
def test_columns_say_what_rows_say(parameter: str, data: st.DataObject) -> None:
    schemas = Schemas()
    made = data.draw(st.lists(readings(parameter), min_size=1, max_size=12))
    values: list[bytes | None] = [*encoded(schemas, parameter, made)]
    for number, record in enumerate(made):
        kind = data.draw(st.sampled_from(["own", "own", "newer", "other", "broken", "none"]))
        if kind == "newer":
            values[number] = written(schemas, newer(parameter), record)
        elif kind == "other":
            values[number] = written(schemas, other(parameter), record)
        elif kind == "none":
            values[number] = None
        elif kind == "broken":
            cut = data.draw(st.integers(0, len(values[number] or b"")))
            values[number] = (values[number] or b"")[:cut]
    keys = [record["station_id"].encode() for record in made]
    both(parameter, records(parameter, values, keys), schemas)


def test_bytes_that_are_no_text_harm_no_other_reading() -> None:
    schemas = Schemas()
    values = encoded(
        schemas, "temperature", [raw(key=key, value=None, value_text="ab") for key in "12"]
    )
    values[0] = values[0].replace(b"ab", b"\xff\xfe")
    both("temperature", records("temperature", values), schemas)


def test_two_bodies_in_one_message_harm_no_other_reading() -> None:
    schemas = Schemas()
    values = encoded(schemas, "wind", [raw("wind", key=key) for key in "123"])
    values[1] += values[1][5:]
    both("wind", records("wind", values), schemas)


def test_the_dead_keep_their_bytes_and_the_offsets_those_they_had() -> None:
    schemas = Schemas()
    how = mapping("temperature")
    columns = Columns(schemas, Judge({}, {("sample", 1): how}))
    good = encoded(schemas, "temperature", [raw(key="1"), raw(key="2")])
    found = columns.step(
        {"temperature": records("temperature", [good[0], b"\0what", good[1]], first=40)},
        State(0).overlay(),
    )
    assert [letter.raw for letter in found.dead] == [
        (TOPICS.raw("temperature"), 0, 42, b"JFK", b"\0what")
    ]
    assert [record["raw_offset"] for record in found.clean["temperature"]] == [40, 44]


def test_a_reading_that_no_topic_might_take_is_dead_and_harms_no_other() -> None:
    schemas = Schemas()
    columns = Columns(schemas, Judge({}, {("sample", 1): mapping("temperature")}))
    told = [raw(key="1"), raw(key="2" * MOST_BYTES), raw(key="3", value_text="4" * 990_000)]
    values = encoded(schemas, "temperature", [*told, raw(key="5" * (MOST_BYTES - 500))])
    found = columns.step({"temperature": records("temperature", values)}, State(0).overlay())
    assert [(d.raw.value, d.error.reason) for d in found.dead] == [
        (value, "too_large") for value in values[1:3]
    ]
    assert [len(record["source_key"]) for record in found.clean["temperature"]] == [
        1,
        MOST_BYTES - 500,
    ]


def test_a_head_is_not_read_for_each_reading_that_has_it() -> None:
    schemas = Schemas()
    kinds = [raw(key="1"), raw(key="2", op="delete"), raw(station_id="LGA", sensor_id="LGA:t")]
    framed = encoded(schemas, "temperature", kinds)
    broken = framed[0][:7]
    messages = packed([framed[0], broken, *framed, b"", *framed[::-1], broken] * 30)
    heads = CountingHeads(avsc.load("raw_reading"), avsc.load("raw_reading"))
    numbers = heads.numbers(messages)
    told = [heads.all[n].record | {"at": n} if n >= 0 else None for n in numbers.tolist()]
    first, second, third = (told[row] for row in (2, 3, 4))
    assert told == [first, None, first, second, third, None, third, second, first, None] * 30
    assert [one and one["sensor_id"] for one in (first, second, third)] == [
        kind["sensor_id"] for kind in kinds
    ]
    unreadable = 90
    assert heads.read == len(heads.all) + unreadable
    heads.read = 0
    assert heads.numbers(messages).tolist() == numbers.tolist()
    assert heads.read == unreadable


def test_heads_are_learnt_once_and_known_again() -> None:
    schemas = Schemas()
    columns = Columns(schemas, Judge(SENSORS, {("sample", 1): mapping("temperature")}))
    values = encoded(schemas, "temperature", [raw(key="1"), raw(key="2", op="delete")])
    first, second = (
        columns.step({"temperature": records("temperature", values)}, State(0).overlay())
        for _ in range(2)
    )
    assert first.clean == second.clean
    heads = [origin.head for origin in first.judged["temperature"].origins]
    assert heads == [origin.head for origin in second.judged["temperature"].origins]
