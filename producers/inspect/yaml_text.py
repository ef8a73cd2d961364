"""The proposed mapping as YAML that a person reads: beside each guess its confidence and reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import yaml

from producers.inspect.draft import Proposal
from producers.inspect.guesses import Told
from schemas.mapping_parts import UNSET

_HEAD: Final = """\
# A draft of a mapping, guessed from names, types and values. docs/mapping.md explains every key.
# Behind each guess stands how sure it is, from 0 to 1, and why. Read it, correct it, keep it.
"""
_FLOW: Final = {
    "cursor",
    "time",
    "via",
    "constants",
    "codes",
    "value",
    "speed",
    "direction",
    "gust",
}


def yaml_text(proposal: Proposal) -> str:
    """Write a proposal; what is still to be set is said at the top, and marked where it stands."""
    comments = _comments(proposal)
    lines = [_HEAD.rstrip()]
    if proposal.problem:
        lines += ["#", f"# It is refused as it stands: {_one_line(proposal.problem)}"]
    if proposal.notes.unknown:
        lines += ["#", "# What could not be known, or cannot be used:"]
        lines += [f"#   - {_one_line(said)}" for said in proposal.notes.unknown]
    return "\n".join([*lines, "", *_mapping(proposal.document, "", 0, comments)]) + "\n"


def _comments(proposal: Proposal) -> dict[str, list[str]]:
    """Give what is to be said of each place, by its path."""
    said: dict[str, list[str]] = {}
    for told in proposal.notes.guesses:
        said.setdefault(told.about, []).append(_comment(told))
    return said


def _comment(told: Told) -> str:
    mark = f"{UNSET}! " if told.guess.value == UNSET or _is_open(told.guess.value) else ""
    return f"{mark}{_one_line(told.guess.told)}"


def _is_open(value: Any) -> bool:
    return isinstance(value, dict) and UNSET in value.values()


def _mapping(part: dict[str, Any], path: str, depth: int, comments: Any) -> Iterator[str]:
    for key, value in part.items():
        place = f"{path}.{key}" if path else key
        yield from _entry(key, value, place, depth, comments)


def _entry(key: str, value: Any, place: str, depth: int, comments: Any) -> Iterator[str]:
    pad, name = "  " * depth, _scalar(key)
    if key in {"tables", "readings"} and isinstance(value, list) and value:
        yield f"{pad}{name}:"
        for item in value:
            yield from _item(key, item, place, depth + 1, comments)
        return
    is_plain = key in _FLOW or not isinstance(value, dict)
    said = [
        f"{_leaf(place, at)}{told}"
        for at in _places(key, place, value)
        for told in comments.get(at, [])
    ]
    if is_plain:
        for more in said[1:] if key != "codes" else said:
            yield f"{pad}# {more}"
        first = f"  # {said[0]}" if said and key != "codes" else ""
        yield f"{pad}{name}: {_flow(value)}{first}"
        return
    yield f"{pad}{name}:"
    yield from _mapping(value, place, depth + 1, comments)


def _leaf(place: str, at: str) -> str:
    """Name the part of an entry that a guess is about, where it is not the whole."""
    return f"{at.removeprefix(f'{place}.')} " if at.startswith(f"{place}.") else ""


def _places(key: str, place: str, value: Any) -> list[str]:
    """Name the guesses that belong to an entry that is written on one line."""
    places = [place]
    if key in {"value", "speed", "direction", "gust", "time"} and isinstance(value, dict):
        places += [f"{place}.{part}" for part in value]
    if key == "codes" and isinstance(value, dict):
        places += [f"{place}.{code}" for code in value]
    if key == "constants":
        places.append(place.replace("constants", "station.constant"))
    return places


def _item(key: str, item: dict[str, Any], place: str, depth: int, comments: Any) -> Iterator[str]:
    """Write one item of a list; its guesses are noted by the table's name, or parameter or code."""
    named = item["table"] if key == "tables" else _reading_name(item)
    at = f"{place}.{named}"
    lines = list(_mapping(item, at, depth + 1, comments))
    if key == "readings":
        lines = list(_mapping(item, at, depth + 1, _without_measures(comments, at)))
        for told in comments.get(at, []):
            yield f"{'  ' * depth}# {told}"
    if key == "tables":
        yield ""
    head = lines[0]
    cut = 2 * (depth + 1)
    while head.lstrip().startswith("#"):
        yield head[2:]
        lines = lines[1:]
        head = lines[0]
    yield f"{'  ' * depth}- {head[cut:]}"
    yield from lines[1:]


def _reading_name(item: dict[str, Any]) -> str:
    if "code" in item:
        return str(item["code"])
    number = f".{item['position']}" if "position" in item else ""
    return f"{item['parameter']}{number}"


def _without_measures(comments: Any, at: str) -> dict[str, list[str]]:
    """Let the guesses of a reading's measures be found below ``measures``."""
    moved = dict(comments)
    for place, said in comments.items():
        if place.startswith(f"{at}."):
            moved[f"{at}.measures.{place.removeprefix(f'{at}.')}"] = said
    return moved


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Write a value so that YAML reads the same again: in quotes where it would not."""
    if isinstance(value, str):
        bare = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**9)
        return json.dumps(value) if "\n" in bare.strip() else bare.strip()[1:-1]
    return yaml.safe_dump(value, default_flow_style=True).splitlines()[0]


def _one_line(text: str) -> str:
    r"""Write a comment: on one line, and without characters that YAML has no place for.

    >>> _one_line("a\n b\x1b")
    'a b\\x1b'
    """
    line = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
