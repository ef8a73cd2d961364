"""A Kafka message that came from nowhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FakeMessage:
    """What the sink asks of a message."""

    topic_: str = "t"
    partition_: int = 0
    offset_: int = 0
    value_: bytes | None = None
    key_: bytes | None = b"JFK"

    def topic(self) -> str:
        """Its topic."""
        return self.topic_

    def partition(self) -> int:
        """Its partition."""
        return self.partition_

    def offset(self) -> int:
        """Its offset."""
        return self.offset_

    def key(self) -> bytes | None:
        """Its key."""
        return self.key_

    def value(self) -> bytes | None:
        """Its value."""
        return self.value_

    def __len__(self) -> int:
        """Count the bytes of its value."""
        return len(self.value_ or b"")
