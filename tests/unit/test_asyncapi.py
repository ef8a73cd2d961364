"""The AsyncAPI document: it is one, it is fresh, it tells of every topic that others read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from schemas import asyncapi, avsc
from schemas.topics import Topics

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "asyncapi.yaml"
OWN_MEMORY = {Topics().cursors, Topics().state, Topics().control, Topics().status}


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    packed = ROOT / "tests" / "data" / "asyncapi-3.0.0.json.gz"
    schema = json.loads(gzip.decompress(packed.read_bytes()))
    parts = [(name, Resource(part, DRAFT7)) for name, part in schema["definitions"].items()]
    return Draft7Validator(schema, registry=Registry().with_resources(parts))


@pytest.mark.requirement("F3")
def test_the_document_in_the_docs_is_that_of_the_code() -> None:
    assert DOCUMENT.read_text() == asyncapi.as_yaml(Topics()), (
        "run python -m schemas.asyncapi > docs/asyncapi.yaml"
    )


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("topics", [Topics(), Topics(namespace="lab", partitions=3, clean_days=1)])
def test_the_document_is_valid_asyncapi(validator: Draft7Validator, topics: Topics) -> None:
    document = yaml.safe_load(asyncapi.as_yaml(topics))
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("broken", ["info", "channels", "payload", "bindings"])
def test_what_is_no_asyncapi_is_found(validator: Draft7Validator, broken: str) -> None:
    document = asyncapi.document(Topics())
    channel = document["channels"][Topics().clean("wind")]
    if broken == "payload":
        document["components"]["schemas"]["CleanWind"]["schema"]["fields"] = "none"
    elif broken == "bindings":
        channel["bindings"]["kafka"]["partitions"] = 0
    elif broken == "channels":
        channel["topic"] = channel.pop("address")
    else:
        del document["info"]
    assert not validator.is_valid(document)


def test_every_topic_that_others_read_is_told_of() -> None:
    topics = Topics(namespace="lab", partitions=3)
    document = asyncapi.document(topics)
    own = {topics.named(name) for name in OWN_MEMORY}
    assert set(document["channels"]) == {spec.name for spec in topics.specs()} - own
    assert {spec.schema for spec in topics.specs() if spec.name in document["channels"]} - {
        None
    } == {name for name in avsc.NAMES if avsc.load(name)["name"] in payloads(document)}
    for spec in topics.specs():
        if told := document["channels"].get(spec.name):
            assert told["bindings"]["kafka"]["partitions"] == spec.partitions


def test_every_reference_leads_somewhere() -> None:
    document = asyncapi.document(Topics())
    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def payloads(document: dict[str, Any]) -> set[str]:
    return set(document["components"]["schemas"])


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)
