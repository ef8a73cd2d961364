"""The AsyncAPI document of the topics, made of the same specifications that create them.

``aos schema asyncapi`` writes it for the deployment that the settings describe, and
``python -m schemas.asyncapi`` for the defaults, into ``docs/asyncapi.yaml``. It cannot say anything
else than what happens: names, partitions and retention are those of :class:`Topics`, payloads are
the Avro schemas that the registry is given.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import yaml

from schemas import avsc
from schemas.dead_letters import PREFIX, REASON
from schemas.topics import PARAMETERS, Topics, TopicSpec

ASYNCAPI: Final = "3.0.0"
_BINDING: Final = "0.5.0"
_AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
_FRAMED: Final = "application/vnd.confluent.avro"

Document = dict[str, Any]


class About(NamedTuple):
    """What a topic holds, what its keys are, and what is put before its record's name."""

    told: str
    key: str
    prefix: str = ""


_STATION: Final = "Station id in UTF-8."
_SENSOR: Final = "Sensor id in UTF-8."

ABOUT: Final = {
    "aos.raw.<parameter>.v1": About(
        "What AOS said, untouched: the archive that replays read.", _STATION
    ),
    "aos.meta.sensor.v1": About("All validity intervals of a sensor.", _SENSOR),
    "aos.mapping.v1": About(
        "Every mapping by which a source was read, and the terms of its readings.",
        "Source and version, joined by a colon.",
    ),
    "aos.raw.index.v1": About(
        "Which observation times lie at which raw offsets.",
        "Topic, partition and first offset, joined by colons.",
    ),
    "weather.clean.<parameter>.v1": About(
        "Readings in standard units, UTC and WGS84, judged.", _STATION
    ),
    "weather.latest.<parameter>.v1": About("The newest reading of each sensor.", _SENSOR, "Latest"),
    "weather.silence.v1": About(
        "Whether a sensor that should be heard is silent, and since when.", _SENSOR
    ),
    "aos.ruleset.v1": About(
        "Rulesets by which readings are judged, each from an observation time on.",
        "Version of the ruleset.",
    ),
    "aos.override.v1": About(
        "Flags and maintenance windows that people set, and who lifted them.",
        "Id of the override.",
    ),
    "weather.clean.dlq.v1": About("Raw records that could not be used, as they were.", _STATION),
    "weather.sink.dlq.v1": About("Clean records that the database refused.", _STATION),
}
"""By the topic's name without namespace. What is missing here is the pipeline's own memory."""


def document(topics: Topics) -> Document:
    """Describe the topics of a deployment."""
    told = [(spec, about) for spec in topics.specs() if (about := about_of(spec, topics))]
    names = dict.fromkeys(spec.schema for spec, _ in told if spec.schema)
    return {
        "asyncapi": ASYNCAPI,
        "info": _info(),
        "defaultContentType": _FRAMED,
        "channels": {spec.name: _channel(spec, about, topics) for spec, about in told},
        "operations": {f"read {spec.name}": _reading(spec) for spec, _ in told},
        "components": {
            "messages": {_message_name(spec, about): _message(spec, about) for spec, about in told},
            "schemas": {
                schema["name"]: {"schemaFormat": _AVRO, "schema": schema}
                for schema in map(avsc.load, names)
            },
        },
    }


def about_of(spec: TopicSpec, topics: Topics) -> About | None:
    """Say what a topic is about; None for the pipeline's own memory.

    >>> topics = Topics(namespace="lab")
    >>> about_of(topics.sink_specs()[0], topics).told
    'Clean records that the database refused.'
    """
    plain = spec.name.removeprefix(topics.named(""))
    return ABOUT.get(re.sub("|".join(PARAMETERS), "<parameter>", plain))


def as_yaml(topics: Topics) -> str:
    """Write the document."""
    text = yaml.safe_dump(document(topics), sort_keys=False, allow_unicode=True, width=100)
    return f"# Generated from the schemas and topics by `aos schema asyncapi`.\n{text}"


def _info() -> Document:
    return {
        "title": "aos-stream",
        "version": version("aos-stream"),
        "description": (
            "Weather readings from AOS: as they were read, and clean. Read with "
            "isolation.level=read_committed; of two records of one (sensor_id, observed_at) the "
            "higher (source_version, revision) counts. The contract in words: docs/clean-topics.md."
        ),
        "license": {"name": "That of each source: field licence of its mapping on aos.mapping.v1"},
    }


def _channel(spec: TopicSpec, about: About, topics: Topics) -> Document:
    name = _message_name(spec, about)
    return {
        "address": spec.name,
        "description": about.told,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "replicas": topics.replication,
                "topicConfiguration": {key: _typed(key, v) for key, v in spec.config.items()},
                "bindingVersion": _BINDING,
            }
        },
    }


def _typed(key: str, value: str) -> list[str] | int:
    return value.split(",") if key == "cleanup.policy" else int(value)


def _reading(spec: TopicSpec) -> Document:
    return {"action": "send", "channel": {"$ref": f"#/channels/{spec.name}"}}


def _message_name(spec: TopicSpec, about: About) -> str:
    return about.prefix + avsc.load(spec.schema)["name"] if spec.schema else "DeadLetter"


def _message(spec: TopicSpec, about: About) -> Document:
    kafka: Document = {"key": {"type": "string", "description": about.key}}
    if spec.schema is None:
        return {
            "summary": "The record as it was, with Kafka Connect's headers and a reason.",
            "contentType": "application/octet-stream",
            "headers": _dead_letter_headers(),
            "payload": {"description": "The original bytes."},
            "bindings": {"kafka": {**kafka, "bindingVersion": _BINDING}},
        }
    schema = avsc.load(spec.schema)
    framing = {
        "schemaIdLocation": "payload",
        "schemaIdPayloadEncoding": "confluent",
        "schemaLookupStrategy": "TopicNameStrategy",
    }
    return {
        "summary": schema["doc"],
        "contentType": _FRAMED,
        "payload": {"$ref": f"#/components/schemas/{schema['name']}"},
        "bindings": {"kafka": {**kafka, **framing, "bindingVersion": _BINDING}},
    }


def _dead_letter_headers() -> Document:
    told = {
        f"{PREFIX}topic": "Topic that the record came from.",
        f"{PREFIX}partition": "Its partition.",
        f"{PREFIX}offset": "Its offset.",
        f"{PREFIX}stage": "Where on its way it failed.",
        f"{PREFIX}exception.message": "Why, in a sentence.",
        REASON: "Why, in one word to count by.",
    }
    return {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": text} for name, text in told.items()
        },
    }


if __name__ == "__main__":
    sys.stdout.write(as_yaml(Topics()))
