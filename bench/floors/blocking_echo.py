"""The floor of short connections: accept, read until the end, send it back, close; one thread, blocking sockets.

Listens on a free port of 127.0.0.1, prints `LISTENING 127.0.0.1:<port>`, and ends when its standard input does.
"""

from __future__ import annotations

import socket
import sys
import threading


def serve(listening: socket.socket) -> None:
    """Answers one connection after the other."""
    while True:
        sock, _ = listening.accept()
        with sock:
            # What is asked here fits into one segment.
            sock.sendall(sock.recv(65_536))


def main() -> None:
    """Serves until standard input ends."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    host, port = listening.getsockname()
    print(f"LISTENING {host}:{port}", flush=True)
    threading.Thread(target=serve, args=(listening,), daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
