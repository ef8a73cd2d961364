"""The stream's memory: revisions that rise, hours told apart, no trace of a failed batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.revisions import ALONE, MOST_BATCHES, STEP, revision_of
from stream_app.window.folds import key_order
from stream_app.window.state import PARTITION_KEY, Overlay, State, schema_of_key
from tests.raw_records import local

NIGHT = local("2013-11-03T01:00:00")


def copied(state: State, generation: int = 0) -> State:
    """Restore a state from what an overlay writes to the topic."""
    restored = State(generation)
    overlay = state.overlay()
    for key, _, record in overlay.changes():
        restored.restore(key, record)
    return restored


def test_revisions_rise_with_every_batch_and_jump_with_every_generation() -> None:
    state = State(generation=0)
    first = state.overlay()
    first.commit()
    assert state.overlay().revision == first.revision + STEP
    assert State(generation=1).overlay().revision - ALONE > revision_of(0, MOST_BATCHES - 1)


def test_a_batch_that_is_not_committed_leaves_no_trace() -> None:
    state = State(generation=0)
    overlay = state.overlay()
    overlay.fold("JFK:wind", NIGHT, "7")
    assert state.folds == {}
    assert state.overlay().revision == overlay.revision


@given(keys=st.lists(st.integers(1, 10**9), min_size=1, max_size=4, unique=True))
def test_the_row_that_was_written_first_is_summer_time(keys: list[int]) -> None:
    state = State(generation=0)
    for key in sorted(keys):
        overlay = state.overlay()
        assert overlay.fold("s", NIGHT, str(key)) == (0 if key == min(keys) else 1)
        overlay.commit()


@pytest.mark.requirement("B10", "D4")
def test_the_second_row_moves_on_when_the_first_comes_after_it() -> None:
    state = State(generation=0)
    alone = state.overlay()
    assert alone.fold("s", NIGHT, "9", raw_offset=40) == 0
    assert alone.displaced == []
    alone.commit()
    after = state.overlay()
    assert after.fold("s", NIGHT, "7", raw_offset=41) == 0
    assert after.displaced == [("s", 40)]
    after.commit()
    again = state.overlay()
    assert [again.fold("s", NIGHT, key, raw_offset=42) for key in ("9", "7")] == [1, 0]
    assert again.displaced == []


def test_hours_written_down_before_offsets_were_kept_are_read() -> None:
    state = State(generation=0)
    state.restore("s", {"observed_local": [NIGHT], "source_keys": ["9"]})
    overlay = state.overlay()
    assert [overlay.fold("s", NIGHT, key) for key in ("7", "9")] == [0, 1]
    assert overlay.displaced == []


def test_a_row_that_comes_again_gets_the_same_answer() -> None:
    overlay = State(generation=0).overlay()
    answers = [overlay.fold("s", NIGHT, key) for key in ("9", "10", "9", "10")]
    assert answers == [0, 1, 0, 1]


def test_nights_and_sensors_are_kept_apart() -> None:
    overlay = State(generation=0).overlay()
    assert overlay.fold("a", NIGHT, "1") == overlay.fold("b", NIGHT, "2") == 0
    assert overlay.fold("a", NIGHT + 60_000_000, "3") == 0


def test_what_is_a_year_old_is_forgotten() -> None:
    state = State(generation=0)
    for key, night in (("1", NIGHT), ("2", local("2014-11-02T01:00:00"))):
        overlay = state.overlay()
        overlay.fold("s", night, key)
        overlay.commit()
    assert [entry.key for entry in state.folds["s"]] == ["2"]


def test_the_state_comes_back_from_its_topic() -> None:
    state = State(generation=3)
    overlay = state.overlay()
    overlay.fold("s", NIGHT, "9")
    records = list(overlay.changes())
    overlay.commit()
    restored = State(generation=3)
    for key, schema, record in records:
        assert schema == schema_of_key(key)
        restored.restore(key, record)
    assert records[-1][0] == PARTITION_KEY, "what stands behind it is not known to be complete"
    assert restored.folds == state.folds


def test_positions_come_back_and_no_batch_gets_the_number_of_one_that_died_half_way() -> None:
    state = State(generation=0)
    overlay = state.overlay()
    overlay.positions["raw"] = 7
    restored = copied_of(overlay)
    died = restored.overlay()
    assert restored.positions == {"raw": 7}
    assert died.revision > overlay.revision + 1


def copied_of(overlay: Overlay) -> State:
    restored = State(generation=0)
    for key, _schema, record in overlay.changes():
        restored.restore(key, record)
    return restored


def test_a_new_generation_starts_its_batches_anew_and_an_old_one_is_outrun() -> None:
    old = State(generation=1, batch=500)
    assert copied(old, generation=2).overlay().revision == revision_of(2, 1)
    assert copied(old, generation=0).overlay().revision == revision_of(1, 503)


def test_numeric_keys_are_ordered_by_size() -> None:
    assert sorted(["100", "20", "3"], key=key_order) == ["3", "20", "100"]
    assert schema_of_key(PARTITION_KEY) == "partition_state"
