"""Plain Faust doing one step check with state: an agent for each event, a table with a changelog.

As its guide shows it, at least once. Tuned: larger stream buffers and producer batches, 20 ms of
linger, lz4, a commit every half second, no web server.
"""

from __future__ import annotations

import sys
from typing import Any

import faust

from bench.peers.step import Order, Reader, Step, Writer


def build(order: Order) -> faust.App:
    """Make the app."""
    app = faust.App(
        order.group,
        broker=f"kafka://{order.brokers}",
        datadir=str(order.directory),
        store="memory://",
        broker_commit_interval=0.5,
        consumer_auto_offset_reset="earliest",
        producer_compression_type="lz4",
        producer_linger=0.02,
        producer_max_batch_size=1 << 18,
        stream_buffer_maxsize=16_384,
        topic_partitions=int(order.directory.name),
        topic_replication_factor=1,
        topic_disable_leader=True,
        web_enabled=False,
    )
    raw: Any = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}
    raw["key_serializer"] = "raw"
    source = app.topic(*order.raw, **raw)
    readers = {name: Reader(name) for name in order.raw}
    steps = {name: Step(name, order.padding) for name in order.raw}
    sinks = {name: app.topic(out, **raw) for name, out in zip(order.raw, order.out, strict=True)}
    writer = Writer(order.schema_id)
    last = app.Table("last", default=lambda: None)

    @app.agent(source)
    async def check(stream: Any) -> None:
        async for event in stream.events():
            topic = event.message.topic
            raw = readers[topic](event.value)
            record, now = steps[topic].check(raw, last[raw["sensor_id"]])
            last[raw["sensor_id"]] = now
            await sinks[topic].send(key=event.key, value=writer(record))

    return app


if __name__ == "__main__":
    order = Order.of(sys.argv[1:])
    app = build(order)
    faust.Worker(app, loglevel="warn").execute_from_commandline()
