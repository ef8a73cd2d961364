"""The walk through the layers. Pure but for what each check does.

What lies behind a failure cannot be told from it, so it is not checked: a wrong host name is one
finding, not seven.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from operate.masking import masked
from runtime.errors import AosError

WELL: Final = "everything is well, layer by layer"


class Layer(StrEnum):
    """The layers, each of which stands on those before it."""

    SETTINGS = "settings"
    DNS = "DNS"
    TCP = "TCP"
    LOGIN = "login"
    RIGHTS = "rights"
    TOPICS = "topics"
    SCHEMAS = "schemas"
    FRESHNESS = "freshness"


class Part(StrEnum):
    """What is looked at."""

    AOS = "AOS"
    KAFKA = "Kafka"
    REGISTRY = "registry"
    DATABASE = "database"
    FLOW = "flow"
    ALL = "all"


class Condition(StrEnum):
    """What was found."""

    OK = "ok"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Check:
    """One look: ``run`` gives a remark, or raises what is wrong.

    ``needs`` names the other parts that have to be well, too.
    """

    layer: Layer
    part: Part
    run: Callable[[], str]
    needs: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a check."""

    layer: Layer
    part: Part
    condition: Condition
    told: str = ""
    mend: str = ""
    seconds: float = 0.0

    def as_document(self) -> dict[str, Any]:
        """Give it as a row of a table."""
        return {
            "layer": self.layer,
            "part": self.part,
            "state": self.condition,
            "told": self.told,
            "mend": self.mend,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All findings, in the order of the layers."""

    findings: Sequence[Finding]

    @property
    def failed(self) -> list[Finding]:
        """What failed, the lowest layer first."""
        return [one for one in self.findings if one.condition is Condition.FAILED]

    @property
    def is_well(self) -> bool:
        """Whether nothing failed."""
        return not self.failed

    @property
    def headline(self) -> str:
        """The first layer that fails, and its mend."""
        if self.is_well:
            return WELL
        first = self.failed[0]
        mend = f". Mend: {first.mend}" if first.mend else ""
        return f"{first.layer} of {first.part}: {first.told}{mend}"

    def below(self, layer: Layer) -> Diagnosis:
        """Give what was found of the layers before one."""
        order = list(Layer)
        return Diagnosis([f for f in self.findings if order.index(f.layer) < order.index(layer)])


def walk(checks: Iterable[Check]) -> Diagnosis:
    """Check layer by layer; behind a failure nothing of the same part is checked.

    >>> walk([Check(Layer.DNS, Part.KAFKA, lambda: "")]).headline
    'everything is well, layer by layer'
    """
    order = list(Layer)
    broken: set[Part] = set()
    findings = []
    for check in sorted(checks, key=lambda one: order.index(one.layer)):
        finding = _look(check, broken)
        findings.append(finding)
        if finding.condition is Condition.FAILED:
            broken.add(check.part)
    return Diagnosis(findings)


def _look(check: Check, broken: set[Part]) -> Finding:
    behind = [part for part in (check.part, *check.needs) if part in broken]
    if behind:
        told = f"behind what fails of {behind[0]}"
        return Finding(check.layer, check.part, Condition.NOT_CHECKED, told)
    began = time.monotonic()
    try:
        told, mend, condition = check.run(), "", Condition.OK
    except AosError as error:
        told, mend, condition = error.message, error.mend, Condition.FAILED
    seconds = round(time.monotonic() - began, 3)
    return Finding(check.layer, check.part, condition, masked(told), masked(mend), seconds)
