"""Bodies of HTTP messages, for the wires that use HTTP."""

from __future__ import annotations

import email.parser
import email.policy

__all__ = ["last_body"]


def last_body(data: bytes) -> bytes:
    """The body of the last message; each has a `Content-Length`. Read with Python's own parser of header fields."""
    body = b""
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        fields = email.parser.BytesHeaderParser(policy=email.policy.HTTP).parsebytes(head.partition(b"\r\n")[2])
        size = int(fields["Content-Length"])
        body, data = rest[:size], rest[size:]
    return body
