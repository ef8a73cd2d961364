"""Memory that is lent again and again: never to two at once, and never more than allowed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from runtime.scratch import Scratch, empty

pytestmark = pytest.mark.requirement("D10")

_MEBIBYTE = 1 << 20
_LARGE = 300_000


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 7), st.integers(1, 3 * _MEBIBYTE), st.booleans()), max_size=40
    )
)
def test_what_is_lent_is_lent_once(steps: list[tuple[int, int, bool]]) -> None:
    scratch, held = Scratch(8 * _MEBIBYTE), dict[int, NDArray[np.uint8]]()
    for name, size, as_view in steps:
        given = scratch.empty(size, np.uint8)
        given[:] = name
        held[name] = given[size // 2 :] if as_view else given
        assert all((array == name).all() for name, array in held.items())
        assert scratch.held <= 8 * _MEBIBYTE


@pytest.mark.parametrize(
    "view",
    [
        lambda array: array[-1:],
        lambda array: array.reshape(2, -1)[1].view(np.int8),
        lambda array: memoryview(array)[:1],
        lambda array: np.frombuffer(array, np.uint8)[3:],
    ],
)
def test_a_block_is_not_free_while_anybody_sees_a_part_of_it(view: Any) -> None:
    scratch = Scratch(8 * _MEBIBYTE)
    first = scratch.empty(_LARGE, np.uint8)
    place, seen = first.ctypes.data, view(first)
    del first
    other = scratch.empty(_LARGE, np.uint8)
    assert other.ctypes.data != place
    del seen, other
    assert place in {each.ctypes.data for each in (scratch.empty(_LARGE, np.uint8) for _ in "ab")}
    assert scratch.held < 2 * _MEBIBYTE


def test_what_is_beyond_the_limit_or_small_is_not_held() -> None:
    scratch = Scratch(_MEBIBYTE)
    arrays = [scratch.empty(size, np.uint8) for size in (1000, 900_000, 900_000, 5 * _MEBIBYTE)]
    assert [len(array) for array in arrays] == [1000, 900_000, 900_000, 5 * _MEBIBYTE]
    assert scratch.held <= _MEBIBYTE


def test_free_blocks_make_room_for_what_fits_none_of_them() -> None:
    scratch = Scratch(4 * _MEBIBYTE)
    for _ in range(2):
        small = [scratch.empty(_LARGE, np.uint8) for _ in range(6)]
        del small
    large = scratch.empty(4 * _MEBIBYTE, np.uint8)
    assert scratch.held == 4 * _MEBIBYTE
    assert large.base is not None


def test_an_array_has_the_type_that_was_asked_for() -> None:
    entry = np.dtype([("at", "<i8"), ("flag", "<u4")])
    array = empty(100_000, entry)
    assert (array.dtype, array.shape, array.flags.c_contiguous) == (entry, (100_000,), True)


def test_a_process_holds_nothing_unless_it_is_told_to() -> None:
    run = """
import numpy as np
from runtime import scratch
places = []
for most in (0, 1 << 20):
    scratch.hold(most)
    array = scratch.empty(300_000, np.uint8)
    places.append(array.base is None)
print(places)
"""
    told = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    assert told.stdout == "[True, False]\n"
