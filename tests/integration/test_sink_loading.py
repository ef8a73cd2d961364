"""The sink against the real broker, registry and a native PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from schemas.topics import PARAMETERS
from sink.batch import Counts
from tests.clean_records import HOUR, START, clean, interval, sensor
from tests.sinks import Rig


def _offsets(rig: Rig) -> dict[tuple[str, int], int]:
    rows = rig.query("SELECT topic, partition, next_offset FROM ops.sink_offset")
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


@pytest.mark.requirement("C2", "D9")
def test_every_field_of_a_reading_is_in_its_row(rig: Rig) -> None:
    given = clean("wind", 3, gust=9.5, reason="spike", score=0.25, revision=7)
    rig.publisher.readings([given])
    rig.load()
    (row,) = rig.readings("wind")
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for name, value in given.items():
        if name == "op":
            continue
        if isinstance(row[name], datetime):
            zone = None if name == "observed_local" else UTC
            expected = (epoch + timedelta(microseconds=value)).replace(tzinfo=zone)
        else:
            expected = value
        assert row[name] == expected, name
    assert row["deleted_at"] is None


@pytest.mark.requirement("C2")
def test_what_was_aborted_is_not_loaded_and_a_second_run_changes_nothing(rig: Rig) -> None:
    rig.publisher.readings([clean("pressure", 99)], commit=False)
    rig.publisher.readings([clean(p, n) for p in ("pressure", "rainfall") for n in range(50)])
    first = rig.load()
    before = rig.readings("pressure"), rig.readings("rainfall"), _offsets(rig)
    second = rig.load()
    assert (first.counts.inserted, second.counts.records) == (100, 0)
    assert (rig.readings("pressure"), rig.readings("rainfall"), _offsets(rig)) == before
    assert [len(rows) for rows in before[:2]] == [50, 50]


@pytest.mark.requirement("C2", "C7")
def test_offsets_rows_and_ledger_are_committed_together(rig: Rig) -> None:
    rig.publisher.readings([clean("wind", n) for n in range(30)])
    rig.load(batch_rows=10)
    topic = rig.topics.clean("wind")
    after = max(offset for (name, _), offset in _offsets(rig).items() if name == topic)
    assert after == 30
    ledger = rig.query("SELECT * FROM ops.sink_batch WHERE topic = %s", topic)
    assert sum(row["inserted"] for row in ledger) == sum(row["records"] for row in ledger) == 30


@pytest.mark.requirement("C3")
@pytest.mark.parametrize("apart", [False, True])
def test_the_newest_wins_whatever_the_order_of_arrival(rig: Rig, apart: bool) -> None:
    versions = [(1, 1, 1.0), (2, 1, 3.0), (1, 9, 2.0), (2, 0, 4.0)]
    for source_version, revision, value in versions:
        changes = {"source_version": source_version, "revision": revision, "value": value}
        rig.publisher.readings([clean("humidity", 0, **changes)])
        if apart:
            rig.load()
    rig.load()
    assert [row["value"] for row in rig.readings("humidity")] == [3.0]


@pytest.mark.requirement("C3")
def test_an_equal_version_is_a_repeat(rig: Rig) -> None:
    rig.publisher.readings([clean("humidity", 0, value=1.0)])
    rig.load()
    rig.publisher.readings([clean("humidity", 0, value=2.0), clean("humidity", 1)])
    counts = rig.load().counts
    assert (counts.inserted, counts.updated, counts.skipped) == (1, 0, 1)
    assert rig.readings("humidity")[0]["value"] == 1.0


@pytest.mark.requirement("C3")
def test_skip_leaves_what_is_there(rig: Rig) -> None:
    rig.publisher.readings([clean("humidity", 0, value=1.0)])
    rig.load(conflict="skip")
    newer = [clean("humidity", 0, value=2.0, revision=5), clean("humidity", 1, value=3.0)]
    rig.publisher.readings([*newer, clean("humidity", 1, value=4.0, revision=5)])
    counts = rig.load(conflict="skip").counts
    assert (counts.inserted, counts.updated, counts.skipped) == (1, 0, 2)
    assert [row["value"] for row in rig.readings("humidity")] == [1.0, 3.0]


@pytest.mark.requirement("B10", "C3")
def test_an_update_keeps_created_at_and_moves_updated_at(rig: Rig) -> None:
    rig.publisher.readings([clean("rainfall", 0)])
    rig.load()
    (before,) = rig.readings("rainfall")
    assert before["created_at"] == before["updated_at"]
    rig.publisher.readings([clean("rainfall", 0, revision=2)])
    assert rig.load().counts.updated == 1
    (after,) = rig.readings("rainfall")
    assert after["created_at"] == before["created_at"]
    assert after["updated_at"] > before["updated_at"]
    assert after["processed_at"] == datetime(2013, 1, 1, 8, tzinfo=UTC)


def test_a_delete_hides_the_reading_and_a_newer_upsert_brings_it_back(rig: Rig) -> None:
    rig.publisher.readings([clean("wind", 0), clean("pressure", 0)])
    rig.load()
    rig.publisher.readings([clean("pressure", 0, op="delete", revision=2)])
    assert rig.load().counts.deleted == 1
    (row,) = rig.readings("pressure")
    assert row["deleted_at"] == row["processed_at"]
    measures = rig.query("SELECT measure FROM weather.reading_all ORDER BY measure")
    assert [m["measure"] for m in measures] == ["wind_direction", "wind_gust", "wind_speed"]
    rig.publisher.readings([clean("pressure", 0, revision=3)])
    rig.load()
    assert rig.readings("pressure")[0]["deleted_at"] is None


@pytest.mark.requirement("C4")
def test_sensors_keep_their_validity_and_stations_follow(rig: Rig) -> None:
    middle = START + 1000 * HOUR
    rig.publisher.metadata(sensor("JFK:wind"), sensor("JFK:pressure"))
    rig.load()
    replaced = [interval("m1", START, middle), interval("m2", middle, offset=0.5, x=-73.0)]
    rig.publisher.metadata(sensor("JFK:wind", intervals=replaced))
    rig.load()
    query = "SELECT * FROM weather.sensor WHERE deleted_at IS NULL ORDER BY sensor_id, valid_from"
    found = [
        (r["sensor_id"], r["metadata_version"], r["calibration_offset"]) for r in rig.query(query)
    ]
    assert found == [("JFK:pressure", "m1", 0.0), ("JFK:wind", "m1", 0.0), ("JFK:wind", "m2", 0.5)]
    stations = rig.query("SELECT * FROM weather.station ORDER BY valid_from")
    assert [(s["x"], s["valid_to"]) for s in stations] == [(-73.77, None), (-73.0, None)]
    rig.publisher.metadata(sensor("JFK:wind", intervals=[interval("m3", START)]))
    rig.load()
    gone = rig.query("SELECT metadata_version FROM weather.sensor WHERE deleted_at IS NOT NULL")
    assert {row["metadata_version"] for row in gone} == {"m1", "m2"}


@pytest.mark.requirement("C2", "C5")
def test_several_connections_load_what_one_would(rig: Rig) -> None:
    """Each parameter in a transaction of its own, with its offsets, ledger and dead letters."""
    records = [clean(p, n, s) for p in PARAMETERS for n in range(20) for s in "ABC"]
    poison = [clean(p, 99, unit="x\0y") for p in PARAMETERS]
    rig.publisher.readings([*records, *poison])
    rig.publisher.metadata(sensor("A:wind"), sensor("B:wind"))
    summary = rig.load(connections=3, batch_rows=50)
    assert (summary.counts.inserted, summary.counts.dead_lettered) == (302, 5)
    assert [len(rig.readings(p)) for p in PARAMETERS] == [60] * 5
    assert len(rig.dead_letters()) == 5
    (ledger,) = rig.query("SELECT sum(records)::int AS n FROM ops.sink_batch")
    assert ledger["n"] == 307
    assert rig.load().counts == Counts()
