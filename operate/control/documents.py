"""Connectors in the shapes of Kafka Connect's REST answers. Pure."""

from __future__ import annotations

from typing import Any

from operate.control.connectors import Connector
from operate.control.fleet import ConnectorState, TaskState, Worker
from runtime.control.orders import State


def status_document(connector: Connector, known: ConnectorState) -> dict[str, Any]:
    """Give the answer to ``GET /connectors/{c}/status``."""
    first = (known.live or [*known.workers])[:1]
    about: dict[str, Any] = {
        "state": known.state,
        "worker_id": first[0].status.worker if first else "",
        "version": first[0].status.version if first else "",
    }
    if known.state is State.FAILED and known.trace:
        about["trace"] = known.trace
    return {
        "name": connector.name,
        "connector": about,
        "tasks": [task_document(task) for task in known.tasks],
        "type": connector.kind,
    }


def task_document(task: TaskState) -> dict[str, Any]:
    """Give the answer to ``GET /connectors/{c}/tasks/{t}/status``; a failed one says why."""
    found = {
        "id": task.id,
        "state": task.state,
        "worker_id": task.worker,
        "version": task.version,
    }
    return found | ({"trace": task.task.trace} if task.state is State.FAILED else {})


def info_document(
    connector: Connector, known: ConnectorState, config: dict[str, str | None]
) -> dict[str, Any]:
    """Give the answer to ``GET /connectors/{c}``."""
    return {
        "name": connector.name,
        "config": config,
        "tasks": [{"connector": connector.name, "task": task.id} for task in known.tasks],
        "type": connector.kind,
    }


def tasks_document(
    connector: Connector, known: ConnectorState, config: dict[str, str | None]
) -> list[dict[str, Any]]:
    """Give the answer to ``GET /connectors/{c}/tasks``; a task of ours is told by its name."""
    return [
        {
            "id": {"connector": connector.name, "task": task.id},
            "config": {**config, "task": task.task.name},
        }
        for task in known.tasks
    ]


def workers_document(known: ConnectorState) -> list[dict[str, Any]]:
    """Give what Connect has not: what each worker says of its progress, and since when it is so."""
    return [_worker(worker) for worker in known.workers]


def _worker(worker: Worker) -> dict[str, Any]:
    status = worker.status
    return {
        "worker_id": status.worker,
        "state": worker.state,
        "since": status.since,
        "started_at": status.started_at,
        "heard_at": worker.heard_at,
        "idle_seconds": status.idle_seconds,
        "stuck": worker.is_stuck,
        "version": status.version,
        "trace": status.trace,
        "tasks": [
            {
                "name": task.name,
                "progress": task.progress,
                "position": task.position,
                "behind_seconds": task.behind_seconds,
                "trace": task.trace,
            }
            for task in status.tasks
        ],
    }
