"""Dead letters: chosen, counted, read as far as they go, edited by the schema, redriven once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operate.audit import Act, Audit
from operate.dlq.choosing import Choice, Kind, counted
from operate.dlq.editing import edited, encoded
from operate.dlq.fields import contents
from operate.dlq.letters import Letter, Place
from operate.dlq.redriving import ALREADY, REDRIVEN, REFUSED, Changed, Redriver
from runtime.errors import Configuration, DataQuality, Transient
from schemas import avsc
from schemas.avsc import Schema
from schemas.codec import Encoder
from schemas.topics import Topics
from tests.raw_records import raw

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TOPICS = Topics()
RAW = avsc.load("raw_reading")


def letter(offset: int = 0, **changes: Any) -> Letter:
    made = Letter(
        Place(TOPICS.clean_dead_letters, 0, offset),
        NOW - timedelta(minutes=offset),
        Place(TOPICS.raw("pressure"), 1, 40 + offset),
        "unknown_unit",
        "no such unit",
        b"JFK",
        Encoder("raw_reading", 7)(raw("pressure")),
    )
    return replace(made, **changes)


def known(schema_id: int) -> Schema:
    if schema_id != 7:
        problem = f"the registry knows no schema {schema_id}"
        raise DataQuality(problem, reason="unknown_schema")
    return RAW


@pytest.mark.parametrize(
    ("choice", "offsets"),
    [
        (Choice(), [0, 1, 2]),
        (Choice(reasons=("bad_time",)), [1]),
        (Choice(origins=("pressure",)), [0, 1]),
        (Choice(stations=("LGA",)), [2]),
        (Choice(since=NOW - timedelta(minutes=1)), [0, 1]),
        (Choice(until=NOW - timedelta(minutes=1)), [2]),
    ],
)
def test_letters_are_chosen_by_what_they_say(choice: Choice, offsets: list[int]) -> None:
    of_wind = letter(2, origin=Place(TOPICS.raw("wind"), 0, 1), key=b"LGA")
    some = [letter(), letter(1, reason="bad_time"), of_wind]
    assert [one.place.offset for one in some if choice(one)] == offsets


@pytest.mark.requirement("D4")
def test_letters_are_counted_by_reason_topic_station_and_age() -> None:
    some = [letter(), letter(1), letter(90, reason="bad_time")]
    by_reason = counted(some, [Kind.REASON], NOW)
    assert [(row["reason"], row["letters"]) for row in by_reason] == [
        ("unknown_unit", 2), ("bad_time", 1),
    ]  # fmt: skip
    assert by_reason[0]["newest"] == NOW
    by_age = counted(some, [Kind.AGE, Kind.STATION], NOW)
    assert {(row["age"], row["station"]): row["letters"] for row in by_age} == {
        ("last hour", "JFK"): 2, ("last day", "JFK"): 1,
    }  # fmt: skip


def test_a_value_is_read_field_by_field_up_to_where_it_breaks() -> None:
    whole = letter().value or b""
    assert contents(whole, known, None).fields["station_id"] == "JFK"
    assert contents(whole, known, None).problem == ""
    broken = contents(whole[:-6], known, None)
    assert broken.fields["source_key"] == "1"
    assert broken.problem.startswith("field value cannot be read")
    assert contents(whole + b"xy", known, None).problem == "2 bytes follow the record"


def test_a_value_of_an_unknown_schema_is_read_by_that_of_its_topic() -> None:
    found = contents(Encoder("raw_reading", 9)(raw("pressure")), known, RAW)
    assert found.fields["sensor_id"] == "JFK:pressure"
    assert found.problem == "the registry knows no schema 9"
    assert contents(b"plain text", known, RAW).fields == {}
    assert contents(None, known, RAW).problem == "the record has no value"


def test_an_edit_changes_what_it_names_and_nothing_else() -> None:
    before = raw("pressure")
    record = edited("raw_reading", before, ["unit=hPa", "value=1013.5", "source_flag=null"])
    assert {n for n in before if record[n] != before[n]} == {"value"}
    assert contents(encoded("raw_reading", 7, record), known, None).fields == record


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("colour=red", "no field"),
        ("value", "no field"),
        ("value=warm", "type double"),
        ("source_version=1.5", "type long"),
        ("source_version=99999999999999999999", "no raw_reading"),
    ],
)
def test_an_edit_that_does_not_fit_the_schema_is_refused(change: str, problem: str) -> None:
    with pytest.raises(Configuration, match=problem):
        encoded("raw_reading", 7, edited("raw_reading", raw("pressure"), [change]))


def test_what_could_not_be_read_has_to_be_given() -> None:
    before = contents((letter().value or b"")[:-40], known, None).fields
    whole = {n: v for n, v in before.items() if n not in ("cursor", "extracted_at")}
    with pytest.raises(Configuration, match="cursor, extracted_at, value, value_text"):
        edited("raw_reading", whole, [])


@pytest.mark.parametrize("name", ["oops", "clean", "clean:0", "clean:0:x", "aos.raw.wind.v1:0:1"])
def test_what_names_no_letter_is_refused(name: str) -> None:
    with pytest.raises(Configuration, match="no topic:partition:offset"):
        Place.of(name, TOPICS)


class Memory(Audit):
    """An audit without a database."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.details: list[dict[str, Any]] = []

    def begin(self, acts: Any, detail: Any, *, again: bool = False) -> dict[str, int]:
        ours: list[Act] = [a for a in acts if again or a.origin not in self.states]
        self.states |= {act.origin: "begun" for act in ours}
        self.details.append(dict(detail))
        return {act.origin: list(self.states).index(act.origin) for act in ours}

    def finish(self, numbers: Iterable[int], state: str = "done") -> None:
        names = list(self.states)
        self.states |= {names[number]: state for number in numbers}


class Outbox:
    """Takes records; the broker goes away at the ``end``-th."""

    def __init__(self, end: int = 99) -> None:
        self.sent: list[tuple[Letter, Changed]] = []
        self.delivered: list[int] = []
        self._end = end

    def send(self, records: Iterable[tuple[Letter, Changed, int]]) -> None:
        self.delivered = []
        for one, changed, number in records:
            if len(self.sent) == self._end:
                problem = "the broker is away"
                raise Transient(problem)
            self.sent.append((one, changed))
            self.delivered.append(number)


@pytest.mark.requirement("D9")
def test_a_letter_is_redriven_once_unless_somebody_insists() -> None:
    audit, outbox = Memory(), Outbox()
    redriver = Redriver(audit, TOPICS, outbox)
    some = [letter(n) for n in range(3)]
    assert {o.state for o in redriver.redrive(some[:2])} == {REDRIVEN}
    states = {o.letter.place.offset: o.state for o in redriver.redrive(some)}
    assert states == {0: ALREADY, 1: ALREADY, 2: REDRIVEN}
    assert [one.place.offset for one, _ in outbox.sent] == [0, 1, 2]
    assert all(changed[:2] == (one.key, one.value) for one, changed in outbox.sent)
    assert next(redriver.redrive(some[:1], again=True)).state == REDRIVEN
    assert len(outbox.sent) == 4


def test_where_the_broker_goes_away_only_what_is_delivered_is_done() -> None:
    audit, outbox = Memory(), Outbox(end=1)
    redriver = Redriver(audit, TOPICS, outbox)
    with pytest.raises(Transient):
        list(redriver.redrive([letter(0), letter(1)]))
    assert list(audit.states.values()) == ["done", "begun"]
    assert {o.state for o in redriver.redrive([letter(0), letter(1)])} == {ALREADY}


def test_an_old_record_never_goes_to_a_compacted_topic() -> None:
    outbox = Outbox()
    of_metadata = letter(origin=Place(TOPICS.metadata, 0, 3))
    (outcome,) = Redriver(Memory(), TOPICS, outbox).redrive([of_metadata])
    assert outcome.state == REFUSED
    assert TOPICS.metadata in outcome.why
    assert outbox.sent == []
