import pytest

from gateway.filters.access import Access, AccessOptions
from gateway.model.call import Invocation, Ok, Peer
from gateway.model.contract import MethodContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, Forbidden, Retry
from gateway.model.typeref import Kind, TypeRef
from tests.support.fake_invoker import FakeInvoker, invocation


def access(**options: object) -> Access:
    return Access(AccessOptions.model_validate(options))


async def passes(each: Access, consumer: str = "shop", address: str | None = "10.1.2.3:4711", **call: object) -> bool:
    peer = None if address is None else Peer("dubbo", address)
    method = str(call.pop("method", "find"))
    provider = FakeInvoker(1, Ok(1))
    try:
        await each(invocation(method, consumer=consumer, peer=peer, **call), provider)
    except Forbidden:
        assert not provider.calls
        return False
    return True


async def test_without_lists_everybody_passes() -> None:
    assert await passes(access())
    assert await passes(access(allow={}, deny={}))


async def test_an_allow_list_forbids_everybody_else() -> None:
    each = access(allow={"consumers": ["shop", "billing"]})
    assert await passes(each, "shop")
    assert await passes(each, "billing")
    assert not await passes(each, "Shop")
    assert not await passes(each, "")
    assert not await passes(access(allow={"consumers": []}), "shop")


async def test_deny_wins() -> None:
    each = access(allow={"consumers": ["shop"]}, deny={"consumers": ["shop"]})
    assert not await passes(each, "shop")
    each = access(allow={"addresses": ["10.0.0.0/8"]}, deny={"addresses": ["10.1.0.0/16"]})
    assert await passes(each, address="10.2.0.1:1")
    assert not await passes(each, address="10.1.2.3:1")


async def test_a_caller_must_be_on_every_allow_list_and_on_no_deny_list() -> None:
    allowed = access(allow={"consumers": ["shop"], "addresses": ["10.0.0.0/8"]})
    assert await passes(allowed, "shop", "10.0.0.1:1")
    assert not await passes(allowed, "shop", "192.0.2.1:1")
    assert not await passes(allowed, "billing", "10.0.0.1:1")
    denied = access(deny={"consumers": ["shop"], "addresses": ["10.0.0.0/8"]})
    assert not await passes(denied, "shop", "192.0.2.1:1")
    assert not await passes(denied, "billing", "10.0.0.1:1")
    assert await passes(denied, "billing", "192.0.2.1:1")


@pytest.mark.parametrize(
    ("given", "address", "inside"),
    [
        ("10.0.0.0/8", "10.255.255.255:1", True),
        ("10.0.0.0/8", "11.0.0.0:1", False),
        ("10.0.0.7", "10.0.0.7:1", True),
        ("10.0.0.7", "10.0.0.8:1", False),
        ("0.0.0.0/0", "203.0.113.9:1", True),
        ("0.0.0.0/0", "[2001:db8::1]:1", False),
        ("2001:db8::/32", "[2001:db8:ffff::1]:1", True),
        ("2001:db8::/32", "[2001:db9::1]:1", False),
        ("::/0", "10.0.0.1:1", False),
        ("::1", "[::1]:1", True),
        ("fe80::/10", "[fe80::1%eth0]:1", True),
        # RFC 4291, section 2.5.5.2: one address in two forms.
        ("10.0.0.0/8", "[::ffff:10.1.2.3]:1", True),
        ("10.0.0.0/8", "[::ffff:11.1.2.3]:1", False),
        ("::ffff:10.0.0.0/104", "10.1.2.3:1", True),
        ("::ffff:10.0.0.0/104", "[::ffff:10.1.2.3]:1", True),
        ("::ffff:10.0.0.0/104", "11.1.2.3:1", False),
    ],
)
async def test_ranges_hold_addresses_of_both_versions(given: str, address: str, inside: bool) -> None:
    assert await passes(access(allow={"addresses": [given]}), address=address) is inside
    assert await passes(access(deny={"addresses": [given]}), address=address) is not inside


@pytest.mark.parametrize("address", ["", "unknown", "pipe:7", "/run/socket:0", "10.0.0.1"])
async def test_what_is_no_address_is_in_no_range(address: str) -> None:
    assert not await passes(access(allow={"addresses": ["0.0.0.0/0", "::/0"]}), address=address)


async def test_calls_of_this_process_have_a_name_and_no_address() -> None:
    assert await passes(access(allow={"addresses": ["10.0.0.0/8"]}), address=None)
    assert not await passes(access(allow={"consumers": ["billing"]}), "shop", None)


async def test_rules_are_about_services() -> None:
    each = access(rules=[{"services": ["demo.Catalog", "eu/demo.Types:1.0"], "allow": {"consumers": ["billing"]}}])
    for key, about in (
        (ServiceKey("demo.Catalog"), True),
        (ServiceKey("demo.Catalog", "eu", "2.0"), True),
        (ServiceKey("demo.Types", "eu", "1.0"), True),
        (ServiceKey("demo.Types"), False),
        (ServiceKey("demo.Other"), False),
    ):
        assert await passes(each, "shop", service=key) is not about
        assert await passes(each, "billing", service=key)


async def test_rules_are_about_methods_by_the_contracts_name_and_by_the_name_of_an_overload() -> None:
    signature = MethodContract("find", (), TypeRef(Kind.NULL), "find_by_name")
    for named, about in (("find", True), ("find_by_name", True), ("put", False)):
        each = access(rules=[{"methods": [named], "deny": {"consumers": ["shop"]}}])
        assert await passes(each, signature=signature) is not about


async def test_all_rules_about_a_call_must_let_it_through() -> None:
    each = access(
        deny={"addresses": ["192.0.2.0/24"]},
        rules=[
            {"methods": ["put", "remove"], "allow": {"consumers": ["billing", "shop"]}},
            {"methods": ["remove"], "allow": {"addresses": ["10.0.0.0/8"]}},
        ],
    )
    assert await passes(each, "anybody", "203.0.113.1:1", method="find")
    assert not await passes(each, "anybody", "203.0.113.1:1", method="put")
    assert await passes(each, "shop", "203.0.113.1:1", method="put")
    assert not await passes(each, "shop", "203.0.113.1:1", method="remove")
    assert await passes(each, "shop", "10.0.0.1:1", method="remove")
    assert not await passes(each, "shop", "192.0.2.1:1", method="find")


class Unread:
    """Arguments that nobody must read."""

    wire = "test"

    def __init__(self, called: str | None = None) -> None:
        self.called = called

    def called_method(self) -> str:
        if self.called is None:
            raise BadRequest("names nothing")
        return self.called

    def decode(self) -> tuple[object, ...]:
        raise AssertionError("the arguments were read")


def unread(method: str, called: str | None = None) -> Invocation:
    return Invocation(ServiceKey("demo.Catalog"), method, None, raw=Unread(called), peer=Peer("dubbo", "10.0.0.1:1"))


async def test_lists_are_looked_at_before_arguments_are_read() -> None:
    with pytest.raises(Forbidden):
        await access(allow={"consumers": ["shop"]})(unread("find"), FakeInvoker(1))


async def test_a_generic_call_is_judged_by_the_method_it_names() -> None:
    each = access(rules=[{"methods": ["put"], "allow": {"consumers": ["shop"]}}])
    for called in ("put", " put\t"):
        with pytest.raises(Forbidden, match=r"demo\.Catalog\.put: not for a caller without a name at 10\.0\.0\.1:1"):
            await each(unread("$invoke", called), FakeInvoker(1))
    await each(unread("$invoke", "find"), FakeInvoker(1))
    with pytest.raises(BadRequest):
        await each(unread("$invoke"), FakeInvoker(1))


async def test_a_refusal_is_counted_and_not_worth_repeating() -> None:
    each = access(deny={"consumers": ["shop"]})
    for peer in (Peer("dubbo", "10.0.0.1:1"), Peer("http", "10.0.0.1:2"), Peer("http", "10.0.0.1:3"), None):
        with pytest.raises(Forbidden) as caught:
            await each(invocation(consumer="shop", peer=peer), FakeInvoker(1))
        assert caught.value.retry is Retry.NEVER
    assert each.refusals == {("dubbo", "access"): 1, ("http", "access"): 2, ("local", "access"): 1}


async def test_other_lists_hold_from_the_next_call_on() -> None:
    each = access(allow={"consumers": ["shop"]})
    assert await passes(each, "shop")
    each.update(AccessOptions.model_validate({"allow": {"consumers": ["billing"]}}))
    assert not await passes(each, "shop")
    assert await passes(each, "billing")


async def test_what_is_remembered_of_callers_has_a_bound() -> None:
    each = access(allow={"addresses": ["10.0.0.0/8"]})
    for number in range(10_000):
        assert await passes(each, address=f"10.0.{number // 256}.{number % 256}:1")
    assert len(each._addresses) <= 4_096


@pytest.mark.parametrize(
    "half_written",
    [
        {"allow": {"consumers": None}},
        {"allow": {"addresses": None}},
        {"deny": {"addresses": None}},
        {"deny": None},
        {"services": None},
        {"rules": [{"methods": None}]},
    ],
)
def test_a_list_that_is_named_but_not_written_lets_nobody_guess(half_written: object) -> None:
    with pytest.raises(ValueError, match="is written, but nothing behind it"):
        AccessOptions.model_validate(half_written)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("10.0.0.1/8", r"'10.0.0.1/8' has bits beyond its prefix, did you mean 10\.0\.0\.0/8\?"),
        ("10.0.0.0/33", "is no range of addresses"),
        ("10.0.0/8", "is no range of addresses"),
        ("localhost", "is no range of addresses"),
        ("2001:db8::/129", "is no range of addresses"),
        ("", "is no range of addresses"),
        (["10.0.0.1"], "expected a range of addresses"),
    ],
)
def test_what_is_no_range_is_refused(given: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AccessOptions.model_validate({"allow": {"addresses": [given]}})
