"""What a station says of its own sensors fails their readings, where the mapping says how."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codec import Record
from schemas.mapping import Mapping
from stream_app.judging.judge import Judge
from stream_app.window.state import State
from tests.raw_batches import Columns, Schemas, encoded, records
from tests.raw_records import raw
from tests.unit.stream_fakes import mapping


def how(health: dict[str, Any] | None, flag: str | None = "status") -> Mapping:
    document = mapping("temperature").model_dump(mode="json")
    document["tables"][0]["flag"] = flag
    document["tables"][0]["readings"][0]["health"] = health
    return Mapping.model_validate(document)


def judged(health: dict[str, Any] | None, *words: str | None, **changes: Any) -> list[Record]:
    schemas = Schemas()
    readings = [
        raw("temperature", f"S{n}", key=str(n), source_flag=word, **changes)
        for n, word in enumerate(words)
    ]
    columns = Columns(schemas, Judge({}, {("sample", 1): how(health)}))
    batch = records("temperature", encoded(schemas, "temperature", readings))
    return columns.step({"temperature": batch}, State(0).overlay()).clean["temperature"]


@pytest.mark.requirement("B6", "B11")
def test_a_bit_of_the_status_word_fails_the_reading_and_says_why() -> None:
    found = judged({"bits": 4}, "0", "4", "7", "", None, "?")
    assert [one["flag_health"] for one in found] == [1, 4, 4, 2, 2, 2]
    assert [one["flag"] for one in found] == [2, 4, 4, 2, 2, 2]
    assert (found[1]["reason"], found[1]["score"]) == ("unwell,no_metadata,low_score", 0.0)
    assert found[1]["value"] == 12.5


@pytest.mark.requirement("B6")
def test_words_do_so_too_and_without_a_word_in_the_mapping_nothing_is_asked() -> None:
    found = judged({"words": ["E"]}, "ok", "E", None)
    assert [one["flag_health"] for one in found] == [1, 4, 2]
    assert [one["flag_health"] for one in judged(None, "ok", "E")] == [2, 2]
    (gone,) = judged({"bits": 1}, "1", op="delete")
    assert (gone["flag"], gone["flag_health"]) == (2, 2)


@pytest.mark.requirement("A2")
@pytest.mark.parametrize(
    ("health", "flag"),
    [({}, "status"), ({"bits": 1, "words": ["E"]}, "status"), ({"bits": 1}, None)],
)
def test_a_health_that_nobody_could_read_is_refused(
    health: dict[str, Any], flag: str | None
) -> None:
    with pytest.raises(ValidationError):
        how(health, flag)
