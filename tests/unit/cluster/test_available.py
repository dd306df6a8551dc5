import pytest

from gateway.cluster.available import Available
from gateway.cluster.context import ClusterContext
from gateway.model.call import Ok
from gateway.model.errors import ConnectFailed, ConnectionLost, NoProvider
from tests.support.cluster_calls import IDEMPOTENT, attempts, run
from tests.support.fake_invoker import FakeInvoker, invocation


async def test_the_first_in_order_gets_all_calls() -> None:
    invokers = [FakeInvoker(1), FakeInvoker(2)]
    for _ in range(5):
        await run(Available(), invokers)
    assert attempts(invokers) == [5, 0]


async def test_whoever_is_away_or_ejected_is_passed_over() -> None:
    invokers = [FakeInvoker(1, available=False), FakeInvoker(2), FakeInvoker(3)]
    invokers[1].load.ejected = True
    await run(Available(), invokers)
    assert attempts(invokers) == [0, 0, 1]
    # Ejected, but there.
    invokers[2].available = False
    await run(Available(), invokers)
    assert attempts(invokers) == [0, 1, 1]


async def test_when_nobody_is_there_somebody_is_called_all_the_same() -> None:
    invokers = [FakeInvoker(1, Ok(1), available=False), FakeInvoker(2, available=False)]
    await run(Available(), invokers)
    assert attempts(invokers) == [1, 0]


async def test_the_next_in_order_gets_the_call_by_failovers_rules() -> None:
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2, ConnectionLost("cut")), FakeInvoker(3)]
    with pytest.raises(ConnectionLost, match="2 attempts"):
        await run(Available(ClusterContext(retries=2)), invokers)
    assert attempts(invokers) == [1, 1, 0]
    await run(Available(ClusterContext(retries=2)), invokers, invocation(signature=IDEMPOTENT))
    assert attempts(invokers) == [2, 2, 1]


async def test_without_retries_the_first_one_decides() -> None:
    invokers = [FakeInvoker(1, ConnectFailed("refused")), FakeInvoker(2)]
    with pytest.raises(ConnectFailed):
        await run(Available(ClusterContext(retries=0)), invokers)
    assert attempts(invokers) == [1, 0]


async def test_without_candidates_there_is_no_provider() -> None:
    with pytest.raises(NoProvider):
        await run(Available(), [])
