"""The value of a dead letter field by field, as far as it can be read; whatever is behind is told.

A record that cannot be decoded as a whole mostly can in part: the schema says what comes first.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import fastavro

from runtime.errors import DataQuality
from schemas.avsc import Schema, without_logical_types
from schemas.framing import unframe

_WRONG: Final = (EOFError, ValueError, IndexError, OverflowError, TypeError, KeyError)


@dataclass(slots=True)
class Contents:
    """What a value holds: ``problem`` says where reading ended, and is empty where it did not."""

    schema_id: int | None = None
    schema: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


def contents(
    value: bytes | None, schema_of: Callable[[int], Schema], otherwise: Schema | None
) -> Contents:
    """Read a value by the schema that it names; by ``otherwise`` where the registry has no such.

    Raises:
        Transient: the registry does not answer.
    """
    found = Contents()
    try:
        found.schema_id, body = unframe(value)
        schema = schema_of(found.schema_id)
    except DataQuality as error:
        found.problem = error.message
        if found.schema_id is None or otherwise is None or value is None:
            return found
        _, body = unframe(value)
        schema = otherwise
    _read(found, schema, body)
    return found


def _read(found: Contents, schema: Schema, body: bytes) -> None:
    stream = io.BytesIO(body)
    found.schema = schema.get("name", "")
    for each in without_logical_types(schema).get("fields", ()):
        try:
            parsed = fastavro.parse_schema(each["type"])
            found.fields[each["name"]] = fastavro.schemaless_reader(stream, parsed, None)
        except _WRONG as error:
            problem = f"field {each['name']} cannot be read: {type(error).__name__} {error}".strip()
            found.problem = "; ".join(filter(None, (found.problem, problem)))
            return
    if left := len(stream.read()):
        found.problem = "; ".join(filter(None, (found.problem, f"{left} bytes follow the record")))
