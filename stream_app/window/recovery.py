"""Reading a partition's memory back from its topic, whatever kind of record comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schemas.avsc import Schema
from schemas.codec import Decoder
from stream_app.window.changelog import PREFIX, RingReader
from stream_app.window.state import State, schema_of_key

_AT_ONCE: Final = 20_000


class Recovery:
    """Takes the records of the state topic in the order of their offsets."""

    def __init__(self, state: State, schema_of: Callable[[int], Schema]) -> None:
        self._state = state
        self._rings = RingReader(schema_of, state.rings)
        names = ("partition_state", "sensor_folds")
        self._decoders = {name: Decoder(name, schema_of) for name in names}
        self._keys: list[bytes] = []
        self._values: list[bytes] = []

    def take(self, key: bytes, value: bytes) -> None:
        """Take in one record; those of rings are put back many at a time.

        Raises:
            DataQuality: it is none of ours.
        """
        if not key.startswith(PREFIX):
            name = key.decode()
            self._state.restore(name, self._decoders[schema_of_key(name)](value))
            return
        self._keys.append(key)
        self._values.append(value)
        if len(self._keys) >= _AT_ONCE:
            self.finish()

    def finish(self) -> None:
        """Put back what is left; to be called when the topic has been read to its end."""
        if self._keys:
            rows, entries = self._rings.restore(self._keys, self._values)
            state = self._state
            state.latest = state.latest.of(state.rings, rows, entries)
            self._keys, self._values = [], []
