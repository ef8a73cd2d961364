"""A server outlives its starter, and only the process that was started is ever stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from devstack.process import Command, Running, last_lines, start, stop
from runtime.errors import System

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


def python(program: str, directory: Path, **env: str) -> Command:
    return Command([sys.executable, "-c", program], cwd=directory, env=env)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "server.log"


@pytest.fixture
def sleeper(tmp_path: Path, log: Path) -> Iterator[Running]:
    running = start(python(SLEEPER, tmp_path), log)
    yield running
    stop(running, patience=5)


def wait_for(text: str, log: Path) -> None:
    pause = threading.Event()
    for _ in range(500):
        if text in last_lines(log):
            return
        pause.wait(0.01)
    raise AssertionError(last_lines(log))


def test_a_server_is_nobodys_child_and_leads_a_session_of_its_own(sleeper: Running) -> None:
    process = sleeper.process()
    assert process is not None
    assert process.ppid() != os.getpid()
    assert os.getsid(sleeper.pid) == sleeper.pid


def test_a_pid_with_another_birth_is_another_process(sleeper: Running) -> None:
    assert sleeper.alive()
    assert not Running(sleeper.pid, sleeper.born - 60).alive()


def test_a_process_with_our_old_pid_is_never_stopped(sleeper: Running) -> None:
    stop(Running(sleeper.pid, sleeper.born - 60), patience=0.1)
    assert sleeper.alive()


def test_stop_ends_a_server(sleeper: Running) -> None:
    stop(sleeper, patience=5)
    assert not sleeper.alive()


def test_stop_kills_a_server_that_will_not_end(tmp_path: Path, log: Path) -> None:
    running = start(python(STUBBORN, tmp_path), log)
    wait_for("up", log)
    stop(running, polite=signal.SIGTERM, patience=0.2)
    assert not running.alive()


def test_stop_of_a_dead_server_does_nothing() -> None:
    stop(Running(pid=2**22 + 1, born=0.0))


def test_a_server_gets_its_environment_and_its_log(tmp_path: Path, log: Path) -> None:
    program = "import os, sys; print(os.environ['AOS_PART'], file=sys.stderr)\n" + SLEEPER
    running = start(python(program, tmp_path, AOS_PART="the broker"), log)
    wait_for("the broker", log)
    stop(running, patience=5)


def test_the_log_of_the_start_before_is_kept_aside(tmp_path: Path, log: Path) -> None:
    log.parent.mkdir()
    log.write_text("how it ended\n", encoding="utf-8")
    stop(start(python(SLEEPER, tmp_path), log), patience=5)
    assert log.with_suffix(".log.1").read_text(encoding="utf-8") == "how it ended\n"


def test_a_program_that_is_not_there_is_a_clear_error(tmp_path: Path, log: Path) -> None:
    missing = str(tmp_path / "no-such-java")
    with pytest.raises(System, match="no-such-java could not be started"):
        start(Command([missing], cwd=tmp_path), log)


def test_a_message_quotes_the_end_of_a_log(log: Path) -> None:
    assert last_lines(log) == "(no log)"
    log.parent.mkdir()
    log.write_text("".join(f"line {number}\n" for number in range(20)), encoding="utf-8")
    assert last_lines(log, count=2) == "line 18\nline 19"


def test_this_test_process_knows_itself() -> None:
    myself = Running.of(os.getpid())
    assert myself.alive()
    assert myself.process() == psutil.Process()
