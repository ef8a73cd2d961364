"""One comparison of all hops from beginning to end, with its repair: for CLI, jobs and API."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from operate.audit import operator
from operate.reconcile.compare import Difference, compare
from operate.reconcile.entries import Hops, Sum, by_hour, wall
from operate.reconcile.ledger import Ledger
from operate.reconcile.reading import Told, note_newest, read_behind_the_source
from operate.reconcile.repair import Repaired, repair, wanted
from operate.reconcile.scope import Scope
from operate.reconcile.source import check_source, read_source, worlds
from operate.settings import Settings
from schemas.registry import Registry
from sink import migrate
from sink.database import Database

HOPS: Final = ("source", "raw", "clean", "table")


@dataclass(slots=True)
class Report:
    """What a comparison found.

    Attributes:
        run: its number in the ledger.
        hours: readings and checksums, by parameter, hour (of the source's clock) and hop.
        differences: every reading in which neighbours differ.
        filtered: rows of the source that its mapping leaves out, by table and code.
        repaired: what a repair published; None where none was asked for.
    """

    run: int
    hours: dict[str, dict[int, dict[str, Sum]]]
    differences: list[Difference]
    filtered: Counter[str] = field(default_factory=Counter)
    repaired: Repaired | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong, or all that is wrong is being mended."""
        wrong = any(one.is_wrong for one in self.differences)
        return not wrong or (self.repaired is not None and not self.repaired.left)

    def causes(self) -> Counter[tuple[str, str, str]]:
        """Count differences by parameter, hop and cause."""
        return Counter((one.parameter, one.hop, str(one.cause)) for one in self.differences)

    def totals(self) -> list[dict[str, Any]]:
        """Give readings and checksum at each hop, a row for each parameter."""
        return [_row({"parameter": p}, _total(hours)) for p, hours in self.hours.items()]

    def by_hour(self, *, only_different: bool = False) -> list[dict[str, Any]]:
        """Give readings and checksum at each hop, a row for each parameter and hour."""
        return [
            _row({"parameter": parameter, "hour": wall(hour)}, sums)
            for parameter, hours in self.hours.items()
            for hour, sums in sorted(hours.items())
            if not only_different or len({sums.get(hop, Sum()) for hop in HOPS}) > 1
        ]


def reconcile(
    settings: Settings,
    scope: Scope,
    *,
    mend: bool = False,
    who: str | None = None,
    tell: Told = lambda _what: None,
) -> Report:
    """Compare all hops; with ``mend``, publish what is wrong once more.

    ``tell`` is called with what is being read.

    Raises:
        AosError: a source, brokers, registry or the database do not answer.
    """
    with (
        closing(Registry(settings.registry)) as registry,
        closing(Database(settings.sink)) as database,
        worlds(settings) as sources,
    ):
        database.check()
        migrate.check_migrated(database)
        for world in sources:
            check_source(world, scope)
        ledger = Ledger(database, who or operator())
        number = ledger.begin(scope)
        seen = read_behind_the_source(settings, registry, database, scope, tell)
        note_newest(seen)
        filtered = Counter[str]()
        for world in sources:
            tell(f"the source {world.mapping.source}")
            filtered += read_source(world, scope, seen)
        found = [one for p, hops in seen.hops.items() for one in compare(p, hops, seen.facts)]
        report = Report(number, {p: _hours(h) for p, h in seen.hops.items()}, found, filtered)
        if mend:
            tell("what is wrong, once more")
            wants = wanted(found, seen.hops)
            report.repaired = repair(sources, settings.kafka, scope, seen, wants)
        _write_down(ledger, report)
    return report


def _write_down(ledger: Ledger, report: Report) -> None:
    causes = [
        {"parameter": parameter, "hop": hop, "cause": cause, "readings": count}
        for (parameter, hop, cause), count in sorted(report.causes().items())
    ]
    wrong_first = sorted(report.differences, key=lambda one: not one.is_wrong)
    findings = [one.as_document() for one in wrong_first]
    repaired = report.repaired.records if report.repaired else 0
    ledger.finish(report.run, report.totals(), causes, findings, repaired)


def _hours(hops: Hops) -> dict[int, dict[str, Sum]]:
    found: dict[int, dict[str, Sum]] = {}
    for hop, entries in hops.named().items():
        for hour, total in by_hour(entries).items():
            found.setdefault(hour, {})[hop] = total
    return found


def _total(hours: dict[int, dict[str, Sum]]) -> dict[str, Sum]:
    found = dict.fromkeys(HOPS, Sum())
    for sums in hours.values():
        for hop, part in sums.items():
            found[hop] += part
    return found


def _row(named: dict[str, Any], sums: dict[str, Sum]) -> dict[str, Any]:
    for hop in HOPS:
        named[hop] = sums.get(hop, Sum()).readings
    checksums = {f"{sums.get(hop, Sum()).checksum:016x}" for hop in HOPS}
    named["checksum"] = checksums.pop() if len(checksums) == 1 else "differs"
    return named
