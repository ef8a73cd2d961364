"""A real stack of its own: it comes up, keeps data and ids, heals, and leaves nothing behind.

The tests stand in the order in which they run: the last ones stop the stack.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from devstack.events import Event
from devstack.stack import Stack
from devstack.state import State
from runtime.errors import System

QUIET = {"logger": logging.getLogger("test.kafka")}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Bring a stack up once."""
    made = Stack.at(tmp_path_factory.mktemp("stack"))
    made.up()
    yield made
    made.wipe()


def states(stack: Stack) -> dict[str, str]:
    return {part.name: part.state for part in stack.status()}


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.pid for part in stack.status()}


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def register(stack: Stack, name: str) -> int:
    client = SchemaRegistryClient({"url": stack.registry_url, "timeout": 10})
    schema = Schema(f'{{"type": "record", "name": "{name}", "fields": []}}', "AVRO")
    with client:
        return client.register_schema(f"{name}-value", schema)


def create_topic(stack: Stack, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers}, **QUIET)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)


def produce(stack: Stack, topic: str, value: bytes, *, commit: bool) -> None:
    settings = {"bootstrap.servers": stack.bootstrap_servers, "transactional.id": "devstack-test"}
    producer = Producer(settings, **QUIET)
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, value)
    producer.flush(20)
    if commit:
        producer.commit_transaction(20)
    else:
        producer.abort_transaction(20)


def committed(stack: Stack, topic: str, count: int) -> list[bytes | None]:
    settings = {
        "bootstrap.servers": stack.bootstrap_servers,
        "group.id": f"{topic}-{os.urandom(4).hex()}",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    }
    consumer = Consumer(settings, **QUIET)
    try:
        consumer.subscribe([topic])
        return [message.value() for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()


def test_every_part_is_ready_and_listens_on_loopback_alone(stack: Stack) -> None:
    assert states(stack) == {"kafka": "ready", "registry": "ready", "timescale": "ready"}
    listening = [
        connection.laddr
        for pid in pids(stack).values()
        for connection in psutil.Process(pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}
    ours = State.load(stack.directory / "state.json").ports.values()
    assert {address.port for address in listening} >= set(ours)


def test_a_transaction_goes_through_kafka(stack: Stack) -> None:
    create_topic(stack, "round-trip")
    produce(stack, "round-trip", b"aborted", commit=False)
    produce(stack, "round-trip", b"committed", commit=True)
    assert committed(stack, "round-trip", 1) == [b"committed"]


def test_a_binary_copy_goes_into_a_hypertable(stack: Stack) -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    rows = [("EWR", start + timedelta(hours=hour), hour / 10) for hour in range(1000)]
    with psycopg.connect(stack.database_url) as database, database.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE reading"
            " (station text, at timestamptz, value float8, PRIMARY KEY (station, at))"
        )
        cursor.execute("SELECT create_hypertable('reading', 'at')")
        with cursor.copy("COPY reading FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["text", "timestamptz", "float8"])
            for row in rows:
                copy.write_row(row)
        cursor.execute("SELECT station, at, value FROM reading ORDER BY at")
        assert cursor.fetchall() == rows


def test_a_wrong_password_is_refused(stack: Stack) -> None:
    password = State.load(stack.directory / "state.json").password
    wrong = stack.database_url.replace(password, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_clients_of_the_one_backend_keep_their_prepared_statements(stack: Stack) -> None:
    url = stack.database_url
    with (
        psycopg.connect(url, prepare_threshold=0, autocommit=True) as one,
        psycopg.connect(url, prepare_threshold=0, autocommit=True) as other,
    ):
        for client, number in ((one, 1), (other, 2)):
            assert client.execute("SELECT %s::int", [number]).fetchone() == (number,)
        with pytest.raises(psycopg.errors.DivisionByZero), one.transaction():
            one.execute("SELECT 1/0")  # psycopg then sends DEALLOCATE ALL
        assert other.execute("SELECT %s::int", [3]).fetchone() == (3,)


def test_a_policy_of_timescaledb_runs_by_itself(stack: Stack) -> None:
    pause = threading.Event()
    with psycopg.connect(stack.database_url, autocommit=True) as database:
        database.execute("CREATE TABLE old (at timestamptz NOT NULL)")
        database.execute("SELECT create_hypertable('old', 'at')")
        database.execute("INSERT INTO old VALUES ('2013-01-01Z'), (now())")
        database.execute("SELECT add_retention_policy('old', interval '1 year')")
        for _ in range(100):
            left = database.execute("SELECT count(*) FROM old").fetchone()
            if left == (1,):
                return
            pause.wait(0.1)
    pytest.fail("the retention policy has not run")


def test_up_leaves_alone_what_runs(stack: Stack) -> None:
    before = pids(stack)
    events: list[Event] = []
    stack.up(events.append)
    assert pids(stack) == before
    assert {event.step for event in events} == {"ready"}


@pytest.mark.parametrize("how", ["down", "kill"])
def test_ids_topics_and_tables_survive(stack: Stack, how: str) -> None:
    create_topic(stack, f"before-{how}")
    produce(stack, f"before-{how}", b"kept", commit=True)
    with psycopg.connect(stack.database_url) as database:
        database.execute("CREATE TABLE IF NOT EXISTS kept (how text)")
        database.execute("INSERT INTO kept VALUES (%s)", [how])
    address, first = stack.bootstrap_servers, register(stack, f"First{how}")
    if how == "down":
        stack.down()
        assert set(states(stack).values()) == {"stopped"}
    else:
        for pid in pids(stack).values():
            kill(pid)
    stack.up()
    assert stack.bootstrap_servers == address
    assert register(stack, f"Second{how}") == first + 1
    assert register(stack, f"First{how}") == first
    assert committed(stack, f"before-{how}", 1) == [b"kept"]
    with psycopg.connect(stack.database_url) as database:
        assert (how,) in database.execute("SELECT how FROM kept").fetchall()


def test_a_killed_part_alone_is_started_again(stack: Stack) -> None:
    before = pids(stack)
    kill(before["timescale"])
    stack.up()
    after = pids(stack)
    assert states(stack)["timescale"] == "ready"
    assert after.pop("timescale") != before.pop("timescale")
    assert after == before


def test_native_postgres_takes_over_heals_and_gives_back(stack: Stack) -> None:
    native = Stack.at(stack.directory, db="postgres")
    native.up()
    assert states(native) == {"kafka": "ready", "registry": "ready", "postgres": "ready"}
    with psycopg.connect(native.database_url) as database:
        database.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    kill(pids(native)["postgres"])
    native.up()
    with psycopg.connect(native.database_url) as database:
        assert database.execute("SELECT answer FROM kept").fetchone() == (42,)
    Stack.at(stack.directory, db="timescale").up()
    assert states(stack) == {"kafka": "ready", "registry": "ready", "timescale": "ready"}


def test_data_that_lost_their_counterpart_are_wiped_together(stack: Stack) -> None:
    create_topic(stack, "soon-gone")
    stack.down()
    (stack.directory / "data" / "registry" / "registry.mv.db").unlink()
    events: list[Event] = []
    stack.up(events.append)
    assert events[0].part == "data"
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers}, **QUIET)
    assert "soon-gone" not in admin.list_topics(timeout=10).topics
    assert register(stack, "Anew") == 1


def test_the_last_leaseholder_takes_the_stack_down(stack: Stack) -> None:
    running = [psutil.Process(pid) for pid in pids(stack).values()]
    with stack.lease():
        with Stack.at(stack.directory).lease():
            pass
        assert set(states(stack).values()) == {"ready"}
    assert set(states(stack).values()) == {"stopped"}
    assert not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in running
    )


def test_a_part_that_cannot_start_quotes_its_log(stack: Stack) -> None:
    damaged = stack.directory / "data" / "registry" / "registry.mv.db"
    damaged.write_bytes(b"this is no database" * 1000)
    with pytest.raises(System, match=r"registry ended before") as refused:
        stack.up()
    assert "MVStoreException" in refused.value.message or "corrupted" in refused.value.message
    assert "registry.log" in refused.value.mend


def test_wiping_stops_all_and_leaves_no_data(stack: Stack) -> None:
    stack.wipe()
    assert not (stack.directory / "data").exists()
    assert not any(
        str(stack.directory) in " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline"])
        if process.status() != psutil.STATUS_ZOMBIE
    )
