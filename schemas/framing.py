"""Confluent's wire framing: a zero byte, the schema id (four bytes, big endian), the Avro body.

The format is described in Confluent's documentation of the Schema Registry, "Wire format".
"""

from __future__ import annotations

import struct
from typing import Final

from runtime.errors import DataQuality

HEADER: Final = struct.Struct(">bI")


def frame(schema_id: int) -> bytes:
    """Give the five bytes that stand before every body of a schema.

    >>> frame(7).hex()
    '0000000007'
    """
    return HEADER.pack(0, schema_id)


def unframe(message: bytes | None) -> tuple[int, bytes]:
    """Split a message into schema id and body.

    Raises:
        DataQuality: it is empty, or was not written by a registry-aware serialiser.
    """
    if message is None:
        problem = "the record has no value"
        raise DataQuality(problem, reason="null_value")
    if len(message) < HEADER.size or message[0] != 0:
        problem = f"the record starts with {message[:5].hex() or 'nothing'}, not with a schema id"
        raise DataQuality(problem, reason="not_framed")
    return HEADER.unpack_from(message)[1], message[HEADER.size :]
