"""Running a contestant until it has read everything, and what that took: seconds and CPU.

Done is when the group's committed offsets have reached the end of every raw partition: for all
contestants alike, and in a transaction for those that have some. CPU is user and system time of
every process of the contestant and of its children, threads and compilers included, at that moment.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil
from confluent_kafka import Consumer, KafkaException, TopicPartition

from runtime.errors import System
from runtime.kafka import KafkaSettings

_LOOK_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 600.0
_ASK_SECONDS: Final = 10.0
_KNOWN_SECONDS: Final = 0.5
_MEGA: Final = 1_000_000
_ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds from the start of the first process to the last commit, and CPU seconds.

    ``rate`` is readings a second from the first commit behind a mark to the last one; ``resident``
    are the megabytes that the processes held, each time that somebody looked.
    """

    seconds: float
    cpu: float
    rate: float
    resident: Sequence[float]


class Offsets:
    """How far a group has come in the raw topics; asked by a consumer that never joins it."""

    def __init__(
        self, kafka: KafkaSettings, group: str, topics: Sequence[str], partitions: int
    ) -> None:
        self.group = group
        # Else the coordinator answers when no transaction is open, which between those of several
        # partitions is now and then: the mark was passed unseen for seconds, and rates were noise.
        settings = kafka.client(group_id=group, isolation_level="read_uncommitted")
        self._asker = Consumer(settings)
        self._places = [TopicPartition(t, number) for t in topics for number in range(partitions)]

    def committed(self) -> int:
        """Add up the committed offsets; the raw topics begin at 0, and so does who is not known."""
        try:
            found = self._asker.committed(self._places, timeout=_ASK_SECONDS)
        except KafkaException:  # the coordinator moves in; whoever waits for us has a deadline
            return 0
        return sum(max(place.offset, 0) for place in found)


class Processes:
    """The processes of one contestant, killed when it is over."""

    def __init__(self, commands: Sequence[Sequence[str]], log: Path) -> None:
        self.log = log
        self.start = time.perf_counter()
        with log.open("ab") as out:
            self._started = [
                subprocess.Popen(command, stdout=out, stderr=out, cwd=_ROOT) for command in commands
            ]
        self._known: list[psutil.Process] = []
        self._known_at = -_KNOWN_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End them at once."""
        for process in self._family():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for started in self._started:
            started.wait()

    def cpu(self) -> float:
        """Add up user and system seconds, children included."""
        return _sum(self._family(), lambda process: sum(process.cpu_times()[:4]))

    def resident(self) -> float:
        """Add up resident memory in megabytes, children included.

        Who the children are is asked twice a second: it costs a look at all that runs here, and
        what a look costs, the contestant lacks.
        """
        if self._seconds() - self._known_at >= _KNOWN_SECONDS:
            self._known, self._known_at = self._family(), self._seconds()
        return _sum(self._known, lambda process: float(process.memory_info().rss)) / _MEGA

    def _family(self) -> list[psutil.Process]:
        alive = [psutil.Process(each.pid) for each in self._started if each.poll() is None]
        return [*alive, *(child for each in alive for child in each.children(recursive=True))]

    def until(self, offsets: Offsets, count: int, mark: int = 1) -> Took:
        """Wait until the group has committed so many readings.

        Raises:
            System: a process ended, or it takes too long.
        """
        passed_at, passed, pause, resident = 0.0, 0, threading.Event(), list[float]()
        while (committed := offsets.committed()) < count:
            if committed >= mark and not passed:
                passed_at, passed = self._seconds(), committed
            self._check(offsets, count)
            resident.append(self.resident())
            pause.wait(_LOOK_SECONDS)
        seconds = self._seconds()
        rate = (count - passed) / (seconds - passed_at)
        return Took(seconds, self.cpu(), rate, resident)

    def _seconds(self) -> float:
        return time.perf_counter() - self.start

    def _check(self, offsets: Offsets, count: int) -> None:
        for process in self._started:
            if process.poll() is not None:
                told = self.log.read_text(errors="replace")[-2000:]
                problem = f"a contestant ended with {process.returncode}: {told}"
                raise System(problem, mend=f"see {self.log}")
        if self._seconds() > _PATIENCE_SECONDS:
            problem = f"{offsets.group} read {offsets.committed()} of {count} readings"
            raise System(problem, mend=f"see {self.log}")


def _sum(processes: Sequence[psutil.Process], of: Callable[[psutil.Process], float]) -> float:
    """Ask each; a child that compiles loops may be gone before it is asked."""
    total = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            total += of(process)
    return total
