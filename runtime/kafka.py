"""Kafka clients, configured alike everywhere: no chatter on stderr, one place for secrets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from pydantic import BaseModel, ConfigDict, SecretStr

from runtime.errors import AosError, Configuration, Fenced, System, Transient

_LOGGER: Final = logging.getLogger("aos.kafka")

_FENCED: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001 - librdkafka's local codes have no public spelling
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.TRANSACTION_COORDINATOR_FENCED,
        KafkaError.FENCED_INSTANCE_ID,
    }
)
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001
"""A consumer's way to say that it is of no use any more; only the text tells why."""
_REFUSED: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)

_UNSAFE: Final = KafkaError._SSL  # noqa: SLF001
_TOO_LARGE: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})


class KafkaSettings(BaseModel):
    """How to reach the brokers."""

    model_config = ConfigDict(extra="forbid")

    bootstrap_servers: str = "127.0.0.1:9092"
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: Path | None = None
    connect_timeout_seconds: float = 10.0

    def client(self, **settings: Any) -> dict[str, Any]:
        """Give the settings of a confluent-kafka client.

        Keywords have ``_`` where librdkafka has ``.``.

        >>> KafkaSettings().client(group_id="g")["group.id"]
        'g'
        """
        config: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
            "logger": _LOGGER,
            **{key.replace("_", "."): value for key, value in settings.items()},
        }
        if self.ca_file:
            config["ssl.ca.location"] = str(self.ca_file)
        if self.username:
            config["sasl.mechanism"] = self.sasl_mechanism or "SCRAM-SHA-512"
            config["sasl.username"] = self.username
            config["sasl.password"] = self.password.get_secret_value()
        return config


def translated(error: KafkaError | KafkaException, doing: str) -> AosError:
    """Say in our own tree what a Kafka error means for whoever was ``doing`` something."""
    cause: KafkaError = error.args[0] if isinstance(error, KafkaException) else error
    problem = f"{doing}: {cause.str() or cause.name()}"
    if cause.code() in _FENCED or (cause.code() == _FATAL and "fenced" in problem):
        return Fenced(problem, mend="nothing: a newer instance with the same identity is at work")
    if cause.code() in _REFUSED:
        return Configuration(
            problem, mend="set kafka.username and kafka.password, or grant the right"
        )
    if cause.code() in _TOO_LARGE:
        return System(problem, mend="raise max.message.bytes of the topic and the broker")
    if cause.fatal() or cause.code() == _FATAL:
        return System(problem, mend="restart this stage; it goes on where it was")
    return Transient(problem, mend="see whether the brokers are up")


def check_reachable(settings: KafkaSettings) -> None:
    """Ask the brokers for their cluster id, once, with a deadline.

    Raises:
        Configuration: none of the bootstrap servers answers, or none will have us.
    """
    told: list[KafkaError] = []
    config: dict[str, Any] = {**settings.client(), "error_cb": told.append}
    admin = AdminClient(config)
    try:
        admin.list_topics(timeout=settings.connect_timeout_seconds)
    except KafkaException as error:
        admin.poll(0)  # the call itself says of everything that it took too long
        raise unreachable(settings, [*told, error.args[0]]) from error


def unreachable(settings: KafkaSettings, told: Sequence[KafkaError]) -> Configuration:
    """Name the setting that is wrong; ``told`` ends with what the call said."""
    for cause in told:
        if cause.code() in _REFUSED:
            problem = f"a broker refuses {settings.username!r} ({cause.str()})"
            return Configuration(problem, mend="correct kafka.username and kafka.password")
        if cause.code() == _UNSAFE:
            return Configuration.of(
                "kafka.security_protocol",
                settings.security_protocol,
                f"no safe connection to {settings.bootstrap_servers} ({cause.str()})",
                mend="correct it to what the broker's port speaks, or kafka.ca_file",
            )
    return Configuration.of(
        "kafka.bootstrap_servers",
        settings.bootstrap_servers,
        f"no broker answers ({told[-1].str()})",
        mend="start Kafka (`aos up` starts an embedded one), correct the setting, or name its "
        "file with --config",
    )
