"""Machine code of the loops: kept in files, loaded into this process by LLVM.

A file is named after all that it was made of: source, compiler and processor. So nothing that is
out of date is ever loaded, and nothing has to be deleted.
"""

from __future__ import annotations

import base64
import ctypes
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import llvmlite.binding as llvm

from runtime.errors import Configuration, System
from runtime.memory import let_go_of

DIRECTORY: Final = "AOS_LOOPS"
"""The environment's name for where machine code is kept."""
_LIBRARY: Final = "libllvmlite"
Code = dict[str, tuple[str, bytes]]
"""By the name of a loop: the symbol under which it is found, and the object file."""
_NEVER_CALLED: Final = (
    "NRT_Free",
    "NRT_MemInfo_call_dtor",
    "numba_do_raise",
    "numba_gil_ensure",
    "numba_gil_release",
    "numba_runtime_build_excinfo_struct",
    "numba_unpickle",
)
"""What a loop would call that raises, or that gives back an array it made. None does either, so it
is enough that the names are known; whoever compiles sees that no other name is missing."""


def kept(module: str, source: str) -> Code:
    """Give the machine code of a module's loops, compiled now if nobody has done so before.

    Raises:
        System: it cannot be compiled.
    """
    name = f"{module}-{_digest(Path(source))}.json"
    path = _directory(Path(source)) / name
    if path.exists():
        return read(path)
    if os.access(path.parent, os.W_OK):
        with _alone(path):
            if not path.exists():
                _make(module, path)
        return read(path)
    with tempfile.TemporaryDirectory() as directory:  # nothing can be kept: for this process alone
        path = Path(directory) / name
        _make(module, path)
        return read(path)


def write(path: Path, code: Code) -> None:
    """Keep machine code; whoever reads meanwhile finds all of it or nothing."""
    told = {
        loop: (symbol, base64.b64encode(made).decode()) for loop, (symbol, made) in code.items()
    }
    aside = path.with_suffix(f".{os.getpid()}")
    aside.write_text(json.dumps(told), encoding="utf-8")
    aside.replace(path)


def read(path: Path) -> Code:
    """Read what :func:`write` wrote."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return {loop: (symbol, base64.b64decode(made)) for loop, (symbol, made) in told.items()}


def loaded(code: Code) -> dict[str, int]:
    """Load machine code; give the address of each loop. LLVM has nothing more to do then."""
    found = {loop: address_of(symbol, made) for loop, (symbol, made) in code.items()}
    let_go_of(_LIBRARY)
    return found


def address_of(symbol: str, code: bytes) -> int:
    """Load an object file; give the address of one of its functions."""
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return int(engine.get_function_address(symbol))


@cache
def _engine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    harmless = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    for name in _NEVER_CALLED:
        llvm.add_symbol(name, harmless)
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _digest(source: Path) -> str:
    compiler = Path(__file__).with_name("compiling.py")
    versions = [metadata.version(name) for name in ("numba", "llvmlite")]
    told = [*versions, llvm.get_host_cpu_name(), llvm.get_process_triple()]
    made_of = [source.read_bytes(), compiler.read_bytes(), *(text.encode() for text in told)]
    return hashlib.sha256(b"\0".join(made_of)).hexdigest()[:16]


def _directory(source: Path) -> Path:
    """Say where machine code is kept: nowhere that others could have written to before us."""
    named = os.environ.get(DIRECTORY)
    directory = Path(named) if named else source.parent / "__pycache__"
    with suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if directory.is_dir() and directory.stat().st_uid not in (0, os.geteuid()):
        problem = f"{DIRECTORY}: {directory} belongs to somebody else"
        raise Configuration(problem, mend="name a directory of our own: code is loaded from there")
    return directory


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process of all that start at once compile, and the others wait for it."""
    with path.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(module: str, path: Path) -> None:
    """Compile a module into a file, in a process of its own."""
    command = [sys.executable, "-m", "runtime.compiling", module, str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        problem = f"the loops of {module} cannot be compiled: {last}"
        raise System(problem, mend="see that numba is installed as requirements.lock has it")
