"""Commands that the documents tell of are there, with the options they are told with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operate.cli import COMMANDS, load

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs" / "runbooks").glob("*.md")),
    ROOT / "docs" / "process.md",
    ROOT / "docs" / "reports.md",
    ROOT / "docs" / "quality" / "anomaly.md",
    ROOT / "CHANGELOG.md",
]
_SPOKEN = re.compile(r"(?:^|`|\$ |  )aos ([a-z]+)((?: [^`|#\n]*)?)", re.MULTILINE)


def spoken(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Give each command that a page tells of, and the words behind it."""
    for name, rest in _SPOKEN.findall(page.read_text(encoding="utf-8")):
        yield name, rest.split()


def options_of(command: Any, words: list[str]) -> set[str]:
    """Name the options of a command, or of that below it which the words name."""
    below = getattr(command, "commands", {})
    inner = next((below[word] for word in words if word in below), None)
    found = {option for param in command.params for option in getattr(param, "opts", ())}
    found |= {option for param in command.params for option in getattr(param, "secondary_opts", ())}
    inner = inner or below.get("set")  # `aos flag SENSOR …` is short for `aos flag set SENSOR …`
    return found | (options_of(inner, []) if inner else set()) | {"--help"}


@pytest.mark.requirement("F1", "F2")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_tells_of_commands_and_options_that_are_there(page: Path) -> None:
    for name, words in spoken(page):
        assert name in COMMANDS, f"aos {name}"
        known = options_of(load(name), words)
        given = {word.partition("=")[0].rstrip(",;:)") for word in words if word.startswith("--")}
        assert given <= known, f"aos {name} {' '.join(words)}"
