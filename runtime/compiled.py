"""Loops over bytes, compiled to machine code: where arrays would be walked many times.

They are Python, and numba compiles them; but in a process of its own, since it takes 130 MB that it
never gives back, and a second to begin with. What it makes is kept beside the source (or where
``AOS_LOOPS`` says) and loaded by LLVM alone (docs/decisions/0025). A loop holds the interpreter's
lock no more than a system call does.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np

from runtime.errors import System
from runtime.machine_code import kept, loaded

Function = TypeVar("Function", bound=Callable[..., Any])


class Kind(NamedTuple):
    """What a loop is given: an array of so many dimensions, or a whole number (none)."""

    dtype: str
    dimensions: int


LONG: Final = Kind("int64", 0)
BYTES: Final = Kind("uint8", 1)
LONGS: Final = Kind("int64", 1)
MASK: Final = Kind("bool", 1)
ROWS_OF_BYTES: Final = Kind("uint8", 2)
ROWS_OF_LONGS: Final = Kind("int64", 2)
DOUBLES: Final = Kind("float64", 1)
ROWS_OF_DOUBLES: Final = Kind("float64", 2)

Compile = Callable[[Callable[..., Any], tuple[Kind, ...]], Any]
compile_by: list[Compile] = []
"""Who compiles in this process, if it is one that does: see :mod:`runtime.compiling`."""


class Loop:
    """A loop that is compiled; ``py_func`` is the function as it was written."""

    def __init__(self, function: Callable[..., Any], kinds: tuple[Kind, ...]) -> None:
        self.py_func = function
        self._kinds = kinds
        self._dtypes = [np.dtype(kind.dtype) for kind in kinds]
        self._entry: Callable[..., int] | None = None

    def __call__(self, *given: Any) -> int:
        """Run it; whatever it returns is a whole number.

        Raises:
            TypeError: an array is of another type or shape, or does not lie in one piece.
            System: it cannot be compiled here.
        """
        entry = self._entry or self._loaded()
        taken: list[int] = []
        for array, kind, dtype in zip(given, self._kinds, self._dtypes, strict=True):
            if not kind.dimensions:
                taken.append(int(array))
                continue
            whole = array.flags.c_contiguous and array.ndim == kind.dimensions
            if not whole or array.dtype != dtype:
                raise TypeError(kind, array.dtype, array.shape, array.strides)
            taken.append(array.__array_interface__["data"][0])
            taken.extend(array.shape)
        return entry(*taken)

    def _loaded(self) -> Callable[..., int]:
        width = sum(1 + kind.dimensions for kind in self._kinds)
        made = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * width)
        with _LOADING:
            self._entry = made(_address(self.py_func.__module__, self.py_func.__name__))
        return self._entry


_LOADING: Final = threading.Lock()
_MODULES: Final[dict[str, dict[str, int]]] = {}


def compiled(*kinds: Kind) -> Callable[[Function], Function]:
    """Compile a function of what these kinds say, that gives a whole number or nothing.

    Without kinds it is only for other loops of its module. Nothing in it may raise.
    """

    def decorated(function: Function) -> Function:
        if compile_by:
            return cast("Function", compile_by[0](function, kinds))
        if not kinds:
            return function  # as Python for whatever is Python
        return cast("Function", Loop(function, kinds))

    return decorated


def _address(module: str, name: str) -> int:
    """Say where a loop of a module begins; what was compiled of the module is loaded with it."""
    if module not in _MODULES:
        source = sys.modules[module].__file__
        if source is None:
            problem = f"{module} has no source that could be compiled"
            raise System(problem, mend="install the package from its files")
        _MODULES[module] = loaded(kept(module, source))
    return _MODULES[module][name]
