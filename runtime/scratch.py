"""Memory for large arrays that come and go, batch after batch: held for the next one.

What is given back to the system comes again as pages that it has to clear, one after the other. On
a virtual machine that took 2.6 µs for 4 KiB, which is longer than to fill them: a sixth of the
stream's CPU. To have the C library hold all that is freed costs more memory than there is, since
what is small lies between what is large (docs/decisions/0027). So the few kinds of arrays that
are large and short-lived take their memory here.
"""

from __future__ import annotations

import sys
import threading
from bisect import bisect_left, insort
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_LARGE: Final = 256 * 1024
"""What is smaller the C library has at hand."""
_STEP: Final = 256 * 1024
_WASTE: Final = 16
"""No block is lent to an array that would use less than this part of it."""


class Scratch:
    """Lends blocks of memory; one is free again when no array lies in it any more.

    Whoever has an array need not say that it is done: what Python knows of who refers to a block
    tells, and every view of an array in it refers to it.

    >>> scratch = Scratch(1 << 20)
    >>> first = scratch.empty(500_000, np.uint8)
    >>> held, place = scratch.held, first.ctypes.data
    >>> del first
    >>> again = scratch.empty(60_000, np.int64)
    >>> again.ctypes.data == place, scratch.held == held
    (True, True)
    """

    def __init__(self, most: int) -> None:
        """``most`` bytes are held; who wants more takes it from the system."""
        self.most = most
        self._blocks: list[NDArray[np.uint8]] = []  # by size
        self._lock = threading.Lock()
        self._unused = self._references([np.empty(1, np.uint8)], 0)

    @property
    def held(self) -> int:
        """How many bytes are held, lent or free."""
        return sum(map(len, self._blocks))

    def empty(self, count: int, dtype: Any) -> NDArray[Any]:
        """Give an array of so many, with whatever is in it."""
        kind = np.dtype(dtype)
        size = count * kind.itemsize
        if size < _LARGE or size > self.most:
            return np.empty(count, kind)
        with self._lock:
            block = self._free(size)
        return np.empty(count, kind) if block is None else block[:size].view(kind)

    def _free(self, size: int) -> NDArray[np.uint8] | None:
        """Give the smallest block that will do, a new one where there is room, None elsewhere."""
        for place in range(bisect_left(self._blocks, size, key=len), len(self._blocks)):
            if len(self._blocks[place]) > _WASTE * size:
                break
            if self._is_free(place):
                return self._blocks[place]
        wanted = -(-size // _STEP) * _STEP
        for place in range(len(self._blocks) - 1, -1, -1):
            if self.held + wanted > self.most and self._is_free(place):
                del self._blocks[place]
        if self.held + wanted > self.most:
            return None
        made = np.empty(wanted, np.uint8)
        insort(self._blocks, made, key=len)
        return made

    def _is_free(self, place: int) -> bool:
        return self._references(self._blocks, place) == self._unused

    @staticmethod
    def _references(blocks: list[NDArray[np.uint8]], place: int) -> int:
        return sys.getrefcount(blocks[place])


_OURS: Final = Scratch(0)


def hold(most: int) -> None:
    """Have this process hold so many bytes for large arrays, at most; by itself it holds none."""
    _OURS.most = most


def empty(count: int, dtype: Any) -> NDArray[Any]:
    """Give an array of so many, from memory that this process holds for that, if it does."""
    return _OURS.empty(count, dtype)
