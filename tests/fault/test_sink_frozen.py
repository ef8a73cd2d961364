"""Two sinks that both believe they own a partition: one was frozen while the other took over."""

from __future__ import annotations

import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clean_records import clean
from tests.sinks import Rig
from tests.stage_process import StageProcess
from tests.support.sinks import CONCURRENT
from tests.waiting import eventually
from tests.wire_trap import Boundary, Trap


@pytest.fixture(params=CONCURRENT)
def sink_database(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def _sink(rig: Rig, database_url: str, log: Path) -> StageProcess:
    settings = {
        "database_url": database_url,
        "session_timeout_seconds": 6,
        "revoke_seconds": 1,
        "retry_seconds": 0.5,
        "batch_seconds": 0.05,
    }
    return StageProcess("sink", settings, rig.kafka, rig.registry, rig.topics, log)


@pytest.mark.requirement("C2", "D3")
def test_the_transaction_of_a_sink_that_was_frozen_is_aborted_and_it_joins_again(
    rig: Rig, tmp_path: Path
) -> None:
    """It is frozen before a commit: its row locks must not keep the other one waiting for ever."""
    rig.publisher.readings([clean("wind", n) for n in range(50)])
    url = urlsplit(rig.database_url)
    with Trap(url.port or 0) as trap:
        trapped = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{trap.port}")).geturl()
        trap.arm(Boundary.BEFORE_COMMIT)
        with _sink(rig, trapped, tmp_path / "old") as old:
            trap.wait()
            old.signal(signal.SIGSTOP)
            with _sink(rig, rig.database_url, tmp_path / "new") as new:
                eventually(lambda: _rows(rig) == 50)
                trap.release()
                old.signal(signal.SIGCONT)
                eventually(lambda: "tried again" in old.log)
                rig.publisher.readings([clean("wind", n) for n in range(50, 80)])
                eventually(lambda: _rows(rig) == 80)
                assert new.stop() == 0
            rig.publisher.readings([clean("wind", n) for n in range(80, 90)])
            eventually(lambda: _rows(rig) == 90)  # by the old one, which is a member again
            assert old.stop() == 0
    ledger = rig.query("SELECT sum(inserted)::int AS n, sum(skipped)::int AS s FROM ops.sink_batch")
    assert ledger == [{"n": 90, "s": 0}]
    assert rig.dead_letters() == []


def _rows(rig: Rig) -> int:
    return int(rig.query("SELECT count(*)::int AS n FROM weather.wind")[0]["n"])
