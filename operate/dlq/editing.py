"""A changed copy of a dead record: fields given anew, the whole held to the schema. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from runtime.errors import Configuration, DataQuality
from schemas.avsc import Schema, load, without_logical_types
from schemas.codec import Encoder, Record

_OPTION: Final = "FIELD=VALUE"
_NULL: Final = "null"
_READ: Final = {"int": int, "long": int, "double": float, "string": str}


def edited(name: str, before: Mapping[str, Any], changes: Sequence[str]) -> Record:
    """Give a record of the schema ``name`` with changes like ``unit=hPa`` or ``gust=null``.

    What ``before`` does not have takes its default.

    >>> edited("mapping", {"source": "a", "version": 1, "document": "{}", "published_at": 0},
    ...        ["version=2"])["version"]
    2

    Raises:
        Configuration: a field is not there, does not fit, or has no value at all.
    """
    fields = {field["name"]: field for field in without_logical_types(load(name))["fields"]}
    given = dict(_change(fields, text) for text in changes)
    defaults = {n: f["default"] for n, f in fields.items() if "default" in f}
    record = {n: v for n, v in {**defaults, **before, **given}.items() if n in fields}
    if missing := [n for n in fields if n not in record]:
        problem = "the record could not be read so far, and these have no value"
        mend = "give each of them as FIELD=VALUE, or leave the record"
        raise Configuration.of(_OPTION, ", ".join(missing), problem, mend=mend)
    return record


def encoded(name: str, schema_id: int, record: Record) -> bytes:
    """Write the record down.

    Raises:
        Configuration: it does not fit the schema.
    """
    try:
        return Encoder(name, schema_id)(record)
    except DataQuality as error:
        raise Configuration(error.message, mend="give values that fit the schema") from error


def _change(fields: Mapping[str, Schema], text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in fields:
        problem = "it names no field of the record"
        mend = f"name some of: {', '.join(fields)}"
        raise Configuration.of(_OPTION, text, problem, mend=mend)
    return name, _value(fields[name]["type"], text, value)


def _value(kind: object, text: str, value: str) -> Any:
    nullable = isinstance(kind, list)
    plain = kind[1] if isinstance(kind, list) else kind
    plain = plain["type"] if isinstance(plain, dict) else plain
    if nullable and value == _NULL:
        return None
    try:
        return _READ[str(plain)](value)
    except ValueError as error:
        problem = f"the field holds a value of type {plain}"
        raise Configuration.of(_OPTION, text, problem, mend="give one of that type") from error
