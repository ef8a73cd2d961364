"""What two parameters of a station say of one minute: rain does not fall through parched air.

Both are suspect then, whichever came first. That asks for whole rings of several series, so it is
looked for only where it can be: of each station it is known since when there was last rain, last
parched air, and last both at once. These three only rise; one that is too high costs a look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream_app.window.entries import Entries, flag, joined, live, put_flag, taken
from stream_app.window.incoming import Incoming, ranked
from stream_app.window.judge import kind_slices
from stream_app.window.kinds import HUMIDITY, RAINFALL
from stream_app.window.layout import Layout
from stream_app.window.rings import K, Rings, Rows
from weather.arrays import Bools, Micros
from weather.qc.consistency import parched, wet
from weather.qc.flags import NOT_EVALUATED, SUSPECT
from weather.qc.series import NEVER

NOT_TOGETHER: Final = int(ranked(max(RAINFALL, HUMIDITY) + 1, 0))
"""From this rank on, series are judged alone."""

_MINUTE: Final = 60_000_000
_MINUTE_BITS: Final = 34
_FOR_EVER: Final = np.iinfo(np.int64).max
_OTHER: Final = {RAINFALL: HUMIDITY, HUMIDITY: RAINFALL}


@dataclass(frozen=True, slots=True)
class Latest:
    """When each station last had rain, parched air, and both; NEVER where it had none."""

    wet: Micros
    parched: Micros
    both: Micros

    @classmethod
    def never(cls, stations: int) -> Latest:
        """Know nothing of so many stations."""
        return cls(*(np.full(stations, NEVER) for _ in range(3)))

    def of(self, rings: Rings, row: Rows, entries: Entries) -> Latest:
        """Look at more entries; this one is not changed."""
        room = len(rings.stations) - len(self.wet)
        grown = [np.append(times, np.full(room, NEVER)) for times in (self.wet, self.parched)]
        both = np.append(self.both, np.full(room, NEVER))
        kind, station = rings.kind[row], rings.station[row]
        for times, which in zip(grown, _extremes(kind, entries), strict=True):
            np.maximum.at(times, station[which], entries["at"][which])
        contradicted = flag(entries, "together") == SUSPECT
        np.maximum.at(both, station[contradicted], entries["at"][contradicted])
        return Latest(grown[0], grown[1], both)


def affected(rings: Rings, latest: Latest, incoming: Incoming) -> Rows:
    """Give the rows of rain and humidity where a new reading may meet or leave the other."""
    row, entries, kind = incoming.row, incoming.entries, incoming.kind
    station, minute = rings.station[row], entries["at"] // _MINUTE * _MINUTE
    rains, dry = _extremes(kind, entries)
    meets = (rains & (latest.parched[station] >= minute)) | (dry & (latest.wet[station] >= minute))
    concerned = (kind == RAINFALL) | (kind == HUMIDITY)
    parts = concerned & (latest.both[station] >= minute)
    stations = np.unique(station[meets | parts])
    return np.array(rings.together(stations.tolist()), np.int64)


def judge_together(rings: Rings, layout: Layout, judged: Entries) -> None:
    """Flag rain and parched air of one minute in whole rings, in place."""
    slices = {kind: part for kind, part in kind_slices(layout) if kind in _OTHER}
    keys = {kind: _keys(rings, layout, judged, kind, part) for kind, part in slices.items()}
    begins = {kind: _begins(rings, layout, kind) for kind in _OTHER}
    for kind, part in slices.items():
        entries, other = judged[part], _OTHER[kind]
        station = rings.station[np.repeat(layout.rows, layout.lengths)[part]]
        key = _key(station, entries["at"])
        against = _extreme(kind, entries) & np.isin(key, keys.get(other, key[:0]))
        seen = entries["at"] >= begins[other][station]
        seen &= live(entries) & ~np.isnan(entries["value"])
        flags = np.where(seen, NOT_EVALUATED, flag(entries, "together"))
        put_flag(entries, "together", np.where(against, SUSPECT, flags).astype(np.int32))


def _extremes(kind: NDArray[np.int64], entries: Entries) -> tuple[Bools, Bools]:
    alive = live(entries)
    rain = alive & (kind == RAINFALL) & wet(entries["value"])
    dry = alive & (kind == HUMIDITY) & parched(entries["value"])
    return rain, dry


def _extreme(kind: int, entries: Entries) -> Bools:
    return _extremes(np.full(len(entries), kind), entries)[0 if kind == RAINFALL else 1]


def _key(station: Rows, at: Micros) -> NDArray[np.int64]:
    return (station << _MINUTE_BITS) + at // _MINUTE


def _keys(
    rings: Rings, layout: Layout, judged: Entries, kind: int, part: slice
) -> NDArray[np.int64]:
    """Give the station and minute of every extreme entry, also of those that only stay."""
    rows = layout.rows[(rings.kind[layout.rows] == kind) & (layout.kept > 0)]
    entries = joined([judged[part], taken(rings.entries, rings.slots(rows, K - 1))])
    row = np.concatenate([np.repeat(layout.rows, layout.lengths)[part], rows])
    found = _extreme(kind, entries)
    return _key(rings.station[row[found]], entries["at"][found])


def _begins(rings: Rings, layout: Layout, kind: int) -> Micros:
    """Say since when each station's readings of a kind are remembered: of its longest ring."""
    rows = layout.rows[rings.kind[layout.rows] == kind]
    begins = np.full(len(rings.stations), _FOR_EVER)
    np.minimum.at(begins, rings.station[rows], rings.oldest(rows))
    return begins
