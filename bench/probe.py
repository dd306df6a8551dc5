"""One call at a time over a plain socket: to see that a server answers, and answers right, before it is measured."""

from __future__ import annotations

import socket

from bench.cases import Payload
from bench.frames import frame_bytes
from bench.http_frames import body_bytes
from bench.process import Server
from bench.request import Request, WrongReply
from bench.thrift_frames import LENGTH_BYTES

_TIMEOUT_S = 20.0
_HEADER_BYTES = 16


def connect(server: Server) -> socket.socket:
    """A connection to the server's listener."""
    return socket.create_connection((server.host, server.port), _TIMEOUT_S)


def call(connection: socket.socket, request: Request) -> None:
    """Sends the request and checks its reply.

    Raises:
        WrongReply: the reply is an error, is not what was sent, or the connection was closed.
        OSError: no reply came in time, or the connection broke.
    """
    connection.sendall(request.frame)
    if request.reply:
        reply = _receive(connection, len(request.reply))
    elif request.payload is Payload.BYTES:
        reply = _receive(connection, len(request.frame))
    elif request.payload.is_http:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += _receive(connection, 1)
        reply = head + _receive(connection, body_bytes(head))
    elif request.payload is Payload.THRIFT:
        head = _receive(connection, LENGTH_BYTES)
        reply = head + _receive(connection, int.from_bytes(head, "big"))
    else:
        head = _receive(connection, _HEADER_BYTES)
        reply = head + _receive(connection, frame_bytes(head) - _HEADER_BYTES)
    request.check_reply(reply)


def check(server: Server, request: Request) -> None:
    """Makes one call over a connection of its own. Raises as `call` does."""
    with connect(server) as connection:
        call(connection, request)


def _receive(connection: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        more = connection.recv(count - len(received))
        if not more:
            raise WrongReply(f"the connection was closed after {len(received)} of {count} bytes")
        received += more
    return bytes(received)
