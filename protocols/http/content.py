"""Content codings (RFC 9110, section 8.4): gzip and deflate in, gzip out.

By the RFC, deflate is what RFC 1951 defines inside of what RFC 1950 defines around it. Many leave out the latter, and
some (Caucho's Hessian client) take nothing else: both are read, and the bare form can be written.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from protocols.http.message import Headers

__all__ = [
    "MAX_PLAIN_BYTES",
    "ContentRefused",
    "accepts_gzip",
    "bare_deflate",
    "content_codings",
    "gzip",
    "inflate",
    "is_compressible",
]

MAX_PLAIN_BYTES: Final = 1_024
"""Bodies up to this are left as they are: they fit into one packet either way."""
_GZIP_WBITS: Final = 31
_ZLIB_WBITS: Final = 15
_BARE_WBITS: Final = -15
_MAX_MEMBERS: Final = 16
"""Gzip members in one body. Each of them costs a copy of what follows it."""
_LEVEL: Final = 1
"""Level 6 takes four times as long for JSON, and makes it a fifth smaller."""
_COMPRESSIBLE: Final = re.compile(
    r"(?:text/[^;]+|application/(?:[^;]+\+)?(?:json|xml|yaml|javascript|ecmascript))\s*(?:;.*)?", re.IGNORECASE
)
_QVALUE: Final = re.compile(r"q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


class ContentRefused(Exception):
    """A body that cannot be taken although its framing is fine. `status`: 400, 413 or 415."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status: Final = status


def content_codings(value: str) -> tuple[str, ...]:
    """The codings a Content-Encoding field names, in the order they were applied; `identity` is none."""
    names = (each.strip(" \t").lower() for each in value.split(","))
    return tuple(each for each in names if each and each != "identity")


def inflate(body: bytes, codings: tuple[str, ...], limit: int) -> bytes:
    """The body without its content codings, `limit` bytes at most.

    Raises:
        ContentRefused: 415 for a coding that is not offered or more than one, 413 beyond the limit, 400 for bytes that
            are not in that coding.
    """
    if len(codings) != 1 or codings[0] not in ("gzip", "x-gzip", "deflate"):
        shown = ", ".join(codings)[:80]
        raise ContentRefused(415, f"the content coding {shown} is not offered here, only one of gzip and deflate")
    is_gzip = codings[0] != "deflate"
    wbits = _GZIP_WBITS if is_gzip else _ZLIB_WBITS if _has_zlib_header(body) else _BARE_WBITS
    parts: list[bytes] = []
    left = limit
    rest = body
    for _ in range(_MAX_MEMBERS):
        machine = zlib.decompressobj(wbits)
        try:
            part = machine.decompress(rest, left + 1)
        except zlib.error as exc:
            raise ContentRefused(400, f"the body is not in the content coding {codings[0]}") from exc
        left -= len(part)
        if left < 0:
            raise ContentRefused(413, f"the body has more than {limit} bytes without its content coding")
        parts.append(part)
        if not machine.eof:
            raise ContentRefused(400, f"the body ends inside its content coding {codings[0]}")
        rest = machine.unused_data
        if not rest:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if not is_gzip:
            break
    raise ContentRefused(400, f"{len(rest)} bytes are left over behind the content coding {codings[0]}")


def accepts_gzip(headers: Headers) -> bool:
    """Whether a response to this request may be coded as gzip (RFC 9110, section 12.5.3)."""
    found: dict[str, float] = {}
    for each in headers.get("accept-encoding").split(","):
        name, _, parameter = each.partition(";")
        weight = _QVALUE.fullmatch(parameter.strip(" \t")) if parameter else None
        if parameter and weight is None:
            continue
        found[name.strip(" \t").lower()] = float(weight[1]) if weight else 1.0
    return found.get("gzip", found.get("x-gzip", found.get("*", 0.0))) > 0.0


def is_compressible(content_type: str) -> bool:
    """Whether bodies of this media type are text, which shrinks."""
    return _COMPRESSIBLE.fullmatch(content_type) is not None


def gzip(body: bytes) -> bytes:
    """The body as one gzip member."""
    machine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WBITS)
    return machine.compress(body) + machine.flush()


def bare_deflate(body: bytes) -> bytes:
    """The body as RFC 1951 defines, with nothing around it."""
    machine = zlib.compressobj(_LEVEL, zlib.DEFLATED, _BARE_WBITS)
    return machine.compress(body) + machine.flush()


def _has_zlib_header(body: bytes) -> bool:
    """Whether it begins as RFC 1950, section 2.2, has it.

    Bare data begins so only with a stored block whose padding is not zero, which nobody writes.
    """
    return len(body) > 1 and body[0] & 0x0F == 8 and ((body[0] << 8) + body[1]) % 31 == 0
