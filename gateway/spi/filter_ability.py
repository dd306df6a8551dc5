"""What a filter may be able to do beside filtering. The runtime asks each one; none has to be able to do any of it."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, runtime_checkable

from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint
from gateway.spi.handler import Handler

__all__ = ["AttemptFilter", "CountingFilter", "EndpointFilter", "UpdatableFilter"]


@runtime_checkable
class AttemptFilter(Protocol):
    """A filter around the attempts at one provider. It belongs to that provider's invoker; nothing closes it."""

    @property
    def available(self) -> bool:
        """Whether a call has a chance here now. While it is False the invoker counts as not available, so balancers
        pass it over; who keeps that up must say True again by the clock, because nothing else will ask."""
        ...

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """As `gateway.spi.handler.Filter`."""
        ...


@runtime_checkable
class EndpointFilter(Protocol):
    """A filter that wants to know which provider an attempt goes to, where it stands in a reference."""

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """As `gateway.spi.handler.Filter`, where it stands anywhere else."""
        ...

    def at(self, endpoint: Endpoint) -> AttemptFilter:
        """What to put around the attempts at this provider. Asked once per invoker; must not await.

        Several references may ask for one provider, and one reference again and again as the provider comes and goes,
        so what is remembered of a provider belongs to the filter and has a bound.
        """
        ...


@runtime_checkable
class UpdatableFilter(Protocol):
    """A filter whose options can be changed while calls run."""

    def update(self, options: Any) -> None:
        """Takes options of the plug-in's own type for all that comes from now on; what is in progress stays counted.

        All or nothing: it must not await, and must change nothing when it raises.

        Raises:
            ValueError: the change is not possible while calls run; says why.
        """
        ...


@runtime_checkable
class CountingFilter(Protocol):
    """A filter that counts what it refuses."""

    @property
    def refusals(self) -> Mapping[tuple[str, str], int]:
        """How often, by protocol and reason (a short stable code). Protocol: of the provider where the filter stands
        around attempts, otherwise of the caller, `local` for calls of this process."""
        ...
