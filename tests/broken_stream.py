"""A worker of the stream with a fault in it, as a process of its own: ``python -m``, and where.

The fault is an error that nobody foresaw; it comes once some batches have gone through.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Final

from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from stream_app.transport.consumer import BatchConsumer
from stream_app.worker import Worker
from tests import stage_process

AFTER: Final = 3
FAULTS: Final[dict[str, tuple[type, str]]] = {
    "fetching": (AIOKafkaConsumerThread, "_fetch_records"),
    "yielding": (BatchConsumer, "_message"),
    "handing on": (Worker, "process"),
}


def broken(call: Callable[..., Any]) -> Callable[..., Any]:
    """Let the calls behind the first few that do something fail."""
    calls = count()

    def failing(*given: Any, **named: Any) -> Any:
        if next(calls) >= AFTER:
            problem = "nobody foresaw this"
            raise ZeroDivisionError(problem)
        return call(*given, **named)

    return failing


def main() -> int:
    """Break what the command line names, and run."""
    owner, name = FAULTS[sys.argv[1]]
    setattr(owner, name, broken(getattr(owner, name)))
    return stage_process.main()


if __name__ == "__main__":
    sys.exit(main())
