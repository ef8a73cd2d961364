"""What TimescaleDB keeps doing by itself, made to say the same as the settings.

Migrations are history and never change, settings do: so chunk interval, compression, retention and
the refreshing of aggregates are compared with what is wanted, and only what differs is set anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg.sql import SQL, Composed, Literal

from schemas.topics import PARAMETERS
from sink.database import Connection
from sink.settings import SinkSettings

LEDGER: Final = "ops.sink_batch"

_MINUTE: Final = timedelta(minutes=1)
_REFRESHED: Final = {
    "10min": (10 * _MINUTE, 10 * _MINUTE),
    "hour": (60 * _MINUTE, 30 * _MINUTE),
    "day": (timedelta(days=1), 60 * _MINUTE),
}
"""Of each width: its length, and so how old a bucket is when it is computed; how often we look."""
_BATCH: Final = timedelta(days=30)
"""How much of an aggregate is computed in one transaction."""
_LEARNED: Final = {'{"all": false}': _MINUTE, '{"all": true}': 60 * _MINUTE}
"""How often the cadence of sensors is learned: of new ones, of all."""

_CHUNKS: Final = """
SELECT hypertable_schema || '.' || hypertable_name, time_interval
FROM timescaledb_information.dimensions WHERE hypertable_schema = 'weather'
"""
_JOBS: Final = """
SELECT coalesce(hypertable_schema || '.' || hypertable_name, config::text), proc_name,
       schedule_interval, (config ->> 'compress_after')::interval,
       (config ->> 'drop_after')::interval, (config ->> 'start_offset')::interval,
       (config ->> 'end_offset')::interval
FROM timescaledb_information.jobs
"""
_HAS_TIMESCALEDB: Final = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"

Times = tuple[timedelta | None, ...]
Known = Mapping[tuple[str, str], Times]
_MIGRATED: Final[Known] = {(f"weather.{p}", "chunk"): (timedelta(days=7),) for p in PARAMETERS}
"""What the migrations leave behind."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One thing to be kept: ``of`` which table, by which means, with which times."""

    of: str
    name: str
    times: Times
    add: Composed
    remove: Composed | None = None


def pending(connection: Connection, settings: SinkSettings) -> list[Composed]:
    """Give the statements that make the policies what the settings say; none if they are."""
    known = _known(connection) if has_timescaledb(connection) else _MIGRATED
    wanted = {(p.of, p.name): p for p in _wanted(settings)}
    statements: list[Composed] = []
    for key, policy in wanted.items():
        found = known.get(key)
        is_off = None in policy.times and policy.name in _CAN_BE_OFF
        if found is not None and policy.remove and (is_off or found != policy.times):
            statements.append(policy.remove)
        if not is_off and found != policy.times:
            statements.append(policy.add)
    return statements


def has_timescaledb(connection: Connection) -> bool:
    """Say whether the extension is installed in this database."""
    return connection.execute(_HAS_TIMESCALEDB).fetchone() is not None


def _known(connection: Connection) -> Known:
    chunks = connection.execute(_CHUNKS).fetchall()
    known: dict[tuple[str, str], Times] = {(of, "chunk"): (width,) for of, width in chunks}
    for of, name, every, compress, drop, start, end in connection.execute(_JOBS):
        times = {
            _COMPRESSION: (compress,),
            _RETENTION: (drop,),
            _REFRESH: (every, start, end),
            _LEARNING: (every,),
        }
        known[of, name] = times.get(name, ())
    return known


_COMPRESSION: Final = "policy_compression"
_RETENTION: Final = "policy_retention"
_REFRESH: Final = "policy_refresh_continuous_aggregate"
_LEARNING: Final = "learn_cadence"
_CAN_BE_OFF: Final = frozenset({_COMPRESSION, _RETENTION})


def _wanted(settings: SinkSettings) -> Iterator[Policy]:
    kept = _days(settings.keep_days)
    for parameter in PARAMETERS:
        table = f"weather.{parameter}"
        yield _chunk(table, timedelta(days=settings.chunk_days))
        yield _compression(table, _days(settings.compress_after_days))
        yield _retention(table, kept)
        # What is dropped from the table must not be refreshed away from the aggregates.
        since = kept and kept - timedelta(days=settings.chunk_days)
        for width in _REFRESHED:
            yield _refresh(f"rollup.{parameter}_{width}", width, since)
    yield _retention(LEDGER, timedelta(days=settings.ledger_days))
    for config, every in _LEARNED.items():
        yield _learning(config, every)


def _chunk(table: str, width: timedelta) -> Policy:
    sql = SQL("SELECT set_chunk_time_interval({}, {})")
    return Policy(table, "chunk", (width,), sql.format(Literal(table), _interval(width)))


def _compression(table: str, after: timedelta | None) -> Policy:
    add = SQL("CALL add_columnstore_policy({}, after => {})")
    remove = SQL("CALL remove_columnstore_policy({}, if_exists => true)")
    of = Literal(table)
    return Policy(
        table, _COMPRESSION, (after,), add.format(of, _interval(after)), remove.format(of)
    )


def _retention(table: str, after: timedelta | None) -> Policy:
    add = SQL("SELECT add_retention_policy({}, drop_after => {})")
    remove = SQL("SELECT remove_retention_policy({}, if_exists => true)")
    of = Literal(table)
    return Policy(table, _RETENTION, (after,), add.format(of, _interval(after)), remove.format(of))


def _refresh(table: str, width: str, since: timedelta | None) -> Policy:
    until, every = _REFRESHED[width]
    add = SQL(
        "SELECT add_continuous_aggregate_policy({},"
        " start_offset => {}, end_offset => {}, schedule_interval => {}, buckets_per_batch => {})"
    ).format(
        Literal(table),
        _interval(since),
        _interval(until),
        _interval(every),
        Literal(_BATCH // until),
    )
    remove = SQL("SELECT remove_continuous_aggregate_policy({}, if_exists => true)")
    return Policy(table, _REFRESH, (every, since, until), add, remove.format(Literal(table)))


def _learning(config: str, every: timedelta) -> Policy:
    add = SQL("SELECT add_job('ops.learn_cadence', {}, config => {})")
    return Policy(config, _LEARNING, (every,), add.format(_interval(every), Literal(config)))


def _days(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)


def _interval(width: timedelta | None) -> Composed:
    if width is None:
        return SQL("{}").format(SQL("NULL"))
    minutes = int(width.total_seconds() // 60)
    text = f"{width.days} days" if minutes % 1440 == 0 else f"{minutes} minutes"
    return SQL("INTERVAL {}").format(Literal(text))
