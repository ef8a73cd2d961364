"""What people say wins over the tests, for as long as it stands, whenever they say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from runtime.errors import DataQuality
from schemas.codec import Decoder, Encoder, Record
from schemas.overrides import Kind, Override
from stream_app.metadata.turns import EVERYONE, Turns, station_key
from stream_app.overrides.hands import NO_HAND, Hand, Hands
from tests.again_model import Model
from tests.raw_batches import Schemas
from tests.unit.test_stream_again_rounds import MINUTE, START, reading
from weather.ruleset import DEFAULT

JUMP = 30
"""The minute at which a temperature jumps; a person knows better than the tests what that was."""


def said(since: int, until: int, flag: int = 4, **changes: Any) -> Override:
    """Say something of the temperature of JFK, from one minute until before another."""
    known = Override(
        id="a1",
        kind=Kind.FLAG,
        sensor="JFK:temperature",
        station=None,
        measure=None,
        since=START + since * MINUTE,
        until=START + until * MINUTE,
        flag=flag,
        why="the shield was off",
        by="anna",
        at=1,
    )
    return replace(known, **changes)


def hour() -> Model:
    """Give a partition that is to read an hour with one jump."""
    values = [(m, 26.0 if m == JUMP else 20 + m % 3 * 0.3) for m in range(60)]
    return Model([reading("temperature", minute, value) for minute, value in values], DEFAULT, 20)


def by_minute(model: Model) -> dict[int, Record]:
    return {(at - START) // MINUTE: record for (_, at), record in model.final().items()}


def flags(model: Model, minutes: Iterable[int]) -> list[tuple[int, str | None]]:
    found = by_minute(model)
    return [(found[minute]["flag"], found[minute]["reason"]) for minute in minutes]


def both_ways(*overrides: Override, readings: Model) -> Iterator[Model]:
    """Say it before the readings come, and afterwards."""
    for first in (True, False):
        model = Model(*readings.made_of)
        for one in overrides if first else ():
            model.table.say(one)
        model.batch(model.unread)
        for one in () if first else overrides:
            model.table.say(one)
        model.finish()
        yield model


NO_METADATA = (2, "no_metadata")


@pytest.mark.requirement("B12")
def test_a_flag_by_hand_stands_above_the_tests_whose_flags_stay_in_their_fields() -> None:
    for model in both_ways(said(JUMP - 1, JUMP + 1), readings=hour()):
        by_hand = flags(model, (JUMP - 2, JUMP - 1, JUMP, JUMP + 1))
        assert by_hand[0] == NO_METADATA
        assert by_hand[1] == (4, "by_hand:a1,no_metadata")
        assert by_hand[2] == (4, "by_hand:a1,step_suspect,spike_suspect,no_metadata")
        assert "by_hand" not in str(by_hand[3])
        record = by_minute(model)[JUMP]
        assert (record["flag_step"], record["flag_spike"], record["value"]) == (3, 3, 26.0)
        assert record["score"] == 0.0


@pytest.mark.requirement("B12")
def test_a_person_may_call_good_what_the_tests_suspect() -> None:
    for model in both_ways(said(JUMP, JUMP + 1, 1), readings=hour()):
        assert flags(model, [JUMP]) == [(1, "by_hand:a1")]
        record = by_minute(model)[JUMP]
        assert (record["flag_step"], record["score"]) == (3, 1.0)


@pytest.mark.requirement("B12")
def test_a_flag_that_is_lifted_gives_the_tests_their_word_back() -> None:
    plain = hour()
    plain.finish()
    for model in both_ways(said(10, 40), readings=hour()):
        assert len({r["observed_at"] for r in model.sent if r["flag"] == 4}) == 30
        before = len(model.sent)
        model.table.say(said(10, 40).lift("ben", "it was on", 2))
        model.finish()
        assert flags(model, range(60)) == flags(plain, range(60))
        again = {(record["observed_at"] - START) // MINUTE for record in model.sent[before:]}
        assert again == set(range(10, 40))


@pytest.mark.requirement("B12")
def test_maintenance_of_a_station_is_that_of_all_its_sensors_and_of_no_other() -> None:
    told = [
        reading(parameter, minute, 20.0, station=station)
        for minute in range(20)
        for parameter in ("temperature", "humidity")
        for station in ("JFK", "LGA")
    ]
    works = said(5, 8, kind=Kind.MAINTENANCE, sensor=None, station="LGA")
    for model in both_ways(works, readings=Model(told, DEFAULT, 200)):
        named = {
            (sensor, (at - START) // MINUTE)
            for (sensor, at), record in model.final().items()
            if "maintenance:a1" in (record["reason"] or "")
        }
        assert named == {(f"LGA:{p}", m) for p in ("temperature", "humidity") for m in (5, 6, 7)}


def test_what_is_missing_stays_missing() -> None:
    nothing, warm = (reading("temperature", minute, 20.0) for minute in (0, 1))
    nothing[1]["value"] = None
    for model in both_ways(said(0, 9), readings=Model([nothing, warm])):
        assert flags(model, (0, 1)) == [(9, "missing,no_metadata"), (4, "by_hand:a1,no_metadata")]


def test_a_measure_at_fault_makes_a_wind_no_better_than_that() -> None:
    told = [reading("wind", minute, 2.0 + minute) for minute in range(4)]
    vane = said(0, 2, 3, sensor="JFK:wind", measure="direction")
    for model in both_ways(vane, readings=Model(told)):
        assert flags(model, (0, 2)) == [
            (3, "by_hand:a1:direction,no_metadata"),
            (2, "no_metadata"),
        ]


def test_the_last_word_on_the_whole_stands_and_later_words_on_measures_join_it() -> None:
    early = said(0, 9, 3, id="m0", measure="gust", at=0)
    whole, late = said(0, 9, 1, at=1), said(5, 9, 4, id="m2", measure="speed", at=2)
    hands = Hands([late, whole, early])
    at = [START + minute * MINUTE for minute in (-1, 0, 5, 9)]
    assert [hands.at(time).hand for time in at] == [
        NO_HAND,
        Hand(1, 0, "by_hand:a1"),
        Hand(1, 4, "by_hand:a1,by_hand:m2:speed"),
        NO_HAND,
    ]


def test_a_change_concerns_a_sensor_a_station_or_everyone() -> None:
    class OfStation:
        station = "JFK"

    known = {"JFK:wind": OfStation(), "JFK:humidity": OfStation()}
    for about, concerned in (
        ("JFK:wind", {"JFK:wind"}),
        ("LGA:wind", set()),
        (station_key("JFK"), set(known)),
        (station_key("LGA"), set()),
        (EVERYONE, set(known)),
    ):
        turns = Turns()
        turns.changed(about)
        assert turns.since(0, known) == concerned
        assert turns.since(1, known) == set()


def test_what_is_said_comes_back_from_its_topic_as_it_was_said() -> None:
    schemas = Schemas()
    encode = Encoder("override", schemas.id_of("", "override"))
    decode = Decoder("override", schemas.schema_of)
    for one in (said(0, 5), said(0, 5, measure="gust").lift("ben", "wrong day", 7)):
        assert Override.of_record(decode(encode(one.to_record()))) == one
    with pytest.raises(DataQuality, match="'wish' is no kind of override"):
        Override.of_record({**said(0, 5).to_record(), "kind": "wish"})
