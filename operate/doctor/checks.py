"""What is checked of AOS, Kafka, the registry and the database, in each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]
from sqlalchemy import literal, select

from operate.control.connectors import BY_NAME
from operate.control.fleet import ConnectorState, state_of
from operate.control.words import Words
from operate.doctor import addresses, flow
from operate.doctor.walk import Check, Layer, Part
from operate.freshness import Limits, by_parameter, newest
from operate.lag.sampling import Lags
from operate.settings import Settings
from producers.connection.endpoints import Endpoints
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.errors import Configuration
from runtime.kafka import check_reachable, translated
from schemas.mapping import read_mapping
from schemas.registry import Registry
from sink.database import Database
from sink.migrate import check_migrated

_SECONDS: Final = 10
_RIGHTS: Final = """
SELECT to_regclass('ops.sink_offset') IS NULL
    OR has_table_privilege(to_regclass('ops.sink_offset'), 'SELECT, UPDATE')
   AND has_schema_privilege('weather', 'USAGE')
"""
_AT: Final = ((Layer.DNS, addresses.resolve), (Layer.TCP, addresses.connect))


def checks(settings: Settings, words: Words, lags: Lags) -> list[Check]:
    """Give every check of a deployment; nothing is connected before one runs."""
    return [
        *_of_source(settings),
        *_of_kafka(settings),
        *_of_registry(settings),
        *_of_database(settings),
        *_of_flow(settings, words, lags),
    ]


def _of_source(settings: Settings) -> Iterator[Check]:
    sources = [one for one in (settings.source, *settings.sources) if one]
    if not sources:
        yield Check(Layer.SETTINGS, Part.AOS, lambda: "no source is configured here")
    for one in sources:
        yield Check(Layer.SETTINGS, Part.AOS, partial(_check_mapping_file, one))
        yield from _reaching(
            Part.AOS, partial(addresses.of_source, one), partial(addresses.check_files, one)
        )
        yield Check(Layer.LOGIN, Part.AOS, partial(_log_in_to_source, one))
        yield Check(Layer.RIGHTS, Part.AOS, partial(_read_source, one))


def _of_kafka(settings: Settings) -> Iterator[Check]:
    yield from _reaching(Part.KAFKA, lambda: addresses.of_kafka(settings))
    yield Check(Layer.LOGIN, Part.KAFKA, partial(_log_in_to_kafka, settings))
    yield Check(Layer.RIGHTS, Part.KAFKA, partial(_check_kafka_rights, settings))
    yield Check(Layer.TOPICS, Part.KAFKA, partial(_check_topics, settings))


def _of_registry(settings: Settings) -> Iterator[Check]:
    yield from _reaching(Part.REGISTRY, lambda: addresses.of_registry(settings))
    yield Check(Layer.LOGIN, Part.REGISTRY, partial(_log_in_to_registry, settings))
    yield Check(Layer.SCHEMAS, Part.REGISTRY, partial(_check_schemas, settings))


def _of_database(settings: Settings) -> Iterator[Check]:
    part = Part.DATABASE
    yield from _reaching(
        part, lambda: addresses.of_database(settings), lambda: "a socket of this host"
    )
    yield Check(Layer.LOGIN, part, partial(_log_in_to_database, settings))
    yield Check(Layer.RIGHTS, part, partial(_check_database_rights, settings))
    yield Check(Layer.SCHEMAS, part, partial(_check_tables, settings))


def _of_flow(settings: Settings, words: Words, lags: Lags) -> Iterator[Check]:
    def stages() -> str:
        return flow.check_flow(states(words), lags.reports())

    def tables() -> str:
        with _database(settings) as database, database.transaction("asking") as connection:
            found = newest(connection)
        limits = Limits.of(settings.stream)
        told = by_parameter(found, limits, datetime.now(UTC))
        return flow.check_fresh(told, at_rest=flow.is_at_rest(states(words), lags.reports()))

    both = (Part.KAFKA, Part.DATABASE)
    yield Check(Layer.FRESHNESS, Part.FLOW, stages, needs=both)
    yield Check(Layer.FRESHNESS, Part.DATABASE, tables, needs=both)


def states(words: Words) -> list[ConnectorState]:
    """Say how each connector is by now."""
    known, now = words.snapshot(), datetime.now(UTC)
    return [state_of(name, known, now) for name in BY_NAME]


def _reaching(
    part: Part,
    where: Callable[[], list[addresses.Address]],
    otherwise: Callable[[], str] = lambda: "",
) -> Iterator[Check]:
    """Look up and connect, where there is a host to look up."""
    for layer, reach in _AT:
        yield Check(layer, part, partial(_reached, reach, where, otherwise))


def _reached(
    reach: Callable[[list[addresses.Address]], str],
    where: Callable[[], list[addresses.Address]],
    otherwise: Callable[[], str],
) -> str:
    found = where()
    return reach(found) if found else otherwise()


def _check_mapping_file(source: SourceSettings) -> str:
    found = read_mapping(source.mapping)
    return f"{found.source}, mapping version {found.version}"


def _log_in_to_source(source: SourceSettings) -> str:
    with Endpoints.settled(source) as database:
        database.ask("logging in", lambda connection: connection.execute(select(literal(1))).one())
    return ""


def _read_source(source: SourceSettings) -> str:
    mapping = read_mapping(source.mapping)
    with Endpoints.settled(source) as database:
        found = database.ask("looking at the source", partial(check_mapping, mapping=mapping))
    return f"{len(found)} tables are as the mapping says"


def _log_in_to_kafka(settings: Settings) -> str:
    check_reachable(settings.kafka)
    return ""


def _check_kafka_rights(settings: Settings) -> str:
    admin = AdminClient(settings.kafka.client())
    there = admin.list_topics(timeout=_SECONDS).topics
    names = [spec.name for spec in settings.topics.specs() if spec.name in there]
    if not names:
        return "no topic is there yet"
    asked = admin.describe_topics(
        TopicCollection(names), include_authorized_operations=True, request_timeout=_SECONDS
    )
    try:
        rights = {name: asked[name].result().authorized_operations for name in names}
    except KafkaException as error:
        raise translated(error, "asking for our rights on the topics") from error
    wanted = {AclOperation.READ, AclOperation.DESCRIBE}
    lacking = [name for name, held in rights.items() if held and not wanted <= {*held}]
    if lacking:
        problem = f"{settings.kafka.username or 'this user'} may not read {', '.join(lacking)}"
        raise Configuration(problem, mend="grant READ and DESCRIBE on these topics")
    return f"{len(names)} topics may be read"


def _check_topics(settings: Settings) -> str:
    there = AdminClient(settings.kafka.client()).list_topics(timeout=_SECONDS).topics
    specs = settings.topics.specs()
    missing = [spec.name for spec in specs if spec.name not in there]
    if missing:
        problem = f"{len(missing)} topics are missing: {', '.join(missing)}"
        raise Configuration(problem, mend="start the stages, which create them")
    for spec in specs:
        count = len(there[spec.name].partitions)
        if count != spec.partitions:
            problem = f"{spec.name} has {count} partitions, not {spec.partitions}"
            mend = "set topics.partitions to that, or follow docs/partition-count.md"
            raise Configuration(problem, mend=mend)
    return f"{len(specs)} topics"


def _log_in_to_registry(settings: Settings) -> str:
    with closing(Registry(settings.registry)) as registry:
        registry.check()
    return ""


def _check_schemas(settings: Settings) -> str:
    specs = settings.topics.specs()
    with closing(Registry(settings.registry)) as registry:
        missing = registry.missing(specs)
    if missing:
        problem = f"{len(missing)} subjects are missing: {', '.join(missing)}"
        raise Configuration(problem, mend="start the stages, which register them")
    return f"{sum(spec.schema is not None for spec in specs)} subjects"


def _log_in_to_database(settings: Settings) -> str:
    with _database(settings):
        return ""


def _check_database_rights(settings: Settings) -> str:
    with _database(settings) as database, database.transaction("asking for rights") as connection:
        if connection.execute(_RIGHTS).fetchone() == (True,):
            return ""
    problem = "this user may not read the tables, or move the offsets of the sink"
    raise Configuration(problem, mend="`aos db roles` and `aos db migrate` give the rights")


def _check_tables(settings: Settings) -> str:
    with _database(settings) as database:
        check_migrated(database)
    return "every migration has run"


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    with closing(Database(settings.sink)) as database:
        database.check()
        yield database
