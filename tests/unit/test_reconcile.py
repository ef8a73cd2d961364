"""Hops held against each other: each cause is told from what explains it; sums know no order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from sqlalchemy import create_engine
from typer.testing import CliRunner

from operate.cli import app
from operate.commands import reconcile as command
from operate.reconcile.compare import WRONG, Cause, Difference, Facts, compare
from operate.reconcile.decoding import RawEntries
from operate.reconcile.entries import Entry, Hops, Key, Sum, by_hour, keep
from operate.reconcile.repair import wanted
from operate.reconcile.run import Report
from operate.reconcile.scope import Scope
from operate.reconcile.source import check_source
from operate.reconcile.takeback import taken_back, written_anew, written_delete
from producers.backfill.connection import Quiet
from producers.backfill.opened import World
from runtime.errors import Configuration
from schemas import avsc
from schemas.codec import Encoder
from schemas.mapping import Mapping
from tests.only_endpoint import endpoints_of
from tests.raw_records import local, raw
from tests.sources import create, document
from tests.unit.stream_fakes import mapping
from weather.time import to_utc

KEY = Key("sample", "weather_hourly", "1", "JFK:pressure", local("2013-11-03T01:30:00"))
TOLD = Entry("JFK", 7, 10)
RAW = replace(TOLD, place=("raw", 0, 5), time=100)
CLEAN = replace(RAW, revision=3, verdict=9, place=("clean", 0, 6), observed=1, raw=("raw", 0, 5))
ROW = replace(CLEAN, place=("raw", 0, 5))
FACTS = Facts(
    mapped={("sample", "weather_hourly", "pressure")},
    newest={("sample", "weather_hourly"): 20},
    judged={("raw", 0): 9},
    loaded={("clean", 0): 9},
)


def found(facts: Facts | None = None, **changes: Entry | None) -> list[Difference]:
    entries = {"source": TOLD, "raw": RAW, "clean": CLEAN, "table": ROW} | changes
    hops = Hops(**{hop: {KEY: entry} if entry else {} for hop, entry in entries.items()})
    return compare("pressure", hops, facts or FACTS)


def causes(facts: Facts | None = None, **changes: Entry | None) -> list[tuple[str, Cause]]:
    return [(one.hop, one.cause) for one in found(facts, **changes)]


@pytest.mark.requirement("D7")
def test_where_all_hops_agree_nothing_is_found() -> None:
    assert found() == []
    gone = {"raw": replace(RAW, live=False), "clean": replace(CLEAN, live=False)}
    assert found(FACTS, source=None, **gone, table=replace(ROW, live=False)) == []


@pytest.mark.requirement("D7")
@pytest.mark.parametrize(
    ("changes", "hop", "cause"),
    [
        ({"source": replace(TOLD, version=30, measured=8)}, "source → raw", Cause.NOT_READ_YET),
        ({"source": replace(TOLD, version=15, measured=8)}, "source → raw", Cause.LATE_COMMIT),
        ({"source": replace(TOLD, measured=8)}, "source → raw", Cause.CORRUPTED),
        ({"source": None}, "source → raw", Cause.DELETED_IN_SOURCE),
        ({"raw": None, "clean": None, "table": None}, "source → raw", Cause.LATE_COMMIT),
        ({"clean": None, "table": None}, "raw → clean", Cause.MISSING),
        ({"clean": replace(CLEAN, version=9)}, "raw → clean", Cause.STALE),
        ({"table": None}, "clean → table", Cause.MISSING),
        ({"table": replace(ROW, verdict=8)}, "clean → table", Cause.CORRUPTED),
        ({"table": replace(ROW, measured=8)}, "clean → table", Cause.CORRUPTED),
        ({"table": replace(ROW, live=False)}, "clean → table", Cause.CORRUPTED),
        ({"table": replace(ROW, verdict=8, revision=2)}, "clean → table", Cause.STALE),
    ],
)
def test_what_is_wrong_at_one_hop_is_named_there(
    changes: dict[str, Entry | None], hop: str, cause: Cause
) -> None:
    assert (hop, cause) in causes(FACTS, **changes)


def test_what_nobody_knows_of_was_added() -> None:
    assert causes(source=None, raw=None) == [("raw → clean", Cause.ADDED)]
    nothing = {"source": None, "raw": None, "clean": None}
    assert causes(FACTS, **nothing) == [("clean → table", Cause.ADDED)]


def test_what_is_on_its_way_is_not_wrong() -> None:
    early = replace(FACTS, judged={("raw", 0): 5}, loaded={("clean", 0): 6})
    assert causes(early, clean=None, table=None) == [("raw → clean", Cause.NOT_JUDGED_YET)]
    assert causes(early, table=None) == [("clean → table", Cause.NOT_LOADED_YET)]


def test_a_dead_letter_explains_what_is_missing_and_says_why() -> None:
    (one,) = found(replace(FACTS, dead={RAW.place: "bad_time"}), clean=None, table=None)
    assert (one.cause, one.detail) == (Cause.DEAD_LETTER, "bad_time, raw:0:5")
    (one,) = found(replace(FACTS, dead={CLEAN.place: "too_long"}), table=None)
    assert (one.hop, one.cause) == ("clean → table", Cause.DEAD_LETTER)


def test_what_retention_has_dropped_is_no_loss() -> None:
    kept = replace(FACTS, clean_kept={0: 200}, raw_kept={("raw", 0): 8})
    assert causes(kept, clean=None) == [("raw → clean", Cause.CLEAN_EXPIRED)]
    assert causes(kept, raw=None) == [("source → raw", Cause.RAW_EXPIRED)]


def test_what_the_mapping_left_out_later_is_filtered() -> None:
    assert causes(replace(FACTS, mapped=set()), source=None) == [("source → raw", Cause.FILTERED)]


def test_a_row_that_lost_its_time_to_another_row_is_outranked() -> None:
    other = KEY._replace(row="2")
    hops = Hops({}, {}, {KEY: CLEAN, other: CLEAN}, {other: ROW})
    assert {(d.key.row, d.cause) for d in compare("pressure", hops, FACTS)
            if d.hop == "clean → table"} == {("1", Cause.OUTRANKED)}  # fmt: skip


def test_a_checksum_does_not_depend_on_the_order_and_knows_every_change() -> None:
    entries = {KEY._replace(row=str(n)): replace(TOLD, measured=2**60 * n) for n in range(40)}
    assert by_hour(entries) == by_hour(dict(sorted(entries.items(), key=str, reverse=True)))
    (total,) = by_hour(entries).values()
    assert total.readings == 40
    assert total.checksum < 2**64
    entries[KEY._replace(row="7")] = replace(TOLD, live=False)
    assert by_hour(entries)[KEY.hour] == Sum(39, (total.checksum - 7 * 2**60) % 2**64)


def test_of_two_records_of_a_row_the_newer_counts() -> None:
    entries: dict[Key, Entry] = {}
    for one in (RAW, replace(RAW, version=11), replace(RAW, place=("raw", 0, 99))):
        keep(entries, KEY, one)
    assert entries[KEY].version == 11


def entries_of(*records: dict[str, object]) -> list[tuple[Key, Entry]]:
    known = {("sample", 1): mapping("pressure")}
    make = RawEntries("pressure", lambda _id: avsc.load("raw_reading"), known, Scope.of())
    encode = Encoder("raw_reading", 7)
    return [(key, entry) for _, key, entry in make([encode(r) for r in records])]


def test_what_was_measured_is_compared_in_the_standard_unit() -> None:
    told = raw("pressure", value=1013.2, unit="hPa")
    (_, a), (_, b), (_, c) = entries_of(
        told,
        {**told, "value": 101320.0, "unit": "Pa"},
        {**told, "value": None, "value_text": " 1013.2 "},
    )
    assert a.measured == b.measured == c.measured
    ((_, other),) = entries_of({**told, "value": 1013.3})
    assert other.measured != a.measured


def test_records_that_cannot_be_read_or_have_no_time_are_left_out() -> None:
    assert entries_of(raw("pressure", observed_local=None)) == []
    text = raw("pressure", observed_local=None, observed_text="2013-07-01 12:00")
    assert [key.local for key, _ in entries_of(text)] == [local("2013-07-01T12:00:00")]


def test_a_scope_is_a_stretch_of_time_and_some_stations() -> None:
    scope = Scope.of("2013-11-03", "2013-11-04", ("wind",), ("JFK",))
    assert scope.holds(scope.since, "JFK")
    assert not scope.holds(scope.until, "JFK")
    assert not scope.holds(scope.since, "LGA")
    with pytest.raises(Configuration, match="no such parameter"):
        Scope.of(parameters=("rain",))


def test_a_table_that_cannot_be_searched_by_time_is_refused_before_any_is_read(
    tmp_path: Path,
) -> None:
    given = document()
    given["tables"][0]["time"] |= {"format": "%d.%m.%Y %H:%M"}
    engine = create_engine(f"sqlite:///{create(tmp_path / 'aos.db')}")
    world = SimpleNamespace(
        mapping=Mapping.model_validate(given), database=Quiet(endpoints_of(engine))
    )
    with pytest.raises(Configuration, match="rows of hourly cannot be searched by the time"):
        check_source(cast("World", world), Scope.of())
    engine.dispose()


def test_no_more_hours_are_drawn_than_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = {n * 3_600_000_000: {"source": Sum(1, n)} for n in range(9)}
    report = Report(1, {"wind": hours}, found(raw=None))
    monkeypatch.setattr(command, "reconcile", lambda *_, **__: report)
    told = CliRunner().invoke(app, ["reconcile", "--limit", "2"]).stdout
    assert told.count("1970-01-01 0") == 2
    assert "and 7 more hours differ; --json names all" in told


def test_a_repair_wins_over_everything_that_any_hop_knows() -> None:
    wrong = Difference("pressure", "clean → table", Cause.CORRUPTED, KEY)
    early = Difference("pressure", "raw → clean", Cause.NOT_JUDGED_YET, KEY._replace(row="2"))
    hops = Hops({KEY: TOLD}, {KEY: RAW}, {KEY: CLEAN}, {KEY: replace(ROW, version=31)})
    assert wanted([wrong, early], {"pressure": hops}) == {("pressure", KEY): 33}
    assert wanted([wrong], {"pressure": Hops({KEY: TOLD})}) == {("pressure", KEY): 0}
    assert written_anew(raw("pressure", source_version=5), 32)["source_version"] == 32
    assert written_anew(raw("pressure", source_version=50), 32)["source_version"] == 50


def test_a_row_that_is_taken_back_takes_no_other_of_its_moment_with_it() -> None:
    added, raw = KEY._replace(row="9"), replace(RAW, version=50)
    hops = Hops({KEY: TOLD}, {KEY: RAW, added: raw}, {KEY: CLEAN}, {})
    gone = Difference("pressure", "source → raw", Cause.DELETED_IN_SOURCE, added)
    assert wanted([gone], {"pressure": hops}) == {
        ("pressure", added): 51, ("pressure", KEY): 52,
    }  # fmt: skip
    hops.table = {added: replace(ROW, live=False)}
    assert [(d.key.row, d.cause) for d in compare("pressure", hops, FACTS)
            if d.hop == "clean → table"] == [("1", Cause.MISSING)]  # fmt: skip


@pytest.mark.parametrize("hours_later", [0, 1])
def test_a_delete_meets_the_moment_even_in_the_hour_that_comes_twice(hours_later: int) -> None:
    utc, _ = to_utc(np.array([KEY.local]), "America/New_York")
    observed = int(utc[0]) + hours_later * 3_600_000_000
    row = replace(ROW, observed=observed)
    gone = written_delete("pressure", KEY, row, mapping("pressure"), "America/New_York", 5)
    met, _ = to_utc(np.array([gone["observed_local"]]), gone["zone"])
    assert int(met[0]) == observed
    Encoder("raw_reading", 1)({**gone, "source_version": 1})
    for parameter in ("wind", "pressure"):
        back = taken_back(parameter, 5)
        assert back["op"] == "delete"
        assert {v for n, v in back.items() if n not in ("op", "cursor", "extracted_at")} == {None}


def test_only_what_is_wrong_is_mended() -> None:
    explained = set(Cause) - WRONG
    assert Cause.DEAD_LETTER in explained
    assert Cause.NOT_LOADED_YET in explained
    assert Cause.DELETED_IN_SOURCE in WRONG
