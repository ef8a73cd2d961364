"""The keys that a source holds, fetched to name those that went astray."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.sample import MAPPING, build
from operate.demo.source_keys import source_keys
from producers.connection.database import open_engine
from producers.count import count_readings
from producers.settings import SourceSettings
from schemas.mapping import read_mapping


@pytest.mark.requirement("D7", "E3")
def test_as_many_keys_are_named_as_are_counted(tmp_path: Path) -> None:
    build(tmp_path / "sample.db")
    settings = SourceSettings(url=f"sqlite:///{tmp_path / 'sample.db'}", mapping=MAPPING)
    engine = open_engine(settings)
    held = count_readings(engine, read_mapping(MAPPING))
    engine.dispose()
    for parameter in ("rainfall", "temperature"):
        assert len(source_keys(settings, parameter)) == held[parameter].keys
    assert ("weather_hourly", "1", "EWR:rainfall") in source_keys(settings, "rainfall")
