"""What a model adds is measured on a station that it has never seen, beside the rules alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from devstack.sample import MAPPING, build
from operate.anomaly import page
from operate.anomaly.forest import Growth
from operate.anomaly.judging import Judged, judged, stations_of
from operate.quality.faults import Case
from operate.quality.readings import read_past
from producers.settings import SourceSettings
from runtime.errors import Configuration
from weather.injection import Fault

pytestmark = [pytest.mark.requirement("B9"), pytest.mark.slow]
CASES = [Case(Fault.SPIKE, 4), Case(Fault.STUCK, 0)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Judge LaGuardia by what was learnt of Kennedy in the same three weeks of May."""
    path = tmp_path_factory.mktemp("aos") / "sample.db"
    build(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "DELETE FROM weather_hourly WHERE station_id = 'EWR' "
            "OR observed_at NOT BETWEEN '2013-05-01' AND '2013-05-22'"
        )
        database.execute("DELETE FROM aws_minute")
        database.commit()
    past = read_past(SourceSettings(url=f"sqlite:///{path}", mapping=MAPPING))
    assert stations_of(past) == {"JFK", "LGA"}
    growth = Growth(trees=20, sample=128)
    return judged(past.only("weather_hourly"), ["LGA"], growth, rate=0.01, cases=CASES)


def test_healthy_readings_are_counted_by_rules_by_the_model_and_by_both(found: Judged) -> None:
    assert {one.parameter for one in found.healthy} == {
        "rainfall", "temperature", "humidity", "wind", "pressure"
    }  # fmt: skip
    for one in found.healthy:
        assert one.station == "LGA"
        assert one.readings > 400
        assert max(one.rules, one.model) <= one.all <= one.rules + one.model + one.beside


def test_both_find_at_least_what_the_rules_find(found: Judged) -> None:
    spikes = [one for one in found.faults if one.fault is Fault.SPIKE]
    assert len(spikes) == 5
    for one in found.faults:
        assert one.events > 0
        assert one.all.caught >= one.rules.caught * 0.95  # a flag more may hide which was new
        assert one.all.alarms >= one.rules.alarms
        for way in (one.rules, one.model, one.beside, one.all):
            assert way.caught <= one.events
            assert way.inside <= way.alarms
    assert all(one.rules.caught for one in spikes)


def test_the_tables_of_the_page_are_written_between_its_marks(
    found: Judged, tmp_path: Path
) -> None:
    mark = "<!-- made by `aos anomaly judge`: {} -->\nold\n<!-- until here -->"
    (tmp_path / page.PAGE).write_text(
        f"before\n{mark.format('healthy')}\n{mark.format('faults')}\nafter", encoding="utf-8"
    )
    told = page.write(tmp_path, found).read_text(encoding="utf-8")
    assert told.startswith("before")
    assert told.endswith("after")
    assert "old" not in told
    assert "| stuck value | temperature |" in told
    with pytest.raises(Configuration, match="docs/quality"):
        page.write(tmp_path / "nowhere", found)
