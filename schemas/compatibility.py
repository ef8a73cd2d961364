"""Whether today's schemas can read what every schema that ever landed has written.

Every version of a schema that a release has used stands in ``avro/landed/<name>/NNNN.avsc``, oldest
first. A changed schema must read them all (BACKWARD_TRANSITIVE) and be landed itself by
``python -m schemas.compatibility``, so that a topic stays readable from its beginning.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from schemas import avsc

LANDED: Final = Path(__file__).parent / "avro" / "landed"


class Problem(NamedTuple):
    """A schema that is not fit to be released, and what to do."""

    schema: str
    problem: str
    mend: str


def landed(name: str, folder: Path = LANDED) -> list[avsc.Schema]:
    """Give every version of a schema that has landed, oldest first."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in _versions(name, folder)]


def unreadable(reader: avsc.Schema, writer: avsc.Schema) -> list[str]:
    """Say why ``reader`` cannot read what ``writer`` wrote; nothing where it can.

    >>> old = {"type": "record", "name": "R", "fields": []}
    >>> new = old | {"fields": [{"name": "x", "type": "int"}]}
    >>> unreadable(new, old)
    ['x']
    >>> unreadable(old, new)
    []
    """
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(_parsed(reader), _parsed(writer))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    return sorted(result.messages)


def problems(names: Sequence[str] = avsc.NAMES, folder: Path = LANDED) -> list[Problem]:
    """Check every schema against all its landed versions."""
    found = []
    for name in names:
        today, versions = avsc.load(name), landed(name, folder)
        for number, version in enumerate(versions, 1):
            if reasons := unreadable(today, version):
                told = f"cannot read what version {number} wrote: {', '.join(reasons)}"
                found.append(Problem(name, told, "give new fields a default; keep the old ones"))
        if today not in versions[-1:]:
            mend = "run python -m schemas.compatibility, and commit what it writes"
            found.append(Problem(name, "has changed since it last landed", mend))
    return found


def land(names: Sequence[str] = avsc.NAMES, folder: Path = LANDED) -> list[Path]:
    """Land every schema that has changed; give the files written."""
    written = []
    for name in names:
        versions = _versions(name, folder)
        if avsc.load(name) in landed(name, folder)[-1:]:
            continue
        path = folder / name / f"{len(versions) + 1:04}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(avsc.load(name), indent=1, ensure_ascii=False) + "\n")
        written.append(path)
    return written


def _versions(name: str, folder: Path) -> list[Path]:
    return sorted((folder / name).glob("*.avsc"))


def _parsed(schema: avsc.Schema) -> avro.schema.Schema:
    # The avro package knows fewer logical types than the specification, and warns of the others.
    return avro.schema.parse(json.dumps(avsc.without_logical_types(schema)))


if __name__ == "__main__":
    for file in land():
        sys.stdout.write(f"landed {file.relative_to(LANDED)}\n")
