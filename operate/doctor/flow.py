"""Whether it flows: each stage is there and goes on, and the tables are as fresh as AOS. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operate.control.connectors import BY_NAME
from operate.control.fleet import ConnectorState
from operate.lag.rules import Rule
from operate.lag.sampling import Report
from runtime.control.orders import State
from runtime.errors import System

_DEAD: Final = frozenset({Rule.STOP, Rule.STALL})


@dataclass(frozen=True, slots=True)
class Vital:
    """Whether a connector makes progress, or rests because it was told to."""

    connector: str
    is_live: bool
    told: str
    mend: str = ""

    def as_document(self) -> dict[str, Any]:
        """Give it for an answer."""
        return {"connector": self.connector, "live": self.is_live, "told": self.told}


def vitals(states: Iterable[ConnectorState], reports: Iterable[Report]) -> list[Vital]:
    """Say of each connector whether it makes progress."""
    of = {report.connector: report for report in reports}
    return [vital(state, of.get(state.name)) for state in states]


def vital(state: ConnectorState, report: Report | None = None) -> Vital:
    """Say whether a connector makes progress: somebody is there, comes round, and moves on."""
    if state.ordered is State.STOPPED:
        return Vital(state.name, is_live=True, told="stopped by order")
    if not state.live:
        told = state.trace or "no worker says anything"
        command = BY_NAME[state.name].stage
        return Vital(state.name, is_live=False, told=told, mend=f"start `aos {command}`")
    if state.ordered is State.PAUSED:
        return Vital(state.name, is_live=True, told="paused by order")
    return _motion(state, report)


def _motion(state: ConnectorState, report: Report | None) -> Vital:
    """Judge a connector that is there and is to run."""
    stuck = [one.status for one in state.live if one.is_stuck]
    failing = [task.task for task in state.tasks if task.state is State.FAILED]
    told, mend = "", ""
    if stuck:
        told = f"{stuck[0].worker} has not come round for {stuck[0].idle_seconds:.0f} s"
        mend = "restart it; its log may say why"
    elif report and report.rule in _DEAD:
        told = f"{report.rule}: {report.lag:,} records lie before it, and it does not move"
        mend = "its log says what it waits for"
    elif state.tasks and len(failing) == len(state.tasks):
        told = failing[0].trace
    is_live = not told
    return Vital(state.name, is_live, told or _progress(state, report), mend)


def check_flow(states: Sequence[ConnectorState], reports: Sequence[Report]) -> str:
    """See that every stage makes progress.

    Raises:
        System: one does not; it is named.
    """
    found = vitals(states, reports)
    dead = [one for one in found if not one.is_live]
    if dead:
        problem = "; ".join(f"{one.connector}: {one.told}" for one in dead)
        raise System(problem, mend=next((one.mend for one in dead if one.mend), ""))
    return ", ".join(f"{one.connector} {one.told}" for one in found)


def check_fresh(parameters: Sequence[Mapping[str, Any]], *, at_rest: bool) -> str:
    """See that the tables are fresh, or hold all there is: ``at_rest`` says that nothing is unread.

    Raises:
        System: they are late while something is under way.
    """
    late = [one for one in parameters if one["fresh"] == 0]
    if not parameters:
        return "no sensor is known yet, by metadata or by its rhythm"
    if not late:
        return ""
    names = ", ".join(f"{one['parameter']} since {one['newest']:%Y-%m-%d %H:%M}" for one in late)
    if at_rest:
        return f"all that AOS has is loaded; every sensor is late: {names}"
    problem = f"every sensor is late: {names}"
    raise System(problem, mend="see which hop lags: `aos doctor` and GET /api/v1/lag name it")


def is_at_rest(states: Iterable[ConnectorState], reports: Iterable[Report]) -> bool:
    """Say whether nothing is under way: AOS is read to its end, and so is every topic."""
    tasks = [task.task for state in states if state.name == "aos-source" for task in state.tasks]
    read = bool(tasks) and all(task.behind_seconds == 0 and not task.trace for task in tasks)
    lags = [report.lag for report in reports]
    return read and bool(lags) and not any(lags)


def _progress(state: ConnectorState, report: Report | None) -> str:
    done = sum(task.task.progress for task in state.tasks)
    lag = f", lag {report.lag:,} {report.rule}" if report else ""
    return f"{done:,} done{lag}"
