"""A stage's sign of life: when it is given, when it is not, and what its check says."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runtime import heartbeat
from runtime.heartbeat import Heartbeat, problem, stop_flag


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run the health check as a container does."""
    return subprocess.run(
        [sys.executable, "-m", "runtime.heartbeat"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_looking_at_the_flag_is_a_heartbeat(file: Path) -> None:
    stop = Heartbeat(file)
    assert not file.exists()
    assert not stop.is_set()
    assert file.exists()


def test_waiting_for_the_flag_is_a_heartbeat(file: Path) -> None:
    assert not Heartbeat(file).wait(0)
    assert file.exists()


def test_beats_are_apart(file: Path) -> None:
    stop = Heartbeat(file)
    stop.is_set()
    file.unlink()
    stop.is_set()
    assert not file.exists()


def test_a_long_wait_goes_on_beating(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "_EVERY_SECONDS", 0.01)
    stop = Heartbeat(file)
    stop.is_set()
    file.unlink()
    assert not stop.wait(0.1)
    assert file.exists()


def test_another_thread_does_not_beat_for_the_loop(file: Path) -> None:
    stop = Heartbeat(file)
    other = threading.Thread(target=stop.is_set)
    other.start()
    other.join()
    assert not file.exists()


def test_the_flag_ends_a_wait(file: Path) -> None:
    stop = Heartbeat(file)
    threading.Timer(0.05, stop.set).start()
    assert stop.wait()
    assert stop.is_set()
    assert stop.wait(0)


def test_a_file_that_cannot_be_written_does_not_end_the_stage(tmp_path: Path) -> None:
    assert not Heartbeat(tmp_path / "missing" / "heartbeat").is_set()


def test_a_stage_has_a_heartbeat_where_the_environment_names_a_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(heartbeat.ENVIRONMENT, raising=False)
    assert type(stop_flag()) is threading.Event
    monkeypatch.setenv(heartbeat.ENVIRONMENT, str(file))
    assert isinstance(stop_flag(), Heartbeat)


def test_a_heartbeat_is_good_for_two_minutes(file: Path) -> None:
    file.touch()
    beat = file.stat().st_mtime
    assert problem(file, beat + 120) is None
    assert problem(file, beat + 121) == "the last heartbeat was 121 s ago, more than 120 s"


def test_the_check_ends_with_0_only_where_there_is_a_heartbeat(file: Path) -> None:
    missing = check(AOS_HEARTBEAT=str(file))
    assert (missing.returncode, "no heartbeat yet" in missing.stderr) == (1, True)
    Heartbeat(file).is_set()
    assert check(AOS_HEARTBEAT=str(file)).returncode == 0
    os.utime(file, (0, 0))
    assert check(AOS_HEARTBEAT=str(file)).returncode == 1


def test_a_check_without_a_file_says_what_to_set() -> None:
    unset = check(AOS_HEARTBEAT="")
    assert unset.returncode == 1
    assert "AOS_HEARTBEAT names no file. Mend: set it" in unset.stderr
