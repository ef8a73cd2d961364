"""A ruleset as plain data for JSON, and back: what is not told has its default.

::

    {"version": "seoul-4", "valid_from": "2026-03-01T00:00:00Z",
     "limits": {"temperature.value": {"fail": [-40, 60], "steps": [{"minutes": 1, "suspect": 3}]}},
     "overrides": [{"measure": "temperature.value", "classes": [4, 5], "months": [12, 1, 2],
                    "limits": {"suspect": [-30, 20]}}]}

The limits of an override tell only what differs from the measure's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from weather.anomaly import Anomaly
from weather.anomaly import from_plain as anomaly_of
from weather.anomaly import to_plain as plain_anomaly
from weather.limits import Buddies, Factor, FlatLine, Height, Limits, Span, Spike, Step, Timeliness
from weather.parameters import measure_of
from weather.ruleset import ALWAYS, Override, Ruleset
from weather.ruleset_checks import check

Plain = dict[str, Any]
"""What JSON has: numbers, texts, lists, objects."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SPANS: Final = {"fail", "suspect"}
_ROWS: Final = {"steps": Step, "amounts": Step}
_ONE: Final = {
    "factor": Factor,
    "spike": Spike,
    "flat_line": FlatLine,
    "buddies": Buddies,
    "timeliness": Timeliness,
}


def to_plain(ruleset: Ruleset) -> Plain:
    """Write a ruleset as plain data.

    >>> from weather.ruleset import DEFAULT
    >>> to_plain(DEFAULT)["limits"]["wind.gust"]
    {'fail': [0.0, 128.0]}
    """
    limits = {f"{p}.{m}": _told(one) for (p, m), one in sorted(ruleset.limits.items())}
    overrides = [_override(ruleset, one) for one in ruleset.overrides]
    valid_from = None if ruleset.valid_from == ALWAYS else _as_text(ruleset.valid_from)
    return {
        "version": ruleset.version,
        "valid_from": valid_from,
        "limits": limits,
        "overrides": overrides,
    }


def from_plain(plain: Mapping[str, Any]) -> Ruleset:
    """Read a ruleset from plain data.

    >>> from weather.ruleset import DEFAULT
    >>> from_plain(to_plain(DEFAULT)) == DEFAULT
    True

    Raises:
        ValueError: it tells of something unknown, leaves out what must be there, or makes no sense;
            the message names the place and the mend.
    """
    _known(plain, ("version", "valid_from", "limits", "overrides"), "the ruleset")
    version = _needed(plain, "version", "the ruleset")
    limits: dict[tuple[str, str], Limits] = {}
    for name, one in _object(plain.get("limits", {}), "limits").items():
        told = _limits(_object(one, name), name)
        if "fail" not in told:
            problem = f"{name} has no 'fail': give the range beyond which a value fails"
            raise ValueError(problem)
        limits[_measure(name)] = Limits(**told)
    overrides = tuple(_overridden(one, limits) for one in plain.get("overrides") or ())
    at = _micros(plain.get("valid_from"))
    ruleset = Ruleset(str(version), MappingProxyType(limits), overrides, at)
    check(ruleset)
    return ruleset


def _override(ruleset: Ruleset, one: Override) -> Plain:
    mine, base = _told(one.limits), _told(ruleset.limits_of(one.parameter, one.measure))
    differs = {
        name: mine.get(name) for name in {**base, **mine} if mine.get(name) != base.get(name)
    }
    where = {"classes": list(one.classes), "months": list(one.months)}
    return {"measure": f"{one.parameter}.{one.measure}", **where, "limits": differs}


def _told(limits: Limits) -> Plain:
    """Tell what differs from the defaults."""
    named = {field.name: (getattr(limits, field.name), field.default) for field in fields(limits)}
    return {name: _plain(value) for name, (value, default) in named.items() if value != default}


def _plain(value: Any) -> Any:
    if isinstance(value, Span):
        return list(value)
    if isinstance(value, Anomaly):
        return plain_anomaly(value)
    if isinstance(value, Step | Factor | Spike | FlatLine | Buddies | Timeliness):
        usual = value._field_defaults
        told = value._asdict().items()
        return {name: _plain(one) for name, one in told if name not in usual or one != usual[name]}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Height) else value


def _overridden(plain: Any, limits: Mapping[tuple[str, str], Limits]) -> Override:
    told = _object(plain, "an override")
    _known(told, ("measure", "classes", "months", "limits"), "an override")
    name = str(_needed(told, "measure", "an override"))
    parameter, measure = _measure(name)
    if (parameter, measure) not in limits:
        problem = f"an override is for {name}, which has no limits to override: give them"
        raise ValueError(problem)
    changed = _limits(_object(told.get("limits", {}), name), name)
    classes, months = (tuple(told.get(key) or ()) for key in ("classes", "months"))
    return Override(
        parameter, measure, replace(limits[parameter, measure], **changed), classes, months
    )


def _limits(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    _known(told, [field.name for field in fields(Limits)], where)
    return {name: _value(name, value, f"{where}.{name}") for name, value in told.items()}


def _value(name: str, value: Any, where: str) -> Any:
    if name in _ROWS or name == "climate":
        rows = () if value is None else _list(value, where)
        return tuple(_row(_ROWS.get(name), row, where) for row in rows)
    if name in ("rises_only", "digits"):
        return value is True
    if value is None:
        return None
    if name == "anomaly":
        return anomaly_of(_object(value, where))
    return _row(None if name in _SPANS else _ONE[name], value, where)


def _row(kind: Any, value: Any, where: str) -> Any:
    """Make a named tuple of an object, or a span of two numbers."""
    if kind is None:
        numbers = _list(value, where)
        if len(numbers) != len(Span._fields):
            problem = f"{where} is {value!r}: give the lowest and the highest value"
            raise ValueError(problem)
        return Span(*(_number(one, where) for one in numbers))
    told = _object(value, where)
    _known(told, kind._fields, where)
    for name in kind._fields:
        if name not in kind._field_defaults:
            _needed(told, name, where)
    return kind(**{name: _field(name, one, where) for name, one in told.items()})


def _field(name: str, value: Any, where: str) -> Any:
    if name == "height":
        return Height(value)
    number = _number(value, f"{where}.{name}")
    return int(number) if name in ("readings", "least") else number


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem = f"{where} is {value!r}: give a number"
        raise ValueError(problem)  # noqa: TRY004
    return float(value)


def _measure(name: str) -> tuple[str, str]:
    parameter, _, measure = name.partition(".")
    return parameter, measure_of(parameter, measure).name


def _micros(text: Any) -> int:
    if text is None:
        return ALWAYS
    at = datetime.fromisoformat(str(text))
    if at.tzinfo is None:
        problem = f"valid_from is {text!r}: give its zone too, such as 2026-03-01T00:00:00Z"
        raise ValueError(problem)
    return (at - _EPOCH) // _MICROSECOND


def _as_text(micros: int) -> str:
    return (_EPOCH + micros * _MICROSECOND).isoformat().replace("+00:00", "Z")


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        problem = f"{where} is {value!r}: give an object"
        raise ValueError(problem)  # noqa: TRY004  # whoever reads rulesets expects one kind of error
    return value


def _list(value: Any, where: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        problem = f"{where} is {value!r}: give a list"
        raise ValueError(problem)  # noqa: TRY004
    return value


def _needed(told: Mapping[str, Any], name: str, where: str) -> Any:
    if told.get(name) is None:
        problem = f"{where} has no {name!r}: give one"
        raise ValueError(problem)
    return told[name]


def _known(told: Mapping[str, Any], names: Sequence[str], where: str) -> None:
    unknown = sorted(set(told) - set(names))
    if unknown:
        problem = f"{where} tells of {unknown[0]!r}: known are {', '.join(names)}"
        raise ValueError(problem)
