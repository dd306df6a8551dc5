"""Calls of one reference that carry callbacks: each goes over a connection that has room for what it offers."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from time import monotonic
from typing import Any

from adapters.tcp.callback_connection import CallbackConnection
from gateway.model.call import Fault, Invocation, Result
from gateway.model.callback import Callback
from gateway.model.contract import MethodContract
from gateway.model.errors import BadRequest, DeadlineExceeded, Overloaded, Retry

__all__ = ["CallbackCalls"]


class CallbackCalls:
    """Makes connections as they are needed; each of them closes itself when nothing is offered over it any more.

    Providers count callbacks per connection, and let one go only with its connection. So calls without callbacks do not
    share one with them, and neither do callbacks of different origin.

    `connect`: makes a connection for an origin. `most`: connections at the same time.
    """

    def __init__(self, connect: Callable[[object], CallbackConnection], most: int) -> None:
        self._connect = connect
        self._most = most
        self._connections: set[CallbackConnection] = set()

    @property
    def connections(self) -> tuple[CallbackConnection, ...]:
        """Those over which something is offered."""
        return tuple(each for each in self._connections if not each.gone)

    async def call(
        self, binding: Any, invocation: Invocation, signature: MethodContract, expires: float, limit: float
    ) -> Result:
        """As `ProviderConnection.call`. What the call offers stays offered when it was answered, or may still be.

        Raises:
            BadRequest: an argument is no callback, or to be taken back and not offered here.
            Overloaded: there are as many connections as there may be.
            RpcError: as `Invoker.__call__`.
        """
        offered: list[Callback] = []
        withdrawn: list[Callback] = []
        values = invocation.arguments()
        for position in signature.callbacks:
            value = values[position]
            if not isinstance(value, Callback):
                raise BadRequest(f"{invocation.method}: args[{position}]: expected a callback")
            (withdrawn if signature.params[position].withdrawn else offered).append(value)
        connection = self._choose(invocation, offered, withdrawn)
        connection.offer(offered)
        kept = False
        try:
            result = await connection.call(binding, invocation, expires, limit)
            kept = not isinstance(result, Fault)
            return result
        except DeadlineExceeded as exc:
            # The provider may be at it still, and call when it is done.
            kept = exc.retry is not Retry.SAFE
            raise
        except CancelledError:
            # Whoever waited may have been told so by a deadline just as well. Callbacks from elsewhere end with those
            # they come from.
            deadline = invocation.deadline
            gave_up = deadline is not None and monotonic() >= deadline
            kept = connection.connected and (gave_up or connection.origin is not None)
            raise
        finally:
            connection.settle(offered, kept)
            for callback in withdrawn if kept else ():
                connection.withdraw(callback)
            connection.close_if_unused()

    def _choose(self, invocation: Invocation, offered: list[Callback], withdrawn: list[Callback]) -> CallbackConnection:
        self._connections = {each for each in self._connections if not each.gone}
        for connection in self._connections:
            known = all(map(connection.offers, withdrawn))
            if known and all(each.origin is connection.origin for each in offered) and connection.room_for(offered):
                return connection
        if withdrawn:
            raise BadRequest(f"{invocation.method}: the callback to be taken back is not offered to this provider")
        if len(self._connections) >= self._most:
            raise Overloaded(f"callbacks are offered over {self._most} connections to this provider already")
        connection = self._connect(offered[0].origin)
        self._connections.add(connection)
        return connection

    async def aclose(self) -> None:
        """Closes all connections once no call waits for an answer; what they offered is lost."""
        for connection in self.connections:
            await connection.finish()
            await connection.aclose()
