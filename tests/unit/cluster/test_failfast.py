import pytest

from gateway.cluster.failfast import Failfast
from gateway.model.call import Fault, Ok
from gateway.model.errors import ConnectFailed, NoProvider
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation


def candidates(*invokers: FakeInvoker) -> CallCandidates:
    return CallCandidates(Providers(SERVICE, invokers, f"registry {len(invokers)}"), FirstOf(), invocation())


async def test_the_answer_of_one_attempt_is_the_answer() -> None:
    for answer in (Ok(1), Fault("demo.OutOfStock", "none left", declared=True)):
        assert await Failfast()(invocation(), candidates(FakeInvoker(1, answer))) is answer


async def test_a_failed_attempt_is_not_repeated_and_its_error_not_changed() -> None:
    error = ConnectFailed("refused")
    invokers = [FakeInvoker(1, error), FakeInvoker(2)]
    with pytest.raises(ConnectFailed) as caught:
        await Failfast()(invocation(), candidates(*invokers))
    assert caught.value is error
    assert not error.exhausted
    assert [len(each.calls) for each in invokers] == [1, 0]


async def test_without_candidates_there_is_no_provider() -> None:
    with pytest.raises(NoProvider, match="registry 0"):
        await Failfast()(invocation(), candidates())
