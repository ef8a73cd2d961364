"""Lines of a COPY: read back by its description, and judged as the slower codec judges."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.avsc import without_logical_types
from schemas.codec import Decoder, Encoder
from schemas.columnar import packed
from schemas.numbering_kernels import number
from schemas.topics import clean_schema
from sink.columns import Table, table
from sink.copying import binary
from sink.line_kernels import is_text
from sink.lines import Layout, Lines
from sink.validation import faults
from tests.clean_records import clean
from tests.copy_lines import read_copy, read_lines

PARAMETERS = ("temperature", "wind")
_TEXTS = st.sampled_from(["mm", "Pa", "é", "기온", "𝄞", "x" * 200])
_PLAIN = {
    "int": st.integers(-(2**15), 2**15 - 1),
    "long": st.integers(-(2**53), 2**53),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "string": _TEXTS,
}
RECORDS = {p: avsc.load(clean_schema(p)) for p in PARAMETERS}
LAYOUTS = {p: Layout.of(clean_schema(p), table(p)) for p in PARAMETERS}


def _of_any(kind: Any) -> st.SearchStrategy[Any]:
    kinds = kind if isinstance(kind, list) else [kind]
    plain = _PLAIN[kinds[-1]["type"] if isinstance(kinds[-1], dict) else kinds[-1]]
    return st.none() | plain if len(kinds) > 1 else plain


def _records(parameter: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = without_logical_types(RECORDS[parameter])["fields"]
    free = {field["name"]: _of_any(field["type"]) for field in fields}
    fixed = {"op": st.sampled_from(["upsert", "delete"]), "parameter": st.just(parameter)}
    return st.fixed_dictionaries(free | fixed)


def _line(record: dict[str, Any], target: Table) -> tuple[Any, ...]:
    """Say what a line is to hold."""
    deleted = record["processed_at"] if record["op"] == "delete" else None
    return tuple({**record, "deleted_at": deleted}[name] for name in target.names)


@pytest.mark.requirement("C2", "C7")
@pytest.mark.parametrize("parameter", PARAMETERS)
@given(data=st.data())
def test_lines_taken_in_any_order_say_what_the_records_said(parameter: str, data: Any) -> None:
    records = data.draw(st.lists(_records(parameter), min_size=1, max_size=3))
    encode, target = Encoder(clean_schema(parameter), 1), table(parameter)
    lines = Lines.of(LAYOUTS[parameter], packed([encode(record) for record in records]))
    assert lines.good.all()
    rows = data.draw(st.lists(st.sampled_from(range(len(records))), max_size=4))
    written = [bytes(piece) for piece in binary([lines.write(np.array(rows, np.int64))])]
    assert read_copy(target, written) == [_line(records[row], target) for row in rows]
    assert lines.deleted.tolist() == [record["op"] == "delete" for record in records]


def test_no_records_have_no_lines() -> None:
    lines = Lines.of(LAYOUTS["wind"], packed([]))
    assert read_copy(table("wind"), [bytes(p) for p in binary([lines.write(np.arange(0))])]) == []


def _broken(good: bytes, draw: random.Random) -> bytes:
    """Cut a record, add to it, or change some of its bytes."""
    at = draw.randrange(5, len(good))
    changed = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 4)))
    return draw.choice(
        [
            good[:at],
            good + changed,
            good[:at] + changed + good[at:],
            good[:at] + changed + good[at + len(changed) :],
            good[:at] + good[5:],
        ]
    )


@pytest.mark.requirement("C5", "C7")
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_broken_record_is_bad_where_the_codec_or_the_table_would_not_have_it(
    parameter: str,
) -> None:
    draw = random.Random(20130905)  # noqa: S311 - the same in every run
    schema, target = clean_schema(parameter), table(parameter)
    encode, decode = Encoder(schema, 1), Decoder(schema, lambda _id: RECORDS[parameter])
    whole = [encode(clean(parameter, n, reason="windig é")) for n in range(4)]
    values = [_broken(draw.choice(whole), draw) for _ in range(400)]
    lines = Lines.of(LAYOUTS[parameter], packed(values))
    for row, value in enumerate(values):
        try:
            record = decode(value)
        except DataQuality:
            assert not lines.good[row], value
            continue
        columns = Lines.of(LAYOUTS[parameter], packed([encode(record)])).columns_of(np.arange(1))
        fits = not faults(target, columns)
        assert bool(lines.good[row]) == fits, record
        if fits:
            written = lines.write(np.array([row])).tobytes()
            assert read_lines(target, written) == [_line(record, target)]
    assert 0 < lines.good.sum() < len(values)


@given(text=st.binary(max_size=6) | _TEXTS.map(str.encode))
def test_text_is_what_python_can_decode_but_for_the_character_of_number_0(text: bytes) -> None:
    data = np.frombuffer(b"x" + text + b"\x80", np.uint8)
    try:
        expected = "\0" not in text.decode()
    except UnicodeDecodeError:
        expected = False
    as_written = is_text.py_func  # type: ignore[attr-defined]
    for judge in (is_text, as_written):
        assert judge(data, 1, 1 + len(text)) == expected


@given(names=st.lists(st.sampled_from(["a", "b", "ab", "", "ba", "é"]), max_size=40))
def test_texts_are_numbered_as_they_are_met(names: list[str]) -> None:
    given_ = packed([name.encode() for name in names])
    met = list(dict.fromkeys(names))
    as_written = number.py_func  # type: ignore[attr-defined]
    for loop in (number, as_written):
        table = np.full(128, -1)
        numbers, firsts = np.empty(len(names), np.int64), np.empty(len(names), np.int64)
        with np.errstate(over="ignore"):  # a hash may wrap
            count = loop(given_.data, given_.starts, given_.lengths, table, numbers, firsts)
        assert [met[n] for n in numbers.tolist()] == names
        assert [names[first] for first in firsts[:count].tolist()] == met
