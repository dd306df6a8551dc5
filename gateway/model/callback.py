"""Objects of a caller that the service it calls can call in turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Coroutine, Hashable
from typing import Any, Final, Protocol

from gateway.model.call import Invocation, Result
from gateway.model.contract import ServiceContract
from gateway.model.errors import RpcError

__all__ = ["Callback", "CallbackHolder"]


class CallbackHolder(Protocol):
    """A connection over which a callback was offered. Must be hashable by identity."""

    def withdraw(self, callback: Callback) -> None:
        """The callback has ended: calls of it are refused from now on."""
        ...


class Callback(ABC):
    """The value of a callback parameter, on its way from the object that is called to the service that calls it.

    Calling it makes a call of one of the contract's methods, as with any handler. A wire that carries callbacks offers
    it to the peer over a connection, and there is another one at the other end; so it crosses gateways.

    Attributes:
        contract: What can be called.
        key: Equal for callbacks that stand for the same object.
        origin: Whose it is. When that is gone, all callbacks of the same origin are; None for objects of this process.
    """

    __slots__ = ("__weakref__", "_holders", "contract", "key", "origin")

    def __init__(self, contract: ServiceContract, key: Hashable, origin: object) -> None:
        self.contract: Final = contract
        self.key: Final = key
        self.origin: Final = origin
        self._holders: set[CallbackHolder] = set()

    async def __call__(self, invocation: Invocation) -> Result:
        """Calls the object.

        Raises:
            ConnectionLost: the connection it was offered on is gone, before or during the call.
            RpcError: there was no answer.
        """
        try:
            return await self.call(invocation)
        except RpcError as error:
            if error.explanation is None:
                # The trouble of this call must not pass for that of the one whose method made it.
                error.explanation = self._explain
            raise

    @abstractmethod
    def call(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """Does what calling the object means here. Raises (when awaited) as `__call__`."""

    def _explain(self) -> str:
        return f"callback {self.contract.name}, which nobody chose"

    def lost(self, why: str) -> None:  # noqa: B027 - only who can tell somebody wants to know
        """A connection it was offered on is gone, so whoever was to call it cannot any more. Must not raise."""

    def hold(self, holder: CallbackHolder) -> None:
        """It was offered on one more connection."""
        self._holders.add(holder)

    def let_go(self, holder: CallbackHolder) -> None:
        """It is no longer offered there."""
        self._holders.discard(holder)

    def end(self) -> None:
        """It can be called no more: withdraws it wherever it was offered."""
        while self._holders:
            self._holders.pop().withdraw(self)
