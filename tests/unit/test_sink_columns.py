"""Columns, their validation, and the winner of each key."""

from __future__ import annotations

import io
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.codec import Encoder
from schemas.columnar import numbers
from schemas.compatibility import landed
from schemas.topics import PARAMETERS, clean_schema
from sink.columns import table
from sink.destination import Reject
from sink.readings import Readings, ReadingTable
from sink.settings import Conflict
from tests.clean_records import HOUR, START, clean
from tests.copy_lines import lines_of
from tests.sink_fakes import FakeMessage


def _schema_of(schema_id: int) -> avsc.Schema:
    if schema_id == 1:
        return avsc.load("clean_reading")
    if schema_id == 2:
        older = avsc.load("clean_reading")
        return {**older, "fields": list(reversed(older["fields"]))}
    if schema_id == 3:
        return landed("clean_reading")[0]
    problem = "no such schema"
    raise DataQuality(problem, reason="unknown_schema")


def _prepare(
    *records: dict[str, Any], conflict: Conflict = Conflict.UPDATE
) -> tuple[Readings, list[Reject]]:
    encode = Encoder("clean_reading", 1)
    messages = [FakeMessage(offset_=n, value_=encode(r)) for n, r in enumerate(records)]
    return ReadingTable("pressure", _schema_of, conflict).prepare(messages)


@pytest.mark.requirement("D9")
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_field_but_op_has_its_column(parameter: str) -> None:
    fields = avsc.field_names(clean_schema(parameter))
    assert set(table(parameter).names) == {*fields, "deleted_at"} - {"op"}


@pytest.mark.requirement("C7")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("value", float("nan")),
        ("raw_value", float("-inf")),
        ("flag", 2**15),
        ("sensor_id", ""),
        ("station_id", ""),
        ("reason", "a\0b"),
        ("op", "insert"),
        ("parameter", "wind"),
        ("observed_at", 2**62),
        ("observed_local", -(2**62)),
    ],
)
def test_what_does_not_fit_is_rejected_alone_and_named(column: str, value: object) -> None:
    changed = {**clean("pressure", 1), column: value}
    entries, rejects = _prepare(clean("pressure"), changed, clean("pressure", 2))
    assert [entries.message(i).offset() for i in range(len(entries))] == [0, 2]
    (reject,) = rejects
    assert (reject.message.offset(), reject.error.reason) == (1, "does_not_fit_column")
    assert f"column {column} cannot hold" in reject.error.message


@pytest.mark.requirement("C7")
def test_text_that_is_not_utf8_is_rejected_even_where_the_whole_would_be() -> None:
    encode = Encoder("clean_reading", 1)
    good = encode(clean("pressure", reason="é", corrections="é"))
    halves = [good.replace("é".encode(), b"\xc3(", 1), good.replace("é".encode(), b"x\xc3", 1)]
    messages = [FakeMessage(offset_=n, value_=v) for n, v in enumerate([good, *halves])]
    entries, rejects = ReadingTable("pressure", _schema_of, Conflict.UPDATE).prepare(messages)
    assert len(entries) == 1
    assert {r.message.offset() for r in rejects} == {1, 2}


def test_another_version_of_the_schema_is_read_and_bad_messages_are_left_out() -> None:
    newer, record = Encoder("clean_reading", 1), clean("pressure", 1, value=7.0)
    older = _older(record)
    values = [
        newer(clean("pressure")),
        older,
        b"rubbish",
        newer(record)[:-1],
        b"\0\0\0\0\x09x",
        None,
    ]
    messages = [FakeMessage(offset_=n, value_=v) for n, v in enumerate(values)]
    entries, rejects = ReadingTable("pressure", _schema_of, Conflict.UPDATE).prepare(messages)
    assert [entries.message(i).offset() for i in range(len(entries))] == [0, 1]
    assert [(r.message.offset(), r.error.reason) for r in rejects] == [
        (2, "not_framed"),
        (3, "undecodable"),
        (4, "unknown_schema"),
        (5, "null_value"),
    ]


@pytest.mark.requirement("C7")
def test_a_reading_from_before_the_window_tests_is_loaded_as_not_judged_by_them() -> None:
    records = [clean("pressure", flag_step=4), clean("pressure", 1, flag_step=4)]
    values = [Encoder("clean_reading", 1)(records[0]), _older(records[1], schema_id=3)]
    messages = [FakeMessage(offset_=n, value_=value) for n, value in enumerate(values)]
    entries, rejects = ReadingTable("pressure", _schema_of, Conflict.UPDATE).prepare(messages)
    assert rejects == []
    columns = entries.lines.columns_of(entries.rows)
    assert numbers(columns, "flag_step").tolist() == [4, 2]
    assert numbers(columns, "flag_range").tolist() == [1, 1]


def _older(record: dict[str, Any], schema_id: int = 2) -> bytes:
    out = io.BytesIO()
    schema = avsc.without_logical_types(_schema_of(schema_id))
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return bytes([0, 0, 0, 0, schema_id]) + out.getvalue()


_VERSIONS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)),
    max_size=20,
)


@pytest.mark.requirement("C3")
@given(found=_VERSIONS)
def test_the_winner_is_the_first_of_the_newest_of_each_key_sorted_by_key(
    found: list[tuple[str, int, int, int]],
) -> None:
    records = [
        clean("pressure", hour, station, source_version=source, revision=revision)
        for station, hour, source, revision in found
    ]
    entries, _ = _prepare(*records)
    for conflict in Conflict:
        expected: dict[tuple[str, int], int] = {}
        for n, (station, hour, *version) in enumerate(found):
            known = expected.setdefault((station, hour), n)
            if conflict is Conflict.UPDATE and version > list(found[known][2:]):
                expected[station, hour] = n
        assert entries.winners(conflict).tolist() == [expected[key] for key in sorted(expected)]


def test_a_delete_is_dated_by_when_it_was_processed() -> None:
    entries, _ = _prepare(clean("pressure"), clean("pressure", 1, op="delete"))
    assert entries.lines.deleted.tolist() == [False, True]
    (kept, dated) = (line[-1] for line in lines_of(entries))
    assert (kept, dated) == (None, START + 3 * HOUR)
