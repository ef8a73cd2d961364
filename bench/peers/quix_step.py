"""Quix Streams doing one step check with state, at least once.

Tuned: producer and consumer queues larger than the default, lz4, 50 ms of linger, a commit every
20,000 messages or second, RocksDB as it comes; state is read and written once for each reading, as
its users do. Values pass as bytes, so that decoding costs no more than fastavro itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from quixstreams import Application, State  # type: ignore[import-not-found]  # its own .venv

from bench.peers.step import Order, Reader, Step, Writer


def main(order: Order) -> None:
    """Run until killed."""
    app = Application(
        broker_address=order.brokers,
        consumer_group=order.group,
        auto_offset_reset="earliest",
        commit_every=20_000,
        commit_interval=1.0,
        state_dir=order.directory,
        loglevel="WARNING",
        consumer_extra_config={"fetch.wait.max.ms": 50, "queued.min.messages": 200_000},
        producer_extra_config={
            "linger.ms": 50,
            "compression.type": "lz4",
            "queue.buffering.max.messages": 1_000_000,
        },
    )
    writer = Writer(order.schema_id)
    for raw, out in zip(order.raw, order.out, strict=True):
        source = app.topic(raw, key_deserializer="bytes", value_deserializer="bytes")
        sink = app.topic(out, key_serializer="bytes", value_serializer="bytes")
        step = _step(Reader(raw), Step(raw, order.padding), writer)
        app.dataframe(source).apply(step, stateful=True).to_topic(sink)
    app.run()


def _step(reader: Reader, step: Step, writer: Writer) -> Callable[[bytes, State], bytes]:
    def run(message: bytes, state: State) -> bytes:
        raw = reader(message)
        last: Any = state.get(raw["sensor_id"])
        record, now = step.check(raw, last)
        state.set(raw["sensor_id"], now)
        return writer(record)

    return run


if __name__ == "__main__":
    main(Order.of(sys.argv[1:]))
