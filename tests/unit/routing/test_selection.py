"""Which protocol a call takes: the order of its consumer, and what is said about it."""

from __future__ import annotations

import pytest

from gateway.routing.providers import Providers
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection, narrowed
from tests.support.fake_invoker import SERVICE, FakeInvoker, endpoint


def known(**counts: int) -> Providers:
    """So many providers of each protocol; they come mixed."""
    ports = range(1, max(counts.values(), default=0) + 1)
    invokers = [FakeInvoker(endpoint(port, protocol=name)) for port in ports for name in counts if port <= counts[name]]
    return Providers(SERVICE, tuple(invokers), f"registry {len(invokers)}")


def ask(*protocols: str, consumer: str = "", written: bool = True) -> ProtocolOrder:
    return ProtocolOrder(protocols, consumer, written)


@pytest.mark.parametrize(
    ("counts", "order", "taken", "origin", "missed"),
    [
        # Nobody asked: the first of the order that has providers, and not a word where there is no choice.
        ({}, ask("dubbo", "http", written=False), "", "registry 0", ""),
        ({"http": 2}, ask("dubbo", "http", written=False), "http http", "registry 2", ""),
        ({"http": 1, "dubbo": 2}, ask("dubbo", "http", written=False), "dubbo dubbo",
         "registry 3, protocol dubbo 2", ""),
        # The service asks.
        ({"http": 1}, ask("http"), "http", "registry 1", ""),
        ({"http": 1, "dubbo": 1}, ask("http"), "http", "registry 2, protocol http 1 (default of the service)", ""),
        ({}, ask("http"), "", "registry 0, protocol http 0 (default of the service)", ""),
        ({"dubbo": 1}, ask("http", "dubbo"), "dubbo",
         "registry 1, protocol http 0 (default of the service), protocol dubbo 1", "http"),
        # A consumer asks: always said.
        ({"http": 2}, ask("http", "dubbo", consumer="billing"), "http http",
         "registry 2, protocol http 2 (consumer billing)", ""),
        ({"dubbo": 3}, ask("http", consumer="billing"), "", "registry 3, protocol http 0 (consumer billing)", ""),
        ({"dubbo": 1}, ask("http", "rmi", "dubbo", consumer="billing"), "dubbo",
         "registry 1, protocol http 0 (consumer billing), protocol rmi 0, protocol dubbo 1", "http"),
        ({"rmi": 1}, ask("http", "dubbo", consumer="billing"), "",
         "registry 1, protocol http 0 (consumer billing), protocol dubbo 0", ""),
    ],
)  # fmt: skip
def test_the_first_protocol_with_providers_is_taken_and_explained(
    counts: dict[str, int], order: ProtocolOrder, taken: str, origin: str, missed: str
) -> None:
    chosen = narrowed(known(**counts), order)

    assert [each.endpoint.protocol for each in chosen.invokers] == taken.split()
    assert (chosen.service, chosen.origin, chosen.missed) == (SERVICE, origin, missed)


def test_providers_of_a_protocol_keep_their_order() -> None:
    chosen = narrowed(known(http=3, dubbo=3), ask("http"))

    assert [each.endpoint.port for each in chosen.invokers] == [1, 2, 3]


def test_an_order_without_a_protocol_is_none() -> None:
    with pytest.raises(ValueError, match="needs one at least"):
        ProtocolOrder(())


def test_a_selection_names_every_protocol_that_may_be_taken() -> None:
    selection = ServiceSelection(ask("dubbo"), {"a": ask("http", "dubbo"), "b": ask("rmi")})

    assert selection.protocols == {"dubbo", "http", "rmi"}


def test_a_table_does_not_change_with_what_it_was_made_of() -> None:
    services = {"s": ServiceSelection(ask("dubbo"))}
    table = SelectionTable(services)
    services.clear()

    assert list(table.services) == ["s"]
    with pytest.raises(TypeError):
        table.services["t"] = ServiceSelection(ask("dubbo"))  # type: ignore[index]


def test_a_table_is_swapped_whole_and_knows_every_service() -> None:
    one = ServiceSelection(ask("dubbo"))
    selector = Selector(SelectionTable({"a": one, "b": one}))
    with pytest.raises(ValueError, match="says nothing about b"):
        selector.swap(SelectionTable({"a": one}))
    wider = SelectionTable({"a": one, "b": one, "c": one})
    selector.swap(wider)

    assert selector.current is wider
