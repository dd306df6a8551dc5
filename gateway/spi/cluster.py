"""Interfaces of the cluster layer: one provider, a choice among several, and what to do when one fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.model.errors import RpcError

__all__ = [
    "Candidates",
    "Cluster",
    "Invoker",
    "Load",
    "LoadBalancer",
    "LoadObserver",
    "LoadWatch",
    "Router",
]


class LoadObserver(Protocol):
    """Follows the attempts at one provider: how a balancer gets figures that `Load` does not keep."""

    def began(self, now: float) -> None:
        """An attempt begins. `now`: seconds, monotonic. Must not raise or await."""
        ...

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        """It ended: with an answer, with an `RpcError`, or with whatever else was raised (`CancelledError`)."""
        ...


class LoadWatch(Protocol):
    """Decides from the trouble of a provider whether it is chosen for a while (outlier ejection)."""

    def failed(self, load: Load, error: RpcError, elapsed_s: float) -> None:
        """An attempt got no answer. Must not raise or await."""
        ...

    def answered(self, load: Load) -> None:
        """An attempt got an answer while the provider was on trial."""
        ...


class Load:
    """How busy one provider is, as its callers in this process see it, and how much it shall get.

    `weight`: what balancers go by, 0 or more: the configured weight times `share`. `active`: calls in progress.
    `ewma_s`: moving average of the times that answers took, seconds; 0 before the first.
    `answered` / `failed`: attempts that ended with and without an answer, ever. `share`: from 0 to 1, less than 1
    while the provider warms up. `ejected`: not to be chosen while others are left. `missing`: its
    registry does not name it any more, so it is the last to be tried. `on_trial`: it was ejected, and its
    next answer or trouble decides. `registry`: name of the registry that names it, the first one where several do.
    Balancers that rank providers must let `weight` decide how often one is considered.
    """

    __slots__ = (
        "_configured",
        "_observed",
        "_reweighed",
        "active",
        "answered",
        "ejected",
        "ewma_s",
        "failed",
        "missing",
        "observers",
        "on_trial",
        "registry",
        "share",
        "watch",
        "weight",
    )

    def __init__(self, weight: float) -> None:
        self._configured = weight
        self._observed: dict[object, LoadObserver] = {}
        self._reweighed: dict[object, Callable[[], None]] = {}
        self.weight: float = weight
        self.share = 1.0
        self.active = 0
        self.ewma_s = 0.0
        self.answered = 0
        self.failed = 0
        self.ejected = False
        self.missing = False
        self.on_trial = False
        self.registry = ""
        self.watch: LoadWatch | None = None
        self.observers: tuple[LoadObserver, ...] = ()

    @property
    def configured_weight(self) -> float:
        """The weight without regard to warming up."""
        return self._configured

    def set_weight(self, weight: float) -> None:
        """Another configured weight, from the next choice on."""
        self._configured = weight
        self._reweigh()

    def set_share(self, share: float) -> None:
        """How much of its weight the provider gets, from the next choice on; from 0 to 1."""
        self.share = share
        self._reweigh()

    def _reweigh(self) -> None:
        weight = self._configured * self.share
        if weight != self.weight:
            self.weight = weight
            for tell in self._reweighed.values():
                tell()

    def on_reweigh(self, owner: object, tell: Callable[[], None]) -> None:
        """Calls `tell`, which must not raise, whenever `weight` has changed. One for each `owner` (a balancer)."""
        self._reweighed[owner] = tell

    def observe(self, owner: object, make: Callable[[], LoadObserver]) -> LoadObserver:
        """The observer that `owner` (a balancer) has at this provider; made when there is none yet."""
        found = self._observed.get(owner)
        if found is None:
            found = self._observed[owner] = make()
            self.observers = (*self.observers, found)
        return found


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
    """Chooses one of several invokers.

    One that wants providers to tell it something has an attribute `attachments`, a mapping: every call it balances
    carries these, and what comes back under the same keys is its own, not the caller's.
    """

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """`invokers` is never empty. Must not await.

        Most calls choose from the same tuple until providers change: what is prepared for it may be kept and found
        again by its identity (`is`), as long as the balancer holds the tuple itself. Lists are made for one choice.
        """
        ...

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """The figures behind a choice, for the why-trace: `weight 100 of 300`. Read after the choice was made."""
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

    @property
    def invokers(self) -> Sequence[Invoker]:
        """Everybody whom registry and rules left, those that are ejected or away too, in the registry's order."""
        ...

    def partition(self, key: Callable[[Invoker], str]) -> Mapping[str, Candidates]:
        """The same, apart by what `key` says of each invoker, in the order in which the keys first occur.

        What a function says is remembered until providers change: `key` is one of a few that live as long as the mode.
        """
        ...

    def explain(self) -> str:
        """The counts, for errors and logs: `registry 3, after rules 2, healthy 2, available 1`."""
        ...

    def __len__(self) -> int: ...


class Cluster(Protocol):
    """A fault-tolerance mode: the only loop in a call's way."""

    def __call__(self, invocation: Invocation, candidates: Candidates) -> Coroutine[Any, Any, Result]:
        """Calls one or more candidates and gives one result. Raises `RpcError` when there is none."""
        ...
