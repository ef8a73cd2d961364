"""The columnar codec against its row-by-row twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.codec import Decoder, Encoder
from schemas.columnar import Column, Strings
from schemas.columnar_decoding import ColumnarDecoder, schema_ids
from tests.clean_records import clean

NAMES = ("clean_reading", "clean_wind")
PARAMETER = {"clean_reading": "pressure", "clean_wind": "wind"}


def _values(name: str) -> st.SearchStrategy[dict[str, Any]]:
    plain = {
        "string": st.text(max_size=12),
        "double": st.floats(allow_nan=False),
        "int": st.integers(-(2**31), 2**31 - 1),
        "long": st.integers(-(2**63), 2**63 - 1),
    }
    fields = {}
    for field in avsc.without_logical_types(avsc.load(name))["fields"]:
        kind = field["type"]
        optional = isinstance(kind, list)
        one = kind[1] if optional else kind
        found = plain[one["type"] if isinstance(one, dict) else one]
        fields[field["name"]] = st.none() | found if optional else found
    return st.fixed_dictionaries(fields)


def _python(column: Column) -> list[Any]:
    """Give a column as the values that the row-by-row decoder gives."""
    values: list[Any]
    if isinstance(column, Strings):
        values = [found.decode() for found in column.bytes()]
    else:
        values = column.values.tolist()
    if column.present is None:
        return values
    return [v if there else None for v, there in zip(values, column.present, strict=True)]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_both_codecs_read_the_same_from_well_formed_bytes(name: str, data: st.DataObject) -> None:
    records = data.draw(st.lists(_values(name), max_size=4))
    encode = Encoder(name, 1)
    columns, good = ColumnarDecoder(avsc.load(name))([encode(r) for r in records])
    assert good.all()
    assert {n: _python(c) for n, c in columns.items()} == {
        n: [record[n] for record in records] for n in avsc.field_names(name)
    }


@given(
    place=st.integers(0, 10_000),
    cut=st.integers(0, 30),
    put=st.binary(max_size=30),
)
def test_broken_bytes_harm_no_other_record_and_lead_nowhere(
    place: int, cut: int, put: bytes
) -> None:
    encode = Encoder("clean_reading", 1)
    sound = encode(clean("pressure"))
    place = 5 + place % (len(sound) - 5)
    broken = sound[:place] + put + sound[place + cut :]
    columns, good = ColumnarDecoder(avsc.load("clean_reading"))([sound, broken, sound])
    assert good[0]
    assert good[2]
    assert _python(columns["source_key"].take(np.array([0, 2]))) == ["0", "0"]
    if good[1]:
        _read_alike(broken, columns)


def _read_alike(message: bytes, columns: dict[str, Column]) -> None:
    decode = Decoder("clean_reading", lambda _: avsc.load("clean_reading"))
    try:
        record = decode(message)
    except DataQuality:
        return  # text that is not UTF-8: the columns are judged before they are loaded
    for name, column in columns.items():
        assert repr(_python(column.take(np.array([1])))) == repr([record[name]])


@pytest.mark.parametrize("name", NAMES)
def test_every_shortened_or_lengthened_message_is_marked(name: str) -> None:
    sound = Encoder(name, 1)(clean(PARAMETER[name]))
    messages = [sound[:length] for length in range(5, len(sound))] + [sound + b"\0", sound]
    _, good = ColumnarDecoder(avsc.load(name))(messages)
    assert good.tolist() == [False] * (len(messages) - 1) + [True]


def test_schema_ids_need_five_bytes_and_a_zero() -> None:
    found = schema_ids([b"\0\x01\x02\x03\x04", b"\0\0\0\0", b"\1\0\0\0\7x", None, b""])
    assert found.tolist() == [0x01020304, -1, -1, -1, -1]
