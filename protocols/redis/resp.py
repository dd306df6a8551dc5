"""Single replies of RESP2 and RESP3, as bytes.

Sources: redis/redis-specifications protocol/RESP3.md; https://redis.io/docs/latest/develop/reference/protocol-spec/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.model.errors import LocalWireError

__all__ = [
    "NIL",
    "NIL_ARRAY_2",
    "OK",
    "array",
    "array_within",
    "bulk",
    "double",
    "error",
    "header",
    "mapping",
    "nil",
    "text",
    "verbatim",
]

OK: Final = b"+OK\r\n"
NIL: Final[Mapping[int, bytes]] = {2: b"$-1\r\n", 3: b"_\r\n"}
"""Null by version of RESP."""
NIL_ARRAY_2: Final = b"*-1\r\n"


def nil(proto: int) -> bytes:
    """Null, as the absence of a string."""
    return b"_\r\n" if proto == 3 else b"$-1\r\n"


def bulk(data: bytes) -> bytes:
    """A string of any bytes."""
    return b"$%d\r\n%b\r\n" % (len(data), data)


def text(value: str) -> bytes:
    """A string of text. A lone surrogate keeps its three bytes."""
    return bulk(value.encode("utf-8", "surrogatepass"))


def verbatim(data: bytes, proto: int, form: bytes = b"txt") -> bytes:
    """A string that says what it is, where the version knows such; `form`: three characters."""
    return b"=%d\r\n%b:%b\r\n" % (len(data) + 4, form, data) if proto == 3 else bulk(data)


def double(value: float, proto: int) -> bytes:
    """A number with a fraction; NaN and infinities as well."""
    said = repr(value).encode()
    return b",%b\r\n" % said if proto == 3 else bulk(said)


def header(kind: bytes, count: int) -> bytes:
    """What stands before the parts of an aggregate."""
    return b"%b%d\r\n" % (kind, count)


def array(items: Sequence[bytes]) -> bytes:
    """A list of replies."""
    return b"*%d\r\n%b" % (len(items), b"".join(items))


def array_within(items: Iterable[bytes], most_bytes: int) -> bytes:
    """The same of replies that are made one after the other, as a small command may ask for a large one many times.

    Raises:
        LocalWireError: they are more than `most_bytes`; no more were made than that.
    """
    made: list[bytes] = []
    size = 0
    for each in items:
        size += len(each)
        if size > most_bytes:
            raise LocalWireError(f"the reply exceeds the limit of {most_bytes} bytes")
        made.append(each)
    return array(made)


def mapping(pairs: Sequence[tuple[bytes, bytes]], proto: int) -> bytes:
    """A map of replies; a flat list before RESP3."""
    parts: Iterable[bytes] = (each for pair in pairs for each in pair)
    head = header(b"%", len(pairs)) if proto == 3 else header(b"*", 2 * len(pairs))
    return head + b"".join(parts)


def error(said: str | bytes) -> bytes:
    """An error in one line. What does not begin with a code of its own (`-NOAUTH …`) is an ERR."""
    data = said.encode("utf-8", "surrogateescape") if isinstance(said, str) else said
    data = data.rstrip(b"\r\n").replace(b"\r", b" ").replace(b"\n", b" ")
    return b"%b%b\r\n" % (b"" if data[:1] == b"-" else b"-ERR ", data)
