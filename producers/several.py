"""Several sources side by side: AOS, a replica, files of its archive, each on its own.

Each has its mapping, its cursors and its transactional id, and runs in a thread. What befalls one
stops no other: one that does not answer is started again and again, one that is refused ends alone.
Which of two readings of the same sensor and time is believed is a matter of the ranks in their
mappings; the stream sees to that. A source that returns goes on where its cursor stands, and so
brings what was missed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import partial
from typing import Final

from producers import stage
from producers.progress import Summary
from producers.settings import SourceSettings
from producers.stage import Watcher
from runtime import logs
from runtime.errors import AosError, Configuration, Transient
from runtime.kafka import KafkaSettings
from runtime.retry import Backoff
from schemas.mapping import Mapping, read_mapping
from schemas.registry import RegistrySettings
from schemas.topics import Topics

_LOGGER: Final = logging.getLogger("aos.source")
_BACKOFF: Final = Backoff(tries=8, first=1.0, most=60.0)
_LOOK_SECONDS: Final = 1.0


def run(
    sources: Sequence[SourceSettings],
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
    once: bool = False,
    watcher: Watcher = lambda _summary: None,
) -> dict[str, Summary]:
    """Read all sources until ``stop`` is set, or with ``once`` until each has nothing left.

    Gives a summary for each source. ``watcher`` is called from their threads.

    Raises:
        Configuration: the sources do not go together, or one of them is set wrongly.
        AosError: why a source ended before its time, once the others have ended, too.
    """
    mappings = [read_mapping(settings.mapping) for settings in sources]
    check_together(mappings)
    runs = [
        _Run(m.source, partial(stage.run, s, kafka, registry, topics, stop, once, watcher))
        for m, s in zip(mappings, sources, strict=True)
    ]
    threads = [
        threading.Thread(target=each.work, args=(stop, once), name=each.name) for each in runs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            stop.is_set()  # a sign of life
            thread.join(_LOOK_SECONDS)
    for error in (each.error for each in runs if each.error is not None):
        raise error
    return {each.name: each.summary for each in runs if each.summary is not None}


def named(sources: Sequence[SourceSettings], names: Sequence[str]) -> list[SourceSettings]:
    """Choose sources by the names that their mappings give them; without names, the first alone.

    Raises:
        Configuration: a name is none of theirs, or a mapping cannot be read.
    """
    if not names:
        return list(sources[:1])
    known = {read_mapping(settings.mapping).source: settings for settings in sources}
    for name in names:
        if name not in known:
            option, problem = "--source", "no source has this name"
            raise Configuration.of(option, name, problem, mend=f"name some of: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def check_together(mappings: Sequence[Mapping]) -> None:
    """Refuse sources that would be taken for one another.

    Raises:
        Configuration: a name is there twice, the best is not first, or two publish metadata.
    """
    names = [mapping.source for mapping in mappings]
    if twice := {name for name in names if names.count(name) > 1}:
        problem = f"setting sources: two mappings are named {min(twice)}"
        raise Configuration(problem, mend="give each source a mapping with a name of its own")
    ranks = [mapping.rank for mapping in mappings]
    if ranks != sorted(ranks, reverse=True):
        told = ", ".join(f"{name} {rank}" for name, rank in zip(names, ranks, strict=True))
        problem = f"setting sources: they do not stand in the order of their ranks ({told})"
        raise Configuration(problem, mend="the source that is believed first stands first")
    describing = [mapping.source for mapping in mappings if mapping.metadata]
    if len(describing) > 1:
        problem = f"setting sources: {' and '.join(describing)} both publish sensor metadata"
        raise Configuration(problem, mend="leave `metadata` in one mapping, and out of the others")


class _Run:
    """One source: how it is run, and how it ended."""

    def __init__(self, name: str, start: partial[Summary]) -> None:
        self.name = name
        self.summary: Summary | None = None
        self.error: BaseException | None = None
        self._start = start

    def work(self, stop: threading.Event, once: bool) -> None:
        """Run it to its end; one that does not answer at its start is tried again."""
        with logs.about(source=self.name):
            self._work(stop, once)

    def _work(self, stop: threading.Event, once: bool) -> None:
        try:
            self.summary = self._start() if once else self._persist(stop)
        except AosError as error:
            _LOGGER.error("source %s ends: %s", self.name, error)  # noqa: TRY400 - ours says it all
            self.error = error
        except BaseException as error:  # a bug: it is raised where the others are awaited
            _LOGGER.exception("source %s breaks off", self.name)
            self.error = error

    def _persist(self, stop: threading.Event) -> Summary | None:
        waits = [*_BACKOFF.waits()]
        failures = 0
        while not stop.is_set():
            try:
                return self._start()
            except Transient as error:
                wait = waits[min(failures, len(waits) - 1)]
                failures += 1
                _LOGGER.warning("source %s is away for %.1f s more: %s", self.name, wait, error)
                stop.wait(wait)
        return None
