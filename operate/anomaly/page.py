"""The tables of ``docs/quality/anomaly.md``, put between the marks that are there for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from operate.anomaly.judging import Judged
from operate.given import wrong
from operate.quality.catalogue import markdown

PAGE: Final = "anomaly.md"
_BLOCK: Final = r"(<!-- made by `aos anomaly judge`: {} -->)\n.*?(<!-- until here -->)"


def put(page: str, block: str, text: str) -> str:
    r"""Put a text in the place of what stands between the marks of a block.

    >>> page = "<!-- made by `aos anomaly judge`: x -->\n<!-- until here -->"
    >>> put(page, "x", "new").split("\n")[2]
    'new'

    Raises:
        ValueError: the page has no such block.
    """
    pattern = re.compile(_BLOCK.format(block), re.DOTALL)
    if not pattern.search(page):
        problem = f"there is no block {block!r}"
        raise ValueError(problem)
    return pattern.sub(lambda found: f"{found[1]}\n\n{text}\n\n{found[2]}", page)


def write(directory: Path, found: Judged) -> Path:
    """Write the tables anew.

    Raises:
        Configuration: there is no such page, or it has no place for them.
    """
    path = directory / PAGE
    try:
        page = put(path.read_text("utf-8"), "healthy", _table(found, "healthy"))
        path.write_text(put(page, "faults", _table(found, "faults")), encoding="utf-8")
    except (OSError, ValueError) as error:
        problem = f"{PAGE} cannot be written anew ({error})"
        mend = "name the directory docs/quality"
        raise wrong(str(directory), problem, mend, name="--out") from error
    return path


def _table(found: Judged, which: str) -> str:
    rows = [one.as_row() for one in getattr(found, which)]
    return markdown(rows) if rows else "There are no readings."
