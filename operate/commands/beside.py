"""Running what stands beside the stages in the foreground: jobs and alerts, which nobody steers."""

from __future__ import annotations

import logging
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from operate.foreground import GOOD_ORDER, stop_on_signals
from operate.settings import Settings, load
from runtime import heartbeat, logs
from runtime.errors import AosError

_LOGGER: Final = logging.getLogger("aos.operate")


def run(name: str, config: Path | None, work: Callable[[Settings, threading.Event], None]) -> None:
    """Work until a signal asks it to end; whatever is under way is finished.

    Raises:
        AosError: why it ended; it stands in the log, too.
    """
    settings = load(config)
    logs.configure(settings.log_level, sys.stdout, stage=name, run=uuid.uuid4().hex[:12])
    stop = heartbeat.stop_flag()
    stop_on_signals(stop)
    _LOGGER.info("%s starts", name)
    try:
        work(settings, stop)
    except AosError as error:
        if not sys.stdout.isatty():
            _LOGGER.error("%s ends: %s", name, error)  # noqa: TRY400 - ours say what to do, no trace
        raise
    _LOGGER.info("%s has %s", name, GOOD_ORDER)
