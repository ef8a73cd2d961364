"""What the C library does with memory that is given back to it."""

from __future__ import annotations

import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3
"""``M_MMAP_THRESHOLD`` of glibc's ``malloc.h``, as mallopt(3) describes it."""


def give_back_from(size: int) -> bool:
    """Have blocks of so many bytes, or larger, given back to the system when they are freed.

    By itself glibc learns to keep them, up to 32 MiB each, in case they are wanted again: a process
    that works in large arrays then holds far more than it uses. Says whether the library heard; one
    that has no such thing (musl) keeps no such blocks either.

    >>> give_back_from(1 << 20) in (True, False)
    True
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    return bool(library.mallopt(_MMAP_THRESHOLD, size))
