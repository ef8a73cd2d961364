"""``python -m devstack up|down|status|wipe DIR [--db timescale|postgres]``: the stack from a shell.

``up`` prints the addresses of broker, registry and database as ``name=value`` lines.
"""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from devstack.events import Bars
from devstack.stack import Stack
from runtime.errors import AosError, Exit


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give its exit code."""
    parser = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "status", "wipe"])
    parser.add_argument("directory")
    parser.add_argument("--db", choices=["timescale", "postgres"])
    chosen = parser.parse_args(arguments)
    try:
        stack = Stack.at(chosen.directory, db=chosen.db)
        _COMMANDS[chosen.command](stack)
    except AosError as error:
        _say(str(error), sys.stderr)
        return error.exit_code
    return Exit.OK


def _up(stack: Stack) -> None:
    with Bars() as bars:
        stack.up(bars)
    for name in ("bootstrap_servers", "registry_url", "database_url"):
        _say(f"{name}={getattr(stack, name)}")


def _status(stack: Stack) -> None:
    for part in stack.status():
        pid = part.pid or "-"
        _say(f"{part.name:<10} {part.state:<8} {part.address:<16} pid {pid:<8} {part.log}")


def _say(line: str, out: TextIO = sys.stdout) -> None:
    out.write(line + "\n")


_COMMANDS = {"up": _up, "down": Stack.down, "status": _status, "wipe": Stack.wipe}

if __name__ == "__main__":
    sys.exit(main())
