"""Columns of times as whole microseconds: all at once where they are written in the one plain way.

The plain way is how databases write: ``2013-11-03 01:00:00``, with ``T`` or a blank and up to seven
digits of a second. Whatever else stands there is looked at one by one; what comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from producers.reading.time_kernels import read_times
from producers.reading.times import Observed, version_of
from producers.reading.values import kind_of, texts_of
from schemas.columnar import Column, Integers, Mask, Numbers, Strings
from schemas.columnar_encoding import constant, strings_of

_EPOCH_LOCAL: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local, as what it is taken from
_MICROSECOND: Final = timedelta(microseconds=1)


def micros_of(texts: Strings) -> tuple[Integers, Mask]:
    """Read plain times, and say which were plain.

    >>> micros, plain = micros_of(strings_of(["1970-01-01 00:00:01", "gestern"]))
    >>> micros[plain].tolist()
    [1000000]
    """
    count = len(texts.lengths)
    micros, plain = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    places = np.ascontiguousarray(texts.starts), np.ascontiguousarray(texts.lengths)
    read_times(texts.data, *places, micros, plain)
    return micros, plain


def versions_of(texts: Strings) -> Numbers:
    """Give the times of changes as microseconds; digits beyond are cut.

    Raises:
        DataQuality: one is no time.
    """
    micros, plain = micros_of(texts)
    rest = np.flatnonzero(~plain)
    micros[rest] = [version_of(text.decode()) for text in texts.take(rest).bytes()]
    return Numbers(micros)


def observed_columns(
    values: Sequence[Any], observed: Callable[[Any], Observed]
) -> tuple[Column, Column]:
    """Read a column of times, as ``observed`` reads a time: microseconds, and what is none.

    >>> local, text = observed_columns(["1970-01-01 00:00:01"], lambda value: (None, str(value)))
    >>> local.values.tolist(), text.present.tolist()
    ([1000000], [False])
    """
    micros = _all_plain(values)
    if micros is not None:
        return Numbers(micros), constant(None, len(values))
    return observed_one_by_one([observed(value) for value in values])


def observed_one_by_one(each: Sequence[Observed]) -> tuple[Column, Column]:
    """Make columns of times that were read one by one."""
    micros = np.array([local or 0 for local, _ in each], np.int64)
    present = np.array([local is not None for local, _ in each], np.bool_)
    return Numbers(micros, present), strings_of([text for _, text in each])


def _all_plain(values: Sequence[Any]) -> Integers | None:
    kind = type(values[0]) if values else None
    if kind is str and None not in values:
        return _all_plain_texts(values)
    if kind is datetime and kind_of(values) is datetime:
        return _all_naive(values)
    return None


def _all_naive(values: Sequence[datetime]) -> Integers | None:
    """Count microseconds: numpy's own way from datetimes takes seven times as long."""
    try:
        since = [(value - _EPOCH_LOCAL) // _MICROSECOND for value in values]
    except TypeError:  # one of them knows its zone
        return None
    return np.array(since, np.int64)


def _all_plain_texts(values: Sequence[Any]) -> Integers | None:
    try:
        micros, plain = micros_of(texts_of(values))
    except TypeError:  # not all are texts
        return None
    return micros if plain.all() else None
