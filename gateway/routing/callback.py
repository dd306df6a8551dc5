"""Objects of this process that services elsewhere may call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from gateway.model.call import Invocation, Result
from gateway.model.callback import Callback
from gateway.model.contract import ServiceContract
from gateway.routing.local import LocalService

__all__ = ["LocalCallback"]


class LocalCallback(Callback):
    """An object that implements the contract of a callback.

    `on_lost`: is told when a connection the object was offered on is gone; not when it was withdrawn.

    Raises:
        ContractError: the object does not implement the contract.
    """

    __slots__ = ("_on_lost", "_service", "target")

    def __init__(self, contract: ServiceContract, target: object, on_lost: Callable[[str], None] | None = None) -> None:
        # The object is held, so nothing else gets its id.
        super().__init__(contract, id(target), None)
        self.target: Final = target
        self._service = LocalService(contract, target)
        self._on_lost = on_lost

    def call(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """See `Callback.call`."""
        return self._service(invocation)

    def lost(self, why: str) -> None:
        """See `Callback.lost`."""
        if self._on_lost is not None:
            self._on_lost(why)
