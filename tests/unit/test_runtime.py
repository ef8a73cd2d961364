"""The dull parts: errors, waits, logs, and what a Kafka error means."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
from contextlib import suppress
from itertools import islice

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from runtime import logs
from runtime.errors import AosError, Configuration, DataQuality, Exit, Fenced, System, Transient
from runtime.kafka import KafkaSettings, check_reachable, translated, unreachable
from runtime.retry import Backoff, retry, within

pytestmark = pytest.mark.requirement("E1")


@pytest.mark.requirement("D3")
def test_a_wrong_setting_names_itself_its_value_and_the_mend() -> None:
    name = "sink.batch_rows"
    error = Configuration.of(name, -1, "it is negative", mend="give a number above 0")
    assert str(error) == (
        "setting sink.batch_rows = -1: it is negative. Mend: give a number above 0"
    )
    assert (error.exit_code, System("x").exit_code) == (Exit.USAGE, Exit.FAILED)


@pytest.mark.requirement("D4")
@given(tries=st.integers(1, 60), first=st.floats(0.001, 10), most=st.floats(0.001, 100))
def test_waits_double_up_to_the_most_and_never_beyond(
    tries: int, first: float, most: float
) -> None:
    waits = list(Backoff(tries, first, most).waits(draw=lambda: 1.0))
    assert len(waits) == tries - 1
    assert waits == sorted(waits)
    assert all(wait <= most for wait in waits)


class Busy:
    """What fails for the moment, whenever it is asked."""

    calls = 0

    def __call__(self) -> None:
        self.calls += 1
        problem = "busy"
        raise Transient(problem)


def test_patience_without_end_does_not_overflow() -> None:
    waits = Backoff(tries=10**9, first=0.3, most=30.0).waits(draw=lambda: 1.0)
    assert list(islice(waits, 2000, 2001)) == [30.0]


@pytest.mark.requirement("D4")
def test_only_what_is_transient_is_tried_again() -> None:
    calls: list[AosError] = [Transient("busy"), Transient("busy"), System("broken")]
    heard: list[float] = []

    def call() -> None:
        raise calls.pop(0)

    with pytest.raises(System):
        retry(call, Backoff(5, 0.0), threading.Event(), lambda _, wait: heard.append(wait))
    assert heard == [0.0, 0.0]


def test_the_last_try_is_given_up() -> None:
    with pytest.raises(Transient):
        retry(Busy(), Backoff(2, 0.0), threading.Event())


def test_tries_that_take_long_are_bounded_by_the_time_they_have() -> None:
    busy = Busy()
    with pytest.raises(Transient):
        retry(busy, Backoff(9, 0.0), threading.Event(), within(-1.0))
    assert busy.calls == 1


def test_a_stop_ends_the_wait_at_once() -> None:
    stop = threading.Event()
    stop.set()
    busy = Busy()
    with pytest.raises(Transient):
        retry(busy, Backoff(tries=9, first=3600.0, most=3600.0), stop)
    assert busy.calls == 1


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("code", "fatal", "kind"),
    [
        (KafkaError.PRODUCER_FENCED, True, Fenced),
        (KafkaError._FENCED, True, Fenced),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, False, Configuration),
        (KafkaError.REQUEST_TIMED_OUT, False, Transient),
        (KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, True, System),
    ],
)
def test_a_kafka_error_has_its_place_in_our_tree(
    code: int, fatal: bool, kind: type[AosError]
) -> None:
    error = KafkaError(code, "no luck", fatal=fatal)
    for given_error in (error, KafkaException(error)):
        found = translated(given_error, "sending")
        assert type(found) is kind
        assert found.message == "sending: no luck"


@pytest.mark.requirement("D3")
def test_no_broker_is_a_wrong_setting() -> None:
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:9", connect_timeout_seconds=0.3)
    with pytest.raises(Configuration, match=r"kafka\.bootstrap_servers = '127\.0\.0\.1:9'"):
        check_reachable(settings)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("code", "setting"),
    [
        (KafkaError._AUTHENTICATION, "kafka.password"),
        (KafkaError._SSL, "kafka.security_protocol = 'SASL_SSL'"),
        (KafkaError._ALL_BROKERS_DOWN, "kafka.bootstrap_servers = 'kafka:9093'"),
    ],
)
def test_why_no_broker_will_have_us_is_told_by_the_setting(code: int, setting: str) -> None:
    settings = KafkaSettings(
        bootstrap_servers="kafka:9093",
        security_protocol="SASL_SSL",
        username="aos",
        password="hush",
    )
    told = unreachable(settings, [KafkaError(code), KafkaError(KafkaError._TRANSPORT)])
    assert setting in str(told)
    assert "hush" not in str(told)


@pytest.mark.requirement("D3")
def test_a_port_that_does_not_speak_tls_is_a_wrong_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    with server.accept()[0] as caller:
                        caller.sendall(b"what is that?")

        threading.Thread(target=answer, daemon=True).start()
        settings = KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{server.getsockname()[1]}",
            security_protocol="SSL",
            connect_timeout_seconds=3,
        )
        with pytest.raises(Configuration, match=r"kafka\.security_protocol = 'SSL'.*ca_file"):
            check_reachable(settings)


def test_a_login_is_passed_on_and_not_shown() -> None:
    settings = KafkaSettings(username="aos", password="hush", ca_file="/ca.pem")
    config = settings.client(group_id="g")
    assert (config["sasl.password"], config["ssl.ca.location"]) == ("hush", "/ca.pem")
    assert "hush" not in repr(settings)


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_a_person_before_a_terminal_reads_plain_lines(request: pytest.FixtureRequest) -> None:
    out, root = Terminal(), logging.getLogger()
    before = root.handlers[:]
    request.addfinalizer(lambda: root.handlers.__setitem__(slice(None), before))
    logs.configure("info", out, stage="sink")
    request.addfinalizer(lambda: logging.captureWarnings(capture=False))
    logging.getLogger("aos").info("loaded %d", 3, extra={"topic": "t"})
    time, level, message = out.getvalue().split(None, 2)
    assert (len(time), level, message) == (8, "INFO", "loaded 3\n")


@pytest.mark.requirement("D5")
def test_a_log_line_is_an_object_with_context_in_utc(request: pytest.FixtureRequest) -> None:
    out = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:]
    request.addfinalizer(lambda: root.handlers.__setitem__(slice(None), before))
    logs.configure("info", out, stage="sink", run="r1")
    request.addfinalizer(lambda: logging.captureWarnings(capture=False))
    logging.getLogger("aos").info("loaded %d", 3, extra={"topic": "t"})
    try:
        raise DataQuality("odd", reason="odd")  # noqa: EM101
    except DataQuality:
        logging.getLogger("aos").exception("failed")
    first, second = (json.loads(line) for line in out.getvalue().splitlines())
    assert (first["message"], first["stage"], first["topic"]) == ("loaded 3", "sink", "t")
    assert first["time"].endswith("+00:00")
    assert "DataQuality: odd" in second["trace"]
