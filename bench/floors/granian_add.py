"""granian with a raw RSGI application: a Rust server that calls Python only for the answer.

Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from bench.floors.free_port import HOST, announce, free_port


async def app(scope: Any, protocol: Any) -> None:
    """The sum of `a` and `b`."""
    numbers = json.loads(await protocol())
    protocol.response_str(200, [("content-type", "application/json")], json.dumps(numbers["a"] + numbers["b"]))


def serve() -> None:
    """Serves until standard input ends."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--host", HOST, "--port", str(port)]
    command += [
        "--workers",
        "1",
        "--loop",
        "uvloop",
        "--no-ws",
        "--log-level",
        "warning",
        "bench.floors.granian_add:app",
    ]
    granian = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        announce(port)
        sys.stdin.read()
    finally:
        granian.terminate()
        granian.wait()


if __name__ == "__main__":
    serve()
