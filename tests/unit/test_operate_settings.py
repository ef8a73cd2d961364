"""Settings come from file, environment and secret files; what is wrong is told on one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate.masking import MASK, masked, masked_document
from operate.settings import Settings, load
from runtime.errors import Configuration, Exit

pytestmark = pytest.mark.requirement("D3")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AOS_CONFIG", "AOS_CACHE"):
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "aos.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path | None = None) -> str:
    with pytest.raises(Configuration) as caught:
        load(path)
    assert caught.value.exit_code == Exit.USAGE
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_need_no_file() -> None:
    settings = load()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.source is None


def test_a_file_sets_every_section(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "kafka: {bootstrap_servers: 'broker:1'}\nsink: {batch_rows: 7}\nlog_level: DEBUG\n"
        "source: {url: 'sqlite:///aos.db', mapping: aos-mapping.yaml}\n",
    )
    settings = load(path)
    assert settings.kafka.bootstrap_servers == "broker:1"
    assert settings.sink.batch_rows == 7
    assert settings.the_source().mapping == Path("aos-mapping.yaml")
    assert settings.log_level == "DEBUG"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing yet\n")) == Settings()


def test_the_environment_wins_over_the_file_setting_by_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "sink: {batch_rows: 7, group: of-the-file}\n")
    monkeypatch.setenv("AOS_SINK__BATCH_ROWS", "9")
    settings = load(path)
    assert (settings.sink.batch_rows, settings.sink.group) == (9, "of-the-file")


@pytest.mark.parametrize("where", ["environment", "file"])
def test_a_secret_may_stand_in_a_file_of_its_own(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "password"
    secret.write_text("s3cret\n", encoding="utf-8")
    path = None
    if where == "environment":
        monkeypatch.setenv("AOS_SINK__PASSWORD_FILE", str(secret))
    else:
        path = written(tmp_path, f"sink: {{password_file: {secret}}}\n")
    assert load(path).sink.password.get_secret_value() == "s3cret"


def test_a_setting_that_only_ends_like_a_secret_file_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AOS_KAFKA__CA_FILE", "/etc/ca.pem")
    assert load().kafka.ca_file == Path("/etc/ca.pem")


def test_a_secret_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOS_SINK__PASSWORD", "hunter2")
    monkeypatch.setenv("AOS_SINK__PASSWORD_FILE", str(tmp_path))
    told = refused()
    assert "sink.password_file" in told
    assert "hunter2" not in told


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOS_KAFKA__PASSWORD_FILE", "/nowhere/password")
    told = refused()
    assert "kafka.password_file = '/nowhere/password'" in told
    assert "No such file" in told


@pytest.mark.parametrize(
    ("text", "named", "mend"),
    [
        ("sink: {batch_rows: many}", "sink.batch_rows = 'many'", "AOS_SINK__BATCH_ROWS"),
        ("sink: {batch_row: 5}", "sink.batch_row: there is no such", "sink.batch_rows?"),
        ("snik: {batch_rows: 5}", "snik: there is no such", "sink"),
        ("source: {url: 'sqlite:///a.db'}", "source.mapping is not set", "AOS_SOURCE__MAPPING"),
        ("stream: fast", "stream = 'fast'", "correct it"),
        ("log_level: LOUD", "log_level = 'LOUD'", "AOS_LOG_LEVEL"),
        ("kafka: {brokers: x}", "kafka.brokers: there is no such", "kafka.bootstrap_servers"),
        ("registry: {url: localhost}", "registry.url = 'localhost': it is no address", "correct"),
        ("[1, 2]", "--config", "sections"),
        ("sink: {a: 'b", "it is not YAML", "sections"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_mend(
    text: str, named: str, mend: str, tmp_path: Path
) -> None:
    told = refused(written(tmp_path, text))
    assert named in told
    assert "Mend: " in told
    assert mend in told.partition("Mend: ")[2]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    told = refused(written(tmp_path, "sink: {batch_rows: many}\ntopics: {partitions: 0}\n"))
    assert "sink.batch_rows = 'many'" in told
    assert "topics.partitions = 0" in told


@pytest.mark.parametrize(
    "text", ["sink: {password: [hunter2]}", "sink: {pasword: hunter2}", "kafka: {password: hunter2"]
)
def test_a_secret_is_never_told(text: str, tmp_path: Path) -> None:
    assert "hunter2" not in refused(written(tmp_path, text))


def test_a_misspelt_section_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AOS_SNIK__PASSWORD", "hunter2")
    told = refused()
    assert "AOS_SNIK__PASSWORD: there is no such setting" in told
    assert "hunter2" not in told


def test_a_file_that_is_not_there_is_named() -> None:
    assert "--config = '/nowhere/aos.yaml'" in refused(Path("/nowhere/aos.yaml"))


def test_a_source_that_is_not_configured_is_told_when_it_is_wanted() -> None:
    with pytest.raises(Configuration, match=r"source\.url is not set"):
        load().the_source()


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://aos:hunter2@db/weather",
        "mssql+pyodbc://reader:hunter2@aos-host:1433/AOS",
        "DRIVER={x};PWD=hunter2;UID=reader",
        "mssql+pyodbc:///?odbc_connect=SERVER%3Dx%3Bpwd%3Dhunter2%3B",
    ],
)
def test_passwords_in_urls_and_connection_strings_are_masked(text: str) -> None:
    assert "hunter2" not in masked(text)
    assert MASK in masked(text)
    assert masked_document({"a": [{"b": text}]}) == {"a": [{"b": masked(text)}]}
