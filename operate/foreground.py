"""Running a stage in the foreground: its settings, its log, its signals.

The log goes to standard output, so that standard error holds nothing but why a stage failed.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Final

from operate.control.connectors import CONNECTORS, channel_of
from operate.lineage.telling import lineage_of
from operate.settings import Settings, load
from runtime import heartbeat, logs
from runtime.control.steering import Steering
from runtime.control.wire import listening
from runtime.errors import AosError

_LOGGER: Final = logging.getLogger("aos.operate")

GOOD_ORDER: Final = "ended in good order"
"""What the last line of a log says unless the stage died."""

Stage = Callable[[Settings, threading.Event], Any]


def run(name: str, config: Path | None, stage: Stage, *, once: bool = False) -> None:
    """Run a stage until it ends or a signal asks it to; whatever is under way is finished.

    Meanwhile it does what the API orders, unless it runs ``once``, to the end of what there is.

    Raises:
        AosError: why it ended; it stands in the log, too.
    """
    settings = load(config)
    logs.configure(settings.log_level, sys.stdout, stage=name, run=uuid.uuid4().hex[:12])
    stop = heartbeat.stop_flag()
    stop_on_signals(stop)
    _LOGGER.info("%s starts", name)
    try:
        work = partial(stage, settings)
        with lineage_of(settings, name, beats=True):
            summary = work(stop) if once else _steered(name, settings, stop, work)
    except AosError as error:
        if not sys.stdout.isatty():  # a person reads the one line on standard error
            _LOGGER.error("%s ends: %s", name, error)  # noqa: TRY400 - ours say what to do, no trace
        raise
    _LOGGER.info("%s has %s", name, GOOD_ORDER, extra={"summary": plain(summary)})


def _steered(
    name: str,
    settings: Settings,
    stop: threading.Event,
    work: Callable[[threading.Event], Any],
) -> Any:
    connector = CONNECTORS[name]
    worker = connector.instance(settings) or f"{socket.gethostname()}:{os.getpid()}"
    steering = Steering(connector.name, worker, stop, version=version("aos-stream"))
    with listening(channel_of(settings), steering):
        return steering.cycle(work)


def plain(value: Any) -> Any:
    """Turn nested dataclasses and counters into what JSON has; what compares nothing is left out.

    >>> from collections import Counter
    >>> plain({"readings": Counter("aab")})
    {'readings': {'a': 2, 'b': 1}}
    """
    if is_dataclass(value):
        told = [field.name for field in fields(value) if field.compare]
        return {name: plain(getattr(value, name)) for name in told}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return value


def stop_on_signals(stop: threading.Event) -> None:
    """Set ``stop`` at SIGTERM or SIGINT; a second SIGINT ends the process at once."""

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.set()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
