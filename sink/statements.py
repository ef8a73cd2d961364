"""The SQL that loads a reading table, composed of quoted names once for each table."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.sql import SQL, Composed, Identifier

from sink.columns import KEY, VERSION, Table
from sink.settings import Conflict


@dataclass(frozen=True, slots=True)
class Statements:
    """What is sent for one table.

    Rows are merged in the order in which they were copied to the stage, by key, for a temporary
    table is always read from its beginning: writers that take rows in one order never deadlock.

    ``merge`` answers with one row: inserted, updated, deleted. It tells an update by its times: a
    row that was inserted in this transaction was created when it was updated, by the same clock.
    To ask whether the stage is there is much cheaper than to make it "if not exists".

    ``ask`` takes the first and the last time of some rows, so that of a hypertable only the chunks
    between them are looked into, and arrays of their keys and versions. It answers with a letter
    for each: ``u`` for unknown, ``n`` for newer than what is known, ``k`` for known.
    """

    copy: bytes
    stage_is_missing: bytes
    make_stage: bytes
    empty_stage: bytes
    copy_to_stage: bytes
    merge: bytes
    ask: bytes

    @classmethod
    def of(cls, table: Table, conflict: Conflict, target: Identifier) -> Statements:
        """Compose them; ``target`` names the table that has these columns."""
        stage = Identifier(f"stage_{table.name}")
        names = _list(table.names)
        copy = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
        missing = SQL("SELECT to_regclass({}) IS NULL")
        make = SQL(
            "CREATE TEMPORARY TABLE {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} WITH NO DATA"
        )
        return cls(
            copy=copy.format(target, names).as_bytes(),
            stage_is_missing=missing.format(f"pg_temp.stage_{table.name}").as_bytes(),
            make_stage=make.format(stage, names, target).as_bytes(),
            empty_stage=SQL("TRUNCATE {}").format(stage).as_bytes(),
            copy_to_stage=copy.format(stage, names).as_bytes(),
            merge=_merge(target, stage, table, conflict).as_bytes(),
            ask=_ask(target, conflict).as_bytes(),
        )


def _merge(target: Identifier, stage: Identifier, table: Table, conflict: Conflict) -> Composed:
    query = SQL("""
WITH merged AS (
    INSERT INTO {target} AS known ({names})
    SELECT {names} FROM {stage}
    ON CONFLICT ({key}) {action}
    RETURNING known.created_at = known.updated_at AS is_new, known.deleted_at
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new), count(deleted_at)
FROM merged""")
    return query.format(
        target=target,
        stage=stage,
        names=_list(table.names),
        key=_list(KEY),
        action=_update(table) if conflict is Conflict.UPDATE else SQL("DO NOTHING"),
    )


def _update(table: Table) -> Composed:
    changes = [
        SQL("{0} = excluded.{0}").format(Identifier(name))
        for name in table.names
        if name not in KEY
    ]
    changes.append(SQL("{} = clock_timestamp()").format(Identifier("updated_at")))
    return SQL("DO UPDATE SET {} WHERE {}").format(SQL(", ").join(changes), _newer("excluded"))


def _ask(target: Identifier, conflict: Conflict) -> Composed:
    """Look for each row by itself: of a join, the planner may read the whole table."""
    query = SQL("""
SELECT string_agg(
    CASE (
        SELECT {newer} FROM {target} AS known
        WHERE {same} AND known.{time} BETWEEN %s AND %s
    ) WHEN TRUE THEN 'n' WHEN FALSE THEN 'k' ELSE 'u' END, '' ORDER BY number)
FROM unnest(%s, %s, %s, %s) WITH ORDINALITY AS asked ({columns}, number)""")
    return query.format(
        newer=_newer("asked") if conflict is Conflict.UPDATE else SQL("FALSE"),
        target=target,
        same=SQL(" AND ").join(SQL("known.{0} = asked.{0}").format(Identifier(n)) for n in KEY),
        time=Identifier(KEY[1]),
        columns=_list((*KEY, *VERSION)),
    )


def _newer(than_known: str) -> Composed:
    """Compare a row with the one that is known."""
    new = SQL(", ").join(Identifier(than_known, name) for name in VERSION)
    old = SQL(", ").join(Identifier("known", name) for name in VERSION)
    return SQL("({}) > ({})").format(new, old)


def _list(names: tuple[str, ...]) -> Composed:
    return SQL(", ").join(map(Identifier, names))
