"""The contract beside the bytes: topic names, landed schemas, mappings."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from devstack.sample import MAPPING
from runtime.errors import Configuration, DataQuality
from schemas import avsc
from schemas.compatibility import land, problems, unreadable
from schemas.mapping import parse_mapping, published_mapping, read_mapping
from schemas.topics import PARAMETERS, Topics

PRIMITIVES = {"string", "int", "long", "double"}
HUMIDITY = {"parameter": "humidity", "measures": {"value": {"column": "h", "unit": "%"}}}
GUST_ALONE = {"gust": {"column": "g", "unit": "kt"}}
HOT = ("raw_reading", "raw_wind", "clean_reading", "clean_wind")


@pytest.mark.requirement("E6")
def test_todays_schemas_read_every_version_that_ever_landed() -> None:
    assert problems() == []


def test_a_new_field_without_a_default_is_found_before_it_lands(tmp_path: Path) -> None:
    old = avsc.load("raw_index")
    new = old | {"fields": [*old["fields"], {"name": "rows", "type": "long"}]}
    assert unreadable(new, old) == ["rows"]
    assert problems(["raw_index"], tmp_path)[0].problem == "has changed since it last landed"
    assert [path.name for path in land(["raw_index"], tmp_path)] == ["0001.avsc"]
    assert problems(["raw_index"], tmp_path) == []
    assert land(["raw_index"], tmp_path) == []


@pytest.mark.parametrize("name", HOT)
def test_the_hot_schemas_are_flat(name: str) -> None:
    for field in avsc.load(name)["fields"]:
        branches = field["type"] if isinstance(field["type"], list) else ["null", field["type"]]
        kind = branches[1]["type"] if isinstance(branches[1], dict) else branches[1]
        assert (branches[0], kind in PRIMITIVES) == ("null", True), field["name"]


@pytest.mark.parametrize("name", avsc.NAMES)
def test_every_field_is_explained(name: str) -> None:
    assert all(len(field["doc"]) > 3 for field in avsc.load(name)["fields"])


@pytest.mark.requirement("E8")
def test_a_namespace_stands_before_every_name() -> None:
    plain, lab = Topics(), Topics(namespace="lab")
    assert {s.name for s in lab.specs()} == {f"lab.{s.name}" for s in plain.specs()}


def test_raw_clean_and_state_share_their_number_of_partitions() -> None:
    topics = Topics(partitions=7)
    shared = [topics.raw(p) for p in PARAMETERS] + [topics.clean(p) for p in PARAMETERS]
    counts = {spec.name: spec.partitions for spec in topics.specs()}
    assert {counts[name] for name in [*shared, topics.state]} == {7}


def test_raw_topics_are_kept_longer_than_a_year() -> None:
    spec = next(s for s in Topics().specs() if s.name == Topics().raw("wind"))
    assert int(spec.config["retention.ms"]) == 400 * 86_400_000


def test_a_namespace_with_a_space_is_refused() -> None:
    with pytest.raises(ValidationError, match="namespace"):
        Topics(namespace="a b")


def test_a_mapping_survives_its_topic() -> None:
    mapping = read_mapping(MAPPING)
    assert published_mapping(mapping.as_json()) == mapping


def test_a_mapping_of_a_later_release_is_a_data_error() -> None:
    with pytest.raises(DataQuality, match="no mapping of ours"):
        published_mapping('{"source": "a", "version": 1, "shape_of_things": 3}')


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (
            ("tables", 0, "readings", 1, "parameter"),
            "snow",
            "weather_hourly.readings.snow.parameter",
        ),
        (("tables", 0, "readings", 1, "parameter"), "temprature", "did you mean temperature?"),
        (("tables", 0, "readings"), [], "weather_hourly.readings: it needs at least 1"),
        (("tables", 0, "readings", 1, "measures", "value", "unit"), "degX", "'degX'"),
        (
            ("tables", 0, "readings", 3, "measures"),
            GUST_ALONE,
            "speed",
        ),
        (("tables", 0, "readings", 1, "measures"), GUST_ALONE, "gust"),
        (("tables", 1, "readings", 1, "code"), "TA", "code of its own"),
        (("tables", 0, "readings", 1), HUMIDITY, "humidity stands twice"),
        (("tables", 0, "tabel"), "x", "tabel"),
        (("version",), 0, "version"),
        (("tables", 0, "cursor", "mode"), "timestmp", "cursor: its mode has to be 'timestamp_id'"),
    ],
    ids=[
        "parameter",
        "misspelt parameter",
        "no readings",
        "unit",
        "no speed",
        "alien measure",
        "same code",
        "same parameter",
        "unknown key",
        "version",
        "cursor",
    ],
)
def test_a_wrong_mapping_names_the_place(
    path: tuple[str | int, ...], value: object, told: str
) -> None:
    document = yaml.safe_load(MAPPING.read_text())
    spot = document
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    with pytest.raises(Configuration) as caught:
        parse_mapping(document, MAPPING)
    assert told in str(caught.value)
    assert "Input should" not in str(caught.value)
    assert "Value error" not in str(caught.value)
    assert str(MAPPING) in str(caught.value)


def test_a_mapping_that_is_missing_or_no_yaml_is_a_wrong_setting(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1")
    korean = tmp_path / "korean.yaml"
    korean.write_bytes("source: 기상".encode("cp949"))
    (empty := tmp_path / "empty.yaml").touch()
    for path in (tmp_path / "none.yaml", broken, korean, empty):
        with pytest.raises(Configuration, match=r"source\.mapping = '.*': \w"):
            read_mapping(path)
