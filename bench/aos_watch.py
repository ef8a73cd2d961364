"""What a PostgreSQL sees of one application: its statements, rows, connections, snapshots, locks.

Statements and the time they took come from the server's own log, rows from its statistics, and the
rest from looking at its activity again and again.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psycopg

APPLICATION: Final = "aos-measured"
_LOOK_SECONDS: Final = 0.02
_FLUSH_SECONDS: Final = 1.5
_LINE: Final = re.compile(
    rf"\|{APPLICATION}\|LOG:  duration: (?P<ms>[\d.]+) ms  "
    r"(?P<step>statement|execute|parse|bind)(?: [^:]*)?: ?(?P<sql>.*)"
)
_CONTROL: Final = ("BEGIN", "ROLLBACK", "COMMIT", "")
_TELL_ALL: Final = (
    "ALTER SYSTEM SET log_min_duration_statement = 0",
    "ALTER SYSTEM SET log_line_prefix = '%m|%a|'",
    "SELECT pg_reload_conf()",
)
_ROWS: Final = (
    "SELECT (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes)"
    " + (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)"
)
_ACTIVITY: Final = """
SELECT count(*),
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start))
                FILTER (WHERE backend_xmin IS NOT NULL), 0),
       (SELECT count(*) FROM pg_locks JOIN pg_stat_activity AS mine USING (pid)
        WHERE mine.application_name = %(name)s AND locktype = 'relation'
          AND mode <> 'AccessShareLock')
FROM pg_stat_activity WHERE application_name = %(name)s
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen between two moments.

    Attributes:
        seconds: how long that was.
        polls: how many times a bound was asked for.
        questions: statements, without those that begin and end transactions.
        busy_seconds: time that the server worked on statements of either kind.
    """

    seconds: float
    polls: int
    questions: int
    busy_seconds: float


class Watch:
    """Looks at a server until it is closed; a context manager.

    Attributes:
        connections: the most that were held at once.
        snapshot_seconds: the longest that one was held.
        locks: the most relations that were locked more than reading does.
    """

    def __init__(self, url: str, log: Path) -> None:
        self._url = url
        self._log = log
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._mark = (time.monotonic(), 0)
        self.connections, self.snapshot_seconds, self.locks = 0, 0.0, 0

    def __enter__(self) -> Self:
        """Begin to look."""
        with psycopg.connect(self._url, autocommit=True) as database:
            for statement in _TELL_ALL:
                database.execute(statement.encode())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def forget(self) -> None:
        """Count anew what was most until now."""
        self.connections, self.snapshot_seconds, self.locks = 0, 0.0, 0

    def begin(self) -> None:
        """Begin a stretch that :meth:`end` tells of."""
        self._mark = (time.monotonic(), self._log.stat().st_size)

    def end(self) -> Seen:
        """Tell what was seen since :meth:`begin`."""
        began, at = self._mark
        seconds = time.monotonic() - began
        with self._log.open("rb") as log:
            log.seek(at)
            lines = log.read().decode(errors="replace").splitlines()
        found = [match for line in lines if (match := _LINE.search(line))]
        asked = [match["sql"].rstrip("; ") for match in found if match["step"] not in _STEPS]
        questions = [sql for sql in asked if sql not in _CONTROL]
        return Seen(
            seconds,
            sum("AS bound" in sql for sql in questions),
            len(questions),
            sum(float(match["ms"]) for match in found) / 1000,
        )

    def rows_read(self) -> int:
        """Give the rows that statements have read from tables and indexes, of all applications."""
        self._stop.wait(_FLUSH_SECONDS)
        with psycopg.connect(self._url, autocommit=True) as database:
            (rows,) = database.execute(_ROWS).fetchone() or (0,)
        return int(rows)

    def _look(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as database:
            while not self._stop.wait(_LOOK_SECONDS):
                row = database.execute(_ACTIVITY, {"name": APPLICATION}).fetchone()
                connections, seconds, locks = row or (0, 0.0, 0)
                self.connections = max(self.connections, connections)
                self.snapshot_seconds = max(self.snapshot_seconds, float(seconds))
                self.locks = max(self.locks, locks)


_STEPS: Final = ("parse", "bind")
