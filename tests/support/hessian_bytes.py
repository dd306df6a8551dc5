"""Messages of hessian:// put together by hand, right ones and wrong ones; nothing here comes from the code under test.

Source: Hessian 2.0 Web Services Protocol and Hessian 1.0.2 specification, http://hessian.caucho.com/doc.
"""

from __future__ import annotations

from typing import Final

from tests.support.http_bytes import message

__all__ = ["FAULT", "VALUE", "hessian_body", "hessian_call", "old_body", "old_text"]

VALUE: Final = b"H\x02\x00R"
FAULT: Final = b"H\x02\x00F"


def hessian_body(method: str = "count", *arguments: bytes) -> bytes:
    """A call in Hessian 2. `method`: of at most 31 characters; `arguments`: as they are sent, at most 47."""
    name = method.encode()
    return b"H\x02\x00C" + bytes((len(name),)) + name + bytes((0x90 + len(arguments),)) + b"".join(arguments)


def hessian_call(method: str = "count", *arguments: bytes, service: str = "", fields: tuple[str, ...] = ()) -> bytes:
    """The request for one. `service`: demo.Catalog for methods without `echo` in their name."""
    return message(_path(method, service), hessian_body(method, *arguments), *fields)


def old_text(tag: bytes, text: str) -> bytes:
    """A short text of Hessian 1, of characters in ASCII."""
    return tag + len(text).to_bytes(2, "big") + text.encode("ascii")


def old_body(method: str = "count", *arguments: bytes, version: int = 2) -> bytes:
    """A call in Hessian 1. `version`: 2 asks for a reply in Hessian 2."""
    return bytes((0x63, version, 0)) + old_text(b"m", method) + b"".join(arguments) + b"z"


def _path(method: str, service: str) -> str:
    return f"/{service or ('demo.Types' if method.startswith('echo') else 'demo.Catalog')}"
