"""Failback: a call that gets no answer is kept, answered with nothing, and sent again until somebody answers it.

For notifications: calls whose effect matters and whose answer does not. A call is delivered at least once; the
attachment `polyport-call-id` (`gateway.spi.failback.CALL_ID`) is the same each time, so that whoever remembers ids
applies it once.
"""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from random import Random
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeGuard

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.cluster.context import ClusterContext
from gateway.cluster.default_answer import default_answer, default_misfits
from gateway.cluster.once import once
from gateway.config.scalar import resolve
from gateway.config.sections.choice import Cluster as ClusterConfig
from gateway.config.sections.choice import ClusterChoice, without
from gateway.config.sections.section import Section
from gateway.config.units import Seconds
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import DeadlineExceeded, Retry, RpcError
from gateway.spi.cluster import Candidates, Cluster
from gateway.spi.failback import CALL_ID, CallRecorder, StoreError
from gateway.spi.plugin import ClusterPlugin, Misfit
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer

__all__ = ["PLUGIN", "Failback", "FailbackOptions", "new_call_id"]

_LOG: Final = logging.getLogger("polyport.failback")
_NAME: Final = "failback"
_SAME_TROUBLE_S: Final = 10.0
_RANDOM_BITS: Final = 80
_MAX_ID: Final = 200
_EARLY_S: Final = 0.01
"""So much before a deadline loops may end a call for it: they count in other steps than the clock."""


def _for_one(choice: ClusterChoice) -> ClusterChoice:
    return without(choice, ("broadcast", "mergeable"), "what failback sends again goes to one provider only")


class FailbackOptions(Section):
    """What callers hear, how often it is tried before they do, and how long their calls are good."""

    default: Annotated[Any, BeforeValidator(resolve)] = None
    """What callers get whose call was kept, as JSON of the return type. Unless written: nothing, where the type allows
    null or the method returns nothing; an empty list, set or map; for other types it is needed."""

    expires: Annotated[Seconds, Field(gt=0, le=366 * 86400)] | None = None
    """How long a call is sent again. Default: what the section `failback` says."""

    cluster: Annotated[ClusterConfig, AfterValidator(_for_one)] = ClusterChoice(type="failfast")
    """The mode that makes the call at first; what it cannot solve is kept, and sent again to one provider each time.
    Modes that call several on purpose (`broadcast`, `mergeable`) are refused."""


def new_call_id(random_bits: Callable[[int], int], wall: Callable[[], float] = time.time) -> str:
    """An id nobody else makes: 12 digits of time and 20 random ones, hexadecimal. Ids sort as they were made, to
    the millisecond."""
    return f"{int(wall() * 1000):012x}{random_bits(_RANDOM_BITS):020x}"


class Failback:
    """Makes a call by another mode, and keeps it when there is no answer.

    Kept is what repeating may help, whatever the method says of repeating: this mode is the declaration. Trouble that
    repeating cannot help (`Retry.NEVER`) is raised; so is the original error when the call cannot be kept. A call that
    its caller's deadline ends while a provider is silent is kept too, and so is a oneway call that is ended, which
    nobody else would make again. A caller that hangs up before has taken its call back.
    `inner`: makes the call. `clock`: seconds, monotonic.

    Raises:
        ValueMappingError: some method cannot return the default, or has no empty value; says which.
    """

    __slots__ = ("_answers", "_clock", "_context", "_expires_s", "_inner", "_new_id", "_recorder", "_troubles")

    def __init__(
        self,
        options: FailbackOptions,
        context: ClusterContext,
        inner: Cluster,
        new_id: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._expires_s = options.expires
        self._context = context
        self._recorder: CallRecorder = context.recorder()
        self._inner = inner
        # A source of its own: a program that seeds the common one would make the ids of another process once more.
        self._new_id = new_id or partial(new_call_id, Random().getrandbits)
        self._answers = {
            each.attribute: default_answer(each, context.contract, options.default, _NAME)
            for each in context.methods
            if context.contract is not None
        }
        self._troubles = OncePer(_SAME_TROUBLE_S)

    @property
    def once(self) -> Cluster:
        """One attempt by the mode within; see `gateway.cluster.once`."""
        return once(self._inner)

    async def __call__(self, invocation: Invocation, candidates: Candidates) -> Result:
        """The answer, or an empty one once the call is kept for good.

        Raises:
            RpcError: the call can never succeed, or could not be kept.
        """
        call_id = invocation.attachments.get(CALL_ID)
        if not _is_usable(call_id):
            call_id = self._new_id()
            attachments = MappingProxyType({**invocation.attachments, CALL_ID: call_id})
            invocation = invocation.replace(attachments=attachments)
        try:
            return await self._inner(invocation, candidates)
        except RpcError as error:
            if error.retry is Retry.NEVER:
                raise
            await self._keep(invocation, call_id, error)
        except CancelledError:
            if invocation.oneway or self._is_late(invocation):
                with suppress(RpcError):
                    await self._keep(invocation, call_id, DeadlineExceeded("ended before an answer came"))
            raise
        make = self._answers.get(invocation.signature.attribute) if invocation.signature is not None else None
        return Ok(None if make is None else make())

    def _is_late(self, invocation: Invocation) -> bool:
        return invocation.deadline is not None and self._clock() >= invocation.deadline - _EARLY_S

    async def _keep(self, invocation: Invocation, call_id: str, error: RpcError) -> None:
        try:
            await self._recorder.record(invocation, call_id, error, self._expires_s)
        except StoreError as exc:
            self._context.count("failback-refused")
            if self._troubles.admit("refused") is not None:
                _LOG.error("%s: a call could not be kept: %s", self._context.name, shorten(str(exc)))
            raise error from exc


def _is_usable(call_id: Any) -> TypeGuard[str]:
    """Whether a caller's id is one. Stores, logs and terminals get it as it is, so what cannot be printed is none."""
    return isinstance(call_id, str) and 0 < len(call_id) <= _MAX_ID and call_id.isprintable()


def _build(options: FailbackOptions, context: ClusterContext) -> Failback:
    return Failback(options, context, context.mode(options.cluster))


def _check(options: FailbackOptions, contract: ServiceContract, methods: Sequence[MethodContract]) -> Sequence[Misfit]:
    return default_misfits(contract, methods, options.default, _NAME)


PLUGIN: Final = ClusterPlugin(_NAME, FailbackOptions, _build, _check)
