"""The settings of all stages: a YAML file, over it the environment, over both the secret files.

``AOS_SINK__BATCH_ROWS=5000`` sets ``sink.batch_rows``. Every secret may come from a file that
``<secret>_file`` names, in the environment (``AOS_SINK__PASSWORD_FILE``) or in the YAML file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from operate.alerts.settings import AlertSettings
from operate.api.settings import ApiSettings
from operate.jobs.settings import JobsSettings
from operate.lineage.settings import LineageSettings
from operate.wrong_settings import missing, no_such_setting, of_validation
from producers.settings import SourceSettings
from runtime.errors import Configuration
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from sink.settings import SinkSettings
from stream_app.settings import StreamSettings

PREFIX: Final = "AOS_"
NESTED: Final = "__"

SECTIONS: Final[dict[str, type[BaseModel]]] = {
    "kafka": KafkaSettings,
    "registry": RegistrySettings,
    "topics": Topics,
    "source": SourceSettings,
    "stream": StreamSettings,
    "sink": SinkSettings,
    "api": ApiSettings,
    "jobs": JobsSettings,
    "alerts": AlertSettings,
    "lineage": LineageSettings,
}


class Settings(BaseSettings):
    """What is in force; ``source`` is there only where a source is configured."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, extra="forbid", frozen=True
    )

    kafka: KafkaSettings = KafkaSettings()
    registry: RegistrySettings = RegistrySettings()
    topics: Topics = Topics()
    source: SourceSettings | None = None
    sources: tuple[SourceSettings, ...] = ()
    stream: StreamSettings = StreamSettings()
    sink: SinkSettings = SinkSettings()
    api: ApiSettings = ApiSettings()
    jobs: JobsSettings = JobsSettings()
    alerts: AlertSettings = AlertSettings()
    lineage: LineageSettings = LineageSettings()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings names the arguments
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, whose contents are given as arguments."""
        return env_settings, init_settings

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, given: dict[str, Any]) -> dict[str, Any]:
        read = {name: with_secrets(name, value) for name, value in given.items()}
        if isinstance(several := read.get("sources"), list | tuple):
            read["sources"] = [with_secrets("source", each) for each in several]
        return read

    def the_source(self) -> SourceSettings:
        """Give the section of the source; of several, that of the first.

        Raises:
            Configuration: there is none.
        """
        return self.all_sources()[0]

    def all_sources(self) -> tuple[SourceSettings, ...]:
        """Give the sections of all sources, the one that is believed first at the head.

        Raises:
            Configuration: there is none, or ``source`` stands beside ``sources``.
        """
        if self.source is not None and self.sources:
            problem = "setting sources: there is a section source, too"
            raise Configuration(problem, mend="move it into the list, and drop the section")
        if self.source is None and not self.sources:
            setting = "source.url"
            raise missing(setting, "the database to read")
        return (self.source,) if self.source else self.sources


def load(path: Path | None = None) -> Settings:
    """Read the settings.

    Raises:
        Configuration: a setting is wrong; the message names it, its value and the mend.
    """
    document = _document(path) if path else {}
    _check_environment(os.environ)
    try:
        return Settings(**document)
    except ValidationError as error:
        raise of_validation(error, SECTIONS | {"sources": SourceSettings}) from error
    except SettingsError as error:
        problem = f"the environment cannot be read: {error}"
        raise Configuration(problem, mend=f"write {PREFIX}<SECTION>{NESTED}<SETTING>=…") from error


def with_secrets(section: str, given: Any) -> Any:
    """Put the contents of secret files in the place of their names.

    Raises:
        Configuration: a file cannot be read, or the secret itself is given, too.
    """
    model = SECTIONS.get(section)
    if model is None or not isinstance(given, dict):
        return given
    read = dict(given)
    for name in _secrets(model):
        file = read.pop(f"{name}_file", None)
        if file is not None:
            read[name] = _secret(f"{section}.{name}", file, doubled=name in read)
    return read


def is_secret(field: FieldInfo) -> bool:
    """Say whether a setting is never to be shown."""
    return field.annotation is SecretStr


def _secrets(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if is_secret(field)]


def _secret(name: str, file: str, *, doubled: bool) -> str:
    setting = f"{name}_file"
    if doubled:
        problem = f"{name} is set, too"
        raise Configuration.of(setting, file, problem, mend="keep one of the two")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
        mend = "correct the path, or let this user read it"
        raise Configuration.of(setting, file, problem, mend=mend) from error


def _document(path: Path) -> dict[str, Any]:
    setting = "--config"
    mend = f"name a YAML file with the sections {', '.join(SECTIONS)}"
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problem = f"the file cannot be read ({getattr(error, 'strerror', None) or error})"
        raise Configuration.of(setting, str(path), problem, mend=mend) from error
    except yaml.YAMLError as error:
        problem = f"it is not YAML: {_where(error)}"
        raise Configuration.of(setting, str(path), problem, mend=mend) from error
    if not isinstance(document or {}, dict):
        raise Configuration.of(setting, str(path), "it is no mapping of sections", mend=mend)
    return document or {}


def _where(error: yaml.YAMLError) -> str:
    """Say where it stops being YAML, without quoting the line: it may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    told = getattr(error, "problem", None) or "unreadable"
    return f"{told}, line {mark.line + 1}" if mark else str(told)


def _check_environment(names: Iterable[str]) -> None:
    """Refuse ``AOS_SNIK__…``: pydantic-settings would pass over what names no section."""
    for name in names:
        section, nested, _ = name.removeprefix(PREFIX).lower().partition(NESTED)
        if name.startswith(PREFIX) and nested and section not in SECTIONS:
            raise no_such_setting(name, [f"{PREFIX}{s.upper()}{NESTED}" for s in SECTIONS])
