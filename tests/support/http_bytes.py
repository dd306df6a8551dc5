"""Messages of HTTP/1.1 put together by hand, right ones and wrong ones, and answers taken apart by hand; nothing here
comes from the code under test. Source: RFC 9112.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["HOST", "HttpAnswer", "all_answers", "call", "first_answer", "head", "message"]

HOST: Final = "Host: a"
_NO_BODY: Final = frozenset({204, 304})


@dataclass(frozen=True)
class HttpAnswer:
    """One response. `fields`: by names in lower case, each of which may be there once."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)

    @property
    def problem(self) -> dict[str, Any]:
        """The body, which must be a problem document (RFC 9457) for this very status."""
        assert self.fields["content-type"] == "application/problem+json", self
        found: dict[str, Any] = self.json
        assert found["status"] == self.status
        assert found["type"].startswith("urn:polyport:"), found
        assert found["title"].isprintable()
        assert found["detail"].isprintable()
        return found

    @property
    def closes(self) -> bool:
        """Whether nothing follows on this connection."""
        return self.fields.get("connection") == "close"


def head(line: str, *fields: str) -> bytes:
    """The lines given, and the empty line behind them."""
    return "".join(f"{each}\r\n" for each in (line, *fields, "")).encode("latin-1")


def message(target: str, body: bytes = b"", *fields: str, method: str = "POST") -> bytes:
    """A request with a body that says its length."""
    return head(f"{method} {target} HTTP/1.1", HOST, *fields, f"Content-Length: {len(body)}") + body


def call(method: str = "count", *arguments: Any, service: str = "", fields: tuple[str, ...] = ()) -> bytes:
    """A call with its arguments by position. `service`: demo.Catalog for methods without `echo` in their name."""
    service = service or ("demo.Types" if method.startswith("echo") else "demo.Catalog")
    return message(f"/{service}/{method}", json.dumps(arguments).encode(), *fields)


def first_answer(data: bytes) -> tuple[HttpAnswer, int] | None:
    """The first response in `data` and where it ends; None while it is not complete."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    version, status, _ = first.split(" ", 2)
    assert version == "HTTP/1.1"
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        assert colon, line
        assert name.lower() not in fields, line
        fields[name.lower()] = value
    end += 4
    code = int(status)
    length = 0 if code < 200 or code in _NO_BODY else int(fields["content-length"])
    if len(data) < end + length:
        return None
    return HttpAnswer(code, fields, data[end : end + length]), end + length


def all_answers(data: bytes) -> list[HttpAnswer]:
    """All final responses in `data`, which must end with one; interim ones are passed over."""
    found = []
    while data:
        first = first_answer(data)
        assert first is not None, f"the last answer is cut off: {data[:200]!r}"
        answer, end = first
        data = data[end:]
        if answer.status >= 200:
            found.append(answer)
    return found
