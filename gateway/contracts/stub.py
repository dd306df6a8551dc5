"""A contract class as its callers use it: an object whose methods make calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final, TypeVar, cast

from gateway.contracts.fault import exception_of
from gateway.contracts.python import contract_of
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Invocation, Result
from gateway.model.callback import Callback
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import DeadlineExceeded
from gateway.model.explanation import Explanation
from gateway.spi.handler import Handler

__all__ = ["STATE", "CallOptions", "ProxyState", "Start", "callback_proxies", "make_proxy"]

_T = TypeVar("_T")
Start = Callable[[Coroutine[Any, Any, Any]], "asyncio.Future[Any]"]
"""Lets a coroutine run without being awaited; whoever gave this ends what still runs."""
STATE: Final = "_polyport_state"
"""Where a proxy keeps its `ProxyState`."""


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What goes with the calls of a proxy beside their arguments.

    `attachments`: sent with each call. `deadline_s`: seconds each call may take with all its attempts; None leaves it
    to the timeouts of the reference. `consumer`: who calls. `traceparent`: W3C trace context to continue.
    `reply_attachments`: when given, is cleared and filled with what came back beside each answer. `explanation`: when
    given, is filled with why the next call goes where it goes.
    """

    attachments: Attachments = field(default_factory=lambda: NO_ATTACHMENTS)
    deadline_s: float | None = None
    consumer: str = ""
    traceparent: str | None = None
    reply_attachments: dict[str, Any] | None = None
    explanation: Explanation | None = None


class ProxyState:
    """What a proxy is made of."""

    __slots__ = ("contract", "handler", "options", "service", "start")

    def __init__(
        self,
        service: ServiceKey,
        contract: ServiceContract | None,
        handler: Handler,
        options: CallOptions,
        start: Start | None = None,
    ) -> None:
        self.service: Final = service
        self.contract: Final = contract
        self.handler: Final = handler
        self.options: Final = options
        self.start: Final = start

    async def call(self, method: str, signature: MethodContract | None, values: tuple[Any, ...]) -> Any:
        """Makes a call and gives what it returned; raises what it raised."""
        options = self.options
        invocation = Invocation(
            self.service,
            method,
            values,
            signature=signature,
            attachments=options.attachments,
            deadline=None if options.deadline_s is None else monotonic() + options.deadline_s,
            traceparent=options.traceparent,
            consumer=options.consumer,
            oneway=signature is not None and signature.oneway,
            explanation=options.explanation,
        )
        if options.deadline_s is None:
            answer = await self.handler(invocation)
        else:
            answer = await self._call_until(invocation, options.deadline_s)
        if isinstance(answer, Fault):
            answer = answer.decoded()
        if options.reply_attachments is not None:
            options.reply_attachments.clear()
            options.reply_attachments.update(answer.attachments)
        if invocation.oneway:
            # A service hosted here has answered all the same; what it says is nobody's business, as on a wire.
            return None
        if isinstance(answer, Fault):
            raise exception_of(answer, self.contract)
        return answer.value

    async def _call_until(self, invocation: Invocation, deadline_s: float) -> Result:
        # A hosted service is called without any wire that would watch the deadline.
        scope = asyncio.timeout(deadline_s)
        try:
            async with scope:
                return await self.handler(invocation)
        except TimeoutError:
            if not scope.expired():
                raise
            raise DeadlineExceeded(f"{invocation.method}: no answer within {deadline_s:g} s") from None


def make_proxy(
    contract_class: Callable[..., _T],
    service: ServiceKey,
    handler: Handler,
    options: CallOptions,
    start: Start | None = None,
) -> _T:
    """An object with the contract's methods, each a coroutine function that makes a call through `handler`.

    `start`: runs calls that nobody awaits yet (`gateway.futures`); without it there are none.

    A method raises the exceptions its contract declares, `RemoteError` for what the service raised beyond them, and
    `RpcError` when there was no answer. Arguments are bound like those of a Python function; defaults are the
    contract's.
    """
    contract = contract_of(contract_class)
    state = ProxyState(service, contract, handler, options, start)
    return cast("_T", _proxy(_proxy_class(f"{contract_class.__name__}Client", contract, _CLIENT), state))


def callback_proxies(contract: ServiceContract) -> Callable[[Callback], Any]:
    """Makes what services get for callbacks of a contract: objects with its methods, which call the callback.

    Those of the same callback are equal, so that services find what they were given before.
    """
    cls = _proxy_class(f"{contract.name.rpartition('.')[2]}Callback", contract, _CALLBACK)
    service, options = ServiceKey(contract.name), CallOptions()

    def make(callback: Callback) -> Any:
        return _proxy(cls, ProxyState(service, contract, callback, options))

    return make


_CLIENT: Final[Mapping[str, Any]] = {"__repr__": lambda self: f"<client of {getattr(self, STATE).service}>"}
_CALLBACK: Final[Mapping[str, Any]] = {
    "__repr__": lambda self: f"<callback {getattr(self, STATE).service}>",
    "__eq__": lambda self, other: _is_same_callback(self, other),
    "__hash__": lambda self: hash(getattr(self, STATE).handler.key),
}


def _proxy_class(name: str, contract: ServiceContract, more: Mapping[str, Any]) -> type[Any]:
    namespace: dict[str, Any] = {"__slots__": (STATE,), "__doc__": contract.doc, **more}
    for method in contract.methods:
        namespace[method.attribute] = _method(method)
    return type(name, (), namespace)


def _proxy(cls: type[Any], state: ProxyState) -> Any:
    proxy = cls()
    setattr(proxy, STATE, state)
    return proxy


def _is_same_callback(self: Any, other: Any) -> bool:
    mine, state = getattr(self, STATE).handler, getattr(other, STATE, None)
    theirs = state.handler if isinstance(state, ProxyState) else None
    return isinstance(theirs, Callback) and (mine.contract.name, mine.key) == (theirs.contract.name, theirs.key)


def _method(method: MethodContract) -> Callable[..., Coroutine[Any, Any, Any]]:
    count = len(method.params)

    def call(self: Any, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        if kwargs or len(args) != count:
            args = _bind(method, args, kwargs)
        state: ProxyState = getattr(self, STATE)
        return state.call(method.name, method, args)

    call.__name__ = method.attribute
    call.__doc__ = method.doc
    return call


def _bind(method: MethodContract, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments in contract order, defaults filled in. Raises TypeError as Python does for its own functions."""
    params = method.params
    if len(args) > len(params):
        raise TypeError(f"{method.attribute}() takes {len(params)} arguments but {len(args)} were given")
    left = dict(kwargs)
    values = list(args)
    for param in params[: len(args)]:
        if param.name in left:
            raise TypeError(f"{method.attribute}() got multiple values for argument {param.name!r}")
    for param in params[len(args) :]:
        value = left.pop(param.name, param.default)
        if value is MISSING:
            raise TypeError(f"{method.attribute}() is missing the argument {param.name!r}")
        values.append(value)
    if left:
        raise TypeError(f"{method.attribute}() got an unexpected argument {next(iter(left))!r}")
    return tuple(values)
