"""The sink's patience, its watch over topics, and what it tells Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from runtime.breaker import Breaker, Circuit
from runtime.errors import System, Transient
from sink.batch import Counts
from sink.identity import TopicWatch
from sink.metrics import SinkMetrics
from sink.patience import Patience, breaker_of
from sink.settings import SinkSettings


class Away:
    """Something that is away for some calls."""

    def __init__(self, failures: int, error: type[Exception] = Transient) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            problem = "away"
            raise self._error(problem)
        return "here"


@pytest.mark.requirement("D4")
def test_what_comes_back_is_answered_and_closes_the_circuit() -> None:
    breaker, told = breaker_of(0.01), list[Circuit]()
    away = Away(failures=5)
    patience = Patience(breaker, threading.Event(), lambda _error: told.append(breaker.state))
    assert patience.call(away) == "here"
    assert told == [Circuit.CLOSED] * 2 + [Circuit.OPEN] * 3
    assert breaker.state is Circuit.CLOSED


@pytest.mark.requirement("D4")
def test_nobody_is_asked_while_the_circuit_is_open_and_a_stop_ends_the_wait() -> None:
    breaker, halt = Breaker(failures=1, clock=lambda: 0.0), threading.Event()
    away = Away(failures=99)
    timer = threading.Timer(0.3, halt.set)
    timer.start()
    with pytest.raises(Transient):
        Patience(breaker, halt, lambda _error: None).call(away)
    timer.join()
    assert away.calls == 1


@pytest.mark.requirement("D3")
def test_what_waiting_does_not_mend_is_passed_on_at_once() -> None:
    away = Away(1, System)
    with pytest.raises(System):
        Patience(breaker_of(1), threading.Event(), lambda _error: None).call(away)
    assert away.calls == 1


class Ids:
    """A broker that knows the ids of topics; the answer comes when it is given."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Future[Any]]] = []

    def __call__(self, topics: Collection[str]) -> dict[str, Future[Any]]:
        self.asked.append({topic: Future() for topic in topics})
        return self.asked[-1]

    def answer(self, **ids: str | Exception) -> None:
        for topic, number in ids.items():
            future = self.asked[-1][topic]
            if isinstance(number, Exception):
                future.set_exception(number)
            else:
                future.set_result(SimpleNamespace(topic_id=number))


@pytest.mark.requirement("C2")
def test_another_topic_of_the_same_name_is_noticed_once() -> None:
    ids, now = Ids(), [0.0]
    watch = TopicWatch(["a", "b"], ids, clock=lambda: now[0])
    answers = [
        ({"a": "1", "b": "2"}, False),
        ({"a": "1", "b": Transient("gone")}, False),
        ({"a": "1", "b": "3"}, True),
        ({"a": "1", "b": "3"}, False),
    ]
    for answer, changed in answers:
        assert not watch.changed(), "before there is an answer"
        ids.answer(**answer)
        assert watch.changed() is changed
        now[0] += 60
    assert len(ids.asked) == len(answers)


@pytest.mark.requirement("D5")
def test_metrics_tell_what_became_of_records_and_whether_the_database_is_away() -> None:
    registry, breaker = CollectorRegistry(), breaker_of(60)
    metrics = SinkMetrics(registry, breaker)
    counts = Counts(10, inserted=4, updated=3, skipped=2, dead_lettered=1)
    metrics.loaded({"t": counts}, 0.2, 0.05)
    metrics.behind(7, 3)
    breaker.fail(for_sure=True)
    found = {
        (s.name, s.labels.get("topic")): s.value for m in registry.collect() for s in m.samples
    }
    assert found["aos_sink_inserted_rows_total", "t"] == 4
    assert found["aos_sink_updated_rows_total", "t"] == 3
    assert found["aos_sink_skipped_rows_total", "t"] == 2
    assert found["aos_sink_dead_letters_total", "t"] == 1
    assert found["aos_sink_batch_seconds_count", None] == 1
    assert found["aos_sink_lag_records", None] == 7
    assert found["aos_sink_database_circuit", None] == 2


def test_a_revoke_that_may_take_longer_than_a_poll_is_a_wrong_setting() -> None:
    with pytest.raises(ValidationError, match="poll_interval_seconds"):
        SinkSettings(revoke_seconds=400)
