"""What the values of a database are called in ours: stations, codes, keys, measuring positions."""

from __future__ import annotations

from schemas.mapping import sensor_id


def identifier(value: object) -> str:
    """Give a station, code or key as text, without the blanks that pad fixed-width columns.

    >>> identifier("JFK   "), identifier(108), identifier(None)
    ('JFK', '108', '')
    """
    return "" if value is None else str(value).rstrip()


def sensor_of(station: str, parameter: str, position: object) -> str:
    """Name a measuring position; where none is given it is the first of its kind.

    >>> [sensor_of("UAT", "wind", position) for position in (None, " 2", "roof")]
    ['UAT:wind', 'UAT:wind:2', 'UAT:wind:roof']
    """
    text = identifier(position).lstrip()
    if text and not text.isdecimal():
        return f"{sensor_id(station, parameter)}:{text}"
    return sensor_id(station, parameter, int(text or "1"))
