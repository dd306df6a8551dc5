import pytest

from gateway.cluster.trouble import all_failed, worst_retry
from gateway.model.errors import BadRequest, ConnectFailed, ConnectionLost, Retry, RpcError
from tests.support.fake_invoker import FakeInvoker, invocation


@pytest.mark.parametrize(
    ("errors", "retry"),
    [
        ([ConnectFailed("refused")], Retry.SAFE),
        ([ConnectionLost("cut"), ConnectFailed("refused")], Retry.IF_IDEMPOTENT),
        ([ConnectFailed("refused"), BadRequest("no"), ConnectionLost("cut")], Retry.NEVER),
    ],
)
def test_a_call_is_as_repeatable_as_its_worst_attempt(errors: list[RpcError], retry: Retry) -> None:
    assert worst_retry(errors) is retry
    made = all_failed(invocation(), [(FakeInvoker(), each) for each in errors], "failed", str, has_run=False)
    assert made.retry is retry
    assert type(made) is {Retry.SAFE: ConnectFailed, Retry.IF_IDEMPOTENT: ConnectionLost}.get(retry, BadRequest)
    assert made.exhausted == (len(errors) > 1)


def test_what_has_run_somewhere_is_not_safe_to_repeat_and_is_left_to_nobody_else() -> None:
    made = all_failed(invocation(), [(FakeInvoker(), ConnectFailed("refused"))], "failed", str, has_run=True)
    assert made.retry is Retry.IF_IDEMPOTENT
    assert made.exhausted


def test_a_long_method_name_of_a_peer_is_cut() -> None:
    made = all_failed(invocation("x" * 100_000), [(FakeInvoker(), ConnectFailed("a\nb"))], "failed", str, has_run=False)
    assert len(str(made)) < 2_000
    assert "\n" not in str(made)
