"""A producer that is given whole columns of messages: keys and values as places in a buffer.

confluent-kafka's producer wants a dictionary for each message, which costs 0.8 to 1.1 µs of the
interpreter's time; the same C function called once for many costs 0.15 µs
(docs/decisions/0012). Everything else is as there: the same library, settings and errors.
"""

from __future__ import annotations

import ctypes
import logging
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
from confluent_kafka import KafkaError, KafkaException
from numpy.typing import NDArray

from runtime.librdkafka import (
    ARGUMENT,
    BY_KEY,
    COPIED,
    LENT,
    MESSAGE,
    PRODUCER,
    PURGED,
    Argument,
    Logged,
    Reported,
    calls,
    error_of,
    raised,
)

Header = tuple[str, bytes | None]

_ERROR_SIZE: Final = 512
_BREATH_SECONDS: Final = 0.05
_AT_ONCE: Final = 20_000
_QUEUE_FULL: Final = KafkaError._QUEUE_FULL  # noqa: SLF001 - confluent-kafka's only name for it
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001
_TAKEN_BACK: Final = (0, KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)  # noqa: SLF001
"""Not failures but what follows from one, or from giving up."""
_QUIET: Final = logging.getLogger("aos.kafka")
_LEVELS: Final = (50, 50, 50, 40, 30, 20, 20, 10)
"""Python's levels for those of syslog."""


class Texts(Protocol):
    """Strings of bytes that lie in a buffer; :class:`schemas.columnar.Strings` are such."""

    @property
    def data(self) -> NDArray[np.uint8]:
        """The buffer, contiguous."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """(n,) where each begins."""

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) how long each is."""

    @property
    def present(self) -> NDArray[np.bool_] | None:
        """(n,) which are there; the others are null. None: all are."""


class BulkProducer:
    """An idempotent or transactional producer; one thread at a time may use it.

    Raises:
        KafkaException: a setting is refused.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        given = dict(settings)
        self._logger: logging.Logger = given.pop("logger", _QUIET)
        self._most = int(given.get("queue.buffering.max.messages", 100_000))
        self.failure: KafkaError | None = None
        """The first message's that could not be delivered, until somebody takes it."""
        # Kept here, since librdkafka calls them for as long as the client lives.
        self._reported = Reported(self._note)
        self._logged = Logged(self._log)
        self._topics: dict[str, int] = {}
        self._lent: list[object] = []
        """Values that librdkafka reads where they lie, until they are delivered or given up."""
        self._handle = self._made(given)
        kept = (self._reported, self._logged, self._lent)
        self._end = weakref.finalize(self, _destroyed, self._handle, self._topics, kept)

    def produce(self, topic: str, keys: Texts, values: Texts, partition: int = BY_KEY) -> None:
        """Queue messages in their order; where there is no room, wait until some are delivered.

        Values are not copied: what lies in their buffer must not change any more.

        Raises:
            KafkaException: one is not taken, by its size for instance, or one before it is lost.
        """
        self._let_go()
        self._lent.append(values.data)
        messages = np.zeros(len(values.lengths), MESSAGE)
        _place(messages, "key", keys)
        _place(messages, "payload", values)
        while len(messages):
            if self.failure is not None:
                raise KafkaException(self.failure)
            room = min(self._most - len(self), _AT_ONCE)
            left = self._queued(topic, partition, messages[:room]) if room > 0 else messages[:0]
            rest = messages[max(room, 0) :]
            messages = np.concatenate([left, rest]) if len(left) else rest
            # Room may be short of bytes, too: then some are left that had a place.
            self.poll(_BREATH_SECONDS if room <= 0 or len(left) else 0)

    def produce_one(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header]
    ) -> None:
        """Queue one message with headers, its partition chosen by its key.

        Raises:
            KafkaException: it is not taken, or one before it is lost.
        """
        arguments = [
            (Argument.TOPIC_HANDLE, self._topic(topic), 0, 0),
            (Argument.FLAGS, COPIED, 0, 0),
            (Argument.KEY, *_memory(key), 0),
            (Argument.VALUE, *_memory(value), 0),
        ]
        named = [(name.encode(), text) for name, text in headers]
        arguments += [(Argument.HEADER, _memory(name)[0], *_memory(text)) for name, text in named]
        given = np.zeros(len(arguments), ARGUMENT)
        for place, argument in enumerate(arguments):
            given[place] = argument
        while error := calls.produceva(self._client, given.ctypes.data, len(given)):
            try:
                raised(error)
            except KafkaException as refused:
                if refused.args[0].code() != _QUEUE_FULL or self.failure is not None:
                    raise
            self.poll(_BREATH_SECONDS)

    def __len__(self) -> int:
        return int(calls.outq_len(self._client))

    def poll(self, seconds: float) -> None:
        """Hear of what could not be delivered."""
        calls.poll(self._client, _milliseconds(seconds))

    def flush(self, seconds: float) -> int:
        """Wait until what is queued is delivered or given up; give how many are left."""
        calls.flush(self._client, _milliseconds(seconds))
        self._let_go()
        return len(self)

    def purge(self) -> None:
        """Give up what is queued or under way."""
        calls.purge(self._client, PURGED)

    def init_transactions(self, seconds: float) -> None:
        """Become the one instance with this identity."""
        raised(calls.init_transactions(self._client, _milliseconds(seconds)))

    def begin_transaction(self) -> None:
        """Open a transaction."""
        raised(calls.begin_transaction(self._client))

    def commit_transaction(self, seconds: float) -> None:
        """Deliver what is queued and commit."""
        raised(calls.commit_transaction(self._client, _milliseconds(seconds)))
        self._let_go()

    def abort_transaction(self, seconds: float) -> None:
        """Take everything back."""
        raised(calls.abort_transaction(self._client, _milliseconds(seconds)))
        self._let_go()

    def send_offsets(
        self, group: str, offsets: Mapping[tuple[str, int], int], seconds: float
    ) -> None:
        """Move a group's positions with the transaction; topic and partition: next offset."""
        moved = calls.topic_partition_list_new(len(offsets))
        member = calls.consumer_group_metadata_new(group.encode())
        try:
            for (topic, partition), offset in offsets.items():
                calls.topic_partition_list_add(moved, topic.encode(), partition)
                calls.topic_partition_list_set_offset(moved, topic.encode(), partition, offset)
            wait = _milliseconds(seconds)
            raised(calls.send_offsets_to_transaction(self._client, moved, member, wait))
        finally:
            calls.consumer_group_metadata_destroy(member)
            calls.topic_partition_list_destroy(moved)

    def close(self) -> None:
        """Let go of the broker; what is queued or open is given up."""
        self._end()

    @property
    def _client(self) -> int:
        if not self._end.alive:
            raise AssertionError
        return self._handle

    def _let_go(self) -> None:
        """Hold values no longer of which no message is left."""
        if self._lent and not len(self):
            self._lent.clear()

    def _queued(self, topic: str, partition: int, messages: NDArray[np.void]) -> NDArray[np.void]:
        """Queue messages, and give those for which there was no room after all."""
        queued = calls.produce_batch(
            self._topic(topic), partition, LENT, messages.ctypes.data, len(messages)
        )
        if queued == len(messages):
            return messages[:0]
        refused: NDArray[np.void] = messages[messages["error"] != 0]
        for code in np.unique(refused["error"]).tolist():
            if code != _QUEUE_FULL:
                raise KafkaException(self._error(code))
        return refused

    def _error(self, code: int) -> KafkaError:
        """Give an error; of a client that is of no use any more, the one that made it so."""
        if code != _FATAL:
            return error_of(code)
        told = ctypes.create_string_buffer(_ERROR_SIZE)
        first = calls.fatal_error(self._client, told, _ERROR_SIZE)
        return KafkaError(first, told.value.decode(), fatal=True) if first else error_of(code)

    def _topic(self, name: str) -> int:
        if name not in self._topics:
            made = calls.topic_new(self._client, name.encode(), None)
            if not made:
                raise KafkaException(error_of(calls.last_error()))
            self._topics[name] = made
        return self._topics[name]

    def _made(self, settings: Mapping[str, Any]) -> int:
        conf = calls.conf_new()
        problem = ctypes.create_string_buffer(_ERROR_SIZE)
        client = None
        try:
            for name, value in {**settings, "log.queue": True}.items():
                if calls.conf_set(conf, name.encode(), _text(value), problem, _ERROR_SIZE):
                    raise KafkaException(_refused(problem))
            calls.conf_set_dr_msg_cb(conf, self._reported)
            calls.conf_set_log_cb(conf, self._logged)
            client = calls.new(PRODUCER, conf, problem, _ERROR_SIZE)
            if not client:
                raise KafkaException(_refused(problem))
        finally:
            if not client:  # a client owns its settings
                calls.conf_destroy(conf)
        calls.set_log_queue(client, None)
        return int(client)

    def _note(self, _client: int, message: Any, _opaque: int) -> None:
        if self.failure is None and message[0] not in _TAKEN_BACK:
            self.failure = self._error(message[0])

    def _log(self, _client: int, level: int, facility: bytes, text: bytes) -> None:
        self._logger.log(_LEVELS[level], "%s %s", facility.decode(), text.decode(errors="replace"))


def _place(messages: NDArray[np.void], field: str, texts: Texts) -> None:
    """Write down where each key or value lies; what is null lies nowhere."""
    places = texts.data.ctypes.data + texts.starts
    there = texts.present
    messages[field] = places if there is None else np.where(there, places, 0)
    messages[f"{field}_size"] = texts.lengths


def _memory(given: bytes | None) -> tuple[int, int]:
    """Say where bytes lie, which must be held for as long as anybody looks there."""
    if given is None:
        return 0, 0
    return ctypes.cast(ctypes.c_char_p(given), ctypes.c_void_p).value or 0, len(given)


def _destroyed(client: int, topics: Mapping[str, int], _kept: object) -> None:
    for topic in topics.values():
        calls.topic_destroy(topic)
    calls.destroy(client)


def _text(value: object) -> bytes:
    return (str(value).lower() if isinstance(value, bool) else str(value)).encode()


def _refused(problem: ctypes.Array[ctypes.c_char]) -> KafkaError:
    return KafkaError(KafkaError._INVALID_ARG, problem.value.decode())  # noqa: SLF001


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
