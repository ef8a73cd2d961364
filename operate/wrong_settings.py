"""What is wrong with a setting, on one line: its name, its value, the mend; never a secret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr, ValidationError

from operate.masking import MASK, masked
from runtime.errors import Configuration
from runtime.refusals import refusal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Sections = Mapping[str, type[BaseModel]]
_LONGEST: Final = 60


def missing(setting: str, what: str) -> Configuration:
    """Say that a setting is not there."""
    return Configuration(f"setting {setting} is not set: {what}", mend=_set(setting))


def no_such_setting(given: str, known: Sequence[str]) -> Configuration:
    """Say that a name means nothing, and what it may have been meant for; its value is not told."""
    close = get_close_matches(given.lower(), [name.lower() for name in known], n=1, cutoff=0.75)
    near = [name for name in known if name.lower() in close]
    mend = f"did you mean {near[0]}?" if near else f"choose among {', '.join(known)}"
    return Configuration(f"setting {given}: there is no such setting", mend=mend)


def of_validation(error: ValidationError, sections: Sections) -> Configuration:
    """Say all that is wrong with the settings."""
    found = [_of(detail, sections) for detail in error.errors()]
    if len(found) == 1:
        return found[0]
    return Configuration("; ".join(map(str, found)), mend="")


def _of(detail: ErrorDetails, sections: Sections) -> Configuration:
    path = [str(part) for part in detail["loc"]]
    setting = ".".join(path)
    model = sections.get(path[0]) if path else None
    if detail["type"] == "extra_forbidden":
        return no_such_setting(setting, _known(path, model, sections))
    if detail["type"] == "missing":
        return missing(setting, "it has no default")
    value = MASK if _is_secret(path, model) else _shown(detail["input"])
    return Configuration.of(setting, value, refusal(detail), mend=f"correct it: {_set(setting)}")


def _known(path: list[str], model: type[BaseModel] | None, sections: Sections) -> list[str]:
    if model is None:
        return [*sections, "log_level"]
    return [f"{path[0]}.{name}" for name in model.model_fields]


def _is_secret(path: list[str], model: type[BaseModel] | None) -> bool:
    field = model.model_fields.get(path[-1]) if model else None
    return field is not None and field.annotation is SecretStr


def _shown(value: Any) -> Any:
    """Cut and mask; a whole section is not shown at all."""
    if isinstance(value, dict | list):
        return "…"
    return masked(value)[:_LONGEST] if isinstance(value, str) else value


def _set(setting: str) -> str:
    return f"set {setting} in the --config file, or AOS_{setting.upper().replace('.', '__')}"
