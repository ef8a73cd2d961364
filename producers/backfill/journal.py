"""What a backfill remembers on the topic of cursors: a record for the job, and one for each chunk.

A chunk's record travels in the transaction of its readings, so it is never wrong. Keys are
``source:table:backfill:job:plan`` and ``source:table:backfill:job:<chunk>``. A job that is begun
again counts its rounds, and passes over what an earlier round left.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from producers.backfill.plan import Chunk, Plan
from producers.backfill.request import Request
from producers.publishing.messages import cursor_key
from producers.publishing.positions import BACKFILL, Standing
from runtime.errors import Configuration

PLAN: Final = "plan"
Records = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Job:
    """What the record of a job says of one table."""

    request: Request
    round: int
    workers: int
    done: bool
    plan: Plan

    def as_text(self) -> str:
        """Write it as the position of its record."""
        document = {
            "round": self.round,
            "workers": self.workers,
            "done": self.done,
            "request": self.request.as_document(),
            "plan": self.plan.as_document(),
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of_text(cls, position: str) -> Self | None:
        """Read it back; None where there is none yet."""
        if not position:
            return None
        told = json.loads(position)
        request, plan = Request.of_document(told["request"]), Plan.of_document(told["plan"])
        return cls(request, told["round"], told["workers"], told["done"], plan)


@dataclass(frozen=True, slots=True)
class ChunkState:
    """How far a chunk is: everything up to ``after`` is published."""

    after: str = ""
    done: bool = False
    rows: int = 0
    readings: int = 0

    def behind(self, after: str, rows: int, readings: int) -> Self:
        """Give how far it is after a page; the page that ends nowhere is the last."""
        return replace(
            self,
            after=after,
            done=not after,
            rows=self.rows + rows,
            readings=self.readings + readings,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """Whose records they are: those of one job of one source, written by one instance."""

    source: str
    job: str
    identity: str
    instance: str

    def standing(self, table: str, part: str = PLAN) -> Standing:
        """Give the record of a part, as it is before anything is done."""
        name = f"{table}:{BACKFILL}:{self.job}:{part}"
        return Standing(self.source, name, BACKFILL, self.identity, self.instance)

    def key(self, table: str, part: str = PLAN) -> str:
        """Give the key of a record."""
        return cursor_key(self.source, self.standing(table, part).table)

    def of_chunk(self, chunk: Chunk, state: ChunkState, round_: int) -> Standing:
        """Give the record of a chunk."""
        position = json.dumps([round_, state.done, state.after], ensure_ascii=False)
        standing = self.standing(chunk.table, str(chunk.number))
        return standing.after(position, state.rows, state.readings)

    def chunks(self, records: Records, table: str, round_: int) -> dict[int, ChunkState]:
        """Read how far the chunks of a table are, in this round."""
        head = self.key(table, "")
        found = {}
        for key, record in records.items():
            part = key.removeprefix(head)
            if key.startswith(head) and part.isdecimal():
                written, done, after = json.loads(record["position"])
                if written == round_:
                    state = ChunkState(after, done, record["rows"], record["readings"])
                    found[int(part)] = state
        return found

    def left(self, records: Records, table: str) -> list[str]:
        """Name the keys of all records of chunks of a table, of whatever round."""
        head = self.key(table, "")
        return [key for key in records if key.startswith(head) and key != self.key(table)]

    def owner(self, records: Records) -> str | None:
        """Say which instance took up the job last."""
        middle = f":{BACKFILL}:{self.job}:{PLAN}"
        ours = (k for k in records if k.startswith(f"{self.source}:") and k.endswith(middle))
        return next((records[key]["instance"] for key in reversed(list(ours))), None)


def asked_before(records: Records, source: str, job: str) -> Request:
    """Give what a job was asked for, where it is called by its name alone.

    Raises:
        Configuration: there is no such job.
    """
    middle = f":{BACKFILL}:{job}:{PLAN}"
    for key, record in records.items():
        if key.startswith(f"{source}:") and key.endswith(middle):
            found = Job.of_text(record["position"])
            if found is not None:
                return found.request
    option, problem = "--job", f"source {source} has no such job"
    raise Configuration.of(option, job, problem, mend="give --from and --to, or --years")
