"""Interfaces of the cluster layer: one provider, a choice among several, and what to do when one fails."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Protocol

from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint

__all__ = ["Candidates", "Cluster", "Invoker", "Load", "LoadBalancer", "Router"]


class Load:
    """How busy one provider is, as its callers in this process see it.

    `active`: calls in progress. `weight`: 0 or more, live. `ewma_s`: moving average of answer times, seconds.
    """

    __slots__ = ("active", "ewma_s", "weight")

    def __init__(self, weight: int) -> None:
        self.weight = weight
        self.active = 0
        self.ewma_s = 0.0


class Invoker(Protocol):
    """One provider of one service. Connects lazily; owned by whoever opened it."""

    @property
    def endpoint(self) -> Endpoint:
        """The provider this invoker calls."""
        ...

    @property
    def available(self) -> bool:
        """Whether a call has a chance now: connected or never tried, and not asked to stop (read-only)."""
        ...

    @property
    def load(self) -> Load:
        """Live load figures for balancers."""
        ...

    def __call__(self, invocation: Invocation) -> Awaitable[Result]:
        """Makes one attempt, bounded by the attempt timeout of the reference and the call's deadline.

        Raises:
            RpcError: no answer; `retry` says whether another attempt can do harm.
        """
        ...

    async def aclose(self) -> None:
        """Gives the connection back. Calls in progress are finished or failed first."""
        ...


class LoadBalancer(Protocol):
    """Chooses one of several invokers."""

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """`invokers` is never empty. Must not await and must not keep the sequence."""
        ...


class Router(Protocol):
    """Narrows the providers of one call by rules."""

    def route(self, invokers: Sequence[Invoker], invocation: Invocation) -> Sequence[Invoker]:
        """A subset, possibly empty or the same object. Must not await."""
        ...


class Candidates(Protocol):
    """What one call may choose from: made once per call, so that all its attempts see the same providers."""

    def pick(self, tried: Sequence[Invoker] = ()) -> Invoker:
        """One invoker; one of `tried` only when nobody else is left.

        Raises:
            NoProvider: there is none; the text counts what registry, rules and health left over.
        """
        ...

    def explain(self) -> str:
        """The counts, for errors and logs: `registry 3, after rules 2, available 1`."""
        ...

    def __len__(self) -> int: ...


class Cluster(Protocol):
    """A fault-tolerance mode: the only loop in a call's way."""

    def __call__(self, invocation: Invocation, candidates: Candidates) -> Coroutine[Any, Any, Result]:
        """Calls one or more candidates and gives one result. Raises `RpcError` when there is none."""
        ...
