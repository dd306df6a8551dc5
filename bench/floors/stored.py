"""Puts the texts that are asked for into a real server of redis or memcached."""

from __future__ import annotations

import socket

from bench.cases import CORPUS_SIZES
from bench.floors.free_port import HOST, connect_when_up
from bench.text_frames import KEY_PREFIX, stored_text

__all__ = ["store"]


def store(port: int, kind: str) -> None:
    """Stores one text for each size. `kind`: `redis` or `memcached`.

    Raises:
        TimeoutError: nobody listens.
        RuntimeError: a text was not stored.
    """
    with connect_when_up(port) as connection:
        for size in CORPUS_SIZES:
            key, text = f"{KEY_PREFIX}{size}".encode(), stored_text(size)
            if kind == "redis":
                command = b"*3\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (len(key), key, len(text), text)
            else:
                command = b"set %b 0 0 %d\r\n%b\r\n" % (key, len(text), text)
            _store(connection, command)


def _store(connection: socket.socket, command: bytes) -> None:
    connection.sendall(command)
    answer = connection.recv(4096)
    if answer not in (b"+OK\r\n", b"STORED\r\n"):
        raise RuntimeError(f"{HOST} answered {answer[:80]!r}")
