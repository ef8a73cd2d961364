"""The mapping: which tables and columns of a source are which parameter, in which unit and zone.

It is data, not code: a YAML file that the source reads by, that is published on ``aos.mapping.v1``
and that every reading names by version. Two shapes of table are known: *wide* (a row holds several
parameters, one column each) and *long* (a row holds one sensor's reading; a column says which).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from runtime.errors import Configuration, DataQuality
from runtime.refusals import refusal
from schemas.mapping_parts import Part, unset
from schemas.mapping_sensors import Metadata
from schemas.mapping_tables import AnyTable, LongTable, Measure, Reading, Table, WideTable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "AnyTable", "LongTable", "Mapping", "Measure", "Metadata", "Reading", "Table", "WideTable",
    "parse_mapping", "published_mapping", "read_mapping", "sensor_id",
]  # fmt: skip


_TREATMENT: Final = 100_000_000
"""Versions of mappings by which readings are treated otherwise lie above this; people's below."""


class Mapping(Part):
    """The whole mapping of one source."""

    source: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    rank: int = Field(default=0, ge=-1023, le=1023)
    """Of two sources that tell of one reading, the one of higher rank is believed."""
    licence: str = ""
    """Terms on which others may use the readings: an SPDX id, or the address of their text."""
    tables: tuple[AnyTable, ...] = Field(min_length=1)
    metadata: Metadata | None = None
    validate_data: bool = True
    """Whether the stream judges what is read by it; if not, flags are 2, or 9 where one misses."""
    clean_data: bool = True
    """Whether it corrects values; if not, they stand as measured, in standard units."""

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        """Hold tables apart by what a reading tells of its own: the name, without the schema."""
        names = [table.table for table in self.tables]
        if twice := {name for name in names if names.count(name) > 1}:
            problem = (
                f"table {min(twice)} is mapped twice: give all its readings in one place; read a "
                "table of this name in another schema by a view, or as a source of its own"
            )
            raise ValueError(problem)
        return self

    @property
    def key(self) -> str:
        """Key of the mapping on its topic."""
        return f"{self.source}:{self.version}"

    def treated(self, *, validate: bool = True, clean: bool = True) -> Self:
        """Give the same mapping for readings that are not to be judged, or not to be corrected.

        It is a version of its own, far above those that people give, so that each reading names how
        it was treated, also when it is judged again:

        >>> Mapping.model_construct(source="aos", version=7).treated(clean=False).key
        'aos:200000007'
        """
        switched = {
            "validate_data": validate and self.validate_data,
            "clean_data": clean and self.clean_data,
        }
        found = self.model_copy(update=switched)
        more = (found.left_out - self.left_out) * _TREATMENT
        return found.model_copy(update={"version": self.version + more}) if more else self

    @property
    def left_out(self) -> int:
        """What is left out of readings: 1 judging, 2 correcting, 3 both."""
        return (not self.validate_data) + 2 * (not self.clean_data)

    def reading_of(self, table: str, parameter: str) -> Reading | None:
        """Give how ``table`` holds ``parameter``.

        Where it does so under several codes, they agree in all but code and unit, which each
        reading tells itself. A mapping is one version of one source: which one a reading was read
        by, its own ``source`` and ``mapping_version`` say.
        """
        readings = (r for t in self.tables if t.table == table for r in t.readings)
        return next((r for r in readings if r.parameter == parameter), None)

    def as_json(self) -> str:
        """Give the document as it is published."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)


def published_mapping(document: str) -> Mapping:
    """Read a mapping back from its topic.

    Raises:
        DataQuality: it is none, or one of a later release than ours.
    """
    try:
        return Mapping.model_validate_json(document)
    except ValidationError as error:
        problem = f"no mapping of ours: {error}"
        raise DataQuality(problem, reason="bad_mapping") from error


def sensor_id(station: str, parameter: str, position: int = 1) -> str:
    """Name a measuring position.

    >>> sensor_id("JFK", "temperature"), sensor_id("UAT", "temperature", 2)
    ('JFK:temperature', 'UAT:temperature:2')
    """
    return f"{station}:{parameter}" if position == 1 else f"{station}:{parameter}:{position}"


def read_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        Configuration: it is not there, no YAML, or no mapping; the message names place and mend.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        raise _refused(path, problem) from error
    except UnicodeDecodeError as error:
        raise _refused(path, "it is not written in UTF-8") from error
    except yaml.YAMLError as error:
        raise _refused(path, f"it is not YAML: {_where(error)}") from error
    return parse_mapping(document, path)


def _where(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    told = getattr(error, "problem", None) or str(error)
    return f"{told}, line {mark.line + 1}, column {mark.column + 1}" if mark else told


def parse_mapping(document: Any, path: Path) -> Mapping:
    """Make a mapping of what a file holds.

    Raises:
        Configuration: it is none, or a draft in which something is still to be set.
    """
    if open_places := list(unset(document)):
        problem = f"still to be set by someone who knows the source: {', '.join(open_places)}"
        raise _refused(path, problem)
    try:
        mapping = Mapping.model_validate(document)
    except ValidationError as error:
        found = error.errors()
        # A list of which every item is refused counts as empty: the items say enough.
        own = [e for e in found if e["type"] != "too_short" or len(found) == 1]
        told = (f"{_place(e['loc'], document)}: {_refusal(e)}".removeprefix(": ") for e in own)
        raise _refused(path, "; ".join(told)) from error
    for table in mapping.tables:
        if problem := table.time.unreadable:
            raise _refused(path, f"tables.{table.table}.time.format: {problem}")
    return mapping


def _refusal(detail: ErrorDetails) -> str:
    told = refusal(detail)
    of_cursor = detail["loc"][-1:] == ("cursor",)
    return told.replace("its shape", "its mode", 1) if of_cursor else told


def _place(location: Sequence[int | str], document: Any) -> str:
    """Name a place: a table by its name, a reading by its code or parameter, not by a number."""
    named: list[str] = []
    spot = document
    for before, part in zip((None, *location), location, strict=False):
        if isinstance(before, int) and part in {"wide", "long"}:
            continue  # which shape it was held to, no key of the document
        spot = _below(spot, part)
        names = (_below(spot, key) for key in ("table", "code", "parameter"))
        known = next((name for name in names if isinstance(name, str)), part)
        named.append(str(known if isinstance(part, int) else part))
    return ".".join(named)


def _below(spot: Any, part: int | str) -> Any:
    try:
        return spot[part]
    except (LookupError, TypeError):
        return None


def _refused(path: Path, problem: str) -> Configuration:
    mend = "correct the file; docs/mapping.md shows every key"
    return Configuration.of("source.mapping", str(path), problem, mend=mend)
