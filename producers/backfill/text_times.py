"""Times that a table keeps as text, or as digits: written alike, so that they compare as times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from runtime.errors import Configuration

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall's own epoch
_DAY: Final = timedelta(days=1)
_WRITTEN: Final = re.compile(
    r"\d{4}(?P<day>[-/.]?)\d\d(?P=day)\d\d(?:(?P<between>[ T]*)\d\d(?P<clock>:?)\d\d.*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Form:
    """How times are written: what stands within the date, between date and clock, in the clock.

    Midnight is written as 24:00 of the day before. That sorts behind the last minute of that day
    and before 00:00 of the next, so a row with either spelling is on the right side of it.

    >>> Form("", "", "").write(1_383_440_400_000_000), Form("-", "T", ":").write(0)
    ('201311030100', '1969-12-31T24:00')
    """

    day: str = "-"
    between: str = " "
    clock: str | None = ":"

    def write(self, local: int) -> str:
        """Write a local time, in microseconds; a form without a clock has the date alone."""
        moment = local_time(local)
        if self.clock is None:
            return moment.strftime(self._date)
        if moment == datetime.combine(moment.date(), moment.time().min):
            return (moment - _DAY).strftime(self._date) + f"{self.between}24{self.clock}00"
        seconds = f"{self.clock}%S" if moment.second else ""
        return moment.strftime(f"{self._date}{self.between}%H{self.clock}%M{seconds}")

    @property
    def _date(self) -> str:
        return f"%Y{self.day}%m{self.day}%d"


def local_time(local: int) -> datetime:
    """Give local microseconds as a naive time."""
    return _EPOCH + timedelta(microseconds=local)


def form_of(column: str, samples: Iterable[str]) -> Form:
    """Find how a column writes its times; values that are none do not count.

    >>> form_of("tm", ["201311030100", "gestern"])
    Form(day='', between='', clock='')

    Raises:
        Configuration: in several ways, or not year first with two digits for month, day and hour:
            such texts do not sort as the times do.
    """
    given = [text.strip() for text in samples]
    found = {form for text in given if (form := _form(text)) is not None}
    if len(found) == 1:
        return found.pop()
    if not given:
        return Form()
    problem = (
        f"observation times in {column} cannot be searched by range: they are text like "
        f"{given[0]!r}, " + ("written in several ways" if found else "which does not sort by time")
    )
    mend = "map a view that has them as a time, or as text like 2013-11-03 01:00"
    raise Configuration(problem, mend=mend)


def _form(text: str) -> Form | None:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    return Form(match["day"], match["between"] or "", match["clock"])
