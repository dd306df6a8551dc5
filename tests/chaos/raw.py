"""Calls of `Work` and what answers them, in the bytes of each wire: nothing here comes from the code under test."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import dataclass
from typing import Final

from tests.support import dubbo_bytes, http_bytes, rmi_bytes

__all__ = ["BUSY", "Answer", "ask", "request"]

BUSY: Final = {"dubbo": 100, "http": 503, "rmi": -2}
"""How a wire says "too busy": `SERVER_THREADPOOL_EXHAUSTED_ERROR` (apache/dubbo: dubbo-remoting-api/.../Response.java)
and Service Unavailable (RFC 9110, section 15.6.4). A reply of rmi:// is a 2 (docs/rmi.md), and here a -2 when it says
`overloaded`."""
_LIMIT_S: Final = 10.0


@dataclass(frozen=True)
class Answer:
    """`status`: as the wire numbers it. `text`: of the body."""

    status: int
    text: str


def request(wire: str, id: int, hold_ms: int, method: str = "once") -> bytes:
    """One call."""
    if wire == "http":
        return http_bytes.call(method, id, hold_ms, service="chaos.Work")
    if wire == "rmi":
        return rmi_bytes.frame(pickle.dumps({"service": "chaos.Work", "method": method, "args": (id, hold_ms)}, 4))
    arguments = b"L" + id.to_bytes(8, "big", signed=True) + dubbo_bytes.integer(hold_ms)
    return dubbo_bytes.request(method, "JI", arguments, path="chaos.Work", id=id)


async def ask(wire: str, port: int, data: bytes) -> Answer:
    """Sends a call on a connection of its own and reads the answer."""
    async with asyncio.timeout(_LIMIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            if wire == "http":
                return await _http_answer(reader)
            if wire == "rmi":
                writer.write_eof()
                return _rmi_answer(await reader.read())
            magic, flags, status, _, length = dubbo_bytes.HEADER.unpack(
                await reader.readexactly(dubbo_bytes.HEADER.size)
            )
            assert magic == dubbo_bytes.MAGIC
            assert not flags & dubbo_bytes.REQUEST
            return Answer(status, (await reader.readexactly(length)).decode("latin-1"))
        finally:
            writer.close()


def _rmi_answer(received: bytes) -> Answer:
    found = rmi_bytes.first_answer(received)
    if found is None:
        raise EOFError(f"closed after {received!r}")
    reply = found[0].reply
    return Answer(-found[0].kind if reply.get("error") == "overloaded" else found[0].kind, str(reply))


async def _http_answer(reader: asyncio.StreamReader) -> Answer:
    received = b""
    while (found := http_bytes.first_answer(received)) is None:
        data = await reader.read(65_536)
        if not data:
            raise EOFError(f"closed after {received!r}")
        received += data
    answer = found[0]
    return Answer(answer.status, json.dumps(answer.json))
