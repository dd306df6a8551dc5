"""What holds for every limit, shown with the simplest of them."""

import asyncio
import logging

import pytest

from gateway.filters.concurrency import Concurrency, ConcurrencyOptions
from gateway.filters.limit import LimitOptions
from gateway.model.call import Invocation, Ok, Peer, Result
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import Overloaded
from gateway.spi.filter_ability import AttemptFilter, CountingFilter, EndpointFilter, UpdatableFilter
from gateway.spi.handler import Filter
from tests.support.fake_clock import FakeClock
from tests.support.fake_invoker import FakeInvoker, endpoint, invocation


class Held:
    """Calls in progress: a handler that never answers, and the tasks that wait for it."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Result]] = []

    async def begin(self, each: Filter, call: Invocation) -> None:
        async def forever(_: Invocation) -> Result:
            await asyncio.Event().wait()
            raise AssertionError

        async def run() -> Result:
            return await each(call, forever)

        task = asyncio.ensure_future(run())
        await asyncio.sleep(0)
        if task.done():
            await task
        self.tasks.append(task)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def held():
    held = Held()
    yield held
    await held.end()


def limit(**options: object) -> Concurrency:
    return Concurrency(ConcurrencyOptions.model_validate({"limit": 1, **options}), FakeClock())


FIRST = invocation("find", consumer="shop")
OTHERS = {
    "service": invocation("find", consumer="shop", service=ServiceKey("demo.Types")),
    "method": invocation("put", consumer="shop"),
    "consumer": invocation("find", consumer="billing"),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("per", [(), *OTHERS])
async def test_calls_share_a_limit_unless_they_differ_in_what_it_is_per(held: Held, per: str, other: str) -> None:
    each = limit(per=per)
    await held.begin(each, FIRST)
    # A method belongs to its service, so calls of another service are calls of another method too.
    if other == per or (per == "method" and other == "service"):
        await held.begin(each, OTHERS[other])
    else:
        with pytest.raises(Overloaded):
            await held.begin(each, OTHERS[other])


async def test_a_limit_per_several_things_is_one_per_combination(held: Held) -> None:
    each = limit(per=["method", "consumer"])
    await held.begin(each, FIRST)
    await held.begin(each, OTHERS["method"])
    await held.begin(each, OTHERS["consumer"])
    with pytest.raises(Overloaded, match=r"demo\.Catalog: 1 calls in progress.*one limit per method and consumer"):
        await held.begin(each, FIRST)


async def test_a_limit_per_provider_counts_the_attempts_at_each(held: Held) -> None:
    each = limit(per="provider")
    here, there = each.at(endpoint(1)), each.at(endpoint(2))
    await held.begin(here, FIRST)
    assert not here.available
    assert there.available
    with pytest.raises(Overloaded):
        await held.begin(here, FIRST)
    await held.begin(there, FIRST)
    # A provider that comes back is the one it was.
    assert not each.at(endpoint(1)).available


async def test_a_limit_that_depends_on_the_call_takes_no_provider_out_of_the_choice(held: Held) -> None:
    each = limit(per=["provider", "consumer"])
    here = each.at(endpoint(1))
    await held.begin(here, FIRST)
    assert here.available
    await held.begin(here, OTHERS["consumer"])


async def test_a_limit_for_everything_takes_every_provider_out_of_the_choice(held: Held) -> None:
    each = limit()
    await held.begin(each, FIRST)
    assert not each.at(endpoint(1)).available


async def test_made_up_names_share_one_limit_and_displace_nobody(held: Held) -> None:
    each = limit(per="consumer", max_keys=2)
    for name in ("shop", "billing"):
        await held.begin(each, invocation(consumer=name))
    begun = 0
    for number in range(100):
        try:
            await held.begin(each, invocation(consumer=f"made up {number}"))
            begun += 1
        except Overloaded:
            pass
    assert begun == 1
    with pytest.raises(Overloaded):
        await held.begin(each, invocation(consumer="shop"))


async def test_listed_consumers_have_a_limit_each_and_all_others_one(held: Held) -> None:
    each = limit(per="consumer", consumers=["shop", "billing"])
    for name in ("shop", "billing", "somebody"):
        await held.begin(each, invocation(consumer=name))
    for name in ("shop", "somebody else", ""):
        with pytest.raises(Overloaded):
            await held.begin(each, invocation(consumer=name))


async def test_names_that_are_too_long_to_be_kept_are_one(held: Held) -> None:
    each = limit(per="consumer")
    await held.begin(each, invocation(consumer="x" * 201))
    with pytest.raises(Overloaded):
        await held.begin(each, invocation(consumer="y" * 30_000))


@pytest.mark.parametrize("arguments", [("put", None, [1]), ("put",)])
async def test_a_generic_call_counts_for_the_method_that_it_names(held: Held, arguments: tuple[object, ...]) -> None:
    each = limit(per="method")
    await held.begin(each, invocation("put"))
    with pytest.raises(Overloaded):
        await held.begin(each, invocation("$invoke", *arguments))
    await held.begin(each, invocation("$invoke", "find", None, [1]))


async def test_refusals_are_counted_by_the_protocol_that_was_refused(held: Held) -> None:
    each = limit()
    await held.begin(each, FIRST)
    for call in (invocation(peer=Peer("http", "127.0.0.1:1")), invocation(peer=Peer("http", "127.0.0.1:2")), FIRST):
        with pytest.raises(Overloaded):
            await held.begin(each, call)
    with pytest.raises(Overloaded):
        await held.begin(each.at(endpoint(1)), invocation(peer=Peer("http", "127.0.0.1:1")))
    assert each.refusals == {
        ("http", "concurrency"): 2,
        ("local", "concurrency"): 1,
        ("dubbo", "concurrency"): 1,
    }


async def test_a_refused_attempt_is_logged_once_in_a_while_and_a_refused_call_is_not(
    held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    each = Concurrency(ConcurrencyOptions(limit=1, per=("provider",)), clock)
    here = each.at(endpoint(1))
    await held.begin(here, FIRST)
    with caplog.at_level(logging.INFO, "polyport.limits"):
        for _ in range(3):
            with pytest.raises(Overloaded):
                await held.begin(here, FIRST)
        clock.advance(10)
        with pytest.raises(Overloaded):
            await held.begin(here, FIRST)
        everywhere = limit()
        await held.begin(everywhere, FIRST)
        with pytest.raises(Overloaded):
            await held.begin(everywhere, FIRST)
    assert [each.getMessage() for each in caplog.records] == ["demo.Catalog.find: concurrency"] * 2
    first, second = (vars(each) for each in caplog.records)
    assert first["provider"] == "dubbo://10.0.0.1:1"
    assert "repeated" not in first
    assert second["repeated"] == 2


async def test_options_change_at_once_and_calls_in_progress_stay_counted(held: Held) -> None:
    each = limit(per="consumer")
    await held.begin(each, FIRST)
    each.update(ConcurrencyOptions(limit=2, per=("consumer",)))
    await held.begin(each, FIRST)
    with pytest.raises(Overloaded):
        await held.begin(each, FIRST)
    each.update(ConcurrencyOptions(limit=1, per=("consumer",)))
    await held.end()
    assert each.running == 0
    assert await each(FIRST, FakeInvoker(1, Ok(1)))


async def test_whom_a_limit_tells_apart_cannot_change(held: Held) -> None:
    each = limit(per="consumer")
    await held.begin(each, FIRST)
    with pytest.raises(ValueError, match="per cannot be changed while calls run"):
        each.update(ConcurrencyOptions(limit=100))
    with pytest.raises(Overloaded):
        await held.begin(each, FIRST)


def test_a_limit_can_do_all_that_filters_can() -> None:
    each = limit()
    for ability in (EndpointFilter, UpdatableFilter, CountingFilter):
        assert isinstance(each, ability)
    assert not isinstance(each, AttemptFilter)
    assert isinstance(each.at(endpoint(1)), AttemptFilter)


@pytest.mark.parametrize(
    ("given", "per"), [("consumer", ("consumer",)), (["method", "provider"], ("method", "provider")), ([], ())]
)
def test_per_is_one_word_or_several(given: object, per: tuple[str, ...]) -> None:
    assert LimitOptions.model_validate({"per": given}).per == per


def test_per_says_what_was_probably_meant() -> None:
    with pytest.raises(ValueError, match="did you mean 'consumer'"):
        LimitOptions.model_validate({"per": "consumers"})
