"""Filter `circuit_breaker`: makes no calls for a while where most of them came to nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, model_validator

from gateway.config.scalar import Count, Flag, Number, Word, describe
from gateway.config.suggestion import suggestion
from gateway.config.units import Seconds, Share
from gateway.filters.circuit import SLOTS, Circuit, CircuitRules, State
from gateway.filters.limit import LimitFilter, LimitOptions, Provider, is_per_provider
from gateway.model.call import Fault, Invocation, Result
from gateway.model.endpoint import format_address
from gateway.model.errors import (
    RPC_ERRORS,
    ConnectFailed,
    ConnectionLost,
    DeadlineExceeded,
    ProviderFailed,
    RpcError,
)
from gateway.spi.handler import Handler
from gateway.spi.plugin import FilterPlugin

__all__ = ["PLUGIN", "CircuitBreaker", "CircuitBreakerOptions"]

_LOG: Final = logging.getLogger("polyport.limits")
_CLOSED: Final = State.CLOSED
_TROUBLE: Final = tuple(each.code for each in (ConnectFailed, ConnectionLost, DeadlineExceeded, ProviderFailed))


def _code(value: str) -> str:
    if value not in RPC_ERRORS:
        raise ValueError(f"{describe(value)} is no code of an error{suggestion(value, RPC_ERRORS)}")
    return value


class CircuitBreakerOptions(LimitOptions):
    """When a circuit opens, and how it closes again."""

    share: Annotated[Share, Field(gt=0)] = 0.5
    """Share of the calls that must come to nothing."""

    min_calls: Annotated[Count, Field(ge=1, le=1_000_000)] = 20
    """Calls in the window below which the share says nothing."""

    window: Annotated[Seconds, Field(ge=0.1, le=3600)] = 10.0
    """How far back calls count."""

    consecutive: Annotated[Count, Field(ge=1, le=1_000_000)] | None = None
    """Also open after so many calls in a row that came to nothing, however few there are. Default: no such rule."""

    trouble: tuple[Annotated[Word, AfterValidator(_code)], ...] = _TROUBLE
    """Codes of the errors that count as trouble. Other errors say nothing about health, for or against."""

    faults: Flag = False
    """Whether an exception of the service counts as trouble. It is an answer, and shows a provider that works."""

    open: Annotated[Seconds, Field(ge=0.01, le=3600)] = 5.0
    """How long no call is made at first."""

    growth: Annotated[Number, Field(ge=1, le=10)] = 2.0
    """How many times longer each time the way is found blocked still."""

    max_open: Annotated[Seconds, Field(ge=0.01, le=86400)] = 60.0
    """How long at most."""

    probes: Annotated[Count, Field(ge=1, le=1_000)] = 1
    """Calls that may try at the same time whether it works again; when as many went well, all calls pass."""

    @model_validator(mode="after")
    def _longest(self) -> CircuitBreakerOptions:
        if self.max_open < self.open:
            raise ValueError("max_open must not be less than open")
        return self

    def rules(self) -> CircuitRules:
        """For `Circuit`."""
        return CircuitRules(
            self.share,
            self.min_calls,
            self.window,
            self.consecutive or 0,
            self.open,
            self.max_open,
            self.growth,
            self.probes,
            SLOTS / self.window,
        )


class CircuitBreaker(LimitFilter[CircuitBreakerOptions, Circuit]):
    """Refuses calls while the circuit is open. Per provider, an open one takes that provider out of the choice.

    Calls that end in an error that is not `trouble`, or are cancelled, count for nothing. What a breaker counts may
    still run elsewhere: it bounds the harm, not the work.
    """

    reason = "circuit-open"

    def __init__(self, options: CircuitBreakerOptions, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(options, clock)
        self._rules = options.rules()
        self._trouble = frozenset(options.trouble)
        self._faults = options.faults

    async def __call__(self, invocation: Invocation, handler: Handler, provider: Provider | None = None) -> Result:
        """The handler's result. Raises `Overloaded` while the circuit is open; nothing was done then."""
        circuit = self._single
        if circuit is None:
            circuit = self._table.get(self._key(invocation, provider))
        if circuit.state is _CLOSED:
            epoch = circuit.epoch
        else:
            epoch = self._enter(circuit, invocation, provider)
        try:
            result = await handler(invocation)
        except BaseException as error:
            trouble = isinstance(error, RpcError) and error.code in self._trouble
            self._leave(circuit, epoch, False if trouble else None, invocation, provider)
            raise
        if circuit.state is _CLOSED and not self._faults:
            # What nearly every call comes to; it changes no state.
            circuit.leave(epoch, True, self._clock(), self._rules)
        else:
            good = not (self._faults and type(result) is Fault)
            self._leave(circuit, epoch, good, invocation, provider)
        return result

    def update(self, options: CircuitBreakerOptions) -> None:
        """See `UpdatableFilter.update`. What was seen stays, and what is open stays so until its time is over."""
        super().update(options)
        self._rules = options.rules()
        self._trouble = frozenset(options.trouble)
        self._faults = options.faults

    def _enter(self, circuit: Circuit, invocation: Invocation, provider: Provider | None) -> int:
        now = self._clock()
        epoch = circuit.enter(now, self._rules)
        if epoch is not None:
            return epoch
        wait_s = circuit.wait_s(now)
        if wait_s is None:
            why = "the circuit is half-open, and others are trying whether calls come through"
        else:
            why = f"the circuit is open for another {wait_s:.3g} s, because too many calls came to nothing"
        raise self._overloaded(invocation, provider, why, retry_after_s=wait_s)

    def _leave(
        self, circuit: Circuit, epoch: int, good: bool | None, invocation: Invocation, provider: Provider | None
    ) -> None:
        was = circuit.state
        circuit.leave(epoch, good, self._clock(), self._rules)
        if circuit.state is not was:
            self._say(circuit, invocation, provider)

    def _say(self, circuit: Circuit, invocation: Invocation, provider: Provider | None) -> None:
        fields: dict[str, Any] = {"service": str(invocation.service), "state": circuit.state.value}
        if provider is not None:
            fields["provider"] = f"{provider.protocol}://{format_address(provider.host, provider.port)}"
        if self.options.per:
            fields["per"] = " and ".join(self.options.per)
        held_back = self._noted.admit((State, circuit.state, provider))
        if held_back is None:
            return
        if held_back:
            fields["repeated"] = held_back
        level = logging.INFO if circuit.state is _CLOSED else logging.WARNING
        _LOG.log(level, "%s: the circuit is %s", fields["service"], circuit.state.value, extra=fields)

    def _make(self, *, is_first: bool = False) -> Circuit:
        return Circuit(self._clock())

    def _is_idle(self, state: Circuit, now: float) -> bool:
        return state.is_idle(now, self._rules)

    def _has_room(self, state: Circuit) -> bool:
        return state.state is _CLOSED or state.has_room(self._clock(), self._rules)


PLUGIN: Final = FilterPlugin("circuit_breaker", CircuitBreakerOptions, CircuitBreaker, attempts_only=is_per_provider)
