"""What a clean reading is worth, and what becomes of one below the threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from schemas.codec import Decoder, Record
from schemas.topics import clean_schema
from stream_app.judging.encoding import CleanEncoder
from stream_app.judging.judge import Judge
from stream_app.judging.judged import Judged
from stream_app.judging.worth import Bar, worth
from stream_app.metadata.sensors import Sensor
from stream_app.metrics import StreamMetrics
from stream_app.outputs.records import Finished
from stream_app.settings import StreamSettings
from stream_app.window.state import State
from tests.raw_batches import TOPICS, Columns, Schemas, encoded, records
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, mapping, metadata
from weather.arrays import Flags
from weather.qc.flags import Flag, flags_like
from weather.score_policy import Policy

pytestmark = pytest.mark.requirement("B8")

NEVER_WAS = local("2013-03-10T02:30:00")


def judged(*readings: Record, known: bool = True) -> Judged:
    """Judge humidities of a sensor."""
    schemas, name = Schemas(), "JFK:humidity"
    sensors = {name: Sensor(metadata(name, interval(0)))} if known else {}
    columns = Columns(schemas, Judge(sensors, {("sample", 1): mapping("humidity")}))
    made = records("humidity", encoded(schemas, "humidity", readings))
    return columns.step({"humidity": made}, State(0).overlay()).judged["humidity"]


def sent(found: Judged, bar: Bar, flags: dict[str, Flags] | None = None) -> list[Record]:
    """Encode readings as the stream does."""
    schemas = Schemas()
    schema_id = schemas.id_of("", clean_schema("humidity"))
    encode = CleanEncoder("humidity", schema_id, TOPICS.raw("humidity"), 0, bar)
    decode = Decoder(clean_schema("humidity"), schemas.schema_of)
    return [decode(one) for one in encode(found, flags or {}, 1, 0).bytes()]


def reading(value: float | None, **changes: Any) -> Record:
    return raw("humidity", value=value, **changes)


def counted(found: Judged, bar: Bar) -> Callable[..., float | None]:
    """Count a committed batch, and give what finds a sample of its metrics."""
    registry = CollectorRegistry()
    finished = Finished(found, {}, np.zeros(len(found.utc), np.bool_))
    metrics = StreamMetrics(registry)
    metrics.committed(metrics.counted([], [finished.weighed(bar)], {}, 0), 0.1)
    return lambda name, **labels: registry.get_sample_value(
        f"aos_stream_{name}", {"parameter": "humidity", **labels}
    )


FLAGS = ("good", "suspect", "fail", "missing")
MIXED = (reading(60.0), reading(103.0), reading(150.0), reading(None))
"""Good, suspect, failed and missing."""


def test_a_reading_is_worth_the_product_of_what_its_flags_say() -> None:
    doubtful = reading(103.0, observed_local=NEVER_WAS)
    found = judged(*MIXED, doubtful)
    assert worth(found, {}, Bar()).score.tolist() == [1.0, 0.5, 0.0, 0.0, 0.25]
    consistency = {"flag_consistency": flags_like(5, Flag.SUSPECT)}
    assert worth(found, consistency, Bar()).score.tolist() == [0.5, 0.25, 0.0, 0.0, 0.125]


def test_what_a_reading_is_worth_does_not_depend_on_when_its_row_was_read() -> None:
    late = reading(60.0, extracted_at=local("2013-07-03T17:00:00"))
    assert worth(judged(reading(60.0), late), {}, Bar()).score.tolist() == [1.0, 1.0]


def test_what_nobody_could_judge_has_no_score_and_is_never_below() -> None:
    [record] = sent(judged(reading(60.0), known=False), Bar(Policy.HOLD, 1.0))
    assert (record["flag"], record["score"], record["value"]) == (2, None, 60.0)
    assert record["reason"] == "no_metadata"


def test_below_the_threshold_a_reading_is_marked() -> None:
    told = [record["reason"] for record in sent(judged(*MIXED), Bar())]
    assert told == [None, "range_suspect,low_score", "range,low_score", "missing"]
    told = [record["reason"] for record in sent(judged(*MIXED), Bar(threshold=0.5))]
    assert told == [None, "range_suspect", "range,low_score", "missing"]


def test_a_held_reading_is_sent_without_its_value_but_with_what_was_measured() -> None:
    held = sent(judged(*MIXED), Bar(Policy.HOLD))
    assert [record["value"] for record in held] == [60.0, None, None, None]
    assert [record["raw_value"] for record in held] == [60.0, 103.0, 150.0, None]
    assert [record["reason"] for record in held] == [
        None,
        "range_suspect,held",
        "range,held",
        "missing",
    ]
    assert [record["flag"] for record in held] == [1, 3, 4, 9]


def test_a_deletion_is_worth_nothing_and_nothing_of_it_is_held() -> None:
    gone = judged(reading(150.0, op="delete"))
    assert not worth(gone, {}, Bar()).low.any()
    [record] = sent(gone, Bar(Policy.HOLD))
    assert (record["score"], record["reason"]) == (None, "deleted")


def test_an_alert_changes_nothing_and_is_counted() -> None:
    bar = Bar(Policy.ALERT)
    assert worth(judged(*MIXED), {}, bar).alerted.tolist() == [False, True, True, False]
    assert [r["reason"] for r in sent(judged(*MIXED), bar)][1] == "range_suspect"
    assert counted(judged(*MIXED), bar)("low_readings_total") == 2.0


@pytest.mark.requirement("D5")
def test_verdicts_are_counted_by_flag_by_test_and_by_what_they_are_worth() -> None:
    gone = reading(150.0, op="delete")
    value = counted(judged(*MIXED, gone), Bar())
    assert [value("flagged_readings_total", flag=name) for name in FLAGS] == [1, 1, 1, 1]
    assert value("issue_readings_total", test="range") == 2
    assert value("issue_readings_total", test="time") is None
    assert value("score_ratio_count") == 4
    assert value("score_ratio_sum") == 1.5
    assert value("corrected_readings_total") == 1  # 103 % is clamped


@pytest.mark.parametrize("wrong", [{"quality_threshold": 1.1}, {"quality_policy": "drop"}])
def test_a_threshold_or_policy_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        StreamSettings(**wrong)
