"""What a dead letter says of itself."""

from __future__ import annotations

import pytest

from runtime.errors import DataQuality
from schemas.dead_letters import Stage, headers


def _caught(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.requirement("C5")
def test_headers_carry_the_names_of_kafka_connect() -> None:
    error = _caught(DataQuality("speed is text", reason="undecodable", mend="ask the source"))
    found = dict(
        headers("aos.raw.wind.v1", 3, 42, Stage.DECODING, error, connector="aos-stream", task=1)
    )
    trace = found.pop("__connect.errors.exception.stacktrace")
    assert b"speed is text" in trace
    assert found == {
        "__connect.errors.topic": b"aos.raw.wind.v1",
        "__connect.errors.partition": b"3",
        "__connect.errors.offset": b"42",
        "__connect.errors.connector.name": b"aos-stream",
        "__connect.errors.task.id": b"1",
        "__connect.errors.stage": b"VALUE_CONVERTER",
        "__connect.errors.class.name": __name__.encode(),
        "__connect.errors.exception.class.name": b"runtime.errors.DataQuality",
        "__connect.errors.exception.message": b"speed is text",
        "aos.reason": b"undecodable",
    }


def test_an_error_that_is_not_ours_gives_its_class_as_reason() -> None:
    found = dict(headers("t", 0, 0, Stage.LOADING, ValueError("\ud800")))
    assert found["aos.reason"] == b"ValueError"
    assert found["__connect.errors.exception.message"] == b"\\ud800"
