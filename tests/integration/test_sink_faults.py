"""What the sink does when records, topics, the database or another sink misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from runtime.errors import Configuration, Fenced, System
from sink import offsets
from sink.batch import Partition, Span
from sink.database import Connection, Database
from sink.migrate import Migration, migrate, migrations, status
from sink.offsets import Claim, Log
from tests.clean_records import clean
from tests.sinks import Rig


@pytest.fixture
def database(rig: Rig) -> Iterator[Database]:
    with closing(Database(rig.settings())) as made:
        migrate(made)
        yield made


PARTITION = Partition("t", 0)


def _claim(connection: Connection, log: Log = Log("id", 0, 100)) -> Claim:  # noqa: B008
    return offsets.claim(connection, "g", {PARTITION: log})[PARTITION]


@pytest.mark.requirement("C5")
def test_an_undecodable_message_is_dead_lettered_with_its_bytes_and_the_rest_is_loaded(
    rig: Rig,
) -> None:
    topic = rig.topics.clean("wind")
    good = [(topic, b"JFK", rig.publisher.encoded(clean("wind", n))) for n in range(3)]
    rig.publisher.send(
        [good[0], (topic, b"JFK", b"no avro"), good[1], (topic, b"LGA", None), good[2]]
    )
    rig.publisher.end(commit=True)
    counts = rig.load().counts
    assert (counts.inserted, counts.dead_lettered) == (3, 2)
    letters = {m.key(): m for m in rig.dead_letters()}
    assert (letters[b"JFK"].value(), letters[b"LGA"].value()) == (b"no avro", None)
    headers = dict(letters[b"JFK"].headers() or [])
    assert headers["__connect.errors.topic"] == topic.encode()
    assert headers["__connect.errors.offset"] == b"1"
    assert headers["aos.reason"] == b"not_framed"


@pytest.mark.requirement("C5")
@pytest.mark.parametrize("value", [None, b""])
def test_a_record_that_holds_nothing_is_not_taken_for_none(rig: Rig, value: bytes | None) -> None:
    with rig.in_background() as sink:
        rig.publisher.readings([clean("wind")])
        sink.progress.wait_for(records=1)
        rig.publisher.send([(rig.topics.clean("wind"), b"LGA", value)])  # nothing beside it
        rig.publisher.end(commit=True)
        sink.progress.wait_for(records=2)
    (letter,) = rig.dead_letters()
    assert (letter.key(), letter.value()) == (b"LGA", value)


@pytest.mark.requirement("C5", "C7")
def test_a_row_that_fits_no_column_and_one_that_the_database_refuses_harm_no_other(
    rig: Rig, database: Database
) -> None:
    with database.transaction("tightening") as connection:
        connection.execute("ALTER TABLE weather.pressure ADD CHECK (value < 2000)")
    records = [clean("pressure", n) for n in range(1000)]
    records[300]["value"], records[700]["value"] = float("nan"), 9999.0
    rig.publisher.readings(records)
    counts = rig.load().counts
    assert (counts.inserted, counts.dead_lettered) == (998, 2)
    reasons = {dict(m.headers() or [])["aos.reason"] for m in rig.dead_letters()}
    assert reasons == {b"does_not_fit_column", b"refused_by_database_23514"}
    assert {r["raw_offset"] for r in rig.readings("pressure")} == {*range(1000)} - {300, 700}


@pytest.mark.requirement("C2")
def test_a_topic_that_was_created_anew_stops_the_sink_until_it_is_forgotten(
    rig: Rig, database: Database
) -> None:
    topic = rig.topics.clean("wind")
    rig.publisher.readings([clean("wind", n) for n in range(5)])
    rig.load()
    admin = AdminClient(rig.kafka.client())
    admin.delete_topics([topic])[topic].result(30)
    rig.make_topics()
    rig.publisher.readings([clean("wind", n) for n in range(8)])
    with pytest.raises(System, match=rf"topic {topic} was created anew.* loaded up to 5 of"):
        rig.load()
    with database.transaction("forgetting") as connection:
        group = f"{rig.topics.namespace}.aos-sink"
        assert offsets.forget(connection, group, topic) == rig.topics.partitions
    assert rig.load().counts.inserted == 3


@pytest.mark.requirement("C2")
@pytest.mark.parametrize(
    ("low", "high", "lost"), [(7, 20, "offsets 5 to 7"), (0, 3, "offsets 3 to 5")]
)
def test_a_range_that_the_broker_does_not_have_is_named(
    database: Database, low: int, high: int, lost: str
) -> None:
    with database.transaction("first") as connection:
        first = _claim(connection, Log("id", 0, 5))
        offsets.advance(connection, "g", {PARTITION: Span(0, 5, first.epoch)})
    with pytest.raises(System, match=lost), database.transaction("second") as connection:
        _claim(connection, Log("id", low, high))


@pytest.mark.requirement("C2")
def test_of_two_sinks_with_one_partition_the_older_cannot_commit(
    database: Database, rig: Rig
) -> None:
    with closing(Database(rig.settings())) as newer:
        with database.transaction("claiming") as connection:
            old = _claim(connection)
        span = {PARTITION: Span(0, 10, old.epoch)}
        with newer.transaction("claiming") as connection:
            new = _claim(connection)
        with (
            pytest.raises(Fenced, match="taken over t-0"),
            database.transaction("writing") as connection,
        ):
            offsets.lock(connection, "g", span)
        with newer.transaction("writing") as connection:
            offsets.advance(connection, "g", {PARTITION: Span(0, 4, new.epoch)})
    assert rig.query("SELECT next_offset FROM ops.sink_offset") == [{"next_offset": 4}]


def test_a_claim_waits_for_the_batch_that_is_being_written(database: Database, rig: Rig) -> None:
    with database.transaction("claiming") as connection:
        span = {PARTITION: Span(0, 10, _claim(connection).epoch)}
    impatient = f"{rig.database_url}?options=-clock_timeout%3D50ms"
    with (
        closing(Database(rig.settings())) as newer,
        closing(psycopg.connect(impatient, autocommit=True)) as other,
    ):
        with database.transaction("writing") as writing:
            offsets.lock(writing, "g", span)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                _claim(other)
            offsets.advance(writing, "g", span)
        with newer.transaction("claiming") as connection:
            assert _claim(connection).next_offset == 10


def test_a_batch_that_leaves_a_gap_is_refused(database: Database) -> None:
    with database.transaction("claiming") as connection:
        claim = _claim(connection)
    with (
        pytest.raises(System, match="loaded up to 0, but the batch starts at 3"),
        database.transaction("writing") as connection,
    ):
        offsets.lock(connection, "g", {PARTITION: Span(3, 10, claim.epoch)})


@pytest.mark.requirement("C2", "D3")
def test_a_connection_that_is_cut_is_transient_and_nothing_is_lost_or_doubled(rig: Rig) -> None:
    with rig.in_background(batch_seconds=0.05) as sink:
        rig.publisher.readings([clean("wind", n) for n in range(10)])
        sink.progress.wait_for(records=10)
        with closing(psycopg.connect(rig.database_url, autocommit=True)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'aos-sink' AND datname = current_database()"
            )
        rig.publisher.readings([clean("wind", n) for n in range(20)])
        sink.progress.wait_for(records=30)
    assert sink.error is None
    assert sink.progress.problems
    assert len(rig.readings("wind")) == 20
    assert rig.dead_letters() == []


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"database_url": "postgresql://aos@127.0.0.1:1/aos"}, "sink.database_url"),
        ({"migrate_at_start": False}, "aos db migrate"),
    ],
)
def test_a_wrong_setting_stops_the_sink_at_start_in_one_line(
    rig: Rig, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(Configuration, match=said) as caught:
        rig.load(**changes)
    assert "\n" not in str(caught.value)


def test_migrations_run_once_and_an_edited_one_is_refused(database: Database) -> None:
    assert migrate(database) == []
    run = {s.migration.name for s in status(database) if s.applied_at}
    assert run == {m.name for m in migrations() if not m.needs_timescaledb}
    with pytest.raises(Configuration, match="0001_readings was edited"):
        migrate(database, [Migration(1, "readings", "SELECT 1")])
