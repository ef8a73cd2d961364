"""Which endpoint is asked, when it is left, and whether it is the same database at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Connection, create_engine, text

from producers.connection.endpoint import Endpoint, StrangerError
from producers.connection.endpoints import Endpoints
from producers.connection.faults import Away, Busy
from producers.settings import SourceSettings
from producers.waiting import Waiting
from runtime.breaker import Breaker, Circuit
from runtime.errors import AosError, Configuration, Transient
from tests.sources import create, hourly, insert

pytestmark = pytest.mark.requirement("A5")


class Fake(Endpoint):
    """An endpoint that answers with its own name, or fails as it was told to."""

    def __init__(self, name: str, clock: Any, *fails: AosError) -> None:
        super().__init__(create_engine("sqlite://"), 60, Breaker(failures=3, clock=clock))
        self.name = name
        self.asked = 0
        self.fails = list(fails)

    def ask(self, doing: str, work: Any, isolation: str | None = None) -> Any:
        self.asked += 1
        if self.fails:
            raise self.fails.pop(0)
        return self.name


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ask(*endpoints: Fake) -> str:
    return cast("str", Endpoints([*endpoints]).ask("asking", lambda _c: None))


def test_the_next_endpoint_answers_the_very_question_that_broke_off(clock: Clock) -> None:
    first, second = Fake("a", clock, Away("cut")), Fake("b", clock)
    assert ask(first, second) == "b"
    assert first.breaker.state is Circuit.OPEN
    assert first.error == "cut"


def test_while_its_breaker_is_open_an_endpoint_is_not_asked(clock: Clock) -> None:
    first, second = Fake("a", clock, Away("cut")), Fake("b", clock)
    endpoints = Endpoints([first, second])
    assert [endpoints.ask("asking", lambda _c: None) for _ in range(3)] == ["b", "b", "b"]
    assert first.asked == 1


@pytest.mark.requirement("D4")
def test_a_deadlock_stays_where_it_is_and_three_in_a_row_do_not(clock: Clock) -> None:
    first, second = Fake("a", clock, *[Transient("deadlock")] * 3), Fake("b", clock)
    endpoints = Endpoints([first, second])
    for _ in range(3):
        with pytest.raises(Transient, match="deadlock"):
            endpoints.ask("asking", lambda _c: None)
    assert endpoints.ask("asking", lambda _c: None) == "b"


@pytest.mark.requirement("D3")
def test_a_mapping_that_is_wrong_is_wrong_everywhere(clock: Clock) -> None:
    first, second = Fake("a", clock, Configuration("no table")), Fake("b", clock)
    with pytest.raises(Configuration, match="no table"):
        ask(first, second)
    assert second.asked == 0


@pytest.mark.requirement("D4")
def test_a_server_that_throttles_is_left_alone_for_as_long_as_it_says(clock: Clock) -> None:
    only = Fake("a", clock, Busy("40501", seconds=10))
    endpoints = Endpoints([only])
    with pytest.raises(Busy):
        endpoints.ask("asking", lambda _c: None)
    clock.now = 9.9
    with pytest.raises(Away, match=r"no endpoint.*40501"):
        endpoints.ask("asking", lambda _c: None)
    clock.now = 10.0
    assert endpoints.ask("asking", lambda _c: None) == "a"


@pytest.mark.requirement("D4")
def test_a_table_waits_as_long_as_the_server_says_and_some_more() -> None:
    assert Waiting(clock=lambda: 0.0).lengthen(10.0) >= 10.0


def test_when_nobody_answers_the_error_is_that_of_the_preferred_one(clock: Clock) -> None:
    with pytest.raises(Away, match="first"):
        ask(Fake("a", clock, Away("first")), Fake("b", clock, Away("second")))


def copies(tmp_path: Path, **changes: Any) -> Endpoints:
    one = create(tmp_path / "one.db")
    insert(one, "hourly", [hourly(1)])
    shutil.copy(one, tmp_path / "two.db")
    urls = [f"sqlite:///{tmp_path / name}" for name in ("one.db", "two.db")]
    given = {"url": urls[0], "endpoints": urls[1:], "mapping": "m.yaml", **changes}
    return Endpoints.open(SourceSettings.model_validate(given))


def file_of(connection: Connection) -> str:
    return Path(connection.execute(text("PRAGMA database_list")).one()[2]).name


def test_two_files_are_two_databases_and_the_preferred_one_decides(tmp_path: Path) -> None:
    endpoints = copies(tmp_path)
    identity = endpoints.settle(lambda: None)
    assert identity.endswith("one.db")
    assert [*endpoints.circuits.values()] == [Circuit.CLOSED, Circuit.OPEN]
    endpoints.dispose()


def test_the_database_that_cursors_belong_to_is_read_even_where_it_comes_second(
    tmp_path: Path,
) -> None:
    endpoints = copies(tmp_path)
    second = f"sqlite:file:{tmp_path / 'two.db'}"
    assert endpoints.settle(lambda: second) == second
    assert endpoints.ask("asking", file_of) == "two.db"
    endpoints.dispose()


def test_copies_that_are_vouched_for_are_endpoints_of_each_other(tmp_path: Path) -> None:
    endpoints = copies(tmp_path, identity="aos-2024")
    assert endpoints.settle(lambda: None) == "aos-2024"
    assert [*endpoints.circuits.values()] == [Circuit.CLOSED, Circuit.CLOSED]
    assert endpoints.ask("asking", file_of) == "one.db"
    endpoints.dispose()


def test_an_endpoint_that_turns_out_to_be_another_database_is_refused(tmp_path: Path) -> None:
    endpoints = copies(tmp_path)
    endpoints.settle(lambda: None)
    [stranger] = [e for e in endpoints._endpoints if e.error]
    with pytest.raises(StrangerError, match=r"two\.db.*Mend: take it out") as caught:
        stranger.ask("asking", file_of)
    assert "\n" not in str(caught.value)
    endpoints.dispose()
