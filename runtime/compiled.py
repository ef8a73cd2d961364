"""Loops over bytes, compiled to machine code by numba: where arrays would be walked many times.

What is compiled holds the interpreter's lock no more than a system call does. It is kept beside the
source (or where ``NUMBA_CACHE_DIR`` says), so that one process compiles for all that come later;
where nothing can be kept, each process compiles for itself, which takes some seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function of numbers and arrays when it is first called.

    ``py_func`` of what this gives is the function as it was written, for tests.

    >>> @compiled
    ... def twice(number):
    ...     return 2 * number
    >>> twice(21), twice.py_func(21)
    (42, 42)
    """
    try:
        return cast("Function", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # neither beside the source nor at home can anything be written
        return cast("Function", numba.njit(nogil=True)(function))
