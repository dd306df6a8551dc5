"""memcached with one worker thread, with the texts that are asked for: what a get costs without a gateway.

Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

from bench.floors.free_port import HOST, announce, free_port
from bench.floors.stored import store


def serve() -> None:
    """Serves until standard input ends."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="polyport-bench-") as folder:
        command = ["memcached", "-l", HOST, "-p", str(port), "-U", "0", "-t", "1", "-u", "root"]
        server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            store(port, "memcached")
            announce(port)
            sys.stdin.read()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    serve()
