from collections.abc import Sequence

import pytest

from gateway.model.call import Invocation
from gateway.model.errors import NoProvider, Retry
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from gateway.spi.cluster import Invoker, Router
from tests.support.fake_invoker import SERVICE, FakeInvoker, FirstOf, invocation


class OnlyPorts:
    def __init__(self, *ports: int) -> None:
        self.ports = ports

    def route(self, invokers: Sequence[Invoker], invocation: Invocation) -> Sequence[Invoker]:
        return [each for each in invokers if each.endpoint.port in self.ports]

    def __str__(self) -> str:
        return f"ports={','.join(map(str, self.ports))}"


def make(*invokers: FakeInvoker, routers: Sequence[Router] = (), balancer: FirstOf | None = None) -> CallCandidates:
    providers = Providers(SERVICE, invokers, f"registry {len(invokers)}", panic=0.5)
    return CallCandidates(providers, balancer or FirstOf(), invocation(), routers)


def some(*available: bool) -> list[FakeInvoker]:
    return [FakeInvoker(port, available=each) for port, each in enumerate(available, 1)]


@pytest.mark.parametrize(
    ("available", "tried", "picked"),
    [
        ((True, True, True), (), 1),
        ((False, True, True), (), 2),
        ((True, True, True), (1,), 2),
        ((True, True, False), (1, 2), 3),  # not tried, although away
        ((False, True, True), (2, 3), 1),
        ((False, True, False), (1, 2, 3), 2),  # all tried: one that is there
        ((False, False, False), (), 1),  # nobody there: connect on demand
        ((False, False, False), (1,), 2),
        ((False, False, False), (1, 2, 3), 1),
        ((False,), (), 1),
        ((True,), (1,), 1),
    ],
)
def test_pick_prefers_available_and_untried_then_untried_then_available(
    available: tuple[bool, ...], tried: tuple[int, ...], picked: int
) -> None:
    invokers = some(*available)
    chosen = make(*invokers).pick([invokers[port - 1] for port in tried])
    assert chosen.endpoint.port == picked


def test_the_balancer_chooses_among_all_that_are_equally_good() -> None:
    balancer = FirstOf()
    invokers = some(False, True, True, True)
    make(*invokers, balancer=balancer).pick([invokers[1]])
    assert balancer.seen == [invokers, invokers[2:]]


def test_a_single_candidate_needs_no_balancer() -> None:
    balancer = FirstOf()
    candidates = make(FakeInvoker(1), balancer=balancer)
    candidates.pick()
    assert balancer.seen == []
    assert len(candidates) == 1


def test_nobody_at_all_is_explained_with_the_counts() -> None:
    with pytest.raises(NoProvider) as caught:
        make().pick()
    assert str(caught.value) == "no provider for demo.Catalog.find: registry 0, after rules 0"
    assert caught.value.retry is Retry.SAFE


def test_rules_narrow_in_order_and_are_counted_one_by_one() -> None:
    candidates = make(*some(True, False, True), routers=[OnlyPorts(1, 2), OnlyPorts(2)])
    assert candidates.pick().endpoint.port == 2
    assert candidates.explain() == "registry 3, rule ports=1,2 2, rule ports=2 1, after rules 1, healthy 1, available 0"


def test_rules_that_leave_nobody_are_named() -> None:
    with pytest.raises(NoProvider, match=r"registry 2, rule ports=9 0, after rules 0"):
        make(*some(True, True), routers=[OnlyPorts(9)]).pick()


def test_candidates_keep_what_they_were_made_with() -> None:
    candidates = make(*some(True, True))
    assert len(candidates) == 2
    assert candidates.explain() == "registry 2, after rules 2, healthy 2, available 2"


@pytest.mark.parametrize(
    ("ejected", "available", "tried", "picked"),
    [
        ((1,), (True, True, True), (), 2),
        ((1,), (True, True, True), (2,), 3),
        ((1,), (True, True, True), (2, 3), 1),  # ejected, but not tried before
        ((1,), (True, False, False), (), 1),  # ejected, but there
        ((1,), (False, False, False), (), 1),
        ((1, 2), (True, True, True), (), 1),  # too few would be left
        ((1, 2), (True, True, True), (1,), 2),
    ],
)
def test_whoever_is_ejected_is_picked_after_all_healthy_ones(
    ejected: tuple[int, ...], available: tuple[bool, ...], tried: tuple[int, ...], picked: int
) -> None:
    invokers = some(*available)
    for port in ejected:
        invokers[port - 1].load.ejected = True
    chosen = make(*invokers).pick([invokers[port - 1] for port in tried])
    assert chosen.endpoint.port == picked


def test_the_balancer_sees_no_ejected_provider_and_always_the_same_tuple() -> None:
    balancer = FirstOf()
    invokers = some(True, True, True)
    invokers[1].load.ejected = True
    providers = Providers(SERVICE, tuple(invokers), "registry 3", panic=0.5)
    CallCandidates(providers, balancer, invocation()).pick()
    assert balancer.seen == [[invokers[0], invokers[2]]]
    assert providers.healthy is providers.healthy


def test_panic_is_explained() -> None:
    invokers = some(True, True, True)
    invokers[0].load.ejected = invokers[1].load.ejected = True
    assert make(*invokers).explain() == ("registry 3, after rules 3, healthy 1 (too few, so all are used), available 3")


def test_rules_are_followed_by_health() -> None:
    invokers = some(True, True, True)
    invokers[0].load.ejected = True
    candidates = make(*invokers, routers=[OnlyPorts(1, 2)])
    assert candidates.pick().endpoint.port == 2
    assert candidates.explain() == "registry 3, rule ports=1,2 2, after rules 2, healthy 1, available 2"


def test_parts_are_candidates_of_their_own() -> None:
    parts = make(*some(True, True, True)).partition(lambda invoker: "odd" if invoker.endpoint.port % 2 else "even")
    assert list(parts) == ["odd", "even"]
    assert [each.endpoint.port for each in parts["odd"].invokers] == [1, 3]
    assert parts["even"].pick().endpoint.port == 2
    assert parts["even"].explain().endswith("of even 1, after rules 1, healthy 1, available 1")


def test_parts_are_the_same_lists_until_providers_change() -> None:
    def key(invoker: Invoker) -> str:
        return "odd" if invoker.endpoint.port % 2 else "even"

    providers = Providers(SERVICE, tuple(some(True, True, True)), "registry 3")
    balancer = FirstOf()
    first, second = (CallCandidates(providers, balancer, invocation()).partition(key) for _ in range(2))
    assert first["odd"].invokers is second["odd"].invokers
    narrowed = CallCandidates(providers, balancer, invocation(), [OnlyPorts(1, 2)]).partition(key)
    assert [each.endpoint.port for each in narrowed["odd"].invokers] == [1]
    assert "rule ports=1,2 2, of odd 1" in narrowed["odd"].explain()
    assert CallCandidates(providers, balancer, invocation()).partition(key)["odd"].invokers is first["odd"].invokers
