"""Two sinks of one group: partitions move while readings come."""

from __future__ import annotations

import pytest

from runtime.errors import Fenced
from schemas.topics import PARAMETERS
from tests.clean_records import clean
from tests.sinks import Rig
from tests.support.sinks import CONCURRENT

STATIONS = [f"S{number}" for number in range(20)]
HOURS = 30


@pytest.fixture(params=CONCURRENT)
def sink_database(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def _publish(rig: Rig, hours: range) -> None:
    for hour in hours:
        rig.publisher.readings([clean(p, hour, s) for p in PARAMETERS for s in STATIONS])


@pytest.mark.requirement("C2")
def test_a_second_sink_shares_the_work_and_leaves_again_without_loss(rig: Rig) -> None:
    brisk = {"batch_rows": 50, "batch_seconds": 0.05, "session_timeout_seconds": 6}
    with rig.in_background(**brisk) as first:
        _publish(rig, range(10))
        first.progress.wait_for(records=1)
        with rig.in_background(**brisk) as second:
            _publish(rig, range(10, 20))
            moved = "SELECT count(*)::int AS n FROM ops.sink_offset WHERE epoch > 1"
            for _ in range(600):
                _publish(rig, range(20, 21))
                if rig.query(moved)[0]["n"] and second.progress.records:
                    break
        _publish(rig, range(20, HOURS))
    summary = rig.load()
    assert (first.error, second.error) == (None, None)
    assert second.progress.records > 0
    expected = {(station, str(hour)) for station in STATIONS for hour in range(HOURS)}
    for parameter in PARAMETERS:
        rows = rig.readings(parameter)
        assert {(row["station_id"], row["source_key"]) for row in rows} == expected
    ledger = rig.query("SELECT sum(inserted)::int AS inserted FROM ops.sink_batch")
    assert ledger == [{"inserted": len(expected) * len(PARAMETERS)}]
    assert summary.counts.dead_lettered == 0


@pytest.mark.requirement("C2", "C3")
def test_a_sink_whose_name_another_has_taken_ends_and_says_so(rig: Rig) -> None:
    named = {"instance_id": "one", "session_timeout_seconds": 6}
    with rig.in_background(**named) as first:
        _publish(rig, range(2))
        first.progress.wait_for(records=1)
        with rig.in_background(**named) as second:
            first.thread.join(30)
            _publish(rig, range(2, 4))
            second.progress.wait_for(records=1)
    rig.load()
    assert isinstance(first.error, Fenced)
    assert "newer instance" in first.error.mend
    assert second.error is None
    rows = [rig.readings(parameter) for parameter in PARAMETERS]
    assert [len(each) for each in rows] == [4 * len(STATIONS)] * len(PARAMETERS)
