"""Which sources go together, and what is said of those that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from operate.settings import Settings, load
from producers.several import check_together
from runtime.errors import Configuration
from tests.sources import mapping

pytestmark = pytest.mark.requirement("A5")
_METADATA = {
    "stations": {"table": "station", "station": "id"},
    "sensors": {"table": "s", "key": "k", "station": "id", "code": "c", "codes": {"T": "wind"}},
}


def test_sources_go_together_by_rank() -> None:
    check_together([mapping(source="aos", rank=2), mapping(source="old", rank=-1)])


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("second", "says"),
    [
        ({"source": "aos"}, "two mappings are named aos"),
        ({"source": "b", "rank": 9}, "order of their ranks .aos 1, b 9."),
        ({"source": "b", "metadata": _METADATA}, "aos and b both publish sensor metadata"),
    ],
)
def test_sources_that_would_be_taken_for_one_another_are_refused(
    second: dict[str, Any], says: str
) -> None:
    first = mapping(source="aos", metadata=_METADATA)
    with pytest.raises(Configuration, match=says) as caught:
        check_together([first, mapping(**second)])
    assert caught.value.mend
    assert "\n" not in str(caught.value)


def configured(path: Path, text: str) -> Settings:
    path.write_text(text)
    return load(path)


def test_a_list_of_sources_has_secrets_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("pa55\n")
    settings = configured(
        tmp_path / "aos.yaml",
        f"sources:\n- {{url: 'mssql://a/b', mapping: a.yaml, password_file: {tmp_path}/secret}}\n"
        "- {url: 'csv:////x', mapping: b.yaml}\n",
    )
    assert [s.url for s in settings.all_sources()] == ["mssql://a/b", "csv:////x"]
    assert settings.the_source().password.get_secret_value() == "pa55"
    assert "pa55" not in repr(settings)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source: {url: a, mapping: b}\nsources: [{url: a, mapping: b}]", "a section source, too"),
        ("log_level: INFO", r"source\.url"),
    ],
)
def test_no_source_or_both_ways_of_naming_one_is_refused(
    tmp_path: Path, text: str, says: str
) -> None:
    settings = configured(tmp_path / "aos.yaml", text)
    with pytest.raises(Configuration, match=says):
        settings.all_sources()


@pytest.mark.requirement("D3")
def test_a_setting_of_one_source_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match=r"sources\.0\.urk") as caught:
        configured(tmp_path / "aos.yaml", "sources: [{url: a, mapping: b, urk: 1}]")
    assert "\n" not in str(caught.value)
