"""What OpenLineage calls the topics and tables: names as its naming conventions have them.

A namespace says where something is kept (``kafka://host:port``, ``postgres://host:port``), a name
says what it is there (a topic, ``database.schema.table``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from operate.settings import Settings
from schemas.mapping import read_mapping
from schemas.topics import PARAMETERS

_SCHEMES: Final[Mapping[str, str]] = {"postgresql": "postgres", "mssql": "sqlserver"}
_PORTS: Final[Mapping[str, int]] = {"postgres": 5432, "sqlserver": 1433}


class Dataset(NamedTuple):
    """Something that is read or written."""

    namespace: str
    name: str


class Flow(NamedTuple):
    """What a job reads and writes."""

    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Dataset] = ()


def flow_of(job: str, settings: Settings) -> Flow:
    """Say what a stage or a backfill reads and writes; nothing is known of any other job."""
    known = settings.topics
    raw, clean = known.all_raw(), [*map(known.clean, PARAMETERS)]
    judged_by = [known.metadata, known.mapping, known.rulesets, known.overrides]
    flows = {
        "source": lambda: Flow(source_tables(settings), topics(settings, [*raw, known.metadata])),
        "backfill": lambda: Flow(source_tables(settings), topics(settings, raw)),
        "stream": lambda: Flow(topics(settings, [*raw, *judged_by]), topics(settings, clean)),
        "sink": lambda: Flow(topics(settings, clean), tables(settings, "weather")),
    }
    return flows[job]() if job in flows else Flow()


def topics(settings: Settings, names: Iterable[str]) -> list[Dataset]:
    """Name topics."""
    first = settings.kafka.bootstrap_servers.split(",")[0].strip()
    return [Dataset(f"kafka://{first}", name) for name in names]


def tables(settings: Settings, schema: str, prefix: str = "") -> list[Dataset]:
    """Name the tables of readings."""
    url = urlsplit(settings.sink.database_url)
    place = f"postgres://{url.hostname}:{url.port or _PORTS['postgres']}"
    database = url.path.strip("/")
    return [Dataset(place, f"{database}.{schema}.{prefix}{name}") for name in PARAMETERS]


def source_tables(settings: Settings) -> list[Dataset]:
    """Name the tables of all sources."""
    return [
        Dataset(place, ".".join(filter(None, (database, table.table))))
        for source in settings.all_sources()
        for place, database in [_place_of(source.url)]
        for table in read_mapping(source.mapping).tables
    ]


def _place_of(address: str) -> tuple[str, str | None]:
    url = make_url(address)
    scheme = _SCHEMES.get(url.get_backend_name(), url.get_backend_name())
    port = url.port or _PORTS.get(scheme)
    return (f"{scheme}://{url.host}:{port}" if url.host else "file"), url.database
