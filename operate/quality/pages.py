"""The pages about the tests in ``docs/quality/``: what is made by a command stands between marks.

Words around the marks are written by people, and stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from operate.quality.catalogue import TESTS, defaults_of, markdown
from operate.quality.course import verdicts
from operate.quality.false_flags import MOST_PERCENT, Count, counts
from operate.quality.faults import CASES, MAIN
from operate.quality.judgements import told
from operate.quality.network import falsely
from operate.quality.plots import Data, data_of, plot
from operate.quality.readings import Past
from operate.quality.recall import Recall, recalls, summary
from operate.quality.series import series_of
from runtime.errors import Configuration
from weather.dense import DENSE
from weather.injection import Fault

_BEGIN: Final = "<!-- made by `aos quality plots`: {} -->"
_END: Final = "<!-- until here -->"
FALSE_FLAGS: Final = "false-flags.md"
RECALL: Final = "recall.md"
JUDGED: Final = "judged-by-hand.csv"
_SLOW: Final = [c for c in CASES if c.fault in (Fault.DRIFT, Fault.SWAP, Fault.CLOCK)]


def put(page: str, block: str, text: str) -> str:
    r"""Put a text in the place of what stands between the marks of a block.

    >>> mark = "<!-- made by `aos quality plots`: defaults -->"
    >>> put(f"a\n{mark}\nold\n<!-- until here -->\nb", "defaults", "new").splitlines()[2:4]
    ['', 'new']

    Raises:
        ValueError: the page has no such block.
    """
    mark = _BEGIN.format(block)
    before, found, rest = page.partition(mark)
    _, end, behind = rest.partition(_END)
    if not found or not end:
        problem = f"there is no block {block!r}"
        raise ValueError(problem)
    return f"{before}{mark}\n\n{text}\n\n{end}{behind}"


def write_pages(
    directory: Path, past: Past, without: Sequence[str], tell: Callable[[str], None]
) -> list[str]:
    """Write defaults, plots and tables anew; give the names of the files.

    Raises:
        Configuration: the directory does not hold the pages.
    """
    data = [(name, past.only(name, without)) for name in past.tables()]
    judged = [data_of(name, part) for name, part in data]
    judged.sort(key=lambda one: -sum(len(found.flag) for found in one.healthy.values()))
    written = [*_tests(directory, judged, tell)]
    flagged = [one for name, part in data for one in counts(name, verdicts(part))]
    _rewrite(directory, FALSE_FLAGS, "counts", counted(flagged))
    _rewrite(directory, FALSE_FLAGS, "judged", told((directory / JUDGED).read_text("utf-8")))
    found = [one for name, part in data for one in recalls(name, part, tell=tell)]
    _rewrite(directory, RECALL, "recall", recalled(found))
    _rewrite(directory, RECALL, "network", networked(data, tell))
    return [*written, FALSE_FLAGS, RECALL]


def _tests(directory: Path, judged: Sequence[Data], tell: Callable[[str], None]) -> Iterator[str]:
    for test in TESTS:
        tell(f"drawing {test.name}")
        _rewrite(directory, f"{test.name}.md", "defaults", defaults_of(test))
        yield f"{test.name}.md"
        picture = plot(test, judged)
        if picture is not None:
            (directory / f"{test.name}.svg").write_text(picture, encoding="utf-8")
            yield f"{test.name}.svg"


def _rewrite(directory: Path, name: str, block: str, text: str) -> None:
    path = directory / name
    try:
        path.write_text(put(path.read_text(encoding="utf-8"), block, text), encoding="utf-8")
    except (OSError, ValueError) as error:
        setting, problem = "--out", f"{name} cannot be written anew ({error})"
        mend = "name the directory docs/quality"
        raise Configuration.of(setting, str(directory), problem, mend=mend) from error


def counted(found: Sequence[Count]) -> str:
    """Write how many readings of healthy data are flagged: the sums, then months with any."""
    if not found:
        return "There are no readings."
    rows = [one.as_row() for one in found if one.flagged]
    readings, flagged = sum(one.readings for one in found), sum(one.flagged for one in found)
    worst = max(found, key=lambda one: one.percent)
    told_first = (
        f"{flagged} of {readings:,} readings are flagged 3 or 4: {100 * flagged / readings:.3f} %. "
        f"The worst of {len(found)} months of a parameter has {worst.percent:.3f} % "
        f"(allowed: less than {MOST_PERCENT:g} %). Months that are not named have none."
    )
    return "\n\n".join([told_first, markdown(rows) if rows else ""])


def recalled(found: Sequence[Recall]) -> str:
    """Write the table fault by magnitude, then what misses its target and what it would take."""
    if not found:
        return "There are no series long enough."
    missed = _missed([one for one in found if one.holds is False])
    units = [{"parameter": name, **_units(name)} for name, _ in MAIN]
    parts = [
        markdown(summary(found)),
        "Units that are mixed up:",
        markdown(units),
        "## What misses its target",
        markdown(missed) if missed else "Nothing.",
    ]
    return "\n\n".join(parts)


def networked(data: Sequence[tuple[str, Past]], tell: Callable[[str], None]) -> str:
    """Write what a dense, live network finds of the faults that a station alone lets pass."""
    found, looked, wrong = list[Recall](), 0, 0
    for name, past in data:
        found += recalls(name, past, _SLOW, DENSE, tell, around=True)
        for series in series_of(past, verdicts(past), MAIN, DENSE):
            several, said = falsely(series)
            looked, wrong = looked + several, wrong + said
    if not found:
        return "There are no series long enough."
    share = 100 * wrong / max(looked, 1)
    false = f"Of {looked:,} healthy readings the stations around contradict {wrong}: {share:.2f} %."
    missed = _missed([one for one in found if one.holds is False])
    return "\n\n".join([false, markdown(summary(found)), markdown(missed) if missed else ""])


def _units(parameter: str) -> dict[str, str]:
    mixed = [case for case in CASES if case.fault is Fault.UNIT]
    return {case.told(): case.told(parameter) for case in mixed}


def _missed(found: Sequence[Recall]) -> list[dict[str, object]]:
    """Give a line for each data set, fault and parameter: which magnitudes, against what target."""
    rows: dict[tuple[str, str, str], list[Recall]] = {}
    for one in found:
        rows.setdefault((one.data, str(one.case.fault), one.parameter), []).append(one)
    return [
        {
            "data": data,
            "fault": fault,
            "parameter": parameter,
            "caught, of the target": "; ".join(map(_against, missed)),
            "would take": missed[0].target.would_take,
        }
        for (data, fault, parameter), missed in rows.items()
    ]


def _against(one: Recall) -> str:
    row = one.as_row()
    return f"{row['magnitude']}: {row['caught']} of {row['target']}"
