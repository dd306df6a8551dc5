"""What all limits have in common: whom they tell apart, where they stand, and how they refuse.

**Whom a limit tells apart (`per`).** Nothing by default: one limit for all calls that pass the filter. Otherwise one
per service, method, consumer or provider, or per combination of these. Consumers name themselves, and where there is no
contract callers make up methods too, so the number of limits is bounded: at most `max_keys`, and one that everybody
else shares. Room is made only by forgetting what would lose nothing (a full bucket, a closed circuit, no call in
progress), so nobody's limit is reset by somebody who makes up names, nor by going away and coming back. Names longer
than 200 characters count as one. Whoever makes up names gets at most what `max_keys` limits allow together; where even
that is too much, `consumers` lists the ones that have a limit of their own, and all others share one.

**Where it stands.** Around a listener's or a service's calls, or around each attempt of a reference; only there a limit
can be per provider, and there a provider without room counts as not available. A call that is refused was not begun:
`Overloaded`, safe to repeat elsewhere. Every limit counts its refusals; a refused call is logged by the filter
`access_log` of the listener it came in on, a refused attempt here, because nobody else may learn of it.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Hashable, Mapping
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, NamedTuple, TypeVar

from pydantic import BeforeValidator, Field

from gateway.config.scalar import Count, Text, one_of
from gateway.config.sections.section import Section
from gateway.filters.key_table import KeyTable
from gateway.model.call import Invocation, Result
from gateway.model.endpoint import Endpoint, format_address
from gateway.model.errors import Overloaded
from gateway.spi.handler import Handler
from gateway.telemetry.counters import Counters
from gateway.telemetry.logs import call_fields
from gateway.telemetry.once_per import OncePer

__all__ = ["PROVIDER", "LimitFilter", "LimitOptions", "LimitedAttempts", "Provider", "is_per_provider"]

_LOG: Final = logging.getLogger("polyport.limits")
_LOG_EVERY_S: Final = 10.0
_MAX_NAME: Final = 200
_OTHERS: Final = "\0"
"""Stands for all names that have no limit of their own. No name is equal to it: a consumer's may not begin with NUL."""

PROVIDER: Final = "provider"
_ASPECTS: Final = ("service", "method", "consumer", PROVIDER)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Aspect = Annotated[Literal["service", "method", "consumer", "provider"], one_of(*_ASPECTS)]


class LimitOptions(Section):
    """What all limits can be told."""

    per: Annotated[
        tuple[Aspect, ...],
        BeforeValidator(_listed, json_schema_input_type=Aspect | list[Aspect]),
    ] = ()
    """One limit per `service`, `method`, `consumer` or `provider`, or per combination of several; default: one for all.
    `provider` only around the attempts of a reference."""

    max_keys: Annotated[Count, Field(ge=1, le=100_000)] = 1_000
    """With `per`: how many limits there can be; all further callers share one."""

    consumers: tuple[Text, ...] = ()
    """With `per: consumer`: these have a limit each, and all others share one. Default: everybody has one."""


class Provider(NamedTuple):
    """The address of one provider: what limits per provider tell apart."""

    protocol: str
    host: str
    port: int


_O = TypeVar("_O", bound=LimitOptions)
_S = TypeVar("_S")
_KeyPart = Callable[[Invocation, Provider | None], Hashable]


class LimitFilter(ABC, Generic[_O, _S]):
    """Base of the limits: finds the state a call counts against.

    A subclass is a filter whose `__call__` takes the provider as a third argument, and says what a state is. One object
    is one limit (or set of limits) for everything it stands around. `clock`: seconds, monotonic.
    """

    reason: ClassVar[str]
    """Under which refusals are counted."""

    def __init__(self, options: _O, clock: Callable[[], float] = time.monotonic) -> None:
        self.options: _O = options
        self._clock = clock
        self._counters = Counters()
        self._noted = OncePer(_LOG_EVERY_S, clock=clock)
        self._single: _S | None = None if options.per else self._make(is_first=True)
        self._table = KeyTable(self._make, self._is_idle, options.max_keys, clock)
        self._key = _compile(options)

    @abstractmethod
    def __call__(
        self, invocation: Invocation, handler: Handler, provider: Provider | None = None
    ) -> Coroutine[Any, Any, Result]:
        """The call, or `Overloaded`. `provider`: where it stands around attempts."""

    @abstractmethod
    def _make(self, *, is_first: bool = False) -> _S:
        """A state. `is_first`: it is the only one, and is there before any call."""

    @abstractmethod
    def _is_idle(self, state: _S, now: float) -> bool:
        """Whether a new state would be worth the same as this one."""

    @abstractmethod
    def _has_room(self, state: _S) -> bool:
        """Whether a call would be let through now."""

    @property
    def refusals(self) -> Mapping[tuple[str, str], int]:
        """See `CountingFilter.refusals`."""
        return self._counters.snapshot()

    def update(self, options: _O) -> None:
        """See `UpdatableFilter.update`. Whom a limit tells apart cannot change: what is in progress was counted so."""
        if options.per != self.options.per:
            raise ValueError("per cannot be changed while calls run")
        self.options = options
        self._table.max_keys = options.max_keys
        self._key = _compile(options)

    def at(self, endpoint: Endpoint) -> LimitedAttempts:
        """See `EndpointFilter.at`."""
        return LimitedAttempts(self, Provider(endpoint.protocol, endpoint.host, endpoint.port))

    def admits(self, provider: Provider) -> bool:
        """Whether attempts at this provider have a chance now, as far as that does not depend on the call."""
        per = self.options.per
        if not per:
            assert self._single is not None
            return self._has_room(self._single)
        if per != (PROVIDER,):
            return True
        state = self._table.peek(provider)
        return state is None or self._has_room(state)

    def _state(self, invocation: Invocation, provider: Provider | None) -> _S:
        state = self._single
        return self._table.get(self._key(invocation, provider)) if state is None else state

    def _states(self) -> list[_S]:
        return self._table.states() if self._single is None else [self._single]

    def _overloaded(
        self, invocation: Invocation, provider: Provider | None, why: str, retry_after_s: float | None = None
    ) -> Overloaded:
        """The error for a call that is refused, which is counted, and noted where nobody else does."""
        per = self.options.per
        text = (
            f"{invocation.service}: {why} (one limit per {' and '.join(per)})"
            if per
            else f"{invocation.service}: {why}"
        )
        if provider is None:
            peer = invocation.peer
            self._counters.add("local" if peer is None else peer.protocol, self.reason)
        else:
            self._counters.add(provider.protocol, self.reason)
            self._note(invocation, provider, text)
        return Overloaded(text, retry_after_s=retry_after_s, unasked=provider is not None)

    def _note(self, invocation: Invocation, provider: Provider, text: str) -> None:
        held_back = self._noted.admit((invocation.service, provider))
        if held_back is None:
            return
        fields = call_fields(invocation)
        fields |= {"provider": f"{provider.protocol}://{format_address(provider.host, provider.port)}", "error": text}
        if held_back:
            fields["repeated"] = held_back
        _LOG.warning("%s.%s: %s", fields["service"], fields["method"], self.reason, extra=fields)


class LimitedAttempts:
    """A limit around the attempts at one provider (`gateway.spi.filter_ability.AttemptFilter`)."""

    __slots__ = ("_limit", "_provider")

    def __init__(self, limit: LimitFilter[Any, Any], provider: Provider) -> None:
        self._limit = limit
        self._provider = provider

    @property
    def available(self) -> bool:
        """Whether a call would be let through, as far as that does not depend on the call."""
        return self._limit.admits(self._provider)

    def __call__(self, invocation: Invocation, handler: Handler) -> Coroutine[Any, Any, Result]:
        """The attempt, or `Overloaded`."""
        return self._limit(invocation, handler, self._provider)


def is_per_provider(options: LimitOptions) -> bool:
    """Whether a filter of these options can stand around attempts only."""
    return PROVIDER in options.per


def _compile(options: LimitOptions) -> _KeyPart:
    """What tells calls apart. One aspect is its own key; that saves a tuple."""
    named = frozenset(options.consumers)

    def service(invocation: Invocation, _: Provider | None) -> Hashable:
        return invocation.service

    def method(invocation: Invocation, _: Provider | None) -> Hashable:
        name = invocation.called_method()
        return invocation.service, name if len(name) <= _MAX_NAME else _OTHERS

    def consumer(invocation: Invocation, _: Provider | None) -> Hashable:
        name = invocation.consumer
        if named:
            return name if name in named else _OTHERS
        return name if len(name) <= _MAX_NAME else _OTHERS

    def provider(_: Invocation, provider: Provider | None) -> Hashable:
        assert provider is not None, "refused when it was built"
        return provider

    parts: dict[str, _KeyPart] = {"service": service, "method": method, "consumer": consumer, PROVIDER: provider}
    chosen = tuple(parts[each] for each in options.per)
    if len(chosen) == 1:
        return chosen[0]

    if len(chosen) == 2:
        first, second = chosen
        return lambda invocation, provider: (first(invocation, provider), second(invocation, provider))
    return lambda invocation, provider: tuple(part(invocation, provider) for part in chosen)
