"""Which readings the rows of a table hold: parameters, their measures, their intervals."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from producers.inspect.column_choice import WIND, Draft, columns_for, measures_from
from producers.inspect.guesses import Guess
from producers.inspect.layout import PARAMETERS, Layout
from producers.inspect.left_out import say_what_is_left, why_not
from producers.inspect.measure_guess import draft_measures, unit_beside
from producers.inspect.plain import as_text
from producers.inspect.unit_guess import system_of, unit_by_value, unit_by_word
from schemas.mapping_parts import UNSET

_AVERAGED_SECONDS: Final = 60


def wide_readings(draft: Draft) -> list[dict[str, Any]]:
    """Draft the readings of a table whose columns are measures."""
    layout, notes = draft.layout, draft.notes
    every = np.ones(layout.sample.rows, dtype=np.bool_)
    system = _system(layout)
    readings = []
    for sense, parameter in PARAMETERS.items():
        names = columns_for(draft, sense)
        for number, name in enumerate(names, start=1):
            at = f"{draft.place}.readings.{parameter}" + (f".{number}" if len(names) > 1 else "")
            columns = measures_from(layout, parameter, name, number)
            measures = draft_measures(layout, parameter, columns, (every, None, system), notes, at)
            reading = _reading(parameter, measures, draft.cadence)
            readings.append(reading | ({"position": number} if len(names) > 1 else {}))
    say_what_is_left(layout, notes)
    if not any(_is_plausible(measure) for r in readings for measure in r["measures"].values()):
        named = ", ".join(m["column"] for r in readings for m in r["measures"].values())
        if layout.sample.rows and named:
            table = layout.table.full_name
            notes.say(f"{table} is not mapped: no weather is like the values of {named}")
            return []
    return _agreeing(readings)


def _is_plausible(measure: dict[str, Any]) -> bool:
    return bool(measure["unit"] != UNSET)


def long_readings(draft: Draft) -> list[dict[str, Any]]:
    """Draft the readings of a table with a code and a value."""
    layout, notes, value = draft.layout, draft.notes, draft.layout.value
    code = str(layout.code.value if layout.code else "")
    texts = np.array([as_text(v) if v is not None else "" for v in layout.facts[code].values])
    readings = []
    for key, text in layout.known_codes(code).items():
        meant, rows = layout.meant.get(text), texts == key
        parameter = PARAMETERS.get(meant.value) if meant else None
        is_total = parameter == "rainfall" and value and _sums(draft, value.value, rows)
        if parameter is None or meant is None or value is None or is_total:
            notes.say(why_not(layout, key, text, meant))
            continue
        at = f"{draft.place}.readings.{key}"
        notes.guess(f"{at}.parameter", Guess(parameter, meant.confidence, meant.reason))
        columns = _measures_of_code(layout, parameter, value.value, rows)
        beside = unit_beside(layout, rows) or layout.units.get(key)
        measures = draft_measures(layout, parameter, columns, (rows, text, beside), notes, at)
        reading = _reading(parameter, measures, draft.cadence)
        readings.append({"parameter": parameter, "code": key, **reading})
    return _agreeing(readings)


def _sums(draft: Draft, column: str, rows: Any) -> bool:
    return draft.is_total(column, rows) or draft.is_counter(column, rows)


def _measures_of_code(layout: Layout, parameter: str, value: str, rows: Any) -> dict[str, str]:
    """Name the columns of a code's measures; of wind's, those that its rows fill."""
    found = measures_from(layout, parameter, value, 1)
    main = {"value", "speed"}
    return {
        name: column
        for name, column in found.items()
        if name in main or np.isfinite(layout.facts[column].floats[rows]).any()
    }


def _reading(parameter: str, measures: dict[str, Any], cadence: float) -> dict[str, Any]:
    seconds = round(cadence)
    has_interval = seconds > 0 and (parameter == "rainfall" or seconds <= _AVERAGED_SECONDS)
    interval = {"interval_seconds": seconds} if has_interval else {}
    return {"parameter": parameter, **interval, "measures": measures}


def _agreeing(drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the readings of one parameter the same measures' sentinels, as a mapping needs it."""
    for draft in drafts:
        same = [d for d in drafts if d["parameter"] == draft["parameter"]]
        for name, measure in draft["measures"].items():
            union = [s for d in same for s in d["measures"].get(name, {}).get("sentinels", [])]
            if union:
                measure["sentinels"] = list(dict.fromkeys(union))
    return drafts


def _system(layout: Layout) -> str | None:
    """Say which system of units the other columns of a table speak for."""
    units = []
    for sense, found in layout.measures.items():
        parameter = PARAMETERS.get(sense, "wind" if sense in WIND.values() else "rainfall")
        measure = next((m for m, s in WIND.items() if s == sense), "value")
        for name, _ in found:
            facts = layout.facts[name]
            unit = unit_by_word(parameter, measure, name, facts.column.comment)
            unit = unit or unit_by_value(parameter, measure, facts.measured)
            units += [str(unit.value)] if unit and unit.confidence >= 0.6 else []
    return system_of([u for u in units if u not in {"degC", "mm"}] or units)
