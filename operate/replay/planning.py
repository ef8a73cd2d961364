"""What a replay would do: asked for before anything is written down, and shown by a dry run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operate.given import text_of
from operate.replay.ledger import name_of
from operate.settings import Settings
from runtime.errors import Configuration
from runtime.kafka import check_reachable
from schemas.registry import Registry
from stream_app.replay.plan import Part, Stand, plan, refuse_lost, stand
from stream_app.replay.request import Request


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the stream stands, and what is to be read."""

    name: str
    request: Request
    stands: Mapping[int, Stand]
    parts: list[Part]

    @property
    def records(self) -> int:
        """How many raw records are to be read."""
        return sum(part.records for part in self.parts)

    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each topic: how many partitions, ranges and records are to be read."""
        found = []
        for topic in self.parts[0].ranges if self.parts else ():
            ranges = [one for part in self.parts for one in part.ranges[topic]]
            held = sum(bool(part.ranges[topic]) for part in self.parts)
            records = sum(one.end - one.first for one in ranges)
            row = {"topic": topic, "partitions": held, "ranges": len(ranges), "records": records}
            found.append(row)
        return found


def planned_for(
    settings: Settings, registry: Registry, request: Request, name: str | None, *, incomplete: bool
) -> Plan:
    """Find what is to be read; ``incomplete`` lets pass that some of it is lost.

    Raises:
        Configuration: retention has dropped some of it, or nothing has been read so far.
        AosError: brokers or registry do not answer.
    """
    check_reachable(settings.kafka)
    where = settings.kafka, settings.topics, registry
    stands = {number: stand(*where, number) for number in range(settings.topics.partitions)}
    if not any(one.positions for one in stands.values()):
        problem = "the stream has not judged anything so far"
        raise Configuration(problem, mend="let it run; there is nothing to judge again")
    parts, found = plan(*where, request, stands)
    if not incomplete:
        refuse_lost(found, text_of(found.kept_since or 0))
    return Plan(name or name_of(request), request, stands, parts)
