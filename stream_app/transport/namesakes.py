"""Whether another worker has taken our name in the group: the newer one keeps it, the older stops.

A static member that is replaced is told by the broker no more than one whose session has ended: it
is unknown. The latter may join again. If the former did, it would throw out its successor, that one
would come back in turn, and so on without end.
"""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from runtime.errors import Fenced
from runtime.kafka import KafkaSettings, translated

_SECONDS: Final = 10.0


def refuse_namesake(kafka: KafkaSettings, group: str, instance: str) -> None:
    """Ask, as a worker that is no member any more, whether its name is in the group.

    Raises:
        Fenced: it is, so another worker bears it.
        Transient: the brokers do not answer.
    """
    admin = AdminClient(kafka.client())  # must outlive the answer
    asked = admin.describe_consumer_groups([group], request_timeout=_SECONDS)
    try:
        members = asked[group].result().members
    except KafkaException as error:
        raise translated(error, f"asking who is in the group {group}") from error
    for member in members:
        if member.group_instance_id == instance:
            problem = f"another worker with stream.instance = {instance!r} is at work"
            problem += f" ({member.client_id} at {member.host.lstrip('/')})"
            mend = "nothing if it is to replace this one; else give each worker its own name"
            raise Fenced(problem, mend=mend)
