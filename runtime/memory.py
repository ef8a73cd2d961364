"""What the C library does with memory that is given back to it."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LARGE_BYTES: Final = 384 * 1024
_READY_BYTES: Final = 16 * 1024 * 1024
_POOLS: Final = 2
_MAPPED: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \d+ *(.*)")
"""The first line of a mapping in ``/proc/self/smaps``: see proc(5)."""
_DIRTY: Final = re.compile(r"(?:Private_Dirty|Anonymous): +([1-9]\d*) kB")
_DONTNEED: Final = 4
"""Linux' ``MADV_DONTNEED``: see madvise(2)."""
_MMAP_THRESHOLD: Final = -3
_TRIM_THRESHOLD: Final = -1
_ARENA_MAX: Final = -8
"""Glibc's ``M_MMAP_THRESHOLD``, ``M_TRIM_THRESHOLD`` and ``M_ARENA_MAX``: see mallopt(3)."""


def work_in_arrays() -> None:
    """Prepare a process that makes and drops large arrays, in several threads, batch after batch.

    What is large goes back to the system at once, what is smaller is shared by all threads, and a
    part of it is held for the next batch (docs/decisions/0027).

    >>> work_in_arrays()
    """
    give_back_from(_LARGE_BYTES)
    share_arenas(_POOLS)
    keep_ready(_READY_BYTES)


def give_back_from(size: int) -> bool:
    """Have blocks of so many bytes, or larger, given back to the system when they are freed.

    By itself glibc learns to keep them, up to 32 MiB each, in case they are wanted again: a process
    that works in large arrays then holds far more than it uses. Says whether the library heard; one
    that has no such thing (musl) keeps no such blocks either.

    >>> give_back_from(1 << 20) in (True, False)
    True
    """
    return _set(_MMAP_THRESHOLD, size)


def share_arenas(most: int) -> bool:
    """Let the threads made from now on share so many pools of small blocks, where each has its own.

    What one thread frees is then of use to the others. Says whether the library heard.

    >>> share_arenas(2) in (True, False)
    True
    """
    return _set(_ARENA_MAX, most)


def keep_ready(size: int) -> bool:
    """Hold so many bytes that were given back, for they are wanted again in a moment.

    By itself glibc returns what is above 128 KiB: the system then clears each page anew, which
    took a tenth of the stream's CPU. Says whether the library heard.

    >>> keep_ready(32 << 20) in (True, False)
    True
    """
    return _set(_TRIM_THRESHOLD, size)


class Trim:
    """Gives what is free between small blocks back, each time that what is held grew by a quarter.

    As tables grow, much that was made on the way is dropped and leaves gaps. To look for them costs
    some milliseconds: too much for each batch, nothing where a table grows by a quarter.

    >>> trim = Trim(least=100)
    >>> [trim.grown(held) for held in (99, 100, 124, 125, 1000)]
    [False, True, False, True, True]
    """

    def __init__(self, least: int) -> None:
        self._next = least

    def grown(self, held: int) -> bool:
        """Take note of how much is held; say whether that was enough more."""
        if held < self._next:
            return False
        self._next = held * 5 // 4
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):
            library.malloc_trim(0)
        return True


def let_go_of(library: str) -> int:
    """Give the pages of a library back that are as they are in its file; give how many bytes.

    For one that has done its work: what is wanted of it once more is read from the file again.

    >>> let_go_of("no-such-library")
    0
    """
    try:
        told = Path("/proc/self/smaps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0  # not Linux, or not for us to see
    advise = ctypes.CDLL(None).madvise
    pages = [(begin, size) for begin, size, path in _unchanged(told) if library in Path(path).name]
    for begin, size in pages:
        advise(ctypes.c_void_p(begin), ctypes.c_size_t(size), _DONTNEED)
    return sum(size for _, size in pages)


def _unchanged(told: str) -> Iterator[tuple[int, int, str]]:
    """Give where each file is mapped that nobody writes to, nor has: begin, size, path."""
    found = [*_MAPPED.finditer(told)]
    ends = [match.start() for match in found[1:]] + [len(told)]
    for match, end in zip(found, ends, strict=True):
        first, last = int(match[1], 16), int(match[2], 16)
        if "w" not in match[3] and not _DIRTY.search(told, match.end(), end):
            yield first, last - first, match[4]


def _set(option: int, value: int) -> bool:
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(library.mallopt(option, value))
