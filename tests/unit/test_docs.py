"""What the documents say is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from operate.settings import SECTIONS
from schemas import avsc
from schemas.topics import PARAMETERS, Topics

DOCS = Path(__file__).parents[2] / "docs"
README = DOCS.parent / "README.md"


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_explained(section: str) -> None:
    told = (DOCS / "settings.md").read_text()
    missing = [name for name in SECTIONS[section].model_fields if f"`{name}`" not in told]
    assert missing == []


@pytest.mark.requirement("F3")
def test_every_topic_is_explained() -> None:
    told = (DOCS / "data.md").read_text()
    names = {spec.name for spec in Topics().specs()}
    general = {re.sub("|".join(PARAMETERS), "<parameter>", name) for name in names}
    assert {name for name in general if f"`{name}`" not in told} == set()


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("record", ["clean_reading", "clean_wind", "sensor_silence"])
def test_the_contract_explains_every_field(record: str) -> None:
    told = (DOCS / "clean-topics.md").read_text()
    assert [name for name in avsc.field_names(record) if f"`{name}`" not in told] == []


@pytest.mark.requirement("F3")
def test_the_example_is_short() -> None:
    assert len((DOCS / "examples" / "consume_clean.py").read_text().splitlines()) <= 30


@pytest.mark.parametrize("page", [README, *sorted(DOCS.rglob("*.md"))], ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
