"""A client of rmi:// for programs that use nothing else of Polyport: blocking, the standard library alone.

    from adapters.rmi_client import RmiClient

    catalog = RmiClient("127.0.0.1", 1099, secret="…", key="shop").service("demo.Catalog")
    product = catalog.find(1)

Values are plain: dicts for structs, texts for enums; see docs/rmi.md. Replies are read by the gateway's own reader of
pickles, which runs nothing. A client may be used by several threads: each call has a connection of its own.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from protocols.rmi.frame import BadFrame, Head, Kind, Reason, frame_bytes, read_head, split, write_head
from protocols.rmi.pickle_reader import PickleRefused, read_pickle
from protocols.rmi.pickle_writer import pickle_pieces
from protocols.rmi.signature import BadSignature, Seal

__all__ = ["RmiClient", "RmiError", "RmiFault", "RmiService"]

_NONCE_BYTES: Final = 16
_REFUSALS: Final[Mapping[Reason, tuple[str, str, str]]] = {
    Reason.UNAUTHENTICATED: (
        "unauthenticated",
        "the server does not take the signature: check key, secret and clock",
        "never",
    ),
    Reason.MALFORMED: ("bad-request", "the server does not understand the frame", "never"),
    Reason.TOO_LARGE: ("bad-request", "the call is larger than the server takes", "never"),
    Reason.BUSY: ("overloaded", "the server cannot tell now whether it took the call before", "if-idempotent"),
}
_REFUSED: Final = ("provider-failed", "the server refused the call", "never")


class RmiError(Exception):
    """There is no answer.

    Attributes:
        code: `connect-failed`, `deadline-exceeded`, `connection-lost`, or what the server said (`no-such-method`).
        retry: `safe` where nothing was done, `if-idempotent` where it may have run, `never`.
        exhausted: Somebody has tried again as often as allowed.
    """

    def __init__(self, code: str, message: str, retry: str = "never", exhausted: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.retry = retry
        self.exhausted = exhausted

    def __str__(self) -> str:
        return f"{self.code}: {self.args[0]}"


class RmiFault(Exception):
    """The method raised.

    Attributes:
        type_name: The exception's name in the contract (`demo.ProductNotFound`), otherwise its class.
        message: Its text, or None.
        fields: Values of its fields, where the contract declares it.
        attachments: What the service sent along.
    """

    def __init__(
        self, type_name: str, message: str | None, fields: Mapping[str, Any], attachments: Mapping[str, Any]
    ) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message
        self.fields = fields
        self.attachments = attachments

    def __str__(self) -> str:
        return self.type_name if self.message is None else f"{self.type_name}: {self.message}"


class RmiClient:
    """Calls services at one address.

    `secret` and `key`: what calls are signed with, and its id at the server; without a secret they are not signed.
    `timeout_s`: of a call, unless it says otherwise. `consumer`: name of this application.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        secret: str = "",
        key: str = "default",
        timeout_s: float = 10.0,
        consumer: str = "",
        max_reply_bytes: int = 8_388_608,
    ) -> None:
        self._address = (host, port)
        self._seal = Seal(key, secret.encode()) if secret else None
        self._timeout_s = timeout_s
        self._consumer = consumer
        self._max_reply_bytes = max_reply_bytes

    def service(self, name: str, group: str = "", version: str = "") -> RmiService:
        """A service whose methods are called like those of an object."""
        return RmiService(self, {"service": name, "group": group, "version": version})

    def call(self, service: str, method: str, *arguments: Any, **named: Any) -> Any:
        """Calls a method with arguments by position and by name; gives what it returns.

        Raises:
            RmiFault: the method raised.
            RmiError: there is no answer.
        """
        return self.request({"service": service, "method": method, "args": arguments, "named": named})["ok"]

    def request(self, call: dict[str, Any], timeout_s: float | None = None) -> dict[str, Any]:
        """Sends a call as docs/rmi.md describes it (`group`, `attachments`, `trace` …), and gives the whole reply.

        A oneway call gives `{"ok": None}` as soon as it is sent. Raises likewise.
        """
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        until = time.monotonic() + timeout_s
        said = {"timeout": max(1, int(timeout_s * 1000)), "consumer": self._consumer, **call}
        payload = pickle_pieces({name: value for name, value in said.items() if value not in ("", {})})
        nonce = os.urandom(_NONCE_BYTES)
        if self._seal is None:
            data = frame_bytes(write_head(Kind.CALL, sum(map(len, payload))), b"", payload)
        else:
            data = self._seal.sealed(Kind.CALL, payload, time.time_ns() // 1_000_000, nonce)
        answer = self._exchange(data, until, oneway=call.get("oneway") is True)
        return {"ok": None} if answer is None else self._read(answer, nonce)

    def _exchange(self, data: bytes, until: float, *, oneway: bool) -> bytes | None:
        """The bytes of the answer."""
        try:
            sock = socket.create_connection(self._address, _left(until))
        except TimeoutError:
            raise RmiError("connect-failed", "no connection in time", "safe") from None
        except OSError as exc:
            raise RmiError("connect-failed", str(exc), "safe") from exc
        try:
            with sock:
                sock.settimeout(_left(until))
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                if oneway:
                    return None
                return self._receive(sock, lambda: sock.settimeout(_left(until)))
        except TimeoutError:
            raise RmiError("deadline-exceeded", "no answer in time", "if-idempotent") from None
        except OSError as exc:
            raise RmiError("connection-lost", str(exc), "if-idempotent") from exc

    def _receive(self, sock: socket.socket, go_on: Callable[[], None]) -> bytes:
        pieces, size = [], 0
        head: Head | None = None
        while head is None or size < head.total_bytes:
            data = sock.recv(65_536 if head is None else min(head.total_bytes - size, 1 << 20))
            if not data:
                raise RmiError("connection-lost", "the server closed the connection", "if-idempotent")
            pieces.append(data)
            size += len(data)
            if head is None:
                pieces = [b"".join(pieces)]
                try:
                    head = read_head(pieces[0], self._max_reply_bytes)
                except BadFrame as exc:
                    raise RmiError("connection-lost", str(exc), "if-idempotent") from exc
            go_on()
        return b"".join(pieces)

    def _read(self, answer: bytes, nonce: bytes) -> dict[str, Any]:
        try:
            head = read_head(answer, self._max_reply_bytes)
            assert head is not None, "as much was received"
            frame = split(answer, head)
            if head.kind is Kind.REFUSAL:
                raise RmiError(*_REFUSALS.get(head.reason, _REFUSED))
            if head.kind is not Kind.REPLY:
                # Our own call, played back, has our nonce and a good signature.
                raise BadFrame("a call where a reply is expected")
            if self._seal is not None:
                self._seal.check_reply(frame, nonce)
            reply = read_pickle(frame.data, start=frame.payload_at)
        except (BadFrame, BadSignature, PickleRefused) as exc:
            raise RmiError("connection-lost", str(exc), "if-idempotent") from exc
        if type(reply) is not dict:
            raise RmiError("provider-failed", "the reply is no dict")
        if "ok" in reply:
            return reply
        if "fault" in reply:
            attachments = reply.get("attachments", {})
            raise RmiFault(str(reply["fault"]), reply.get("message"), reply.get("fields", {}), attachments)
        retry, exhausted = str(reply.get("retry", "never")), reply.get("exhausted") is True
        raise RmiError(str(reply.get("error", "provider-failed")), str(reply.get("message", "")), retry, exhausted)


class RmiService:
    """A service: `service.method(arguments)`; see `RmiClient.call`."""

    def __init__(self, client: RmiClient, named: dict[str, Any]) -> None:
        self._client = client
        self._named = named

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)

        def call(*arguments: Any, **named: Any) -> Any:
            return self._client.request({**self._named, "method": method, "args": arguments, "named": named})["ok"]

        return call


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
