"""Columns packed as they are fetched: the same values, one by one, whatever a driver gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.reading import time_kernels
from producers.reading.combinations import Numbered
from producers.reading.fetching import Rows
from producers.reading.time_columns import micros_of
from producers.reading.values import Doubles, Texts, Wholes, more
from schemas.columnar_encoding import strings_of

LABELS = st.sampled_from(["A", "B", "BA", "", "Å", 0, 1, 2, 7, 7 + 2**40, -1])
OTHERS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.floats(allow_nan=False), st.text()
)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local, as what it is compared with


@pytest.mark.requirement("A6")
@given(st.lists(st.lists(st.tuples(LABELS | OTHERS, LABELS, OTHERS), min_size=1, max_size=4)))
def test_what_is_packed_piece_by_piece_is_what_was_fetched(pieces: list[list[Any]]) -> None:
    rows = Rows(pieces)
    fetched = [row for piece in pieces for row in piece]
    assert [(*map(repr, row),) for row in rows] == [(*map(repr, row),) for row in fetched]
    if fetched:
        assert (rows[0], rows[-1], rows[1:]) == (fetched[0], fetched[-1], fetched[1:])


@pytest.mark.parametrize(
    ("values", "packed"), [(["a", "b"], Texts), ([1, 2], Wholes), ([1.5, 2.0], Doubles)]
)
def test_what_is_of_one_kind_is_packed(values: list[Any], packed: type) -> None:
    assert isinstance(more(more((), values), values), packed)


@pytest.mark.parametrize("values", [["a\0b"], [None, "a"], [True, 1], [2**63], [1, 1.0]])
def test_what_would_not_come_back_as_it_was_is_not_packed(values: list[Any]) -> None:
    assert more((), values) == values
    assert isinstance(more((), values), list)


@given(st.lists(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=9), max_size=4))
def test_combinations_are_numbered_as_they_are_met(pages: list[list[tuple[Any, Any]]]) -> None:
    packed, plain = Numbered([0, 1]), Numbered([0, 1])
    for page in pages:
        lists = [list(column) for column in zip(*page, strict=True)]
        assert packed(Rows([page]).columns).tolist() == plain(lists).tolist()
        assert packed.keys == plain.keys


def test_labels_of_one_hash_are_told_apart() -> None:
    numbered = Numbered([0])
    both = [(7,), (7 + 2**40,), (7,), (7 + 2**40,)]
    assert numbered(Rows([both]).columns).tolist() == [0, 1, 0, 1]
    assert numbered.keys == [(7,), (7 + 2**40,)]


def test_more_labels_than_the_table_had_room_for_are_found_again() -> None:
    numbered = Numbered([0, 1])
    page = [(f"S{number}", number) for number in range(500)]
    for _ in range(2):
        assert numbered(Rows([page]).columns).tolist() == list(range(500))


@pytest.mark.requirement("B5")
@given(
    st.datetimes(),
    st.sampled_from(" T"),
    st.integers(-1, 9),
    st.none() | st.tuples(st.integers(0, 26), st.sampled_from("0123456789-: .T9a")),
)
def test_plain_times_are_read_as_a_calendar_has_them(
    time: datetime, between: str, digits: int, change: tuple[int, str] | None
) -> None:
    text = f"{time:%Y-%m-%d %H:%M:%S}".rjust(19, "0").replace(" ", between)
    text += f".{time.microsecond:06}987"[: digits + 1]
    if change:
        text = text[: change[0]] + change[1] + text[change[0] + 1 :]
    micros, plain = micros_of(strings_of([text]))
    assert (micros.tolist() if plain[0] else None) == _expected(text)


def _expected(text: str) -> list[int] | None:
    whole, dot, digits = text[:19], text[19:20], text[20:]
    written = len(text) == 19 or (dot == "." and digits.isdecimal() and len(digits) <= 7)
    if not (written and len(whole) == 19 and whole[10] in " T"):
        return None
    try:
        found = datetime.fromisoformat(whole)
    except ValueError:
        return None
    return [(found - EPOCH) // timedelta(microseconds=1) + int(digits[:6].ljust(6, "0"))]


def test_the_loop_says_compiled_what_it_says_as_it_is_written() -> None:
    first, no_day, other = (
        "2020-02-29 01:02:03.1234567",
        "2019-02-29 00:00:00",
        "1969-12-31T23:59:59",
    )
    texts = strings_of([first, first, no_day, no_day, other, other[:-1] + "8", first])
    micros, plain = np.zeros(7, np.int64), np.zeros(7, np.bool_)
    read = time_kernels.read_times
    read.py_func(texts.data, texts.starts, texts.lengths, micros, plain)  # type: ignore[attr-defined]
    compiled, there = micros_of(texts)
    assert (micros.tolist(), plain.tolist()) == (compiled.tolist(), there.tolist())
    assert plain.tolist() == [True, True, False, False, True, True, True]
    assert micros[4] - micros[5] == 1_000_000
    assert micros[0] == micros[1] == micros[6]
