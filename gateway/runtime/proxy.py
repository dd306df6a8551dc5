"""A contract class as its callers use it: an object whose methods make calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from types import MappingProxyType
from typing import Any, Final, TypedDict, TypeVar, Unpack, cast

from gateway.contracts.fault import exception_of
from gateway.contracts.python import contract_of
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Invocation, Result
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import DeadlineExceeded
from gateway.spi.handler import Handler

__all__ = ["CallChanges", "CallOptions", "GenericProxy", "calling", "make_proxy", "wrap_sync"]

_T = TypeVar("_T")
_Run = Callable[[Coroutine[Any, Any, Any]], Any]
_STATE: Final = "_polyport_state"
_BLOCKING: Final = "_polyport_blocking"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What goes with the calls of a proxy beside their arguments.

    `attachments`: sent with each call. `deadline_s`: seconds each call may take with all its attempts; None leaves it
    to the timeouts of the reference. `consumer`: who calls. `traceparent`: W3C trace context to continue.
    `reply_attachments`: when given, is cleared and filled with what came back beside each answer.
    """

    attachments: Attachments = field(default_factory=lambda: NO_ATTACHMENTS)
    deadline_s: float | None = None
    consumer: str = ""
    traceparent: str | None = None
    reply_attachments: dict[str, Any] | None = None


class _State:
    """What a proxy is made of."""

    __slots__ = ("contract", "handler", "options", "service")

    def __init__(
        self, service: ServiceKey, contract: ServiceContract | None, handler: Handler, options: CallOptions
    ) -> None:
        self.service: Final = service
        self.contract: Final = contract
        self.handler: Final = handler
        self.options: Final = options

    async def call(self, method: str, signature: MethodContract | None, values: tuple[Any, ...]) -> Any:
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


def make_proxy(contract_class: Callable[..., _T], service: ServiceKey, handler: Handler, options: CallOptions) -> _T:
    """An object with the contract's methods, each a coroutine function that makes a call through `handler`.

    A method raises the exceptions its contract declares, `RemoteError` for what the service raised beyond them, and
    `RpcError` when there was no answer. Arguments are bound like those of a Python function; defaults are the
    contract's.
    """
    contract = contract_of(contract_class)
    namespace: dict[str, Any] = {
        "__slots__": (_STATE,),
        "__doc__": contract.doc,
        "__repr__": lambda self: f"<client of {getattr(self, _STATE).service}>",
    }
    for method in contract.methods:
        namespace[method.attribute] = _method(method)
    proxy = type(f"{contract_class.__name__}Client", (), namespace)()
    setattr(proxy, _STATE, _State(service, contract, handler, options))
    return cast("_T", proxy)


def _method(method: MethodContract) -> Callable[..., Coroutine[Any, Any, Any]]:
    count = len(method.params)

    def call(self: Any, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        if kwargs or len(args) != count:
            args = _bind(method, args, kwargs)
        state: _State = getattr(self, _STATE)
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


class GenericProxy:
    """Calls a service without a contract, by the names its own world uses.

    Values pass as they are; see `gateway.model.generic` for the wrappers that keep widths and classes.
    """

    __slots__ = (_STATE,)

    def __init__(self, service: ServiceKey, handler: Handler, options: CallOptions) -> None:
        setattr(self, _STATE, _State(service, None, handler, options))

    async def invoke(self, method: str, *args: Any, types: Sequence[str] | None = None) -> Any:
        """Makes one call.

        `types`: the parameter types as the provider's language writes them (`java.lang.String`, `int`); needed where
        the method is overloaded. Structs are given and come back as dictionaries, with a key `class` where the
        provider must know which.

        Raises:
            RemoteError: the service raised; names its class.
            RpcError: there was no answer.
        """
        state: _State = getattr(self, _STATE)
        names = None if types is None else list(types)
        return await state.call("$invoke", None, (method, names, list(args)))


class CallChanges(TypedDict, total=False):
    """What `calling` changes: the fields of `CallOptions`."""

    attachments: Attachments
    deadline_s: float | None
    consumer: str
    traceparent: str | None
    reply_attachments: dict[str, Any] | None


def calling(proxy: _T, **changes: Unpack[CallChanges]) -> _T:
    """The same client with other `CallOptions`: `calling(catalog, deadline_s=2.0, attachments={"user": "ann"})`.

    The original is not changed; both share their connections.

    Raises:
        TypeError: it is no client, or there is no such option.
    """
    blocking = getattr(type(proxy), _BLOCKING, None)
    if blocking is not None:
        return cast("_T", wrap_sync(calling(blocking.proxy, **changes), blocking.run))
    state: _State | None = getattr(proxy, _STATE, None)
    if state is None:
        raise TypeError(f"{type(proxy).__name__} is no client made by connect or by the reference of an app")
    copy = object.__new__(type(proxy))
    changed = replace(state.options, **changes)
    if "attachments" in changes:
        changed = replace(changed, attachments=MappingProxyType(dict(changes["attachments"])))
    object.__setattr__(copy, _STATE, _State(state.service, state.contract, state.handler, changed))
    return copy


def wrap_sync(proxy: Any, run: _Run) -> Any:
    """A blocking twin of a proxy: every method runs its coroutine through `run` and gives the value."""
    namespace: dict[str, Any] = {
        name: _blocking(getattr(proxy, name), run)
        for name in dir(type(proxy))
        if not name.startswith("_") and callable(getattr(proxy, name))
    }
    namespace["__repr__"] = lambda _: f"<blocking {proxy!r}>"
    namespace[_BLOCKING] = _Blocking(proxy, run)
    namespace["__slots__"] = ()
    return type(f"Blocking{type(proxy).__name__}", (), namespace)()


class _Blocking:
    """What a blocking twin is made of."""

    __slots__ = ("proxy", "run")

    def __init__(self, proxy: Any, run: _Run) -> None:
        self.proxy: Final = proxy
        self.run: Final = run


def _blocking(function: Callable[..., Coroutine[Any, Any, Any]], run: _Run) -> Callable[..., Any]:
    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        return run(function(*args, **kwargs))

    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    return call
