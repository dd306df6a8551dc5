"""Messages of dubbo:// put together by hand, right ones and wrong ones; nothing here comes from the codecs under test.

Layout: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/.../protocol/dubbo/DubboCodec.java (`encodeRequestData`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

HEADER = struct.Struct(">HBBqi")
MAGIC = 0xDABB
REQUEST, TWO_WAY, EVENT = 0x80, 0x40, 0x20
HESSIAN2 = 2
CALL = REQUEST | TWO_WAY | HESSIAN2
HEARTBEAT = REQUEST | TWO_WAY | EVENT | HESSIAN2

OK, BAD_REQUEST, SERVER_ERROR = 20, 40, 80
INVOKE_TYPES = "Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;"


@dataclass(frozen=True)
class Reply:
    """A response frame taken apart."""

    flags: int
    status: int
    id: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever is in it: error texts are ASCII."""
        return self.body.decode("latin-1")


def frame(flags: int, request_id: int, body: bytes, *, status: int = 0, length: int | None = None) -> bytes:
    """A frame. `length`: what the header says, the body's own length unless given."""
    return HEADER.pack(MAGIC, flags, status, request_id, len(body) if length is None else length) + body


def text(value: str) -> bytes:
    """A string of at most 65535 characters of ASCII."""
    data = value.encode("ascii")
    if len(data) < 32:
        return bytes((len(data),)) + data
    return b"S" + len(data).to_bytes(2, "big") + data


def integer(value: int) -> bytes:
    """An int in its longest form."""
    return b"I" + value.to_bytes(4, "big", signed=True)


def definition(name: str, *fields: str) -> bytes:
    """A class definition."""
    return b"C" + text(name) + integer(len(fields)) + b"".join(map(text, fields))


def head(method: str, types: str, *, path: str = "demo.Types", version: str = "2.0.2") -> bytes:
    """The five strings a request body begins with."""
    return b"".join(map(text, (version, path, "0.0.0", method, types)))


def request(
    method: str = "count",
    types: str = "",
    arguments: bytes = b"",
    *,
    path: str = "",
    group: str = "",
    id: int = 7,
    flags: int = CALL,
    more: Mapping[str, str] | None = None,
    attachments: bytes | None = None,
) -> bytes:
    """A request. `path`: demo.Catalog for methods without `echo` in their name. `more`: further attachments."""
    path = path or ("demo.Types" if method.startswith("echo") else "demo.Catalog")
    if attachments is None:
        entries = {"path": path, "interface": path, **({"group": group} if group else {}), **(more or {})}
        attachments = b"H" + b"".join(text(key) + text(value) for key, value in entries.items()) + b"Z"
    return frame(flags, id, head(method, types, path=path) + arguments + attachments)


def echo_any(value: bytes, *, group: str = "", id: int = 7) -> bytes:
    """Asks demo.Types to give back a value that describes itself."""
    return request("echoAny", "Ljava/lang/Object;", value, group=group, id=id)


def invoke(method: str, types: list[str], *values: bytes, path: str = "demo.Types", id: int = 7) -> bytes:
    """A `$invoke`: Dubbo's call without a stub."""
    named = b"V" + text("[string") + integer(len(types)) + b"".join(map(text, types))
    arguments = text(method) + named + b"V" + text("[object") + integer(len(values)) + b"".join(values)
    return request("$invoke", INVOKE_TYPES, arguments, path=path, id=id, more={"generic": "true"})


def heartbeat(request_id: int, *, flags: int = HEARTBEAT, body: bytes = b"N") -> bytes:
    """A heartbeat request."""
    return frame(flags, request_id, body)


def replies(data: bytes) -> list[Reply]:
    """All frames in `data`, which must end with one."""
    found = []
    while data:
        magic, flags, status, request_id, length = HEADER.unpack_from(data)
        assert magic == MAGIC, data[:32]
        assert len(data) >= HEADER.size + length, "the last frame is cut off"
        found.append(Reply(flags, status, request_id, data[HEADER.size : HEADER.size + length]))
        data = data[HEADER.size + length :]
    return found
