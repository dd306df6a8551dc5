"""Clients changed: calls without a contract, other options, blocking twins, calls to be collected later."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypedDict, TypeVar, Unpack, cast

from gateway.contracts.stub import STATE, CallOptions, ProxyState, Start
from gateway.model.call import Attachments
from gateway.model.endpoint import ServiceKey
from gateway.model.explanation import Explanation
from gateway.spi.handler import Handler

__all__ = ["CallChanges", "GenericProxy", "Run", "calling", "futures", "wrap_sync"]

_T = TypeVar("_T")
Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""Does something with the coroutine of a call, and gives what the caller gets."""
_TWIN: Final = "_polyport_twin"
_BLOCKING: Final = "blocking"
_STARTING: Final = "starting"


class GenericProxy:
    """Calls a service without a contract, by the names its own world uses.

    Values pass as they are; see `gateway.model.generic` for the wrappers that keep widths and classes.
    """

    __slots__ = (STATE,)

    def __init__(self, service: ServiceKey, handler: Handler, options: CallOptions, start: Start | None = None) -> None:
        setattr(self, STATE, ProxyState(service, None, handler, options, start))

    async def invoke(self, method: str, *args: Any, types: Sequence[str] | None = None) -> Any:
        """Makes one call.

        `types`: the parameter types as the provider's language writes them (`java.lang.String`, `int`); needed where
        the method is overloaded. Structs are given and come back as dictionaries, with a key `class` where the
        provider must know which.

        Raises:
            RemoteError: the service raised; names its class.
            RpcError: there was no answer.
        """
        state: ProxyState = getattr(self, STATE)
        names = None if types is None else list(types)
        return await state.call("$invoke", None, (method, names, list(args)))


class CallChanges(TypedDict, total=False):
    """What `calling` changes: the fields of `CallOptions`."""

    attachments: Attachments
    deadline_s: float | None
    consumer: str
    traceparent: str | None
    reply_attachments: dict[str, Any] | None
    explanation: Explanation | None


def calling(proxy: _T, **changes: Unpack[CallChanges]) -> _T:
    """The same client with other `CallOptions`: `calling(catalog, deadline_s=2.0, attachments={"user": "ann"})`.

    The original is not changed; both share their connections.

    Raises:
        TypeError: it is no client, or there is no such option.
    """
    twin = getattr(type(proxy), _TWIN, None)
    if twin is not None:
        return cast("_T", _wrap(calling(twin.proxy, **changes), twin.run, twin.start, twin.title))
    state = _state_of(proxy)
    copy = object.__new__(type(proxy))
    changed = replace(state.options, **changes)
    if "attachments" in changes:
        changed = replace(changed, attachments=MappingProxyType(dict(changes["attachments"])))
    object.__setattr__(copy, STATE, ProxyState(state.service, state.contract, state.handler, changed, state.start))
    return copy


def futures(proxy: object) -> Any:
    """The same client for calls whose answers are collected later: each method starts its call and gives a future.

        calls = [futures(catalog).find(number) for number in (1, 2, 3)]
        products = await asyncio.gather(*calls)

    A client of `connect_sync` gives `concurrent.futures.Future`s, any other `asyncio.Future`s. Cancelling a future
    cancels its call. What still runs when the client is closed, or the app is stopped, fails with `ConnectionLost`.
    `calling` changes this client as any other. To a type checker it is `Any`.

    Raises:
        TypeError: it is no client.
    """
    twin = getattr(type(proxy), _TWIN, None)
    if twin is not None:
        return _wrap(twin.proxy, twin.start, twin.start, _STARTING)
    start = _state_of(proxy).start
    if start is None:
        raise TypeError(f"{proxy!r} belongs to no client that would end its calls")
    return _wrap(proxy, start, start, _STARTING)


def _state_of(proxy: object) -> ProxyState:
    state: ProxyState | None = getattr(proxy, STATE, None)
    if state is None:
        raise TypeError(f"{type(proxy).__name__} is no client made by connect or by the reference of an app")
    return state


def wrap_sync(proxy: Any, run: Run, start: Run) -> Any:
    """A blocking twin of a proxy: every method runs its coroutine through `run` and gives the value.

    `start`: what `futures` of the twin does with a coroutine instead.
    """
    return _wrap(proxy, run, start, _BLOCKING)


def _wrap(proxy: Any, run: Run, start: Run, title: str) -> Any:
    namespace: dict[str, Any] = {
        name: _running(getattr(proxy, name), run)
        for name in dir(type(proxy))
        if not name.startswith("_") and callable(getattr(proxy, name))
    }
    namespace["__repr__"] = lambda _: f"<{title} {proxy!r}>"
    namespace[_TWIN] = _Twin(proxy, run, start, title)
    namespace["__slots__"] = ()
    return type(f"{title.capitalize()}{type(proxy).__name__}", (), namespace)()


class _Twin:
    """What a twin is made of: the proxy whose coroutines it takes, and what it does with them."""

    __slots__ = ("proxy", "run", "start", "title")

    def __init__(self, proxy: Any, run: Run, start: Run, title: str) -> None:
        self.proxy: Final = proxy
        self.run: Final = run
        self.start: Final = start
        self.title: Final = title


def _running(function: Callable[..., Coroutine[Any, Any, Any]], run: Run) -> Callable[..., Any]:
    def call(_: Any, *args: Any, **kwargs: Any) -> Any:
        return run(function(*args, **kwargs))

    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    return call
