"""Read clean readings, newest wins: consume_clean.py BROKERS REGISTRY_URL GROUP TOPIC..."""

import sys

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

brokers, registry, group, *topics = sys.argv[1:]
decode = AvroDeserializer(SchemaRegistryClient({"url": registry}))
settings = {"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"}
consumer = Consumer({**settings, "isolation.level": "read_committed"})
consumer.subscribe(topics)
winners: dict = {}
while (message := consumer.poll(10)) is not None:  # ten quiet seconds end it
    if message.error():
        sys.exit(str(message.error()))
    place = SerializationContext(message.topic(), MessageField.VALUE)
    reading = decode(message.value(), place)
    key = reading["sensor_id"], reading["observed_at"]
    rank = reading["source_version"], reading["revision"]
    if key not in winners or rank > winners[key][0]:
        winners[key] = rank, reading
for _, reading in sorted(winners.values(), key=lambda found: found[1]["observed_at"]):
    if reading["op"] == "upsert" and reading["flag"] in (1, 2):  # good, or not judged
        when, value = reading["observed_at"].isoformat(), reading.get("value", reading.get("speed"))
        print(reading["sensor_id"], when, value, reading["unit"])
consumer.close()
