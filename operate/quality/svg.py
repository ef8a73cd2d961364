"""Plots of a series as SVG: a line, another beside it, and the readings that are flagged.

Written out by hand, since a line and some dots need no library; and the same data give the same
bytes, so that a plot in the documents changes when what it shows does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from weather.arrays import Flags, Floats, Micros
from weather.qc.flags import Flag

WIDTH: Final = 460
HEIGHT: Final = 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 44, 34
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COLOURS: Final = {Flag.SUSPECT: "#e08a00", Flag.FAIL: "#c8102e"}
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.small{font-size:11px;fill:#666}"
    ".grid{stroke:#ddd}.true{fill:none;stroke:#999;stroke-dasharray:3 3}"
    ".line{fill:none;stroke:#1f5fa8;stroke-width:1.4}.dot{fill:#1f5fa8}.fault{fill:#f3ecdc}"
)


@dataclass(frozen=True, slots=True)
class Panel:
    """One window of a series; arrays of shape (n,), rising by time (local microseconds).

    ``values`` are what was judged, ``truth`` what the sensor really gave at ``truth_at``, where
    they differ; ``fault`` is from when to when something is wrong.
    """

    title: str
    remark: str
    unit: str
    at: Micros
    values: Floats
    flags: Flags
    truth: Floats | None = None
    truth_at: Micros | None = None
    fault: tuple[int, int] | None = None


def drawn(panels: Sequence[Panel]) -> str:
    """Draw panels side by side."""
    width = WIDTH * len(panels)
    parts = [part for number, panel in enumerate(panels) for part in _panel(panel, number)]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}">'
    )
    background = f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>'
    return "\n".join([head, f"<style>{_STYLE}</style>", background, *parts, "</svg>", ""])


class _Scale:
    """Where values and times lie on a panel."""

    def __init__(self, panel: Panel) -> None:
        every = [panel.values, *([] if panel.truth is None else [panel.truth])]
        known = np.concatenate(every)
        known = known[~np.isnan(known)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = (high - low) * 0.08 or 1.0
        self.low, self.high = low - room, high + room
        self.first, self.last = int(panel.at.min()), max(int(panel.at.max()), int(panel.at[0]) + 1)

    def inside(self, at: float) -> float:
        """Bring a time onto the panel."""
        return min(max(at, self.first), self.last)

    def x(self, at: float) -> float:
        """Place a time."""
        part = (at - self.first) / (self.last - self.first)
        return _LEFT + part * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Place a value."""
        part = (value - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - part * (HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> Iterator[float]:
        """Give round values between both ends."""
        step = _round((self.high - self.low) / 4)
        value = math.ceil(self.low / step) * step
        while value <= self.high:
            yield round(value, 10)
            value += step


def _panel(panel: Panel, number: int) -> Iterator[str]:
    scale = _Scale(panel)
    yield f'<g transform="translate({number * WIDTH} 0)">'
    yield f'<text class="title" x="{_LEFT}" y="16">{escape(panel.title)}</text>'
    yield f'<text class="small" x="{_LEFT}" y="32">{escape(panel.remark)}</text>'
    if panel.fault is not None:
        left, right = (scale.x(scale.inside(at)) for at in panel.fault)
        size = f'width="{right - left:.1f}" height="{HEIGHT - _TOP - _BOTTOM}"'
        yield f'<rect class="fault" x="{left:.1f}" y="{_TOP}" {size}/>'
    yield from _axes(panel, scale)
    if panel.truth is not None:
        at = panel.at if panel.truth_at is None else panel.truth_at
        yield _line(scale, at, panel.truth, "true")
    yield _line(scale, panel.at, panel.values, "line")
    yield from _dots(panel, scale)
    yield "</g>"


def _axes(panel: Panel, scale: _Scale) -> Iterator[str]:
    for value in scale.ticks():
        y = scale.y(value)
        right = WIDTH - _RIGHT
        yield f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        told = f"{value:g}"
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{told}</text>'
    yield f'<text class="small" x="6" y="{_TOP - 2}">{escape(panel.unit)}</text>'
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        at = scale.first + part * (scale.last - scale.first)
        when = _EPOCH + timedelta(microseconds=at)
        place = f'x="{scale.x(at):.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}"'
        yield f"<text {place}>{when:%Y-%m-%d %H:%M}</text>"


def _line(scale: _Scale, at: Micros, values: Floats, name: str) -> str:
    pieces, begin = [], True
    for when, value in zip(at.tolist(), values.tolist(), strict=True):
        if math.isnan(value):
            begin = True
            continue
        pieces.append(f"{'M' if begin else 'L'}{scale.x(when):.1f} {scale.y(value):.1f}")
        begin = False
    return f'<path class="{name}" d="{"".join(pieces)}"/>'


def _dots(panel: Panel, scale: _Scale) -> Iterator[str]:
    rows = zip(panel.at.tolist(), panel.values.tolist(), panel.flags.tolist(), strict=True)
    for at, value, flag in rows:
        if math.isnan(value):
            continue
        colour = _COLOURS.get(Flag(flag))
        place = f'cx="{scale.x(at):.1f}" cy="{scale.y(value):.1f}"'
        if colour:
            yield f'<circle {place} r="4.5" fill="{colour}"/>'
        else:
            yield f'<circle class="dot" {place} r="1.6"/>'


def _round(step: float) -> float:
    """Give the next of 1, 2, 5, 10, … that is no less.

    >>> _round(0.3), _round(7.0)
    (0.5, 10.0)
    """
    power = 10.0 ** math.floor(math.log10(step))
    return float(next(power * one for one in (1, 2, 5, 10) if power * one >= step * 0.999999))
