"""Connectors over HTTP, in Kafka Connect's shapes: see, configure, pause, stop, set back."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, NoReturn

from fastapi import APIRouter, Body, Depends, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from operate.api.context import Context
from operate.control import documents
from operate.control.configs import config_document
from operate.control.connectors import BY_NAME, CONNECTORS, Connector
from operate.control.fleet import ConnectorState, state_of
from operate.control.offsets.logs import partitions_of
from runtime.control.orders import State

Answer = dict[str, Any]
_EMPTY: Final = Response
_ALTERED: Final = "the offsets are set back; what lies behind them is read again once it runs"


class Offsets(BaseModel):
    """What PATCH offsets wants: of each partition its offset, or null for its beginning."""

    model_config = ConfigDict(extra="forbid")

    offsets: list[dict[str, Any]]


def named(connector: Annotated[str, Path(description="aos-source, aos-stream …")]) -> Connector:
    """Find a connector by its name."""
    if connector not in BY_NAME:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Connector {connector} not found")
    return BY_NAME[connector]


Named = Annotated[Connector, Depends(named)]
Expand = Annotated[list[Literal["status", "info"]] | None, Query()]


def router(context: Context) -> APIRouter:
    """Make the routes below ``/connectors``."""
    routes = APIRouter(tags=["connectors"])
    _looking(routes, context)
    _tasks(routes, context)
    _steering(routes, context)
    _offsets(routes, context)
    _refusing(routes)
    return routes


def known(context: Context, connector: Connector) -> ConnectorState:
    """Say how a connector is by now."""
    return state_of(connector.name, context.words.snapshot(), datetime.now(UTC))


def _looking(routes: APIRouter, context: Context) -> None:
    @routes.get("")
    def every(expand: Expand = None) -> Any:
        """Name the connectors, or with ``expand`` say how they are and what they run by."""
        if not expand:
            return [*BY_NAME]
        return {one.name: _expanded(context, one, expand) for one in CONNECTORS.values()}

    @routes.get("/{connector}")
    def one(found: Named) -> Answer:
        """Give a connector: its config, secrets masked, and its tasks."""
        return _info(context, found)

    @routes.get("/{connector}/status")
    def status(found: Named) -> Answer:
        """Say how a connector and its tasks are, wherever their processes run."""
        return documents.status_document(found, known(context, found))

    @routes.get("/{connector}/config")
    def config(found: Named) -> dict[str, str | None]:
        """Give what a connector runs by; secrets are masked."""
        return config_document(context.settings, found)

    @routes.get("/{connector}/topics")
    def topics(found: Named) -> Answer:
        """Name the topics of a connector that are there."""
        chosen = context.settings.topics
        with context.admin() as admin:
            there = partitions_of(admin, [*found.reads(chosen), *found.writes(chosen)])
        return {found.name: {"topics": [*dict.fromkeys(name for name, _ in there)]}}


def _tasks(routes: APIRouter, context: Context) -> None:
    @routes.get("/{connector}/tasks")
    def tasks(found: Named) -> list[Answer]:
        """Give the tasks of a connector."""
        config = config_document(context.settings, found)
        return documents.tasks_document(found, known(context, found), config)

    @routes.get("/{connector}/tasks/{task}/status")
    def task_status(found: Named, task: int) -> Answer:
        """Say how a task is."""
        return documents.task_document(_task(known(context, found), task))

    @routes.post("/{connector}/tasks/{task}/restart", status_code=HTTPStatus.NO_CONTENT)
    def restart_task(found: Named, task: int) -> None:
        """End the run of a task's worker cleanly, and begin it again."""
        worker = _task(known(context, found), task).worker
        _check_live(known(context, found), worker)
        context.commands.restart(found.name, worker)


def _steering(routes: APIRouter, context: Context) -> None:
    @routes.put("/{connector}/pause", status_code=HTTPStatus.ACCEPTED, response_class=_EMPTY)
    def pause(found: Named) -> None:
        """Have it keep what it is assigned and fetch nothing; it stays so, also if started anew."""
        context.commands.tell(found.name, State.PAUSED)

    @routes.put("/{connector}/resume", status_code=HTTPStatus.ACCEPTED, response_class=_EMPTY)
    def resume(found: Named) -> None:
        """Have it go on, from a pause or a stop."""
        context.commands.tell(found.name, State.RUNNING)

    @routes.put("/{connector}/stop", status_code=HTTPStatus.NO_CONTENT)
    def stop(found: Named) -> None:
        """Have it finish what is under way and let go of everything; its process waits."""
        context.commands.tell(found.name, State.STOPPED)

    @routes.post("/{connector}/restart")
    def restart(found: Named, includeTasks: bool = False, onlyFailed: bool = False) -> Response:  # noqa: N803 - Connect's names
        """End its run cleanly and begin it again: of all its workers, or of those that failed."""
        state = known(context, found)
        failed = {task.worker for task in state.tasks if task.state is State.FAILED}
        wanted = [one.status.worker for one in state.live]
        wanted = [worker for worker in wanted if worker in failed] if onlyFailed else wanted
        if not onlyFailed:
            _check_live(state)
        for worker in wanted:
            context.commands.restart(found.name, worker)
        if not includeTasks:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return _restarting(documents.status_document(found, state), {*wanted})


def _offsets(routes: APIRouter, context: Context) -> None:
    @routes.get("/{connector}/offsets")
    def read(found: Named) -> Answer:
        """Say how far a connector has come."""
        return context.places.read(found.stage)

    @routes.patch("/{connector}/offsets")
    def set_back(found: Named, asked: Annotated[Offsets, Body()]) -> Answer:
        """Set some offsets of a stopped connector back; nothing is doubled by it."""
        _check_stopped(known(context, found))
        context.places.move(found.stage, asked.offsets)
        return {"message": _ALTERED}

    @routes.delete("/{connector}/offsets")
    def begin_again(found: Named) -> Answer:
        """Set all offsets of a stopped connector back to their beginning."""
        _check_stopped(known(context, found))
        context.places.move(found.stage, None)
        return {"message": _ALTERED}


def _refusing(routes: APIRouter) -> None:
    @routes.post("")
    def create(asked: Annotated[dict[str, Any], Body()]) -> None:
        """Refuse: there are three connectors, and each is a process that somebody starts."""
        if asked.get("name") in BY_NAME:
            raise HTTPException(HTTPStatus.CONFLICT, f"Connector {asked['name']} already exists")
        told = f"there are {', '.join(BY_NAME)} and no others"
        raise HTTPException(HTTPStatus.BAD_REQUEST, told)

    @routes.put("/{connector}/config")
    @routes.patch("/{connector}/config")
    def configure(found: Named) -> None:
        """Refuse: a stage reads its settings when its process starts."""
        _refuse(f"change the settings of {found.name}'s process and start it again")

    @routes.delete("/{connector}")
    def delete(found: Named) -> None:
        """Refuse: to stop it is what can be done."""
        _refuse(f"{found.name} cannot be deleted; PUT /connectors/{found.name}/stop stops it")


def _expanded(
    context: Context, found: Connector, expand: list[Literal["status", "info"]]
) -> Answer:
    made = {
        "status": lambda: documents.status_document(found, known(context, found)),
        "info": lambda: _info(context, found),
    }
    return {name: made[name]() for name in expand}


def _info(context: Context, found: Connector) -> Answer:
    config = config_document(context.settings, found)
    return documents.info_document(found, known(context, found), config)


def _task(state: ConnectorState, number: int) -> Any:
    if not 0 <= number < len(state.tasks):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Task {number} of {state.name} not found")
    return state.tasks[number]


def _check_live(state: ConnectorState, worker: str | None = None) -> None:
    """Refuse an order that nobody is there to hear: it must not surprise whoever starts later."""
    if not [one for one in state.live if worker in {None, one.status.worker}]:
        told = f"no process of {state.name} is there to restart: start one"
        raise HTTPException(HTTPStatus.CONFLICT, told)


def _check_stopped(state: ConnectorState) -> None:
    if state.state is not State.STOPPED:
        told = f"{state.name} is {state.state}: PUT /connectors/{state.name}/stop first"
        raise HTTPException(HTTPStatus.BAD_REQUEST, told)


def _restarting(document: Answer, workers: set[str]) -> Response:
    document["connector"]["state"] = State.RESTARTING
    for task in document["tasks"]:
        if task["worker_id"] in workers:
            task["state"] = State.RESTARTING
            task.pop("trace", None)
    return JSONResponse(document, HTTPStatus.ACCEPTED)


def _refuse(told: str) -> NoReturn:
    raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, told)
