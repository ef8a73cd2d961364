"""A value as the database gave it, read as a number or as text."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any


def as_number(value: Any) -> float:
    """Give a value as a number, NaN where it is none.

    >>> as_number("12.3"), as_number(True), as_number("1,5")
    (12.3, nan, nan)
    """
    if isinstance(value, bool):
        return math.nan
    readable = isinstance(value, int | float | Decimal)
    if not readable and (not isinstance(value, str) or "_" in value):
        return math.nan
    number = _float(value)
    return number if math.isfinite(number) and abs(number) < 1e300 else math.nan


def as_text(value: Any) -> str:
    """Give a value as text, without blanks around it."""
    return str(value).strip()


def _float(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, OverflowError, ArithmeticError):
        return math.nan


def is_blank(value: Any) -> bool:
    """Say whether a value is text with nothing in it."""
    return isinstance(value, str) and not value.strip()
