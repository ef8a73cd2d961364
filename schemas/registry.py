"""The schema registry: schemas registered at start, and the writer's schema of what is read.

Any registry that speaks Confluent's REST API will do. Subjects follow TopicNameStrategy
(``<topic>-value``); every subject is held to BACKWARD_TRANSITIVE, so that a reader with today's
schema can read whatever a topic still keeps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

# The client speaks through httpx2 where that is installed, else through httpx; this is the one.
from confluent_kafka.schema_registry.common._httpx_compat import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, field_validator

from runtime.errors import Configuration, DataQuality, Transient
from schemas import avsc
from schemas.topics import TopicSpec

COMPATIBILITY: Final = "BACKWARD_TRANSITIVE"
_RIVALS: Final = 3
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_UNAUTHORISED: Final = (401, 403)
Answer = TypeVar("Answer")


class RegistrySettings(BaseModel):
    """Where the schema registry is."""

    model_config = ConfigDict(extra="forbid")

    url: str = "http://127.0.0.1:8081"
    user: str = ""
    password: SecretStr = SecretStr("")
    timeout_seconds: float = 5.0

    @field_validator("url")
    @classmethod
    def _is_of_http(cls, url: str) -> str:
        if not re.match("https?://[^/]", url):
            problem = "it is no address of HTTP, such as http://127.0.0.1:8081"
            raise ValueError(problem)
        return url


def subject_of(topic: str) -> str:
    """Name the subject of a topic's values.

    >>> subject_of("aos.raw.wind.v1")
    'aos.raw.wind.v1-value'
    """
    return f"{topic}-value"


class Registry:
    """Registers our schemas and looks up those of others; an answer is remembered for ever."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._url = settings.url
        config: dict[str, object] = {
            "url": settings.url,
            "timeout": settings.timeout_seconds,
            "max.retries": 1,  # whoever asks us tries again, and can be stopped while it waits
        }
        if settings.user:
            secret = settings.password.get_secret_value()
            config["basic.auth.user.info"] = f"{settings.user}:{secret}"
        self._client = SchemaRegistryClient(config)
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, avsc.Schema] = {}

    def check(self) -> None:
        """Ask the registry for anything at all, once.

        Raises:
            Configuration: it does not answer, or refuses our login.
        """
        try:
            self._ask(self._client.get_subjects)
        except Transient as error:
            setting, problem = "registry.url", error.message
            raise Configuration.of(setting, self._url, problem, mend=error.mend) from error

    def register(self, specs: list[TopicSpec]) -> None:
        """Register the schema of each topic that has one; what is there already stays."""
        for spec in specs:
            if spec.schema:
                self.id_of(subject_of(spec.name), spec.schema)

    def missing(self, specs: list[TopicSpec]) -> list[str]:
        """Name the subjects of topics that have a schema and are not registered; adds none.

        Raises:
            Configuration: the registry refuses our login.
            Transient: the registry does not answer.
        """
        there = {*self._ask(self._client.get_subjects)}
        wanted = [subject_of(spec.name) for spec in specs if spec.schema]
        return [subject for subject in wanted if subject not in there]

    def id_of(self, subject: str, name: str) -> int:
        """Give the id of our schema ``name`` under ``subject``, registering it where it is new.

        Raises:
            Configuration: the registry refuses it, since it would break readers.
            Transient: the registry does not answer.
        """
        if (subject, name) not in self._ids:
            self._ids[subject, name] = self._ask(lambda: self._register(subject, name))
        return self._ids[subject, name]

    def schema_of(self, schema_id: int) -> avsc.Schema:
        """Give the schema with this id.

        Raises:
            DataQuality: no schema has this id, so the message that names it cannot be read.
            Transient: the registry does not answer.
        """
        if schema_id not in self._schemas:
            found = self._ask(lambda: self._client.get_schema(schema_id), unknown_id=schema_id)
            self._schemas[schema_id] = json.loads(found.schema_str or "null")
        return self._schemas[schema_id]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _register(self, subject: str, name: str) -> int:
        """Register a schema, though another stage may be doing the same at this moment."""
        for _ in range(_RIVALS):
            try:
                return self._registered(subject, name)
            except SchemaRegistryError as error:
                if "already exists" not in str(error.error_message):
                    raise
        return self._registered(subject, name)

    def _registered(self, subject: str, name: str) -> int:
        schema = RegistrySchema(avsc.text(name), "AVRO")
        known = self._client.get_subjects()
        if subject not in known:
            self._client.register_schema(subject, schema)
            self._client.set_compatibility(subject, COMPATIBILITY)
        return self._client.register_schema(subject, schema)

    def _ask(self, call: Callable[[], Answer], unknown_id: int | None = None) -> Answer:
        try:
            return call()
        except SchemaRegistryError as error:
            raise self._translated(error, unknown_id) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            problem = f"no schema registry answers there: {error}"
            raise Transient(problem, mend="start it, or correct the setting") from error

    def _translated(self, error: SchemaRegistryError, unknown_id: int | None) -> Exception:
        status = error.http_status_code
        if unknown_id is not None and status == _NOT_FOUND:
            return DataQuality(
                f"the registry knows no schema {unknown_id}", reason="unknown_schema"
            )
        if status in (_CONFLICT, _UNPROCESSABLE):
            problem = f"the registry refuses a schema of ours: {error.error_message}"
            mend = "give new fields a default and keep the old ones; `aos schema check` says which"
            return Configuration(problem, mend=mend)
        if status in _UNAUTHORISED:
            problem = f"the registry at {self._url} refuses our login"
            return Configuration(problem, mend="set registry.user and registry.password")
        return Transient(f"the registry at {self._url} answered {status}: {error.error_message}")
