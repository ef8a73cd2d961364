"""Turns: whoever computes waits while the database is asked, but never for long."""

from __future__ import annotations

import threading

from sink.turns import Turns


def test_others_go_on_as_soon_as_nothing_is_asked() -> None:
    turns, gone_on = Turns(), threading.Event()
    turns.ask()
    other = threading.Thread(target=lambda: (_wait_for_good(turns), gone_on.set()))
    other.start()
    assert not gone_on.wait(0.05)
    turns.rest()
    assert gone_on.wait(10)
    other.join()


def test_others_go_on_though_it_is_asked_for_ever() -> None:
    turns = Turns()
    turns.ask()
    turns.wait()


def test_the_database_is_asked_again_behind_what_keeps_it_busy() -> None:
    turns = Turns()
    with turns.asking():
        turns.rest()
        assert turns.quiet
    assert not turns.quiet
    with turns.busy():
        assert turns.quiet
    assert not turns.quiet


def _wait_for_good(turns: Turns) -> None:
    while not turns.quiet:
        turns.wait()
