"""dubbo:// and hessian://: the bytes that Hessian 2 has for each value.

Source: Hessian 2.0 Serialization Protocol, sections 4.1 to 4.13; the frame of Dubbo 2, whose body is a sequence of
values; HessianRPC's `C` and `R`. An instant is Dubbo's handle or a `java.time.Instant` by its fields, 53 s after
09:26 being 1786699613 s.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from tests.matrix.native.http_message import last_body
from tests.matrix.native.reader import Native

__all__ = ["DUBBO", "HESSIAN"]

_HEADER: Final = 16
"""Of a frame of Dubbo."""


def _text(value: str) -> bytes:
    """A string of fewer than 32 characters."""
    return bytes((len(value),)) + value.encode()


def _long_name(value: str) -> bytes:
    """A string of fewer than 1,024 characters."""
    return bytes((0x30 + (len(value) >> 8), len(value) & 0xFF)) + value.encode()


def _definition(name: bytes, *fields: str) -> bytes:
    """A class definition, the names of its fields written out; whose first object follows."""
    return b"C" + name + bytes((0x90 + len(fields),)) + b"".join(map(_text, fields))


def _maker(reference: bytes) -> bytes:
    fields = _text("Zwölf") + _text("DE") + reference + _text("Mutter") + b"NN"
    return _definition(_text("demo.Maker"), "name", "country", "parent") + reference + fields


_SECONDS_AND_NANOS: Final = b"I" + struct.pack(">i", 589_793_000) + b"Y" + struct.pack(">i", 1_786_699_613)


def _forms(instant: bytes) -> Mapping[str, bytes]:
    return {
        "struct": _maker(b"\x60"),
        "map": b"H" + _text("alpha") + b"L" + struct.pack(">q", 1 << 40) + b"Z",
        "list": b"\x7a\x79" + _text("x") + b"\x78",
        "set": b"\x71" + _text("java.util.HashSet") + _text("one"),
        "enum": _definition(_text("demo.Status"), "name") + b"\x60" + _text("PREORDER"),
        "decimal": _definition(_text("java.math.BigDecimal"), "value") + b"\x60" + _text("19.90"),
        "instant": _definition(instant, "nanos", "seconds") + b"\x60" + _SECONDS_AND_NANOS,
        "bytes": b"\x24\x00\xffab",
        "bool": b"T",
        # A double that is a number of thousandths.
        "double": b"\x5f" + struct.pack(">i", 500),
        "null": b"N",
    }


# What a Java exception has besides, empty, in front of its own fields; -7 is one byte.
_THROWABLE: Final = ("suppressedExceptions", "stackTrace", "cause", "detailMessage")
_EMPTY: Final = (
    b"\x70" + _text("java.util.Collections$EmptyList") + b"\x70" + _text("[java.lang.StackTraceElement") + b"Q"
)


def _failure(itself: bytes) -> bytes:
    fields = _EMPTY + itself + _text("broken") + b"\x89" + _maker(b"\x61")
    return _definition(_text("demo.TypesFailure"), *_THROWABLE, "code", "culprit") + b"\x60" + fields


def _java_name(method: str) -> str:
    first, *rest = method.split("_")
    return first + "".join(map(str.capitalize, rest))


def _called_over_dubbo(sent: bytes, method: str) -> bytes:
    name = _text(_java_name(method))
    assert name in sent, f"no call of {method}"
    types, _, behind = sent.partition(name)[2].partition(b"H\x04path")
    assert behind, "no attachments behind the argument"
    # The type of the parameter, as text.
    return types[1 + types[0] :]


def _answered_over_dubbo(received: bytes) -> bytes:
    kind, value = received[_HEADER], received[_HEADER + 1 :].partition(b"H\x05dubbo")[0]
    # With attachments: 4 a value, 5 null.
    assert kind in (0x94, 0x95), f"answer of kind {kind:#x}"
    return value if kind == 0x94 else b"N"


def _raised_over_dubbo(received: bytes) -> bytes:
    assert received[_HEADER] == 0x93, "an exception with attachments"
    return received[_HEADER + 1 :].partition(b"H\x05dubbo")[0]


def _called_over_hessian(sent: bytes, method: str) -> bytes:
    start = b"H\x02\x00C" + _text(_java_name(method)) + b"\x91"
    body = last_body(sent)
    assert body.startswith(start), f"no call of {method} with one argument: {body[:60]!r}"
    return body.removeprefix(start)


def _answered_over_hessian(received: bytes) -> bytes:
    body = last_body(received)
    assert body.startswith(b"H\x02\x00R"), f"no answer: {body[:60]!r}"
    return body[4:]


def _raised_over_hessian(received: bytes) -> bytes:
    body = last_body(received)
    start = b"H\x02\x00FH" + _text("code") + _text("ServiceException") + _text("message") + _text("broken")
    start += _text("detail")
    assert body.startswith(start), f"no fault: {body[:80]!r}"
    return body.removeprefix(start).removesuffix(b"Z")


_NONE: Final[Mapping[str, Any]] = {}
# The exception refers to itself as its cause: over dubbo:// it is the first object of a message, over hessian:// the
# second, behind the map of the fault.
DUBBO: Final = Native(
    _called_over_dubbo,
    _answered_over_dubbo,
    _raised_over_dubbo,
    _forms(_long_name("com.alibaba.com.caucho.hessian.io.java8.InstantHandle")),
    _failure(b"\x90"),
    _NONE,
)
HESSIAN: Final = Native(
    _called_over_hessian,
    _answered_over_hessian,
    _raised_over_hessian,
    _forms(_text("java.time.Instant")),
    _failure(b"\x91"),
    _NONE,
)
