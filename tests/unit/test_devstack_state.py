"""A stack remembers its ports and its processes, and tells two starts apart."""

from __future__ import annotations

import fcntl
import socket
import stat
from pathlib import Path

import pytest

from devstack.process import Running
from devstack.state import LOOPBACK, PORTS, State, free_port, is_free, locked
from runtime.errors import System


def test_a_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = State("postgres", "secret", {"kafka": 20_001}, {"kafka": Running(123, 1.5)})
    saved.save(tmp_path / "state.json")
    assert State.load(tmp_path / "state.json") == saved


def test_a_saved_state_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    State().save(path)
    State().save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_new_stack_has_a_password_of_its_own(tmp_path: Path) -> None:
    first, second = State.load(tmp_path / "a.json"), State.load(tmp_path / "b.json")
    assert first.password != second.password
    assert len(first.password) >= 20


@pytest.mark.parametrize("content", ["", "[]", '{"database": "timescale"}', '{"processes": 3}'])
def test_a_state_that_is_not_ours_is_a_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(System, match=r"state\.json cannot be read") as refused:
        State.load(path)
    assert refused.value.mend


def test_a_port_is_kept_as_long_as_it_is_free() -> None:
    state = State()
    state.keep_port("kafka")
    kept = state.ports["kafka"]
    state.keep_port("kafka")
    assert state.ports["kafka"] == kept


def test_a_port_that_a_stranger_has_taken_is_given_up() -> None:
    state = State()
    state.keep_port("kafka")
    kept = state.ports["kafka"]
    with socket.socket() as stranger:
        stranger.bind((LOOPBACK, kept))
        stranger.listen()
        assert not is_free(kept)
        state.keep_port("kafka")
    assert state.ports["kafka"] != kept


def test_a_free_port_is_not_one_that_another_part_was_given() -> None:
    last = PORTS.stop - 1
    assert free_port(avoid=range(PORTS.start, last)) == last


def test_no_free_port_at_all_is_a_clear_error() -> None:
    with pytest.raises(System, match="no free port"):
        free_port(avoid=PORTS)


def test_a_lock_keeps_others_out_until_it_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    with locked(path), path.open("a") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
