"""Which keys a source holds of a parameter: asked only when the counts do not agree."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from producers.connection.endpoints import Endpoints
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from schemas.mapping import Mapping, read_mapping


def source_keys(settings: SourceSettings, parameter: str) -> set[tuple[str, str, str]]:
    """Give table, row and sensor of every reading of a parameter that may be read by now.

    Raises:
        AosError: the database does not answer.
    """
    mapping = read_mapping(settings.mapping)
    database = Endpoints.open(settings)
    try:
        return set(_keys(database, mapping, settings.page_rows, parameter))
    finally:
        database.dispose()


def _keys(
    database: Endpoints, mapping: Mapping, page_rows: int, parameter: str
) -> Iterator[tuple[str, str, str]]:
    types = database.ask("looking at the source", partial(check_mapping, mapping=mapping))
    for table in mapping.tables:
        feed = TableFeed(database, mapping, table, types[table.table], page_rows)
        position, drained = "", False
        while not drained:
            page = feed.next_page(position)
            position, drained = page.position, page.drained
            for raw in page.readings.records.get(parameter, []):
                record = raw.as_record()
                yield record["source_table"], record["source_key"], record["sensor_id"]
