"""Loops in machine code: what they are given, where they are kept, what is said if that fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime import machine_code
from runtime.errors import Configuration, System
from schemas import columnar_kernels
from schemas.columnar_kernels import put

SOURCE = str(columnar_kernels.__file__)
TEXT = np.frombuffer(b"abcdef", np.uint8)
NONE = np.zeros(1, np.int64)


def test_a_loop_takes_arrays_of_the_right_type_in_one_piece_alone() -> None:
    out, lengths = np.zeros(3, np.uint8), np.array([3])
    put(TEXT, np.array([2]), lengths, out, NONE)
    assert out.tobytes() == b"cde"
    for wrong in (lengths.astype(np.int32), np.array([[3]]), np.array([3, 4, 5, 6])[::2]):
        with pytest.raises(TypeError):
            put(TEXT, np.array([2]), wrong, out, NONE)
    assert out.tobytes() == b"cde"


def test_a_process_at_work_does_not_hold_the_compiler() -> None:
    run = "import sys, sink.lines, stream_app.stage, producers.stage; print('numba' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_machine_code_is_kept_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(machine_code.DIRECTORY, str(tmp_path / "own"))
    made = machine_code.kept("schemas.columnar_kernels", SOURCE)
    assert set(made) == {"put", "high_bits"}
    (kept,) = (tmp_path / "own").glob("*.json")
    before = kept.stat().st_mtime_ns
    assert machine_code.kept("schemas.columnar_kernels", SOURCE) == made
    assert kept.stat().st_mtime_ns == before


def test_code_that_somebody_else_could_have_put_there_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(machine_code.DIRECTORY, str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    if tmp_path.stat().st_uid == 0:
        os.chown(tmp_path, 4242, -1)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(Configuration, match="belongs to somebody else"):
        machine_code.kept("schemas.columnar_kernels", SOURCE)


def test_what_cannot_be_compiled_is_told_in_a_line(tmp_path: Path) -> None:
    source = tmp_path / "odd.py"
    source.write_text("no python")
    with pytest.raises(System, match=r"the loops of odd cannot be compiled: .*odd"):
        machine_code.kept("odd", str(source))


def test_a_loop_that_makes_an_array_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "making.py").write_text(
        """
from __future__ import annotations
from runtime.compiled import LONGS, compiled

@compiled(LONGS)
def shift(given) -> None:
    given[1:] = given[:-1]
"""
    )
    run = f"""
import sys
from pathlib import Path
from runtime.compiling import main
sys.path.insert(0, {str(tmp_path)!r})
main("making", Path({str(tmp_path)!r}) / "making.json")
"""
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False)
    assert "making.shift makes an array" in done.stderr
    assert not (tmp_path / "making.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what it has mapped")
def test_a_library_that_was_let_go_of_works_on() -> None:
    run = """
import numpy as np
from runtime import compiled, machine_code, memory
from schemas import columnar_kernels as loops
def put():
    out = np.zeros(3, np.uint8)
    loops.put(np.frombuffer(b"abc", np.uint8), np.array([0]), np.array([3]), out, np.zeros(1, int))
    return out.tobytes()
print(put(), memory.let_go_of("libllvmlite") > 10 << 20)
print(put(), len(machine_code.loaded(machine_code.kept(loops.__name__, loops.__file__))))
"""
    told = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert told.stdout == "b'abc' True\nb'abc' 2\n"
