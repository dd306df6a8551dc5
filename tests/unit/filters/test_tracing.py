import random
import re

import pytest

from gateway.filters.tracing import Tracing, TracingOptions, child_of
from gateway.model.call import Ok
from tests.support.fake_invoker import FakeInvoker, invocation

# The examples of https://www.w3.org/TR/trace-context-2/, section 3.2.3.
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]")


async def passed_on(traceparent: str | None, *, start: bool = False) -> str | None:
    provider = FakeInvoker(1, Ok(1))
    await Tracing(TracingOptions(start=start), random.Random(7).getrandbits)(
        invocation(traceparent=traceparent), provider
    )
    return provider.calls[0].traceparent


@pytest.mark.parametrize("incoming", [SAMPLED, NOT_SAMPLED])
async def test_the_trace_and_its_flags_stay_and_the_parent_is_this_call(incoming: str) -> None:
    outgoing = await passed_on(incoming)
    assert outgoing is not None
    assert VALID.fullmatch(outgoing)
    assert outgoing[:36] == incoming[:36]
    assert outgoing[36:52] != incoming[36:52]
    assert outgoing[52:] == incoming[52:]


async def test_without_a_trace_one_is_started_only_where_told() -> None:
    assert await passed_on(None) is None
    started = await passed_on(None, start=True)
    assert started is not None
    assert VALID.fullmatch(started)


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "garbage",
        SAMPLED.upper(),
        SAMPLED[:-1],
        SAMPLED + "0",
        SAMPLED + "-more",
        SAMPLED + "\n",
        " " + SAMPLED,
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00_{TRACE}_{PARENT}_01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0x",
        f"cc-{TRACE}-{PARENT}-01.more",
        "x" * 1_000_000,
    ],
)
async def test_a_malformed_trace_is_replaced_by_a_new_one(malformed: str) -> None:
    outgoing = await passed_on(malformed)
    assert outgoing is not None
    assert VALID.fullmatch(outgoing)
    assert TRACE not in outgoing


@pytest.mark.parametrize("later", [f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-01-what-the-future-holds"])
async def test_a_later_version_is_carried_on_as_this_one(later: str) -> None:
    outgoing = await passed_on(later)
    assert outgoing is not None
    assert VALID.fullmatch(outgoing)
    assert outgoing[:36] == f"00-{TRACE}-"


@pytest.mark.parametrize(("incoming", "outgoing"), [("01", "01"), ("02", "02"), ("ff", "03"), ("fc", "00")])
def test_flags_nobody_defined_are_not_passed_on(incoming: str, outgoing: str) -> None:
    assert child_of(f"00-{TRACE}-{PARENT}-{incoming}")[-2:] == outgoing


def test_an_id_is_never_all_zeros() -> None:
    assert child_of(SAMPLED, lambda bits: 0) == f"00-{TRACE}-0000000000000001-01"
    assert child_of(None, lambda bits: 0) == f"00-{1:032x}-{1:016x}-02"


async def test_nothing_else_of_the_call_changes() -> None:
    provider = FakeInvoker(1, Ok(1))
    call = invocation("find", 7, attachments={"a": "b"}, deadline=5.0, consumer="shop", traceparent=SAMPLED)
    await Tracing(TracingOptions())(call, provider)
    (passed,) = provider.calls
    assert (passed.call_id, passed.method, passed.arguments()) == (call.call_id, "find", (7,))
    assert (passed.attachments, passed.deadline, passed.consumer) == ({"a": "b"}, 5.0, "shop")
