"""What Python users know: the same service on Pyro5, one thread for each connection.

Prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import sys
import threading

import Pyro5.api


@Pyro5.api.expose
class Echo:
    """Gives back what it gets."""

    def echo(self, text: str) -> str:
        """The same text."""
        return text


def main() -> None:
    """Serves until standard input ends."""
    daemon = Pyro5.api.Daemon(host="127.0.0.1", port=0)
    daemon.register(Echo, "echo")
    print(f"LISTENING {daemon.locationStr}", flush=True)
    threading.Thread(target=daemon.requestLoop, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
