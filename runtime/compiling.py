"""Compiles the loops of a module, in a process of its own: ``python -m runtime.compiling``.

The only place that imports numba. Each loop gets a frame that C can call: pointers and sizes in,
arrays within (:class:`runtime.compiled.Loop` calls it).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final

import numba
from numba import types

from runtime.compiled import Kind, compile_by
from runtime.errors import System
from runtime.machine_code import Code, address_of, write

_ENTRIES: Final[dict[str, Any]] = {}
_POINTER: Final[Callable[[Any], Any]] = types.CPointer
_ALLOCATES: Final = b"NRT_Allocate"
_OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy"}


def main(module: str, path: Path) -> None:
    """Compile the loops of a module, and keep them in a file."""
    compile_by.append(_jitted)
    importlib.import_module(module)
    prefix = f"{module}."
    code: Code = {
        name.removeprefix(prefix): (entry.native_name, _object_file(entry))
        for name, entry in _ENTRIES.items()
        if name.startswith(prefix)
    }
    for name, (symbol, made) in code.items():
        if _ALLOCATES in made:  # numba has that here; whoever loads it has not
            problem = f"{module}.{name} makes an array, or copies one that may overlap"
            raise System(problem, mend="give it the arrays that it writes to, and copy in a loop")
        address_of(symbol, made)  # it ends this process, not one at work, where anything is missing
    write(path, code)


def _object_file(entry: Any) -> bytes:
    """Give what LLVM made; numba has no public way to it."""
    made: bytes = entry._library._get_compiled_object()  # noqa: SLF001
    return made


def _jitted(function: Callable[..., Any], kinds: tuple[Kind, ...]) -> Any:
    loop = numba.njit(**_OPTIONS)(function)
    if kinds:
        frame = _frame(loop, kinds, gives=function.__annotations__["return"] != "None")
        entry = numba.cfunc(types.int64(*_types(kinds)), **_OPTIONS)(frame)
        _ENTRIES[f"{function.__module__}.{function.__name__}"] = entry
    return loop


def _types(kinds: tuple[Kind, ...]) -> list[Any]:
    found: list[Any] = []
    for kind in kinds:
        element = getattr(types, {"bool": "boolean"}.get(kind.dtype, kind.dtype))
        found.append(_POINTER(element) if kind.dimensions else element)
        found.extend([types.int64] * kind.dimensions)
    return found


def _frame(loop: Any, kinds: tuple[Kind, ...], *, gives: bool) -> Callable[..., Any]:
    """Write the function around a loop: numba reads arguments by their names, so it has to be."""
    numbers = count()
    names: list[str] = []
    given: list[str] = []
    for kind in kinds:
        own = [f"a{next(numbers)}" for _ in range(1 + kind.dimensions)]
        names += own
        shape = "".join(f"{size}, " for size in own[1:])
        given.append(f"carray({own[0]}, ({shape}))" if kind.dimensions else own[0])
    call = f"loop({', '.join(given)})"
    body = f"return {call}" if gives else f"{call}\n    return 0"
    space: dict[str, Any] = {"loop": loop, "carray": vars(numba)["carray"]}
    exec(f"def frame({', '.join(names)}):\n    {body}\n", space)  # noqa: S102 - of our own names
    frame: Callable[..., Any] = space["frame"]
    return frame


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
