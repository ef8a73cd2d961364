"""What pydantic refuses, in our words: short, about the value, with what it may have been."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

_WORDS: Final = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such key",
    "string_type": "it is no text",
    "path_type": "it is no path",
    "tuple_type": "it is no list",
    "list_type": "it is no list",
    "model_type": "it has to hold names with values",
    "dict_type": "it has to hold names with values",
    "greater_than": "it has to be more than {gt}",
    "greater_than_equal": "it has to be {ge} or more",
    "less_than": "it has to be less than {lt}",
    "less_than_equal": "it has to be {le} or less",
    "literal_error": "it has to be {expected}",
    "enum": "it has to be {expected}",
    "string_pattern_mismatch": "it has to match {pattern}",
    "string_too_short": "it is empty or too short",
    "too_short": "it needs at least {min_length}",
    "union_tag_not_found": "its shape is missing: wide or long",
    "union_tag_invalid": "its shape has to be {expected_tags}",
}
_KINDS: Final = {
    "int": "it is no whole number",
    "float": "it is no number",
    "bool": "it is neither true nor false",
}


def refusal(detail: Mapping[str, Any]) -> str:
    """Say what is wrong with a value, from one of the details of pydantic's ValidationError.

    >>> refusal({"type": "int_parsing", "input": "x", "msg": "Input should be a valid integer"})
    'it is no whole number'
    >>> refusal({"type": "literal_error", "input": "rain", "ctx": {"expected": "'rainfall'"}})
    "it has to be 'rainfall'; did you mean rainfall?"
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    words = _WORDS.get(kind) or _KINDS.get(kind.partition("_")[0], detail.get("msg", ""))
    said = words.format_map(context) if kind in _WORDS else words
    return said + _meant(str(detail.get("input")), context.get("expected", ""))


def _meant(given: str, expected: str) -> str:
    close = get_close_matches(given.lower(), expected.split("'")[1::2], n=1)
    return f"; did you mean {close[0]}?" if close else ""
