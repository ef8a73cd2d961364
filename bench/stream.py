"""`make bench-stream`: the stream beside Faust as it comes, Quix Streams and Kafka Streams.

One run on the embedded Kafka. Each contestant drains complete raw topics twice a round, a short set
and a long one. Its rate is that of the long run behind as many readings as the short one has, its
CPU a reading the slope between the two: start-up counts in neither. Then, for ours alone: two
workers, few and many sensors, the changelog's bytes, and how quickly state comes back after a kill.
``--help`` tells how to choose.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from bench import rules
from bench.contestants import Contestant, Ours, kafka_streams, plain_faust, quix_streams
from bench.course import Course
from bench.harness import Bar, Run, at_least, at_most, report
from bench.stream_sections import changelog, memory, recovery, sensors, workers
from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings

OURS: Final = "aos stream, exactly once"
OURS_AT_LEAST_ONCE: Final = "aos stream, at least once"
FAUST, QUIX, STREAMS = "plain Faust", "Quix Streams", "Kafka Streams"
# Single rounds differ by a quarter either way, and the CPU of Kafka Streams by more: a median of
# three told 1.4 and 1.6 of the same code. The others would take a minute a round, for no bar.
_NEAR: Final = (OURS, STREAMS)
_FEW: Final = 3

_SECTIONS: Final[Mapping[str, Callable[[Course, Ours], tuple[list[Run], list[Bar]]]]] = {
    "changelog": changelog,
    "memory": memory,
    "workers": workers,
    "sensors": sensors,
    "recovery": recovery,
}


def main() -> int:
    """Measure, print and keep the result."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no server behind
    with tempfile.TemporaryDirectory() as directory:
        stack = Stack.at(Path(directory) / "stack", db="postgres")
        stack.up()
        try:
            kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
            registry = RegistrySettings(url=stack.registry_url)
            return _measure(Course(Path(directory), kafka, registry), options)
        finally:
            stack.wipe()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="of ours and Kafka Streams")
    parser.add_argument("--small", type=int, default=100_000, help="readings of the short set")
    parser.add_argument("--large", type=int, default=600_000, help="readings of the long set")
    parser.add_argument("--contestants", nargs="*", metavar="NAME", help="those named like this")
    parser.add_argument("--sections", nargs="*", default=list(_SECTIONS), choices=list(_SECTIONS))
    parser.add_argument("--name", default="stream", help="file name of the result")
    return parser.parse_args()


def contestants(sizes: tuple[int, int]) -> dict[str, Contestant]:
    """Give everybody there is."""
    everybody: dict[str, Contestant] = {OURS: Ours({}, sizes)}
    if Ours.knows("processing_guarantee"):
        everybody[OURS_AT_LEAST_ONCE] = Ours({"processing_guarantee": "at_least_once"}, sizes)
    everybody[STREAMS] = kafka_streams(sizes)
    everybody[QUIX] = quix_streams(sizes)
    everybody[FAUST] = plain_faust()
    return everybody


def _measure(course: Course, options: argparse.Namespace) -> int:
    ours = Ours({}, (options.small, options.large))
    chosen = {
        name: contestant
        for name, contestant in contestants(ours.sizes).items()
        if options.contestants is None
        or any(c.lower() in name.lower() for c in options.contestants)
    }
    rounds = {name: _rounds(name, options.rounds) for name in chosen}
    runs = course.race(chosen, rounds) if chosen else {}
    bars = [*_bars(runs), _rules()]
    for section in options.sections:
        more, held = _SECTIONS[section](course, ours)
        runs |= {run.name: run for run in more}
        bars += held
    return report(options.name, runs, bars)


def _rounds(name: str, rounds: int) -> int:
    """Give fewer to those that are far from any bar."""
    return rounds if name in _NEAR else min(rounds, _FEW)


def _bars(runs: Mapping[str, Run]) -> list[Bar]:
    rates = {name: run.rate for name, run in runs.items()}
    bars = []
    if {OURS, QUIX} <= rates.keys():
        bars.append(at_least("readings/s, ours / Quix", rates[OURS] / rates[QUIX], 7))
    if {OURS, STREAMS} <= rates.keys():
        bars.append(at_least("readings/s, ours / Kafka Streams", rates[OURS] / rates[STREAMS], 1.5))
        cpu = rates[f"{OURS}: CPU"] / rates[f"{STREAMS}: CPU"]
        bars.append(at_most("CPU per reading, ours / Kafka Streams", cpu, 0.5))
    return bars


def _rules() -> Bar:
    """Say what rules and state take of the work between fetching and sending."""
    return at_most("rules and state / CPU of a reading's work", rules.measure().share, rules.BAR)


if __name__ == "__main__":
    sys.exit(main())
