"""From a configuration to the table that decides which protocol a call takes, and who is the caller."""

from __future__ import annotations

import pytest

from gateway.config.load import load_text
from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ServiceSelection
from gateway.runtime.selection import consumer_name, known_protocols, selection_table
from tests.support.second_wire import with_second_wire

BUILT_IN = tuple(BUILTIN["protocol"])


def selection(remote: str, consumers: str = "{}") -> ServiceSelection:
    catalog = with_second_wire()
    text = f"""
registries: {{local: {{type: embedded}}}}
services:
  catalog:
    contract: tests.support.greeting:Greeting
    remote: {{{remote}}}
consumers: {consumers}
"""
    return selection_table(load_text(text, "test.yaml", catalog), catalog).services["catalog"]


def orders(remote: str, consumers: str = "{}") -> dict[str, tuple[str, ...]]:
    """What each consumer takes; everybody else under the empty name."""
    found = selection(remote, consumers)
    for consumer, order in found.consumers.items():
        assert (order.consumer, order.written) == (consumer, True)
    return {"": found.default.protocols, **{name: each.protocols for name, each in found.consumers.items()}}


def test_the_order_without_a_word_is_that_of_the_gateway_and_then_by_name() -> None:
    assert known_protocols(Catalog([])) == BUILT_IN
    assert known_protocols(with_second_wire()) == (*BUILT_IN, "second")
    assert BUILT_IN[0] == "dubbo"
    found = selection("registries: [local]")
    assert found.default.protocols == (*BUILT_IN, "second")
    assert not found.default.written


def test_only_protocols_of_addresses_are_taken_where_there_are_addresses() -> None:
    assert orders("addresses: ['second://h:1', 'dubbo://h:2']") == {"": ("dubbo", "second")}
    assert orders("addresses: ['second://h:1']") == {"": ("second",)}


@pytest.mark.parametrize(
    ("remote", "consumers", "billing"),
    [
        ("protocol: dubbo", "{protocol: second}", ("second", "dubbo")),
        ("protocol: dubbo, fallback: [second]", "{protocol: second}", ("second", "dubbo")),
        ("protocol: dubbo", "{protocol: second, fallback: false}", ("second",)),
        ("protocol: dubbo", "{protocol: second, fallback: []}", ("second",)),
        ("protocol: second", "{protocol: second, fallback: [dubbo]}", ("second", "dubbo")),
        ("protocol: dubbo", "{protocol: second, services: {catalog: {protocol: dubbo}}}", ("dubbo",)),
        ("protocol: dubbo", "{services: {catalog: {protocol: second, fallback: false}}}", ("second",)),
        # What a consumer says about falling back holds for the services it names, unless they say otherwise.
        ("protocol: dubbo", "{fallback: false, services: {catalog: {protocol: second}}}", ("second",)),
        ("protocol: dubbo", "{fallback: false, services: {catalog: {protocol: second, fallback: [dubbo]}}}",
         ("second", "dubbo")),
    ],
)  # fmt: skip
def test_a_consumer_has_an_order_of_its_own(remote: str, consumers: str, billing: tuple[str, ...]) -> None:
    found = orders(f"registries: [local], {remote}", f"{{billing: {consumers}}}")

    assert found["billing"] == billing
    assert found[""][0] == ("second" if remote.startswith("protocol: second") else "dubbo")


def test_without_a_word_of_the_service_a_consumer_falls_back_to_the_order_of_the_gateway() -> None:
    rest = tuple(name for name in BUILT_IN if name != "dubbo")

    assert orders("registries: [local]", "{b: {protocol: second}}")["b"] == ("second", *BUILT_IN)
    assert orders("registries: [local]", "{b: {protocol: dubbo}}")["b"] == ("dubbo", *rest, "second")


def test_a_rule_for_all_services_leaves_out_those_it_cannot_apply_to() -> None:
    assert orders("addresses: ['dubbo://h:1']", "{b: {protocol: second}}") == {"": ("dubbo",)}


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        ("me", {"POLYPORT_CONSUMER": "it"}, "me"),
        ("", {"POLYPORT_CONSUMER": "it"}, "it"),
        ("", {"POLYPORT_CONSUMER": ""}, "app"),
        ("", {}, "app"),
    ],
)
def test_a_consumer_is_named_by_argument_environment_or_application(
    given: str, environ: dict[str, str], expected: str
) -> None:
    assert consumer_name(given, "app", environ) == expected
