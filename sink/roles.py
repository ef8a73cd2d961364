"""Who may do what: the migrator owns, the writer loads, the reader asks.

Roles belong to the whole server, and making them takes an administrator: ``missing`` writes down
what one has to run, once. Rights belong to the tables, and whoever migrates grants them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from psycopg.sql import SQL, Composed, Identifier

from schemas.topics import PARAMETERS, Topics
from sink.database import Connection
from sink.settings import SinkSettings

_EXIST: Final = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
_DATABASE: Final = "SELECT current_database()"
_HELD: Final = {
    "DATABASE": "SELECT bool_and(has_database_privilege(%s, %s, p)) FROM unnest(%s::text[]) AS p",
    "SCHEMA": """
        SELECT bool_and(has_schema_privilege(%s, to_regnamespace(%s), p))
        FROM unnest(%s::text[]) AS p""",
    "TABLE": """
        SELECT bool_and(has_table_privilege(%s, to_regclass(%s), p))
        FROM unnest(%s::text[]) AS p""",
    "ALL TABLES IN SCHEMA": """
        SELECT bool_and(has_table_privilege(%s, relation.oid, p))
        FROM pg_class AS relation, to_regnamespace(%s) AS schema (oid), unnest(%s::text[]) AS p
        WHERE relnamespace = schema.oid AND relkind IN ('r', 'v', 'p', 'm')""",
}
"""Whether a role has all of some privileges on a thing of that kind; null where it is not there."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Their names, in the deployment's namespace."""

    migrator: str
    writer: str
    reader: str

    @classmethod
    def of(cls, settings: SinkSettings, topics: Topics) -> Roles:
        """Name them.

        >>> Roles.of(SinkSettings(), Topics(namespace="lab")).reader
        'lab.aos_reader'
        """
        named = settings.migrator_role, settings.writer_role, settings.reader_role
        return cls(*map(topics.named, named))


@dataclass(frozen=True, slots=True)
class Right:
    """What a role may do with one thing."""

    role: str
    kind: str
    of: str
    privileges: tuple[str, ...]

    def is_held(self, connection: Connection) -> bool:
        """Ask whether the role may already, by whatever way."""
        values = self.role, self.of, list(self.privileges)
        return connection.execute(_HELD[self.kind].encode(), values).fetchone() == (True,)

    def grant(self) -> Composed:
        """Give it."""
        return SQL("GRANT {} ON {} {} TO {}").format(
            SQL(", ").join(map(SQL, self.privileges)),
            SQL(self.kind),
            Identifier(*(self.of.split(".") if self.kind == "TABLE" else [self.of])),
            Identifier(self.role),
        )


def missing(connection: Connection, roles: Roles) -> list[Composed]:
    """Give what an administrator has to run: the roles that are not there, and whose all is.

    None of it holds a password: psql's command for that keeps it out of every log.
    """
    wanted = [roles.migrator, roles.writer, roles.reader]
    there = _existing(connection, wanted)
    create = [SQL("CREATE ROLE {} LOGIN").format(Identifier(r)) for r in wanted if r not in there]
    if roles.migrator in there:
        return create
    database = Identifier(_database(connection))
    return [
        *create,
        SQL("ALTER DATABASE {} OWNER TO {}").format(database, Identifier(roles.migrator)),
        SQL("REVOKE TEMPORARY, CONNECT ON DATABASE {} FROM PUBLIC").format(database),
    ]


def pending(connection: Connection, roles: Roles) -> list[Composed]:
    """Give the grants that the writer and the reader still want, if there are such roles."""
    there = _existing(connection, [roles.writer, roles.reader])
    database = _database(connection)
    rights: list[Right] = []
    if roles.writer in there:
        rights += _of_writer(roles.writer, database)
    if roles.reader in there:
        rights += _of_reader(roles.reader, database)
    return [right.grant() for right in rights if not right.is_held(connection)]


def _of_writer(role: str, database: str) -> Iterator[Right]:
    yield Right(role, "DATABASE", database, ("CONNECT", "TEMPORARY"))
    for schema in ("weather", "ops"):
        yield Right(role, "SCHEMA", schema, ("USAGE",))
    for name in (*PARAMETERS, "sensor"):
        yield Right(role, "TABLE", f"weather.{name}", ("SELECT", "INSERT", "UPDATE"))
    # Jobs work as the writer, too, and look at what is made of the readings.
    yield Right(role, "SCHEMA", "rollup", ("USAGE",))
    for schema in ("weather", "rollup"):
        yield Right(role, "ALL TABLES IN SCHEMA", schema, ("SELECT",))
    changed = ("SELECT", "INSERT", "UPDATE", "DELETE")
    yield Right(role, "TABLE", "ops.sink_offset", changed)
    yield Right(role, "TABLE", "ops.sink_batch", ("SELECT", "INSERT"))
    for name in ("audit", "reconcile_run", "replay", "replay_part", "anomaly_model", "report"):
        yield Right(role, "TABLE", f"ops.{name}", ("SELECT", "INSERT", "UPDATE"))
    for name in ("job_run", "job_schedule", "job_worker", "alert"):
        yield Right(role, "TABLE", f"ops.{name}", changed)
    for name in ("migration", "job_engine"):
        yield Right(role, "TABLE", f"ops.{name}", ("SELECT",))
    # The tables of a replay are made when it begins, and dropped by whoever made them.
    yield Right(role, "SCHEMA", "weather_shadow", ("USAGE", "CREATE"))


def _of_reader(role: str, database: str) -> Iterator[Right]:
    yield Right(role, "DATABASE", database, ("CONNECT",))
    for schema in ("weather", "ops"):
        yield Right(role, "SCHEMA", schema, ("USAGE",))
        yield Right(role, "ALL TABLES IN SCHEMA", schema, ("SELECT",))


def _existing(connection: Connection, roles: list[str]) -> set[str]:
    return {name for (name,) in connection.execute(_EXIST, (roles,))}


def _database(connection: Connection) -> str:
    return str(connection.execute(_DATABASE).fetchall()[0][0])
