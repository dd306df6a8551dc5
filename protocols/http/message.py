"""HTTP requests and responses as whole messages, the currency between HTTP drivers and the bindings they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gateway.model.call import Peer
from gateway.model.errors import RpcError

__all__ = ["NO_HEADERS", "Headers", "HttpRequest", "HttpResponse"]


class Headers:
    """The header fields of one message, in order; names as they were sent, values without surrounding blanks.

    Immutable, so that a driver may hand out one object for every request that bears the same fields, and a binding may
    keep in `memo` what it derived from them. Text is ISO 8859-1, as RFC 9110, section 5.5, leaves it.
    """

    __slots__ = ("_index", "memo", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Final = tuple(pairs)
        self.memo: dict[str, Any] = {}
        """What was derived from these fields, by who derived it. Lives as long as this object."""
        index: dict[str, str] = {}
        for name, value in self.pairs:
            key = name.lower()
            # RFC 9110, section 5.3: fields of one name are one list.
            index[key] = f"{index[key]}, {value}" if key in index else value
        self._index = index

    def get(self, name: str, default: str = "") -> str:
        """The value of the field `name` (lower case); several of one name are joined with commas."""
        return self._index.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def __repr__(self) -> str:
        # Values may be credentials.
        return f"Headers({', '.join(self._index)})"


NO_HEADERS: Final = Headers()


class HttpRequest:
    """One request, its body complete and without content coding.

    Attributes:
        method: As sent, upper case for all known ones; a driver hands on HEAD as GET and drops the body of the answer.
        path: Still percent-encoded; begins with `/`.
        query: Still percent-encoded, without the question mark.
        headers: Without what only frames the message (Content-Length, Transfer-Encoding, Connection, Expect …).
        body: Empty where there is none.
        peer: Who sent it.
    """

    __slots__ = ("body", "headers", "method", "path", "peer", "query")

    def __init__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Headers = NO_HEADERS,
        body: bytes = b"",
        peer: Peer | None = None,
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        self.query: Final = query
        self.headers: Final = headers
        self.body: Final = body
        self.peer: Final = peer


class HttpResponse:
    """One response, its body complete and without content coding.

    Attributes:
        status: 200 … 599.
        headers: What the binding wants to say; the driver adds what frames the message (Content-Length, Connection,
            Content-Encoding, Date). Names and values are legal by construction: whoever puts data there encodes it.
        body: Empty for 204 and 304.
        error: Why a request was refused before it became a call, for logs and counters; None for every other answer.
    """

    __slots__ = ("body", "error", "headers", "status")

    def __init__(
        self,
        status: int,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        error: RpcError | None = None,
    ) -> None:
        self.status: Final = status
        self.headers: Final = headers
        self.body: Final = body
        self.error: Final = error
