"""Reading a database by what the inspection proposed for it, as the source would."""

from __future__ import annotations

from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from producers.connection.endpoints import Endpoints
from producers.inspect.run import Inspection
from producers.reading.cursor_checks import check_cursors
from producers.reading.feed import feeds_of
from producers.reading.tables import check_mapping
from producers.sensors.metadata import sensor_records
from producers.sensors.metadata_tables import read_metadata
from producers.settings import SourceSettings
from schemas.mapping import Mapping


def read_by(path: Path, found: Inspection) -> list[Any]:
    """Check the proposal as the source does at its start, and read a page of every feed by it."""
    mapping = mapping_of(found)
    database = Endpoints.open(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    try:
        types = database.ask("looking", partial(check_mapping, mapping=mapping))
        database.ask("looking", partial(check_cursors, mapping=mapping))
        feeds = [
            feed
            for table in mapping.tables
            for feed in feeds_of(database, mapping, table, types[table.table], 50_000)
        ]
        pages = [feed.next_page("").readings.records for feed in feeds]
        return [reading for records in pages for of in records.values() for reading in of]
    finally:
        database.dispose()


def sensors_by(path: Path, found: Inspection) -> Any:
    """Read the metadata by the proposal."""
    mapping = mapping_of(found)
    assert mapping.metadata is not None
    database = Endpoints.open(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    try:
        rows = database.ask("looking", partial(read_metadata, mapping=mapping))
    finally:
        database.dispose()
    return sensor_records(rows, mapping.metadata, mapping.source, published_at=1)


def mapping_of(found: Inspection) -> Mapping:
    """Give the proposal as a mapping whose cursors wait for nobody."""
    assert found.proposal.problem == ""
    document = deepcopy(found.proposal.document)
    for section in document["tables"]:
        section["cursor"]["lag_seconds"] = 0
    return Mapping.model_validate(document)
