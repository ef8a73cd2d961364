"""Dead letters: what a record that could not be used carries with it.

The names are those of Kafka Connect (``errors.deadletterqueue.context.headers.enable``), so any
tool that knows its dead-letter queues can read ours. Beside them stands ``aos.reason``: one short
word to count and filter by. The record itself keeps its original key and bytes.
"""

from __future__ import annotations

import traceback
from enum import StrEnum
from typing import Final

from runtime.errors import AosError, DataQuality

PREFIX: Final = "__connect.errors."
REASON: Final = "aos.reason"
_LONGEST_TRACE: Final = 4000

Headers = list[tuple[str, bytes]]


class Stage(StrEnum):
    """Where on its way a record failed, in Kafka Connect's words."""

    DECODING = "VALUE_CONVERTER"
    CLEANING = "TRANSFORMATION"
    LOADING = "TASK_PUT"


def headers(
    topic: str,
    partition: int,
    offset: int,
    stage: Stage,
    error: Exception,
    *,
    connector: str = "aos",
    task: int = 0,
) -> Headers:
    """Say where a record came from and why it is dead.

    ``connector`` is the consumer group that gave it up, ``task`` the number of its worker.

    >>> error = DataQuality("the record has no value", reason="null_value")
    >>> found = dict(headers("t", 3, 42, Stage.DECODING, error))
    >>> found["__connect.errors.offset"], found["aos.reason"]
    (b'42', b'null_value')
    """
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    context = {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "connector.name": connector,
        "task.id": task,
        "stage": stage,
        "class.name": _raiser(error) or kind,
        "exception.class.name": kind,
        "exception.message": error.message if isinstance(error, AosError) else error,
        "exception.stacktrace": "".join(traceback.format_exception(error))[-_LONGEST_TRACE:],
    }
    named = [(PREFIX + name, _text(value)) for name, value in context.items()]
    return [*named, (REASON, _text(reason_of(error)))]


def reason_of(error: Exception) -> str:
    """Give the short word for an error.

    >>> reason_of(ValueError("no"))
    'ValueError'
    """
    return error.reason if isinstance(error, DataQuality) else type(error).__name__


def _raiser(error: Exception) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return str(trace.tb_frame.f_globals.get("__name__", "")) if trace else ""


def _text(value: object) -> bytes:
    return str(value).encode("utf-8", "backslashreplace")
