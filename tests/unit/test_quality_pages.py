"""The pages for meteorologists say what the code does."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from operate.quality import catalogue
from operate.quality.judgements import JUDGEMENTS, told, wilson
from operate.quality.pages import FALSE_FLAGS, JUDGED, put, write_pages
from operate.quality.readings import Past
from operate.quality.svg import Panel, drawn
from runtime.errors import Configuration
from weather.qc.flags import Flag

DOCS = Path(__file__).parents[2] / "docs" / "quality"
NAMES = [test.name for test in catalogue.TESTS]
HOUR = 3_600_000_000


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.requirement("F3", "E6")
@pytest.mark.parametrize("name", NAMES)
def test_a_page_gives_the_limits_that_the_code_goes_by(name: str) -> None:
    test = next(one for one in catalogue.TESTS if one.name == name)
    told_now = page(f"{name}.md")
    anew = put(told_now, "defaults", catalogue.defaults_of(test))
    assert anew == told_now, "run `aos quality plots --out docs/quality`"


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("name", NAMES)
def test_a_page_says_formula_source_and_what_gets_past(name: str) -> None:
    told_now = page(f"{name}.md")
    for part in ("**Formula.**", "**Source.**", "## Defaults", "**It lets pass**"):
        assert part in told_now
    assert f"({name}.md)" in page("README.md")


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda p: p.name)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_the_share_of_false_flags_is_that_of_the_judgements() -> None:
    document = page(JUDGED)
    rows = list(csv.DictReader(document.splitlines()))
    assert {row["judgement"] for row in rows} <= set(JUDGEMENTS)
    assert all(row["why"] and row["sensor"] and row["observed_local"] for row in rows)
    shown = page(FALSE_FLAGS)
    assert put(shown, "judged", told(document)) == shown


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(8, 10, 0.490, 0.943), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (1, 1, 0.207, 1.0)],
)
def test_a_share_comes_with_wilsons_interval(hits: int, of: int, low: float, high: float) -> None:
    interval = wilson(hits, of)
    assert interval.part == hits / of
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.0006)


def test_a_judgement_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        told("test,judgement\nstep,perhaps\n")
    with pytest.raises(ValueError, match="no readings"):
        wilson(0, 0)


def test_tables_are_not_written_to_where_there_are_no_pages(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="cannot be written anew"):
        write_pages(tmp_path, Past({}, {}, {}, {}), (), lambda _what: None)


def panel(values: list[float], flags: list[int]) -> Panel:
    at = np.arange(len(values)) * HOUR
    given = np.array(values)
    return Panel("a <b>", "c", "mm", at, given, np.array(flags), given + 1, at, (0, HOUR))


def test_a_plot_is_sound_and_marks_what_is_flagged() -> None:
    first = panel([1.0, np.nan, 3.0, 2.0], [Flag.GOOD, Flag.MISSING, Flag.FAIL, Flag.SUSPECT])
    root = ET.fromstring(drawn([first, panel([5.0, 5.0], [1, 1])]))  # noqa: S314 - it is ours
    circles = [node for node in root.iter() if node.tag.endswith("circle")]
    assert sum("fill" in node.attrib for node in circles) == 2
    assert len(circles) == 5
    assert any(node.text == "a <b>" for node in root.iter())
