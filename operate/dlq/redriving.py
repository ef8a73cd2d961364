"""Sending dead records again to where they came from, with their own key, bytes and version.

Each is noted before it is sent and again when the brokers have it (:mod:`operate.audit`), so that
none goes out twice unless somebody insists. For the tables that would be harmless: the same
version is a repeat. A record that came from a compacted topic is not sent: it would stand before
newer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from operate.audit import Act, Audit
from operate.dlq.letters import Letter
from runtime.errors import Transient
from runtime.kafka import KafkaSettings, translated
from runtime.librdkafka import BY_KEY
from schemas.topics import PARAMETERS, Topics

FROM: Final = "aos.redriven.from"
AUDIT: Final = "aos.redriven.audit"
ACTION: Final = "redrive"

REDRIVEN: Final = "redriven"
ALREADY: Final = "already"
REFUSED: Final = "refused"

_AT_ONCE: Final = 500
_PATIENCE_SECONDS: Final = 30.0


class Outcome(NamedTuple):
    """What became of one letter: redriven, already (before this), or refused; and why."""

    letter: Letter
    state: str
    why: str = ""


class Sending(Protocol):
    """What a :class:`Sender` does."""

    delivered: list[int]

    def send(self, records: Iterable[tuple[Letter, Changed, int]]) -> None:
        """Send each to the topic it came from, under the number of its act."""


class Changed(NamedTuple):
    """What goes out in the place of a record."""

    key: bytes | None
    value: bytes | None
    detail: dict[str, Any]


def unchanged(letter: Letter) -> Changed:
    """Let a record go out as it was."""
    return Changed(letter.key, letter.value, {})


class Sender:
    """Sends records, and returns once the brokers have them all; ``delivered`` are their acts."""

    def __init__(self, kafka: KafkaSettings) -> None:
        settings = kafka.client(enable_idempotence=True, delivery_timeout_ms=20_000)
        self._producer = Producer(settings)
        self._failure: KafkaError | None = None
        self.delivered: list[int] = []

    def send(self, records: Iterable[tuple[Letter, Changed, int]]) -> None:
        """Send each to the topic it came from, under the number of its act.

        Raises:
            AosError: one of them may not be there.
        """
        self._failure, self.delivered = None, []
        for letter, changed, number in records:
            self._produce(letter, changed, number)
        left = self._producer.flush(_PATIENCE_SECONDS)
        if self._failure:
            raise translated(self._failure, "redriving dead letters")
        if left:
            problem = f"{left} redriven records are not acknowledged"
            raise Transient(problem, mend="see whether the brokers are up")

    def _produce(self, letter: Letter, changed: Changed, number: int) -> None:
        # A key finds its partition as it did; a record without one goes back to where it was.
        partition = BY_KEY if changed.key is not None else letter.origin.partition
        context = [(FROM, str(letter.place).encode()), (AUDIT, str(number).encode())]
        try:
            self._producer.produce(
                letter.origin.topic, changed.value, changed.key, partition,
                on_delivery=partial(self._note, number), headers=list(context),
            )  # fmt: skip
        except KafkaException as error:
            raise translated(error, f"redriving {letter.place}") from error
        self._producer.poll(0)

    def _note(self, number: int, error: KafkaError | None, _message: object) -> None:
        if error is None:
            self.delivered.append(number)
        self._failure = self._failure or error


class Redriver:
    """Redrives dead letters of one deployment."""

    def __init__(self, audit: Audit, topics: Topics, sender: Sending) -> None:
        self._audit = audit
        self._sender = sender
        self._open = {name for p in PARAMETERS for name in (topics.raw(p), topics.clean(p))}

    def redrive(
        self,
        letters: Iterable[Letter],
        change: Callable[[Letter], Changed] = unchanged,
        *,
        again: bool = False,
    ) -> Iterator[Outcome]:
        """Redrive letters, some hundreds at once; say of each what became of it.

        Raises:
            AosError: brokers or database do not answer; what was sent by then is noted.
        """
        rest = iter(letters)
        while some := list(islice(rest, _AT_ONCE)):
            fit = [letter for letter in some if letter.origin.topic in self._open]
            yield from (self._refused(letter) for letter in some if letter not in fit)
            yield from self._some(fit, change, again=again)

    def _some(
        self, letters: Sequence[Letter], change: Callable[[Letter], Changed], *, again: bool
    ) -> Iterator[Outcome]:
        changed = {letter.place: change(letter) for letter in letters}
        detail = next((one.detail for one in changed.values() if one.detail), {})
        acts = [Act(str(one.place), one.time, str(one.origin)) for one in letters]
        ours = self._audit.begin(acts, detail, again=again) if acts else {}
        going = [one for one in letters if str(one.place) in ours]
        try:
            self._sender.send((one, changed[one.place], ours[str(one.place)]) for one in going)
        finally:
            # What is not known to be delivered stays begun, and wants somebody to insist.
            self._audit.finish(self._sender.delivered)
        for letter in letters:
            yield Outcome(letter, REDRIVEN if str(letter.place) in ours else ALREADY)

    def _refused(self, letter: Letter) -> Outcome:
        topic = letter.origin.topic or "a topic that it does not name"
        return Outcome(letter, REFUSED, f"it came from {topic}, which takes no old records again")
