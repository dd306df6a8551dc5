"""Calls through one cluster mode: its candidates, and what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract
from gateway.model.typeref import Kind, TypeRef
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from gateway.spi.cluster import Cluster
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation

__all__ = ["IDEMPOTENT", "PLAIN", "Held", "attempts", "run"]

PLAIN = MethodContract("find", (), TypeRef(Kind.NULL), "find")
IDEMPOTENT = MethodContract("find", (), TypeRef(Kind.NULL), "find", idempotent=True)


def run(
    cluster: Cluster, invokers: Sequence[FakeInvoker], call: Invocation | None = None
) -> Coroutine[Any, Any, Result]:
    """A call of `cluster` with these candidates, the first of them before all others."""
    call = call or invocation(signature=PLAIN)
    providers = Providers(SERVICE, tuple(invokers), f"registry {len(invokers)}", panic=0.5)
    return cluster(call, CallCandidates(providers, FirstOf(), call))


def attempts(invokers: Sequence[FakeInvoker]) -> list[int]:
    """How often each was called."""
    return [len(each.calls) for each in invokers]


class Held:
    """An answer that a test gives when it wants to: `begun` is set when the call arrives, `cancelled` when it ends."""

    def __init__(self, answer: Result | Exception | None = None) -> None:
        self.answer = answer or Ok(None)
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = False

    async def __call__(self, _: Invocation) -> Result:
        self.begun.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer
