"""In which order a batch is filled from the topics of its partition number."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import numpy as np
from aiokafka.errors import CorruptRecordException
from faust.types import TP

from schemas.columnar import packed
from stream_app.transport.batch import Records
from stream_app.transport.filling import HELPING, Filling

WIND, RAIN, ELSEWHERE = TP("wind", 0), TP("rain", 0), TP("wind", 1)
LETTER = packed([b"x"])


def helping(tp: TP, published: int, count: int = HELPING) -> Records:
    texts = LETTER.take(np.zeros(count, np.int64))
    times = np.full(count, published)
    return Records(tp.topic, tp.partition, np.arange(count), times, texts, texts)


class Arrived:
    """What a fetcher holds, and the order in which it was asked for."""

    def __init__(self, waiting: dict[TP, list[Records]], broken: Iterable[TP] = ()) -> None:
        self.waiting, self.broken, self.given = waiting, broken, list[TP]()

    async def fetched_records(
        self,
        wanted: set[TP],
        *,
        timeout: float,  # noqa: ASYNC109 - as it is there
        max_records: int,
    ) -> dict[TP, list[Records]]:
        assert (timeout, max_records) == (0, 1)
        (tp,) = wanted
        if tp in self.broken:
            raise CorruptRecordException
        if not self.waiting.get(tp):
            return {}
        self.given.append(tp)
        return {tp: [self.waiting[tp].pop(0)]}


def filled(
    arrived: Arrived, active: set[TP], fetched: dict[TP, list[Records]] | None = None, **most: int
) -> dict[TP, int]:
    found = dict(fetched or {})
    filling = Filling(most.get("records", 10 * HELPING), most.get("size", 1 << 30))
    asyncio.run(filling.fill(arrived, found, active))
    return {tp: sum(map(len, records)) for tp, records in found.items()}


def test_the_topic_that_is_furthest_behind_goes_first() -> None:
    wind, rain = [15, 25, 35], [10, 20, 30]
    arrived = Arrived(
        {WIND: [helping(WIND, at) for at in wind], RAIN: [helping(RAIN, at) for at in rain]}
    )
    filled(arrived, {WIND, RAIN}, {WIND: [helping(WIND, 5)]})
    assert arrived.given == [RAIN, WIND, RAIN, WIND, RAIN, WIND]


def test_a_topic_that_has_nothing_keeps_the_others_from_nothing() -> None:
    arrived = Arrived({WIND: [helping(WIND, 10), helping(WIND, 20)]})
    assert filled(arrived, {WIND, RAIN}) == {WIND: 2 * HELPING}


def test_a_batch_stays_within_its_records_and_its_bytes() -> None:
    many = [helping(WIND, at) for at in range(9)]
    assert filled(Arrived({WIND: [*many]}), {WIND}, records=3 * HELPING) == {WIND: 3 * HELPING}
    assert filled(Arrived({WIND: [*many]}), {WIND}, size=HELPING + 1) == {WIND: 2 * HELPING}


def test_every_partition_number_has_a_batch_of_its_own() -> None:
    arrived = Arrived({tp: [helping(tp, at) for at in range(9)] for tp in (WIND, RAIN, ELSEWHERE)})
    found = filled(arrived, {WIND, RAIN, ELSEWHERE}, records=4 * HELPING)
    assert found == {WIND: 2 * HELPING, RAIN: 2 * HELPING, ELSEWHERE: 4 * HELPING}


def test_what_was_taken_before_an_error_is_kept() -> None:
    arrived = Arrived({WIND: [helping(WIND, 10)]}, broken=[RAIN])
    assert filled(arrived, {WIND, RAIN}, {RAIN: [helping(RAIN, 20)]})[RAIN] == HELPING
