import pytest

from gateway.filters.deadline import Deadline
from gateway.model.call import Ok
from gateway.model.errors import DeadlineExceeded, Retry
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation


async def test_a_call_that_comes_too_late_is_refused_before_any_work() -> None:
    clock = FakeClock()
    provider = FakeInvoker(1)
    call = Deadline(clock=clock)(invocation(deadline=clock() - 0.25), provider)
    with pytest.raises(DeadlineExceeded, match=r"demo\.Catalog: the deadline passed 250 ms before") as caught:
        await call
    assert caught.value.retry is Retry.NEVER
    assert provider.calls == []
    with pytest.raises(DeadlineExceeded):
        await Deadline(clock=clock)(invocation(deadline=clock()), provider)


@pytest.mark.parametrize("left_s", [0.001, 60.0, None])
async def test_a_call_that_is_in_time_or_in_no_hurry_passes(left_s: float | None) -> None:
    clock = FakeClock()
    call = invocation(deadline=None if left_s is None else clock() + left_s)
    assert isinstance(await Deadline(clock=clock)(call, FakeInvoker(1)), Ok)
