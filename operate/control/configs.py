"""What connectors are configured with, in Kafka Connect's shapes: texts by name, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from operate.control.connectors import Connector, config_of
from operate.masking import MASK, masked, masked_document
from operate.settings import SECTIONS, Settings, is_secret
from runtime.refusals import refusal

_TYPES: Final = {bool: "BOOLEAN", int: "INT", float: "DOUBLE", tuple: "LIST", list: "LIST"}
_OF_CONNECT: Final = frozenset({"name", "connector.class", "tasks.max"})


def config_document(settings: Settings, connector: Connector) -> dict[str, str | None]:
    """Give what a connector runs by, as Connect gives it."""
    about = {"name": connector.name, "connector.class": connector.plugin}
    found = masked_document(_hidden(config_of(settings, connector)))
    return about | {name: _text(value) for name, value in found.items()}


def validation_document(connector: Connector, given: Mapping[str, Any]) -> dict[str, Any]:
    """Say of each setting of a connector whether what is given may be; nothing is changed."""
    model = SECTIONS[connector.stage]
    asked = {name: _value(value) for name, value in given.items() if name not in _OF_CONNECT}
    wrong = _problems(model, asked)
    names = [*model.model_fields, *(name for name in asked if name not in model.model_fields)]
    configs = [_config(connector, name, model, given, wrong.get(name, [])) for name in names]
    return {
        "name": connector.plugin,
        "error_count": sum(len(one["value"]["errors"]) for one in configs),
        "groups": [connector.stage],
        "configs": [{**one, "definition": {**one["definition"], "order": order}}
                    for order, one in enumerate(configs, 1)],
    }  # fmt: skip


def _hidden(found: Mapping[str, Any]) -> dict[str, Any]:
    """Put a mask where a secret is; pydantic's own shows how it writes them."""
    secrets = {name for model in SECTIONS.values() for name, one in model.model_fields.items()
               if is_secret(one)}  # fmt: skip

    def hide(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _hidden(value)
        if isinstance(value, list):
            return [_hidden(one) if isinstance(one, dict) else one for one in value]
        return MASK if name in secrets and value else value

    return {name: hide(name, value) for name, value in found.items()}


def _text(value: Any) -> str | None:
    """Write a value as a text.

    >>> _text(True), _text(None), _text(["a"]), _text(0.5)
    ('true', None, '["a"]', '0.5')
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def _value(text: Any) -> Any:
    """Read a text that may be JSON; whatever is none is a text."""
    if not isinstance(text, str) or text[:1] not in {"[", "{"}:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problems(model: type[BaseModel], asked: Mapping[str, Any]) -> dict[str, list[str]]:
    try:
        model.model_validate(dict(asked))
    except ValidationError as error:
        found: dict[str, list[str]] = {}
        for detail in error.errors():
            name = str(detail["loc"][0]) if detail["loc"] else next(iter(model.model_fields))
            found.setdefault(name, []).append(masked(refusal(detail)))
        return found
    return {}


def _config(
    connector: Connector,
    name: str,
    model: type[BaseModel],
    given: Mapping[str, Any],
    errors: list[str],
) -> dict[str, Any]:
    field = model.model_fields.get(name)
    default = _default(field)
    value = _text(masked_document(given[name])) if name in given else default
    hidden = MASK if field and is_secret(field) and value else value
    return {
        "definition": {
            "name": name,
            "type": _kind(field),
            "required": bool(field and field.is_required()),
            "default_value": default,
            "importance": "HIGH" if field and field.is_required() else "MEDIUM",
            "documentation": "",
            "group": connector.stage,
            "width": "MEDIUM",
            "display_name": name,
            "dependents": [],
            "order": 0,
        },
        "value": {
            "name": name,
            "value": hidden,
            "recommended_values": [],
            "errors": errors,
            "visible": True,
        },
    }


def _default(field: FieldInfo | None) -> str | None:
    if field is None or field.default is PydanticUndefined or is_secret(field):
        return None
    return _text(json.loads(json.dumps(field.default, default=str)))


def _kind(field: FieldInfo | None) -> str:
    if field is None:
        return "STRING"
    if is_secret(field):
        return "PASSWORD"
    return next((_TYPES[one] for one in _kinds(field.annotation) if one in _TYPES), "STRING")


def _kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    yield getattr(annotation, "__origin__", None)
    yield from get_args(annotation)
