"""All providers fail, four gateways one behind the other, three retries at each: how much load arrives at the end.

Without marks and budgets it would be 4 to the power of 4, which is 256 calls for one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.cluster.context import ClusterContext
from gateway.cluster.failover import Failover
from gateway.cluster.forking import Forking, ForkingOptions
from gateway.cluster.retry_budget import RetryBudget
from gateway.model.call import Invocation, Result
from gateway.model.contract import MethodContract
from gateway.model.errors import ConnectFailed, ConnectionLost, Overloaded, RpcError
from gateway.spi.cluster import Cluster
from protocols.dubbo.status import error_of_status, format_error, status_of
from protocols.http_json.problem import error_of_type, problem_of
from tests.support.cluster_calls import IDEMPOTENT, PLAIN, run
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation

HOPS = 4
CALLS = 600
"""Enough for the burst of a budget, 50, to be less than a tenth of it."""


def as_it_is(error: RpcError) -> RpcError:
    return error


def over_dubbo(error: RpcError) -> RpcError:
    return error_of_status(status_of(error), format_error(error))


def over_http(error: RpcError) -> RpcError:
    document = problem_of(error)
    arrived = error_of_type(document["type"], document)
    assert arrived is not None
    return arrived


class Throttled(RpcError):
    """Of a plug-in that no wire knows."""

    code = "throttled"
    default_retry = Overloaded.default_retry


class Chain:
    """Gateways one behind the other; each knows two of the next ones. `arrived`: calls by hop, the providers last."""

    def __init__(
        self, mode: Callable[[ClusterContext], Cluster], error: RpcError, wire: Callable[[RpcError], RpcError]
    ) -> None:
        self.arrived = [0] * (HOPS + 1)
        self.clock = FakeClock()
        self._wire = wire
        self._error = error
        self._modes = [
            mode(ClusterContext(retries=3, retries_written=hop % 2 == 0, budget=RetryBudget(clock=self.clock)))
            for hop in range(HOPS)
        ]

    async def call(self, hop: int, call: Invocation) -> Result:
        self.arrived[hop] += 1
        if hop == HOPS:
            raise self._error

        async def beyond(call: Invocation) -> Result:
            try:
                return await self.call(hop + 1, call)
            except RpcError as error:
                raise self._wire(error) from None

        return await run(self._modes[hop], [FakeInvoker(port, beyond) for port in (1, 2)], call)


def failover(context: ClusterContext) -> Cluster:
    return Failover(context)


def hedging(context: ClusterContext) -> Cluster:
    clock = FakeClock()
    return Forking(ForkingOptions(forks=4, delay=1.0), context, clock, clock.sleep)


@pytest.mark.parametrize("wire", [as_it_is, over_dubbo, over_http])
@pytest.mark.parametrize("signature", [PLAIN, IDEMPOTENT])
@pytest.mark.parametrize(
    "error",
    [ConnectFailed("refused"), Overloaded("busy"), ConnectionLost("cut"), Throttled("wait")],
)
async def test_load_grows_by_a_fifth_at_most(
    wire: Callable[[RpcError], RpcError], signature: MethodContract | None, error: RpcError
) -> None:
    chain = Chain(failover, error, wire)
    for _ in range(CALLS):
        with pytest.raises(RpcError):
            await chain.call(0, invocation(signature=signature))
    assert max(chain.arrived) <= 1.2 * CALLS
    assert sum(chain.arrived[1:]) <= 1.2 * HOPS * CALLS


async def test_hedging_keeps_to_the_same_bound() -> None:
    chain = Chain(hedging, ConnectionLost("cut"), over_dubbo)
    for _ in range(CALLS):
        with pytest.raises(RpcError):
            await chain.call(0, invocation(signature=IDEMPOTENT))
    assert max(chain.arrived) <= 1.2 * CALLS
