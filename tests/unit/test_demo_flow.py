"""How the demo sees what the tables took in, while the sink goes on loading."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from operate.demo.flow import loaded_so_far


class CommittingTables:
    """Answers as the tables do when a batch of seven rows commits between two questions."""

    def __init__(self) -> None:
        self._batches = 1

    def execute(self, query: str, _values: tuple[str, ...]) -> SimpleNamespace:
        rows = 7 * self._batches
        self._batches += 1
        answer = ("t", rows, rows) if "sink_batch" in query else ("t", 0, rows)
        return SimpleNamespace(fetchall=lambda: [answer])


def test_what_the_positions_show_as_loaded_is_in_the_counts() -> None:
    positions, loaded = loaded_so_far(cast("Any", CommittingTables()), "the sink")
    (_, _, after), (_, records, inserted) = positions[0], loaded[0]
    assert records >= after
    assert inserted >= after
