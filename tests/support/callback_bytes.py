"""Calls with callbacks and calls of callbacks on dubbo://, put together by hand; nothing here comes from the codecs.

Layout: apache/dubbo: dubbo-rpc/dubbo-rpc-dubbo/.../protocol/dubbo/{CallbackServiceCodec,ChannelWrappedInvoker}.java.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.model.call import Invocation, Result
from gateway.model.callback import Callback
from gateway.model.contract import ServiceContract
from tests.support.dubbo_bytes import CALL, frame, integer, request, text

__all__ = ["DESCRIPTOR", "Caller", "Target", "changed", "watch"]

DESCRIPTOR = "Ljava/lang/String;Ltest/Listener;"


def watch(more: Mapping[str, str], *, group: str = "", id: int = 7, method: str = "watch") -> bytes:
    """Asks test.Prices to call a listener, which stands as null among the arguments."""
    types, arguments = (DESCRIPTOR, text("desk") + b"N") if method == "watch" else ("Ltest/Listener;", b"N")
    return request(method, types, arguments, path="test.Prices", group=group, id=id, more=more)


def changed(instance: str | None, *, id: int = 3, path: str = "test.Listener", method: str = "ping", flags: int = CALL,
            more: Mapping[str, str] | None = None) -> bytes:  # fmt: skip
    """Calls a listener as Dubbo providers do: null in the place of the service's version."""
    strings = text("2.0.2") + text(path) + b"N" + text(method) + text("")
    entries = {"path": path, **({} if instance is None else {"callback.service.instid": instance}), **(more or {})}
    attachments = b"H" + b"".join(text(key) + text(value) for key, value in entries.items()) + b"Z"
    return frame(flags, id, strings + attachments)


def value(number: int) -> bytes:
    """The body of an answer: a value without attachments."""
    return b"\x91" + integer(number)


class Caller:
    """What a server codec gets to make calls with; keeps them. See `protocols.contract.PeerCaller`."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Invocation]] = []
        self.dismissed = 0
        self.answer: Result | Exception | None = None

    async def call_peer(self, binding: Any, invocation: Invocation) -> Result:
        self.calls.append((binding, invocation))
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    def dismiss(self) -> None:
        self.dismissed += 1


class Target(Callback):
    """An object that can be called; keeps what becomes of it."""

    def __init__(self, contract: ServiceContract, key: str = "one", origin: object = None) -> None:
        super().__init__(contract, key, origin)
        self.losses: list[str] = []
        self.answer: Result | Exception | None = None
        self.calls: list[Invocation] = []

    async def call(self, invocation: Invocation) -> Result:
        self.calls.append(invocation)
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer

    def lost(self, why: str) -> None:
        self.losses.append(why)
