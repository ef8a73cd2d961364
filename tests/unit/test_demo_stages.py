"""The demo's processes: started apart, watched, stopped, never left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from operate.demo.place import Place
from operate.demo.stages import StageEnded, Stages, readable

pytestmark = pytest.mark.requirement("D3")

SLEEPS = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('deaf', flush=True); time.sleep(600)"
)


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[Stages]:
    made = Stages(Place.at(tmp_path))
    yield made
    made.stop()


def start(stages: Stages, name: str, code: str) -> int:
    stages.start_process(name, [sys.executable, "-c", code])
    pid = stages.pid(name)
    assert pid is not None
    return pid


def eventually(condition: object) -> None:
    pause = threading.Event()
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return
        pause.wait(0.02)
    raise AssertionError(condition)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_stage_runs_in_a_group_of_its_own_and_is_on_file(stages: Stages, tmp_path: Path) -> None:
    pid = start(stages, "source", SLEEPS)
    assert os.getpgid(pid) == pid
    assert json.loads((tmp_path / "stages.json").read_text())["source"][0] == pid
    assert stages.running() == ["source"]


def test_stopping_leaves_nothing_behind(stages: Stages, tmp_path: Path) -> None:
    pids = [start(stages, name, SLEEPS) for name in ("source", "stream", "sink")]
    stages.stop()
    assert not any(map(is_there, pids))
    assert stages.running() == []
    assert json.loads((tmp_path / "stages.json").read_text()) == {}


def test_one_that_another_demo_left_is_found_and_stopped(stages: Stages, tmp_path: Path) -> None:
    pid = start(stages, "sink", SLEEPS)
    another = Stages(Place.at(tmp_path))
    assert another.pid("sink") == pid
    another.stop()
    assert stages.pid("sink") is None


def test_a_pid_that_is_somebody_elses_by_now_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "stages.json").write_text(json.dumps({"sink": [os.getpid(), 1.0]}))
    found = Stages(Place.at(tmp_path))
    assert found.running() == []
    found.stop()


def test_a_stage_that_fails_is_named_with_what_it_said_last(stages: Stages) -> None:
    start(stages, "stream", "import sys; print('aos: no broker answers'); sys.exit(2)")
    with pytest.raises(StageEnded, match=r"stream has ended \(exit code 2\): aos: no broker") as e:
        eventually(lambda: stages.has_finished("stream"))
    assert e.value.stage == "stream"
    assert "stream.log" in e.value.mend


def test_a_stage_that_ends_though_it_should_run_is_a_failure(stages: Stages) -> None:
    start(stages, "source", "pass")
    eventually(lambda: stages.has_finished("source"))
    with pytest.raises(StageEnded, match="exit code 0"):
        stages.check("source")


def test_a_stage_that_was_killed_is_told_by_its_signal(stages: Stages) -> None:
    os.kill(start(stages, "sink", SLEEPS), signal.SIGKILL)
    with pytest.raises(StageEnded, match="signal 9") as e:
        eventually(lambda: stages.check("sink"))
    assert e.value.mend.startswith("run it again: it goes on where it was")


def test_a_stage_that_died_is_told_from_one_that_was_stopped(
    stages: Stages, tmp_path: Path
) -> None:
    pid = start(stages, "sink", SLEEPS)
    start(stages, "stream", "print('the stream has ended in good order')")
    os.kill(pid, signal.SIGKILL)
    another = Stages(Place.at(tmp_path))
    eventually(lambda: another.running() == [])
    told = [another.state(name) for name in ("source", "stream", "sink")]
    assert told == ["stopped", "stopped", "died"]
    another.stop()
    assert Stages(Place.at(tmp_path)).state("sink") == "stopped"


def test_one_that_hears_nothing_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operate.demo.stages._PATIENCE_SECONDS", 0.3)
    stages = Stages(Place.at(tmp_path))
    pid = start(stages, "sink", STUBBORN)
    eventually(lambda: "deaf" in (tmp_path / "logs" / "sink.log").read_text())
    stages.stop()
    assert not is_there(pid)


def test_the_log_of_the_run_before_is_kept(stages: Stages, tmp_path: Path) -> None:
    for said in ("first", "second"):
        start(stages, "sink", f"print({said!r})")
        eventually(lambda: stages.has_finished("sink"))
    assert (tmp_path / "logs" / "sink.log").read_text() == "second\n"
    assert (tmp_path / "logs" / "sink.log.1").read_text() == "first\n"
    assert stages.last_lines("sink") == ["second"]


@pytest.mark.parametrize("line", ["no JSON", "{}", "[1]", '"text"', "12", ""])
def test_what_is_no_log_line_of_ours_is_quoted_as_it_is(line: str) -> None:
    assert readable(line) == line
