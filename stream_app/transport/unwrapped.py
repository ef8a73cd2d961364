"""Records as aiokafka's parser gives them, without the wrapping that nobody asked for.

aiokafka makes of each record that its (compiled) parser gives another one, in Python, with eleven
fields. That costs as much as all of the parsing, and the parser's own records have what we read:
offset, timestamp, key and value. So the wrapping is taken out of each fetch result as it arrives.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult


class Unwrapped(OrderedDict[TopicPartition, Any]):
    """What a fetcher has fetched and nobody has taken yet."""

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        """Keep a result, or the error that stands for one."""
        if isinstance(result, FetchResult):
            result._partition_records._consumer_record = _as_it_is  # noqa: SLF001
        super().__setitem__(tp, result)


def unwrap_records(fetcher: Any) -> None:
    """Let a fetcher give records as they are from now on; those it holds already, too."""
    if not isinstance(fetcher._records, Unwrapped):  # noqa: SLF001
        held = Unwrapped()
        for tp, result in fetcher._records.items():  # noqa: SLF001
            held[tp] = result
        fetcher._records = held  # noqa: SLF001


def _as_it_is(_tp: TopicPartition, record: Any) -> Any:
    return record
