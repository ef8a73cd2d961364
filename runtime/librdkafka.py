"""librdkafka's public C interface, as far as :mod:`runtime.bulk_producer` needs it.

It is the library that confluent-kafka brings, so there is one Kafka client in the process and one
version to pin. Calls release the interpreter's lock. The prototypes are those of ``rdkafka.h``.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_void_p
from enum import IntEnum
from typing import Any, Final

import numpy as np
from confluent_kafka import KafkaError, KafkaException, cimpl

PRODUCER: Final = 0
COPIED: Final = 0x2
"""``RD_KAFKA_MSG_F_COPY``: what is queued is copied, so the caller's bytes may go."""
LENT: Final = 0
"""Neither copied nor freed: what is queued is read where it lies until it is delivered."""
PURGED: Final = 0x1 | 0x2
"""``RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT``."""
BY_KEY: Final = -1
"""``RD_KAFKA_PARTITION_UA``: the partitioner chooses, by the key."""

MESSAGE: Final = np.dtype(
    [
        ("error", np.int32),
        ("topic", np.uintp),
        ("partition", np.int32),
        ("payload", np.uintp),
        ("payload_size", np.uintp),
        ("key", np.uintp),
        ("key_size", np.uintp),
        ("offset", np.int64),
        ("private", np.uintp),
    ],
    align=True,
)
"""``rd_kafka_message_t``, of which an array is handed over at once."""

ARGUMENT: Final = np.dtype(
    {
        "names": ["kind", "first", "second", "third"],
        "formats": [np.int32, np.uintp, np.uintp, np.uintp],
        "offsets": [0, 8, 16, 24],
        "itemsize": 72,
    }
)
"""``rd_kafka_vu_t``: what kind of argument, and up to three words of a union of 64 bytes."""


class Argument(IntEnum):
    """Kinds of arguments to ``produceva``, with the words that each has."""

    TOPIC_HANDLE = 2
    """The topic."""
    VALUE = 4
    """Place and size."""
    KEY = 5
    """Place and size."""
    FLAGS = 7
    """The flags."""
    HEADER = 9
    """The name's place, the value's place and size."""


Reported = CFUNCTYPE(None, c_void_p, POINTER(c_int32), c_void_p)
"""``dr_msg_cb``: the client, a message, which begins with its error, and nothing of interest."""
Logged = CFUNCTYPE(None, c_void_p, c_int, c_char_p, c_char_p)
"""``log_cb``: the client, a syslog level, the facility, the text."""

_PROTOTYPES: Final[dict[str, tuple[Any, ...]]] = {
    "conf_new": (c_void_p,),
    "conf_destroy": (None, c_void_p),
    "conf_set": (c_int, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t),
    "conf_set_dr_msg_cb": (None, c_void_p, Reported),
    "conf_set_log_cb": (None, c_void_p, Logged),
    "new": (c_void_p, c_int, c_void_p, c_char_p, c_size_t),
    "set_log_queue": (c_void_p, c_void_p, c_void_p),
    "destroy": (None, c_void_p),
    "topic_new": (c_void_p, c_void_p, c_char_p, c_void_p),
    "topic_destroy": (None, c_void_p),
    "last_error": (c_int,),
    "err2str": (c_char_p, c_int),
    "produce_batch": (c_int, c_void_p, c_int32, c_int, c_void_p, c_int),
    "produceva": (c_void_p, c_void_p, c_void_p, c_size_t),
    "poll": (c_int, c_void_p, c_int),
    "flush": (c_int, c_void_p, c_int),
    "purge": (c_int, c_void_p, c_int),
    "outq_len": (c_int, c_void_p),
    "init_transactions": (c_void_p, c_void_p, c_int),
    "begin_transaction": (c_void_p, c_void_p),
    "commit_transaction": (c_void_p, c_void_p, c_int),
    "abort_transaction": (c_void_p, c_void_p, c_int),
    "send_offsets_to_transaction": (c_void_p, c_void_p, c_void_p, c_void_p, c_int),
    "topic_partition_list_new": (c_void_p, c_int),
    "topic_partition_list_add": (c_void_p, c_void_p, c_char_p, c_int32),
    "topic_partition_list_set_offset": (c_int, c_void_p, c_char_p, c_int32, c_int64),
    "topic_partition_list_destroy": (None, c_void_p),
    "consumer_group_metadata_new": (c_void_p, c_char_p),
    "consumer_group_metadata_destroy": (None, c_void_p),
    "fatal_error": (c_int, c_void_p, c_char_p, c_size_t),
    "error_code": (c_int, c_void_p),
    "error_string": (c_char_p, c_void_p),
    "error_is_fatal": (c_int, c_void_p),
    "error_is_retriable": (c_int, c_void_p),
    "error_txn_requires_abort": (c_int, c_void_p),
    "error_destroy": (None, c_void_p),
}


class _Calls:
    """The functions, by their names without ``rd_kafka_``; result type first, then arguments."""

    def __init__(self) -> None:
        # A library's handle finds what it depends on, too: no need to know how the file is called.
        library = ctypes.CDLL(cimpl.__file__)
        for name, (result, *arguments) in _PROTOTYPES.items():
            function = getattr(library, f"rd_kafka_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


calls: Final = _Calls()


def raised(error: int | None) -> None:
    """Turn an ``rd_kafka_error_t`` into the exception that confluent-kafka makes of it.

    Raises:
        KafkaException: there is an error.
    """
    if not error:
        return
    try:
        told = KafkaError(
            calls.error_code(error),
            calls.error_string(error).decode(),
            fatal=bool(calls.error_is_fatal(error)),
            retriable=bool(calls.error_is_retriable(error)),
            txn_requires_abort=bool(calls.error_txn_requires_abort(error)),
        )
    finally:
        calls.error_destroy(error)
    raise KafkaException(told)


def error_of(code: int) -> KafkaError:
    """Give an error that is only a number.

    >>> error_of(-184).name()
    '_QUEUE_FULL'
    """
    return KafkaError(code, calls.err2str(code).decode())
