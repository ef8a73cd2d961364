"""Offsets are set back, never on; and only to what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operate.control.offsets.places import (
    KafkaPlace,
    Log,
    SourcePlace,
    kafka_document,
    kafka_places,
    position_back,
    set_back,
    source_document,
    source_places,
)
from runtime.errors import Configuration

pytestmark = pytest.mark.requirement("D5")
KNOWN = {("t", 0): 50}
LOGS = {("t", 0): Log(10, 80, "id")}


@pytest.mark.parametrize(("asked", "found"), [(None, 10), (10, 10), (30, 30), (50, 50)])
def test_an_offset_goes_back_as_far_as_is_kept(asked: int | None, found: int) -> None:
    assert set_back([KafkaPlace("t", 0, asked)], KNOWN, LOGS) == {("t", 0): found}


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (KafkaPlace("t", 0, 51), "would skip"),
        (KafkaPlace("t", 0, 9), "keeps 10 to 80"),
        (KafkaPlace("t", 0, 81), "keeps 10 to 80"),
        (KafkaPlace("t", 1, 20), "never read"),
        (KafkaPlace("other", 0, 20), "never read"),
    ],
)
def test_what_would_lose_records_or_cannot_be_is_refused(place: KafkaPlace, why: str) -> None:
    with pytest.raises(Configuration, match=why):
        set_back([place], KNOWN, LOGS)


@given(st.integers(0, 100))
def test_no_record_is_ever_skipped(asked: int) -> None:
    try:
        (found,) = set_back([KafkaPlace("t", 0, asked)], KNOWN, LOGS).values()
    except Configuration:
        return
    assert 10 <= found <= 50


def test_a_reset_of_what_retention_has_overtaken_goes_to_what_is_kept() -> None:
    overtaken = {("t", 0): Log(60, 80)}
    assert set_back([KafkaPlace("t", 0, None)], KNOWN, overtaken) == {("t", 0): 60}


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        ("2013-12-30 23:02:00.000000|26115", "2013-12-20 23:02:00.000000|26000"),
        ("2013-12-30 23:02:00.000000|26115", "2013-12-30 23:02:00.000000|26115"),
        ("0x00000000000007D1", "0x00000000000000FF"),
        ("137", "9"),
        ('{"version": 12, "key": ["7"]}', '{"version": 11, "key": ["9"]}'),
    ],
)
def test_a_position_goes_back_in_the_form_of_its_cursor(now: str, asked: str) -> None:
    assert position_back(now, asked, "hourly") == asked


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        ("2013-12-30 23:02:00|26115", "2014-12-20 23:02:00|1"),
        ("0x00000000000000FF", "0x0000000000000100"),
        ("137", "138"),
        ("137", "yesterday"),
        ("2013-12-30 23:02:00|26115", "2013-12-20"),
        ("", "7"),
    ],
)
def test_a_position_that_lies_ahead_or_is_of_another_cursor_is_refused(
    now: str, asked: str
) -> None:
    with pytest.raises(Configuration):
        position_back(now, asked, "hourly")


def test_before_the_first_row_there_is_no_position() -> None:
    assert not position_back("137", None, "hourly")


def test_what_is_given_can_be_sent_back() -> None:
    assert kafka_places(kafka_document(KNOWN)["offsets"]) == [KafkaPlace("t", 0, 50)]
    place = SourcePlace("aos", "hourly", "137")
    assert source_places(source_document([place])["offsets"]) == [place]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"partition": {"kafka_topic": "t"}, "offset": None},
        {"partition": {"kafka_topic": 7, "kafka_partition": 0}, "offset": None},
        {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": "7"}},
        {"partition": {"kafka_topic": "t", "kafka_partition": 0}, "offset": {"kafka_offset": True}},
    ],
)
def test_what_is_no_place_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Configuration, match="missing, or of another type"):
        kafka_places([asked])
