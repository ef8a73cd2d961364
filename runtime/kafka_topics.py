"""Creating topics with explicit settings, and asking how far they reach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from runtime.errors import Configuration
from runtime.kafka import translated


class Spec(Protocol):
    """A topic as it is to be."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def partitions(self) -> int:
        """How many partitions it has."""

    @property
    def config(self) -> dict[str, str]:
        """Its settings."""


def ensure_topics(admin: AdminClient, specs: Iterable[Spec], replication: int) -> list[str]:
    """Create the topics that are missing and give their names; the others stay as they are.

    Raises:
        Configuration: a topic is there with another number of partitions, which would send a
            station's readings to different workers.
    """
    wanted = {spec.name: spec for spec in specs}
    present = admin.list_topics(timeout=10).topics
    for name in wanted.keys() & present.keys():
        _check_partitions(wanted[name], len(present[name].partitions))
    missing = [spec for name, spec in wanted.items() if name not in present]
    return _create(admin, missing, replication) if missing else []


def _check_partitions(spec: Spec, actual: int) -> None:
    if actual != spec.partitions:
        setting = "topics.partitions"
        raise Configuration.of(
            setting,
            spec.partitions,
            f"topic {spec.name} has {actual}",
            mend=f"set it to {actual}, or follow docs/partition-count.md",
        )


def _create(admin: AdminClient, specs: list[Spec], replication: int) -> list[str]:
    durable = {"min.insync.replicas": "2"} if replication > 2 else {}
    new = [
        NewTopic(s.name, s.partitions, replication, config={**s.config, **durable}) for s in specs
    ]
    created = []
    for name, future in admin.create_topics(new, operation_timeout=30).items():
        try:
            future.result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise translated(error, f"creating topic {name}") from error
        else:
            created.append(name)
    return created
