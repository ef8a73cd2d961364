"""What the source itself holds, read by the machinery of the backfill: by time, in keyset pages.

Rows are made into the very records that the source would publish, and those are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from operate.reconcile.decoding import Mappings, RawEntries
from operate.reconcile.entries import Entry, Key, keep
from operate.reconcile.reading import Seen
from operate.reconcile.scope import Scope
from operate.settings import Settings
from producers.backfill.opened import World, open_world
from producers.backfill.request import Request
from producers.backfill.selection import Part, chosen
from producers.backfill.table import open_table
from schemas.topics import PARAMETERS


@contextmanager
def worlds(settings: Settings) -> Iterator[list[World]]:
    """Open all sources, and let go of them at the end.

    Raises:
        Configuration: there is none, or a setting is wrong.
        Transient: database, broker or registry does not answer.
    """
    with ExitStack() as opened:
        made = []
        for source in settings.all_sources():
            world = open_world(source, settings.kafka, settings.registry, settings.topics)
            opened.callback(world.close)
            made.append(world)
        yield made


def check_source(world: World, scope: Scope) -> None:
    """See that all that is meant can be read, before anything is.

    Raises:
        Configuration: a table is not there, or cannot be searched by time; or a name means nothing.
        Transient: the database does not answer.
    """
    request = scope.request()
    for part in chosen(world.mapping, request):
        open_table(world.database, world.mapping, part, request.stations)


def read_source(world: World, scope: Scope, seen: Seen) -> Counter[str]:
    """Take in what a source holds; give how many rows its mapping filters, by table and code.

    Raises:
        AosError: the database does not answer, or a table cannot be read by time.
    """
    mapping, filtered = world.mapping, Counter[str]()
    seen.facts.mapped |= {
        (mapping.source, table.table, reading.parameter)
        for table in mapping.tables
        for reading in table.readings
    }
    mappings = {**seen.mappings, (mapping.source, mapping.version): mapping}
    for parameter, _, key, entry in _records(world, scope, scope.request(), mappings, filtered):
        keep(seen.hops[parameter].source, key, entry)
    return filtered


def find(
    world: World, scope: Scope, request: Request, mappings: Mappings
) -> Iterator[tuple[str, bytes, Key, Entry]]:
    """Read what is asked for once more: parameter, message, key and entry of each."""
    return _records(world, scope, request, mappings, Counter())


def _records(
    world: World, scope: Scope, request: Request, mappings: Mappings, filtered: Counter[str]
) -> Iterator[tuple[str, bytes, Key, Entry]]:
    makers = {p: RawEntries(p, world.ids.schema_of, mappings, scope) for p in scope.parameters}
    parameter_of = {world.topics.raw(p): p for p in PARAMETERS}
    for part in chosen(world.mapping, request):
        for topic, messages in _messages(world, part, request, filtered):
            parameter = parameter_of[topic]
            if parameter in makers:
                for row, key, entry in makers[parameter](messages):
                    yield parameter, messages[row], key, entry


def _messages(
    world: World, part: Part, request: Request, filtered: Counter[str]
) -> Iterator[tuple[str, list[bytes]]]:
    table = open_table(world.database, world.mapping, part, request.stations)
    encode, most = world.messages(), world.settings.page_rows
    for span in request.spans:
        after, ended = "", False
        while not ended:
            page = table.page(span, after, most)
            for code, rows in page.readings.unmapped.items():
                filtered[f"{part.table.table}, code {code or 'null'}"] += rows
            for topic, keyed in encode.readings(page.readings.records):
                yield topic, keyed.values.bytes()
            after, ended = page.after, not page.after
