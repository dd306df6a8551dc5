from gateway.model.call import Invocation, Peer
from gateway.routing.candidates import CallCandidates
from gateway.routing.providers import Providers
from gateway.routing.sticky import Sticky, StickyTable
from tests.support.fake_invoker import SERVICE, FakeInvoker, invocation


class InTurn:
    """A balancer that never gives the same one twice in a row."""

    def __init__(self) -> None:
        self.asked = 0

    def select(self, invokers: object, invocation: Invocation) -> FakeInvoker:
        assert isinstance(invokers, tuple | list)
        self.asked += 1
        chosen = invokers[self.asked % len(invokers)]
        assert isinstance(chosen, FakeInvoker)
        return chosen

    def explain(self, invokers: object, invocation: Invocation, chosen: object) -> str:
        return "in turn"


def pick(sticky: Sticky, *invokers: FakeInvoker, consumer: str = "shop", tried: tuple[FakeInvoker, ...] = ()) -> int:
    call = invocation(consumer=consumer)
    candidates = CallCandidates(Providers(SERVICE, invokers, "registry"), sticky, call)
    return candidates.pick(tried).endpoint.port


def some(count: int = 4) -> list[FakeInvoker]:
    return [FakeInvoker(port) for port in range(count)]


def test_a_consumer_stays_with_its_provider_and_others_with_theirs() -> None:
    sticky = Sticky(InTurn(), StickyTable())
    invokers = some()
    mine = {pick(sticky, *invokers) for _ in range(10)}
    yours = {pick(sticky, *invokers, consumer="billing") for _ in range(10)}
    assert len(mine) == len(yours) == 1
    assert mine != yours


def test_consumers_without_a_name_are_known_by_their_address() -> None:
    balancer = InTurn()
    sticky = Sticky(balancer, StickyTable())
    invokers = tuple(some())
    for port in (1, 2, 1, 2):
        sticky.select(invokers, invocation(peer=Peer("dubbo", f"10.0.0.9:{port}")))
    assert balancer.asked == 2


def test_methods_that_share_a_table_share_the_provider() -> None:
    table = StickyTable()
    invokers = some()
    assert pick(Sticky(InTurn(), table), *invokers) == pick(Sticky(InTurn(), table), *invokers)


def test_whoever_is_gone_away_ejected_or_tried_is_left_for_another_one_that_is_kept() -> None:
    for trouble in ("gone", "away", "ejected", "tried"):
        sticky = Sticky(InTurn(), StickyTable())
        invokers = some()
        first = pick(sticky, *invokers)
        tried: tuple[FakeInvoker, ...] = ()
        if trouble == "gone":
            del invokers[first]
        elif trouble == "away":
            invokers[first].available = False
        elif trouble == "ejected":
            invokers[first].load.ejected = True
        else:
            tried = (invokers[first],)
        second = pick(sticky, *invokers, tried=tried)
        assert second != first, trouble
        assert {pick(sticky, *invokers) for _ in range(5)} == {second}, trouble


def test_the_table_is_bounded_and_forgets_who_called_longest_ago() -> None:
    table = StickyTable(max_consumers=3)
    balancer = InTurn()
    sticky = Sticky(balancer, table)
    invokers = some()
    for consumer in ("a", "b", "c", "a", "d"):
        pick(sticky, *invokers, consumer=consumer)
    assert len(table) == 3
    asked = balancer.asked
    pick(sticky, *invokers, consumer="a")
    assert balancer.asked == asked
    pick(sticky, *invokers, consumer="b")
    assert balancer.asked == asked + 1


def test_names_that_are_too_long_are_not_remembered() -> None:
    table = StickyTable()
    sticky = Sticky(InTurn(), table)
    invokers = some()
    assert [pick(sticky, *invokers, consumer="x" * 201) for _ in range(3)] == [1, 2, 3]
    assert len(table) == 0
    assert pick(sticky, *invokers, consumer="x" * 200) == pick(sticky, *invokers, consumer="x" * 200)


def test_in_each_of_several_groups_a_consumer_has_a_provider_of_its_own() -> None:
    balancer = InTurn()
    sticky = Sticky(balancer, StickyTable())
    groups = [tuple(some()) for _ in range(3)]
    first = [sticky.select(group, invocation(consumer="shop")) for group in groups]
    for _ in range(5):
        assert [sticky.select(group, invocation(consumer="shop")) for group in groups] == first
    assert balancer.asked == 3


def test_lists_that_are_gone_are_not_remembered_for_ever() -> None:
    sticky = Sticky(InTurn(), StickyTable())
    for _ in range(100):
        invokers = tuple(some())
        chosen = sticky.select(invokers, invocation(consumer="shop"))
        assert sticky.select(invokers, invocation(consumer="shop")) is chosen
    assert len(sticky._members) <= 8
    assert len(sticky._table.get("shop")) <= 8


def test_the_choice_is_explained() -> None:
    sticky = Sticky(InTurn(), StickyTable())
    invokers = tuple(some())
    chosen = sticky.select(invokers, invocation())
    assert sticky.explain(invokers, invocation(), chosen) == "sticky, in turn"
