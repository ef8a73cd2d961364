"""The settings of jobs: what is wrong stops the start, and not the job on some night."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from operate.jobs.config import JobConfig
from operate.jobs.scheduler import check
from operate.jobs.settings import JobsSettings, Missed
from runtime.errors import Configuration

pytestmark = pytest.mark.requirement("D1", "D2a")
NIGHTLY = {"job": "quality_check", "cron": "0 1 * * *"}


def test_the_schedules_that_are_built_in_can_be_asked_for() -> None:
    check(JobsSettings())
    crons = {name: schedule.cron for name, schedule in JobsSettings().schedules.items()}
    assert crons["daily_import"] == "0 0 * * *"
    assert crons["retention_cleanup"] == "0 2 * * 0"
    assert crons["quality_report"].endswith(" 1")


def test_what_is_given_stands_beside_what_is_built_in_and_null_takes_it_away() -> None:
    given = JobsSettings.model_validate(
        {
            "schedules": {"reconcile": None, "nightly": {**NIGHTLY, "missed": "all"}},
            "queues": {"quality": {"most": 4}},
        }
    )
    assert "reconcile" not in given.schedules
    assert given.schedules["nightly"].missed is Missed.ALL
    assert [given.queues[queue].most for queue in given.queues] == [2, 4, 1]


@pytest.mark.parametrize(
    "given",
    [
        {"zone": "Mars/Olympus"},
        {"schedules": {"a": {**NIGHTLY, "cron": "at noon"}}},
        {"queues": {"quality": {"least": 3, "most": 1}}},
        {"queues": {"tea": {}}},
        {"triggers": {"a": {"on": "full moon"}}},
        {"stalled_seconds": 5.0, "heartbeat_seconds": 5.0},
        {"compliance_days": 0},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobsSettings.model_validate(given)


@pytest.mark.parametrize(
    "given",
    [
        {"schedules": {"a": {**NIGHTLY, "job": "tea"}}},
        {"schedules": {"a": {**NIGHTLY, "then": ["tea"]}}},
        {"schedules": {"a": {**NIGHTLY, "config": {"statoins": []}}}},
        {"schedules": {"a": {**NIGHTLY, "config": {"years": "last"}}}},
        {"triggers": {"a": {"on": "silence", "job": "tea"}}},
    ],
)
def test_what_could_not_be_started_is_refused_at_the_start(given: dict[str, Any]) -> None:
    with pytest.raises(Configuration):
        check(JobsSettings.model_validate(given))


def test_a_job_keeps_only_what_was_asked_for() -> None:
    given = {"stations": ["JFK"], "quality_threshold": 0.7, "batch_size": 500}
    assert JobConfig.of(given).as_document() == {"stations": ["JFK"], "batch_size": 500}
    assert JobConfig.of(JobConfig.of(given).as_document()) == JobConfig.of(given)
