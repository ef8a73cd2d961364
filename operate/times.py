"""Times of records as people read them: the wire has whole microseconds."""

from __future__ import annotations

from typing import Any, Final

from operate.reconcile.entries import wall

_UTC: Final = frozenset({"interval_start", "observed_at", "processed_at", "extracted_at"})
_LOCAL: Final = "observed_local"


def shown(name: str, value: Any) -> Any:
    """Write a field of a record, if it is a time.

    >>> shown("observed_at", 1_383_440_400_000_000), shown("observed_local", 0), shown("value", 7)
    ('2013-11-03T01:00:00Z', '1970-01-01T00:00:00', 7)
    """
    if isinstance(value, int) and name in _UTC:
        return f"{wall(value).isoformat()}Z"
    if isinstance(value, int) and name == _LOCAL:
        return wall(value).isoformat()
    return value
