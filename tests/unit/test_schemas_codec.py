"""The codec: the bytes stay what they are, other readers agree on them, bad bytes have a reason."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import fastavro
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import DataQuality
from schemas import avsc
from schemas.codec import Decoder, Encoder
from tests.clean_records import clean
from tests.raw_records import raw

GOLDEN = json.loads((Path(__file__).parent / "golden" / "records.json").read_text())
RECORDS: dict[str, Any] = {
    "raw_reading": raw("temperature", source_flag="B", value=None, value_text="21,5"),
    "raw_wind": raw("wind", direction=None),
    "clean_reading": clean("humidity"),
    "clean_wind": clean("wind"),
}


class Schemas:
    """A registry with our own schemas, numbered from 1."""

    def __call__(self, schema_id: int) -> avsc.Schema:
        return avsc.load(avsc.NAMES[schema_id - 1])


def encoded(name: str) -> bytes:
    return Encoder(name, avsc.NAMES.index(name) + 1)(RECORDS[name])


@pytest.mark.requirement("E6")
@pytest.mark.parametrize("name", RECORDS)
def test_the_bytes_of_a_record_are_what_they_always_were(name: str) -> None:
    assert encoded(name).hex() == GOLDEN[name]


@pytest.mark.parametrize("name", RECORDS)
def test_what_was_encoded_is_decoded_again(name: str) -> None:
    assert Decoder(name, Schemas())(encoded(name)) == RECORDS[name]


@pytest.mark.parametrize("name", RECORDS)
def test_the_reference_implementation_reads_our_bytes(name: str) -> None:
    schema = avro.schema.parse(json.dumps(avsc.without_logical_types(avsc.load(name))))
    body = io.BytesIO(bytes.fromhex(GOLDEN[name])[5:])
    reader = avro.io.DatumReader(schema)
    assert reader.read(avro.io.BinaryDecoder(body)) == RECORDS[name]


@pytest.mark.parametrize("name", RECORDS)
def test_the_hot_schemas_have_shapes_that_polars_reads(name: str) -> None:
    # But for a default, which polars refuses: it says nothing about how bytes are laid out.
    schema = avsc.load(name)
    for field in schema["fields"]:
        field.pop("default", None)
    block = io.BytesIO()
    fastavro.writer(block, schema, [RECORDS[name]])
    block.seek(0)
    assert pl.read_avro(block).columns == list(avsc.field_names(name))


def test_a_record_that_does_not_fit_names_the_schema() -> None:
    with pytest.raises(DataQuality, match="raw_reading") as caught:
        Encoder("raw_reading", 1)(raw("temperature", source_version="one"))
    assert caught.value.reason == "does_not_fit_schema"


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "null_value"),
        (b"", "not_framed"),
        (b'{"temp": 20}', "not_framed"),
        (b"\x00\x00\x00\x00\x01", "undecodable"),
        (encoded("raw_reading")[:-3], "undecodable"),
        (encoded("raw_reading") + encoded("raw_reading")[5:], "undecodable"),
        (encoded("clean_reading"), "wrong_schema"),
        (b"\x00\x00\x00\x00\x01" + b"\xff" * 40, "undecodable"),
    ],
    ids=["null", "empty", "json", "no body", "cut short", "two bodies", "other schema", "huge"],
)
def test_bytes_that_are_no_reading_have_a_reason(message: bytes | None, reason: str) -> None:
    with pytest.raises(DataQuality) as caught:
        Decoder("raw_reading", Schemas())(message)
    assert caught.value.reason == reason


@given(body=st.binary(max_size=200))
def test_any_bytes_are_a_record_or_have_a_reason(body: bytes) -> None:
    reason, fields = "", set(avsc.field_names("raw_reading"))
    try:
        fields = set(Decoder("raw_reading", Schemas())(b"\x00\x00\x00\x00\x01" + body))
    except DataQuality as error:
        reason = error.reason
    assert fields == set(avsc.field_names("raw_reading"))
    assert reason in {"", "undecodable"}


_TEXT = st.text(max_size=20)
_LONGS = st.integers(-(2**63), 2**63 - 1)


@given(
    value=st.none() | st.floats(allow_nan=False),
    text=st.none() | _TEXT,
    key=_TEXT,
    version=_LONGS,
    observed=st.none() | _LONGS,
)
def test_any_reading_survives_the_way_there_and_back(
    value: float | None, text: str | None, key: str, version: int, observed: int | None
) -> None:
    record = raw(
        "rainfall",
        value=value,
        value_text=text,
        source_key=key,
        source_version=version,
        observed_local=observed,
    )
    assert Decoder("raw_reading", Schemas())(Encoder("raw_reading", 1)(record)) == record
