"""A stage under orders runs, pauses, stops and begins again as it is told, and says how it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from runtime.control.helm import Helm, Run
from runtime.control.orders import Kind, Order, State, Status, Task
from runtime.control.steering import Steering
from runtime.errors import System
from tests.waiting import eventually

pytestmark = pytest.mark.requirement("D5")
AT = datetime(2026, 1, 1, tzinfo=UTC)
NAME = "timescale-sink"


def state(value: State, connector: str = NAME) -> Order:
    return Order(Kind.STATE, connector, value, AT)


def restart(number: str, worker: str = "") -> Order:
    return Order(Kind.RESTART, NAME, worker, AT, number=number)


class Stage:
    """A stage that does nothing but look at its flag, and counts its runs."""

    def __init__(self, steering: Steering) -> None:
        self.runs = 0
        self.paused: list[bool] = []
        self.progress = 0
        self._steering = steering
        self._thread = threading.Thread(target=self._cycle, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _cycle(self) -> None:
        self._steering.cycle(self._run)

    def _run(self, stop: threading.Event) -> int:
        self.runs += 1
        helm = Helm.of(stop)
        helm.show("all", lambda: [Task("load", self.progress)])
        while not stop.wait(0.005):
            self.progress += not helm.paused
        return self.runs


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


@pytest.fixture
def steering(stop: threading.Event) -> Steering:
    return Steering(NAME, "host:7", stop)


@pytest.fixture
def stage(steering: Steering) -> Stage:
    steering.heard_all()
    made = Stage(steering)
    eventually(lambda: made.progress > 2, every=0.01)
    return made


def reaches(steering: Steering, wanted: State) -> None:
    eventually(lambda: steering.status().state is wanted, seconds=10, every=0.01)


def test_a_stage_without_orders_runs_and_tells_of_its_tasks(
    steering: Steering, stage: Stage
) -> None:
    status = steering.status()
    assert status.state is State.RUNNING
    assert status.tasks[0].progress > 0


def test_a_pause_keeps_the_run_and_halts_its_progress(steering: Steering, stage: Stage) -> None:
    steering.obey(state(State.PAUSED))
    reaches(steering, State.PAUSED)
    held = eventually(lambda: stage.progress, every=0.05)
    assert eventually(lambda: stage.progress, every=0.05) <= held + 1
    steering.obey(state(State.RUNNING))
    eventually(lambda: stage.progress > held + 2, every=0.01)
    assert stage.runs == 1


def test_a_stop_ends_the_run_and_the_process_waits(
    steering: Steering, stage: Stage, stop: threading.Event
) -> None:
    steering.obey(state(State.STOPPED))
    reaches(steering, State.STOPPED)
    assert not steering.status().tasks
    steering.obey(state(State.RUNNING))
    reaches(steering, State.RUNNING)
    assert stage.runs == 2
    stop.set()
    stage.join()


def test_a_restart_begins_a_new_run_once_however_often_it_is_heard(
    steering: Steering, stage: Stage
) -> None:
    for _ in range(2):
        steering.obey(restart("one"))
    eventually(lambda: stage.runs == 2, every=0.01)
    reaches(steering, State.RUNNING)
    steering.obey(restart("one"))
    steering.obey(restart("two", worker="host:8"))
    steering.obey(restart("three", worker="host:7"))
    eventually(lambda: stage.runs == 3, every=0.01)


def test_a_restart_from_before_it_began_is_passed_over(stop: threading.Event) -> None:
    steering = Steering(NAME, "host:7", stop)
    steering.obey(restart("old"))
    steering.heard_all()
    assert steering.status().state is State.UNASSIGNED


def test_a_stage_that_was_paused_before_it_began_is_paused_from_the_first(
    stop: threading.Event,
) -> None:
    steering = Steering(NAME, "host:7", stop)
    steering.obey(state(State.PAUSED))
    steering.heard_all()
    stage = Stage(steering)
    reaches(steering, State.PAUSED)
    assert stage.progress == 0


def test_orders_to_others_are_passed_over(steering: Steering, stage: Stage) -> None:
    steering.obey(state(State.PAUSED, "aos-stream"))
    assert steering.status().state is State.RUNNING


def test_a_stage_that_fails_says_why_on_one_line(stop: threading.Event) -> None:
    steering = Steering(NAME, "host:7", stop)

    def break_(_stop: threading.Event) -> None:
        problem = "the disk is full"
        raise System(problem, mend="make room")

    with pytest.raises(System):
        steering.cycle(break_)
    status = steering.status()
    assert (status.state, status.trace) == (State.FAILED, "the disk is full. Mend: make room")


def test_a_run_ends_with_its_process(stop: threading.Event) -> None:
    run = Run(stop, Helm())
    waiting = threading.Timer(0.05, stop.set)
    waiting.start()
    assert run.wait(10)
    assert run.is_set()


def test_what_travels_comes_back_as_it_was() -> None:
    status = Status(
        NAME, "host:7", State.FAILED, AT, AT, AT + timedelta(seconds=2), 2.0, 0.5, "why", "0.1.0",
        (Task("aos/hourly", 7, "2026", "", 1.5),),
    )  # fmt: skip
    assert Status.of_json(status.to_json()) == status
    assert Order.of_json(restart("one").to_json()) == restart("one")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        b"{",
        b"7",
        b'{"kind": "dance", "connector": "c", "value": "v", "at": "2026-01-01T00:00Z"}',
        b'{"kind": "state", "connector": "c", "value": "v", "at": "noon"}',
        b'{"kind": "state", "at": "2026-01-01T00:00Z"}',
        b'{"state": "ODD"}',
    ],
)
def test_what_is_no_word_of_ours_is_passed_over(value: bytes) -> None:
    assert Order.of_json(value) is None
    assert Status.of_json(value) is None
