"""The Dockerfile, without Docker: what it takes, from where, and as whom it runs."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements-prod.lock", "deploy/image/odbc.lock", "deploy/image/build.lock")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def instructions() -> list[tuple[str, str]]:
    """Read the Dockerfile: each instruction and its arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines) if word]


def stages() -> dict[str, list[tuple[str, str]]]:
    """Give the instructions of each build stage."""
    found: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            found[rest.split(" AS ")[1]] = []
        if found:
            list(found.values())[-1].append((word, rest))
    return found


STAGES = stages()


def copied(stage: str) -> list[str]:
    """Name what a stage copies from the repository."""
    arguments = [shlex.split(rest) for word, rest in STAGES[stage] if word == "COPY"]
    return [name for args in arguments if "--from" not in args[0] for name in args[:-1]]


def test_the_image_that_is_built_by_default_is_that_of_the_stages() -> None:
    assert list(STAGES)[-1] == "aos"
    assert ("ENTRYPOINT", '["aos"]') in STAGES["aos"]
    assert PROJECT["project"]["scripts"].keys() == {"aos"}


def test_the_image_does_not_run_as_root() -> None:
    users = [
        (name, rest) for name, stage in STAGES.items() for word, rest in stage if word == "USER"
    ]
    assert users == [("base", "10001:10001")]
    assert STAGES["aos"][0] == ("FROM", "base AS aos")
    assert STAGES["sample-aos"][0] == ("FROM", "base AS sample-aos")


def test_every_stage_starts_from_one_pinned_image() -> None:
    assert instructions()[0] == ("ARG", "PYTHON=3.11-slim-bookworm")
    bases = {rest.split(" AS ")[0] for word, rest in instructions() if word == "FROM"}
    assert bases == {"python:${PYTHON}", "base"}


def test_nothing_is_taken_from_the_network_but_packages() -> None:
    assert not [rest for word, rest in instructions() if word == "ADD"]
    assert "://" not in (ROOT / "Dockerfile").read_text("utf-8")
    assert not re.search(r"\b(curl|wget)\b", (ROOT / "Dockerfile").read_text("utf-8"))


def test_every_package_is_installed_by_its_hash() -> None:
    installs = [
        part
        for word, rest in instructions()
        for part in rest.split("&&")
        if word == "RUN" and re.search(r"pip\b.* (install|wheel)", part)
    ]
    assert len(installs) == 4
    for install in installs:
        assert "--require-hashes" in install or "--no-deps --no-index" in install


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_each_package_with_its_hashes(lock: str) -> None:
    assert lock in copied("build")
    text = (ROOT / lock).read_text("utf-8")
    pinned = re.findall(
        r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert len(pinned) == len(re.findall(r"^\S", text, re.MULTILINE))
    assert all("--hash=sha256:" in package for package in pinned)
    assert "://" not in text


def test_the_locks_hold_what_the_product_needs_and_nothing_of_the_tests_or_the_stack() -> None:
    text = "".join((ROOT / lock).read_text("utf-8") for lock in LOCKS)
    names = {name.lower() for name in re.findall(r"^([\w.-]+)(?:\[|==)", text, re.MULTILINE)}

    def named(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=]", r)[0].lower() for r in requirements}

    assert named(PROJECT["project"]["dependencies"]) <= names
    assert not named(PROJECT["project"]["optional-dependencies"]["devstack"]) & names
    assert not {"pytest", "mypy", "ruff", "hypothesis", "polars"} & names


def test_neither_tests_nor_the_embedded_stack_are_in_the_image_of_the_stages() -> None:
    taken = {*copied("build"), *copied("base"), *copied("aos")}
    rooms = {name for name in taken if name.endswith("/")}
    assert rooms == {f"{r}/" for r in PROJECT["tool"]["importlinter"]["root_packages"]} - {
        "devstack/"
    }
    assert {name for name in copied("sample-aos") if name.startswith("devstack")}


def test_all_that_is_copied_exists_and_reaches_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = [line[1:] for line in lines if line.startswith("!")]
    assert "*" in lines
    for name in (name for stage in STAGES for name in copied(stage)):
        assert (ROOT / name).exists()
        assert any(Path(name).is_relative_to(root) for root in sent)


def test_compose_names_the_image_by_the_version_of_the_product() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    built = {s["build"]["target"]: s["image"] for s in services.values() if "build" in s}
    version = PROJECT["project"]["version"]
    assert built == {
        "aos": f"aos-stream:{version}",
        "sample-aos": f"aos-stream-sample:{version}",
    }
