"""What is told of: a few rules over the last looks, on rates and freshness. Pure.

They are the small sister of ``deploy/prometheus/alerts.yml``, for deployments without Prometheus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from operate.alerts.samples import Snapshot
from operate.alerts.settings import AlertSettings

CRITICAL: Final = "critical"
WARNING: Final = "warning"
_LOADED: Final = ("inserted", "updated", "skipped")
_PACE_FLOOR: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is so now.

    Attributes:
        about: what of several it is about: a stage, a topic, a parameter.
        runbook: the file that says what to do.
    """

    name: str
    about: str
    severity: str
    summary: str
    runbook: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two of them the same."""
        return self.name, self.about


Found = Mapping[str, str]
"""What a rule finds: about what, and in words."""
Check = Callable[[Sequence[Snapshot], AlertSettings], Found]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for in the looks of the last while, the newest at the end."""

    name: str
    severity: str
    runbook: str
    check: Check


def evaluate(looks: Sequence[Snapshot], settings: AlertSettings) -> list[Alert]:
    """Give all that is so now."""
    return [
        Alert(rule.name, about, rule.severity, told, rule.runbook)
        for rule in RULES
        for about, told in rule.check(looks, settings).items()
    ]


def rates(looks: Sequence[Snapshot], name: str, by: str = "") -> dict[str, float]:
    """Give how much a counter grows a second; one that began anew is counted from nought."""
    seconds = looks[-1].at - looks[0].at
    if seconds <= 0:
        return {}
    grown: dict[str, float] = {}
    for before, after in pairwise(looks):
        earlier = before.of(name, by)
        for key, value in after.of(name, by).items():
            since = earlier.get(key)
            step = 0.0 if since is None else value - since if value >= since else value
            grown[key] = grown.get(key, 0.0) + step
    return {key: value / seconds for key, value in grown.items()}


def _stage_down(looks: Sequence[Snapshot], _settings: AlertSettings) -> Found:
    return {stage: f"stage {stage} does not answer" for stage, up in looks[-1].up.items() if not up}


def _lag_grows(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    lag = looks[-1].of("aos_sink_lag_records").get("", 0.0)
    before = looks[0].of("aos_sink_lag_records").get("", lag)
    pace = sum(sum(rates(looks, f"aos_sink_{part}_rows_total").values()) for part in _LOADED)
    seconds = lag / max(pace, _PACE_FLOOR)
    if lag < before or seconds <= settings.lag_seconds or lag <= 0:
        return {}
    return {"sink": f"{lag:,.0f} records wait, {pace:,.1f} a second are loaded"}


def _database_away(looks: Sequence[Snapshot], _settings: AlertSettings) -> Found:
    found = {}
    if looks[-1].most("aos_sink_database_circuit").get("", 0.0) > 0:
        found["sink"] = "the database that the sink loads does not take batches"
    sources = looks[-1].most("aos_source_database_circuit", "endpoint")
    return found | {
        f"source {endpoint}": f"AOS at {endpoint} does not answer"
        for endpoint, state in sources.items()
        if state > 0
    }


def _dead_letters(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    counted = {
        **rates(looks, "aos_stream_dead_letters_total", "topic"),
        **rates(looks, "aos_sink_dead_letters_total", "topic"),
    }
    return {
        topic: f"{60 * rate:.1f} records of {topic} a minute cannot be used"
        for topic, rate in counted.items()
        if 60 * rate > settings.dead_letters_per_minute
    }


def _silent_sensors(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    known = looks[-1].of("aos_stream_silent_sensors", "parameter")
    return {
        parameter: f"{number:.0f} sensors of {parameter} are silent"
        for parameter, number in known.items()
        if number >= settings.silent_sensors
    }


def _late(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    ages = looks[-1].most("aos_stream_watermark_age_seconds", "parameter")
    return {
        parameter: f"the oldest of the newest readings of {parameter} is {age / 3600:.1f} h old"
        for parameter, age in ages.items()
        if age > settings.late_seconds
    }


def _hanging(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    held = looks[-1].most("aos_source_held_seconds", "table")
    return {
        table: f"an open transaction holds {table} back by {seconds:,.0f} s"
        for table, seconds in held.items()
        if seconds > settings.lag_seconds
    }


def _quality_drops(looks: Sequence[Snapshot], settings: AlertSettings) -> Found:
    worth = rates(looks, "aos_stream_score_ratio_sum", "parameter")
    counted = rates(looks, "aos_stream_score_ratio_count", "parameter")
    low = rates(looks, "aos_stream_low_readings_total", "parameter")
    found = {}
    for parameter, rate in counted.items():
        share = low.get(parameter, 0.0) / rate if rate else 0.0
        mean = worth.get(parameter, 0.0) / rate if rate else 1.0
        if share > settings.low_share or mean < 1.0 - settings.low_share:
            found[parameter] = f"readings of {parameter} have a mean score of {mean:.2f}"
    return found


def _jobs_fail(looks: Sequence[Snapshot], _settings: AlertSettings) -> Found:
    return {job: f"{job} has failed" for job, number in looks[-1].failed_jobs.items() if number}


RULES: Final = (
    Rule("StageDown", CRITICAL, "stage-down.md", _stage_down),
    Rule("SinkLagGrows", WARNING, "lag-grows.md", _lag_grows),
    Rule("DatabaseAway", CRITICAL, "database-full.md", _database_away),
    Rule("DeadLetters", WARNING, "dead-letters.md", _dead_letters),
    Rule("SensorsSilent", WARNING, "silent-sensors.md", _silent_sensors),
    Rule("ReadingsLate", WARNING, "silent-sensors.md", _late),
    Rule("HangingTransaction", WARNING, "hanging-transaction.md", _hanging),
    Rule("QualityDrops", WARNING, "quality-drops.md", _quality_drops),
    Rule("JobFailed", WARNING, "jobs.md", _jobs_fail),
)
