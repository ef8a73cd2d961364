"""Structured logs: a JSON object a line, in UTC, with the stage's context; plain on a terminal."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TextIO

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# Libraries that tell of every request and every step of their own start.
_CHATTY: Final = ("httpx", "httpx2", "httpcore", "faust", "mode", "aiokafka", "stream_app")


_ABOUT: ContextVar[Mapping[str, Any]] = ContextVar("what a line of the log is about")


@contextmanager
def about(**context: Any) -> Iterator[None]:
    """Let ``context`` stand on each line that is logged meanwhile.

    Another thread takes it over by :func:`carried`, or in a copy of the context.
    """
    token = _ABOUT.set({**_told(), **context})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def carried() -> Callable[[], object]:
    """Give what another thread calls first, so that its lines are about the same as ours."""
    return partial(_ABOUT.set, _told())


def _told() -> Mapping[str, Any]:
    return _ABOUT.get({})


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object; ``extra`` stands beside the message."""

    def __init__(self, context: dict[str, Any]) -> None:
        super().__init__()
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """Give the line."""
        extra = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **self._context,
            **_told(),
            "logger": record.name,
            **extra,
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """Formats a record for a person before a terminal: time in UTC, level, about what, message."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Give the line without a trace."""
        told = "".join(f"[{value}] " for value in _told().values())
        record.message = f"{told}{record.message}"
        return super().formatMessage(record)


def configure(level: str = "INFO", stream: TextIO = sys.stderr, **context: Any) -> None:
    """Send every log line of the process to ``stream``; as JSON, ``context`` stands on each."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PlainLines() if stream.isatty() else JsonLines(context))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
