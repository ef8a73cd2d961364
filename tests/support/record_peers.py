"""Record what ioos_qc and titanlib say of the questions in ``tests/peers_data.py``.

They bring pandas, xarray and Matplotlib along, so they have an environment of their own::

    python -m venv ENV && ENV/bin/pip install ioos-qc==3.0.0 titanlib==0.4.0
    ENV/bin/python -m tests.support.record_peers

To be run again when the questions change; the answers are compared with ours in every run of the
tests, without the libraries.
"""

from __future__ import annotations

import gzip
import json
from importlib.metadata import version
from typing import Any

import numpy as np
import titanlib
from ioos_qc import qartod

from tests.peers_data import RECORDED, Asked, Field, fields, series

Answers = dict[str, str]


def main() -> None:
    """Ask all, and write the answers down."""
    recorded = {
        "ioos_qc": version("ioos-qc"),
        "titanlib": version("titanlib"),
        "series": {asked.name: _series(asked) for asked in series()},
        "fields": [_field(field) for field in fields()],
    }
    text = json.dumps(recorded, indent=0, sort_keys=True).encode()
    RECORDED.write_bytes(gzip.compress(text, mtime=0))


def _series(asked: Asked) -> Answers:
    at = (asked.seconds * 1_000_000_000).astype("datetime64[ns]")
    suspect, fail = asked.span
    step = int(asked.seconds[1] - asked.seconds[0])
    (low, high), (soon, late) = asked.change, asked.flat_seconds
    climate = qartod.ClimatologyConfig()
    for month in range(1, 13):
        climate.add(tspan=(month, month), vspan=suspect, period="month")
    return {
        "range": _text(qartod.gross_range_test(asked.values, fail, suspect)),
        "climate": _text(qartod.climatology_test(climate, asked.values, at, np.zeros(len(at)))),
        "differential": _text(qartod.spike_test(asked.values, *asked.spike, method="differential")),
        "average": _text(qartod.spike_test(asked.values, *asked.spike)),
        "step": _text(qartod.rate_of_change_test(asked.values, at, low / step, high / step)),
        "flat_line": _text(qartod.flat_line_test(asked.values, at, soon, late, tolerance=1e-9)),
    }


def _field(field: Field) -> str:
    points = titanlib.Points(field.latitude, field.longitude, field.elevation)
    return _text(
        titanlib.buddy_check(
            points,
            field.values,
            [50_000.0],
            [5],
            field.threshold,
            200.0,
            field.gradient,
            1.0,
            field.rounds,
        )
    )


def _text(flags: Any) -> str:
    return "".join(str(int(flag)) for flag in np.ma.filled(flags, 9))


if __name__ == "__main__":
    main()
