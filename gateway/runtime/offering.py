"""Callbacks that programs give to the services they call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from threading import Lock
from typing import Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary

from gateway.model.call import Invocation, Result
from gateway.model.callback import Callback
from gateway.model.contract import ServiceContract
from gateway.model.errors import BadRequest, ContractError
from gateway.routing.callback import LocalCallback
from gateway.spi.handler import Handler

__all__ = ["offering", "taking_callbacks", "withdraw"]

_T = TypeVar("_T")
_LOG: Final = logging.getLogger("polyport.client")


class _Offering:
    """Stands for an object in calls that offer it, and knows what became of it."""

    __slots__ = ("_callbacks", "_lock", "_on_lost", "target")

    def __init__(self, target: object, on_lost: Callable[[str], None] | None) -> None:
        self.target: Final = target
        self._on_lost = on_lost
        self._lock = Lock()
        self._callbacks: WeakKeyDictionary[Callback, asyncio.AbstractEventLoop] = WeakKeyDictionary()

    def callback(self, contract: ServiceContract) -> Callback:
        """For one call."""
        made = LocalCallback(contract, self.target, self._lost)
        with self._lock:
            self._callbacks[made] = asyncio.get_running_loop()
        return made

    def _lost(self, why: str) -> None:
        if self._on_lost is None:
            return
        try:
            self._on_lost(why)
        except Exception:
            _LOG.exception("what was to be told that a callback is lost failed")

    def withdraw(self) -> None:
        """Ends all of them, each on the loop it belongs to."""
        with self._lock:
            callbacks = tuple(self._callbacks.items())
        for callback, loop in callbacks:
            if not loop.is_closed():
                loop.call_soon_threadsafe(callback.end)

    def __repr__(self) -> str:
        return f"<offering {self.target!r}>"


def offering(listener: _T, *, lost: Callable[[str], None] | None = None) -> _T:
    """The object to give to a service in place of `listener`, for who wants to know what becomes of it.

        watching = offering(printer, lost=lambda why: gone.set())
        await prices.watch("desk", watching)
        …
        withdraw(watching)

    `lost`: is called, on the client's event loop, with the reason whenever a connection over which the listener was
    offered is gone. The provider has forgotten it then; offering it again is up to the program. An object that needs
    neither `lost` nor `withdraw` can be given as it is.
    """
    return cast("_T", _Offering(listener, lost))


def withdraw(offered: object) -> None:
    """Takes back what `offering` gave, wherever it was offered. May be called from any thread, and more than once.

    Raises:
        TypeError: it does not come from `offering`.
    """
    if not isinstance(offered, _Offering):
        raise TypeError(f"only what offering() gave can be withdrawn, not {type(offered).__name__}")
    offered.withdraw()


def taking_callbacks(contract: ServiceContract, handler: Handler) -> Handler:
    """A handler for calls whose callback arguments are objects of the program; `handler` gets them as `Callback`s."""
    if not contract.callbacks:
        return handler

    async def call(invocation: Invocation) -> Result:
        signature = invocation.signature
        if signature is None or not signature.callbacks:
            return await handler(invocation)
        values = list(invocation.arguments())
        for at in signature.callbacks:
            param = signature.params[at]
            try:
                values[at] = _callback(values[at], contract.callbacks[param.type.name])
            except ContractError as exc:
                raise BadRequest(f"{signature.name}: args[{at}]: {exc}") from None
        return await handler(invocation.replace(arguments=tuple(values)))

    return call


def _callback(value: Any, contract: ServiceContract) -> Callback:
    if isinstance(value, Callback):
        return value
    if isinstance(value, _Offering):
        return value.callback(contract)
    if value is None:
        raise ContractError(f"expected an object with the methods of {contract.name}, found None")
    return LocalCallback(contract, value)
