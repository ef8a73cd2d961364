"""Starts one server apart from its starter, in a session of its own, and prints its pid.

Run as a script by `devstack.process.start`, with a JSON object on stdin. The server becomes
nobody's child here: it survives the caller, and a dead server never stays on as its zombie.
"""

import json
import os
import subprocess
import sys


def main() -> None:
    """Start ``argv`` with stdout and stderr in ``log``, print the pid, leave at once."""
    order = json.load(sys.stdin)
    owner = (
        {"user": order["uid"], "group": order["gid"], "extra_groups": []} if order["uid"] else {}
    )
    with open(order["log"], "wb") as log:  # noqa: PTH123 - pathlib would double this script's start-up
        server = subprocess.Popen(
            order["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=order["cwd"],
            env=order["env"],
            start_new_session=True,
            **owner,
        )
    print(server.pid, flush=True)  # noqa: T201
    os._exit(0)


if __name__ == "__main__":
    main()
