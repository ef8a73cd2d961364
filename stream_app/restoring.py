"""Reading back what a partition remembers, when it is taken."""

from __future__ import annotations

import logging
import time
from typing import Final

from runtime.kafka_read import read_to_end
from stream_app.again.reviser import Reviser
from stream_app.silence.keeper import Keeper
from stream_app.tools import Tools
from stream_app.window.changelog import PREFIX
from stream_app.window.recovery import Recovery
from stream_app.window.state import State

_LOG: Final = logging.getLogger("aos.stream.partition")


def restored(tools: Tools, number: int, keeper: Keeper, reviser: Reviser) -> State:
    """Read a partition's state back from its topic."""
    state, began = State(tools.settings.generation), time.monotonic()
    recovery = Recovery(state, tools.registry.schema_of)
    for message in read_to_end(tools.kafka, tools.topics.state, number):
        key, value = message.key() or b"", message.value() or b""
        if key.startswith(PREFIX) or not _taken(key.decode(), value, keeper, reviser):
            recovery.take(key, value)
    recovery.finish()
    found = {
        "sensors": len(set(state.rings.sensors)),
        "seconds": round(time.monotonic() - began, 3),
    }
    _LOG.info("state restored", extra={"partition": number, **found})
    return state


def _taken(key: str, value: bytes, keeper: Keeper, reviser: Reviser) -> bool:
    return keeper.restore(key, value) or reviser.restore(key, value)
