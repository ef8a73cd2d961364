"""The row-by-row codec: dictionaries to Confluent-framed Avro and back, by fastavro.

Times are whole microseconds (see :func:`schemas.avsc.without_logical_types`). The bytes are those
that confluent-kafka's own serialisers make and read.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import fastavro

from runtime.errors import DataQuality
from schemas.avsc import Schema, load, without_logical_types
from schemas.framing import frame, unframe

Record = dict[str, Any]


class SchemaIds(Protocol):
    """What codecs need of a registry."""

    def id_of(self, subject: str, name: str) -> int:
        """Give the id under which the schema called ``name`` is registered for ``subject``."""

    def schema_of(self, schema_id: int) -> Schema:
        """Give the schema that has this id."""


class Encoder:
    """Encodes records of one schema under one registered id."""

    def __init__(self, name: str, schema_id: int) -> None:
        self._name = name
        self._schema = fastavro.parse_schema(without_logical_types(load(name)))
        self._header = frame(schema_id)

    def __call__(self, record: Mapping[str, Any]) -> bytes:
        """Encode one record.

        Raises:
            DataQuality: the record does not fit the schema; the message names the field.
        """
        out = io.BytesIO()
        out.write(self._header)
        try:
            fastavro.schemaless_writer(out, self._schema, record)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            problem = f"the record is no {self._name}: {error}"
            raise DataQuality(problem, reason="does_not_fit_schema") from error
        return out.getvalue()


class Decoder:
    """Decodes records of one kind, whatever version of the schema wrote them."""

    def __init__(self, name: str, schema_of: Callable[[int], Schema]) -> None:
        self._name = load(name)["name"]
        self._reader = fastavro.parse_schema(without_logical_types(load(name)))
        self._schema_of = schema_of
        self._writers: dict[int, Any] = {}

    def __call__(self, message: bytes | None) -> Record:
        """Decode one framed message.

        Raises:
            DataQuality: the bytes are not such a record.
            Transient: the registry did not answer.
        """
        schema_id, body = unframe(message)
        stream = io.BytesIO(body)
        writer = self._writer(schema_id)
        try:
            record = fastavro.schemaless_reader(stream, writer, self._reader)
        except (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError) as error:
            problem = f"the bytes are not a {self._name}: {type(error).__name__} {error}"
            raise DataQuality(problem, reason="undecodable") from error
        if stream.read(1):
            problem = f"bytes follow the {self._name}: two bodies in one message, or another schema"
            raise DataQuality(problem, reason="undecodable")
        return record  # type: ignore[return-value]  # the reader's schema is a record

    def _writer(self, schema_id: int) -> Any:
        if schema_id not in self._writers:
            schema = self._schema_of(schema_id)
            if schema.get("name") != self._name:
                problem = f"schema {schema_id} is {schema.get('name')}, not {self._name}"
                raise DataQuality(problem, reason="wrong_schema")
            self._writers[schema_id] = fastavro.parse_schema(without_logical_types(schema))
        return self._writers[schema_id]
