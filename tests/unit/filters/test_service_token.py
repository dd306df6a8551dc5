import pytest

from gateway.filters.service_token import ServiceToken, random_token
from gateway.model.call import Ok, Peer
from gateway.model.errors import Retry, Unauthenticated
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, invocation

PEER = Peer("dubbo", "10.0.0.1:1")


async def passes(each: ServiceToken, token: str) -> bool:
    provider = FakeInvoker(1, Ok(1))
    try:
        await each(invocation(token=token, peer=PEER), provider)
    except Unauthenticated:
        assert not provider.calls
        return False
    return True


async def test_only_who_shows_the_token_passes() -> None:
    each = ServiceToken("s3cret")
    assert await passes(each, "s3cret")
    for wrong in ("", "S3cret", "s3cre", "s3crets", "\ud800", "s3cret\x00"):
        assert not await passes(each, wrong)
    assert each.refusals == {("dubbo", "token"): 6}


async def test_a_refusal_says_nothing_of_the_token_and_is_not_worth_repeating() -> None:
    for shown, said in (("", "this needs a token"), ("0ther", "the token is wrong")):
        with pytest.raises(Unauthenticated, match=said) as caught:
            await ServiceToken("s3cret")(invocation(token=shown, peer=PEER), FakeInvoker(1))
        assert "s3cret" not in str(caught.value)
        assert "0ther" not in str(caught.value)
        assert caught.value.retry is Retry.NEVER


async def test_calls_of_this_process_need_none() -> None:
    await ServiceToken("s3cret")(invocation(), FakeInvoker(1, Ok(1)))


async def test_the_one_before_is_taken_for_a_while() -> None:
    clock = FakeClock()
    each = ServiceToken("old", clock)
    each.change("s3cret", keep_s=10)
    assert each.current == "s3cret"
    assert await passes(each, "s3cret")
    assert await passes(each, "old")
    clock.advance(10)
    assert await passes(each, "s3cret")
    assert not await passes(each, "old")
    each.change("newest", keep_s=0)
    assert not await passes(each, "s3cret")
    assert not await passes(each, "")


def test_it_is_not_shown() -> None:
    assert "s3cret" not in repr(ServiceToken("s3cret"))


def test_random_ones_differ_and_cannot_be_guessed() -> None:
    made = {random_token() for _ in range(100)}
    assert len(made) == 100
    assert all(len(each) >= 32 and each.isascii() for each in made)
