"""The composition root: what a configuration becomes, before anything of it is started."""

from __future__ import annotations

import asyncio
import re

import pytest

from gateway.config.load import load_text
from gateway.config.model import GatewayConfig
from gateway.config.sections.registry import RegistryConfig
from gateway.contracts import contract_of
from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ConfigError, ContractError, DeadlineExceeded, NoSuchService, Overloaded
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.runtime.build import Plan, build
from tests.support.greeting import Greeting
from tests.support.probe_service import Probing
from tests.support.second_wire import with_second_wire

CONTRACT = contract_of(Greeting)
HOSTED = """
  hosted:
    contract: tests.support.greeting:Greeting
    implementation: tests.support.greeting:Greeter
    listeners: [one]
"""


def plan(services: str, *, listeners: str = "{one: {protocol: dubbo, port: 0}}", more: str = "") -> Plan:
    catalog = Catalog([])
    text = f"application: {{name: shop}}\nlisteners: {listeners}\nservices:{services}\n{more}"
    return build(load_text(text, "test.yaml", catalog), catalog)


def greet(**attributes: object) -> Invocation:
    return Invocation(ServiceKey("test.Greeting"), "greet", ("ann",), **attributes)  # type: ignore[arg-type]


async def test_hosted_service_answers_through_its_listener() -> None:
    built = plan(HOSTED)
    (listener,) = built.listeners.values()
    answer = await listener.handler(greet())
    assert isinstance(answer, Ok)
    assert answer.value == "hello ann"
    assert listener.exposures == (Exposure(ServiceKey("test.Greeting"), CONTRACT, forwarded=False),)
    assert (listener.options.name, listener.options.application) == ("one", "shop")
    assert built.clients == {}


async def test_listener_shows_only_its_own_services() -> None:
    listeners = "{one: {protocol: dubbo, port: 0}, two: {protocol: dubbo, port: 0}}"
    built = plan(HOSTED, listeners=listeners)
    assert built.listeners["two"].exposures == ()
    with pytest.raises(NoSuchService, match=r"no service test\.Greeting here"):
        await built.listeners["two"].handler(greet())


async def test_every_listener_refuses_what_nobody_waits_for() -> None:
    with pytest.raises(DeadlineExceeded):
        await plan(HOSTED).listeners["one"].handler(greet(deadline=0.0))


async def test_filters_of_a_service_are_those_of_the_configuration() -> None:
    Probing.reset()
    Probing.expect("k")
    services = """
  probe:
    contract: tests.support.probe_service:Probe
    implementation: tests.support.probe_service:Probing
    filters: [narrow]
"""
    built = plan(services, more="filters:\n  narrow: {type: concurrency, options: {limit: 1}}\n")
    handler = built.services["probe"].handler
    key = ServiceKey("test.Probe")
    first = asyncio.create_task(handler(Invocation(key, "wait", ("k",))))
    await Probing.entered["k"].wait()
    with pytest.raises(Overloaded):
        await handler(Invocation(key, "name", ()))
    Probing.released["k"].set()
    assert isinstance(await first, Ok)
    assert isinstance(await handler(Invocation(key, "name", ())), Ok)


async def test_a_filter_with_a_name_is_one_object_wherever_it_is_used() -> None:
    Probing.reset()
    Probing.expect("k")
    service = """
  {name}:
    contract: tests.support.probe_service:Probe
    group: {name}
    implementation: tests.support.probe_service:Probing
    filters: [{filter}]
"""
    limits = "filters:" + "".join(
        f"\n  {name}: {{type: concurrency, options: {{limit: 1}}}}" for name in ("narrow", "other")
    )
    names = {"one": "narrow", "two": "narrow", "three": "other"}
    built = plan("".join(service.format(name=name, filter=each) for name, each in names.items()), more=limits)
    handlers = {name: built.services[name].handler for name in names}
    first = asyncio.create_task(handlers["one"](Invocation(ServiceKey("test.Probe", "one"), "wait", ("k",))))
    await Probing.entered["k"].wait()
    with pytest.raises(Overloaded):
        await handlers["two"](Invocation(ServiceKey("test.Probe", "two"), "name", ()))
    assert isinstance(await handlers["three"](Invocation(ServiceKey("test.Probe", "three"), "name", ())), Ok)
    Probing.released["k"].set()
    assert isinstance(await first, Ok)
    assert isinstance(await handlers["two"](Invocation(ServiceKey("test.Probe", "two"), "name", ())), Ok)


def test_what_a_service_says_about_a_protocol_goes_to_the_listeners_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "hunter2")
    catalog = with_second_wire()
    text = """
listeners: {one: {protocol: dubbo, port: 0}, two: {protocol: second, port: 0}}
services:
  hosted:
    contract: tests.support.greeting:Greeting
    implementation: tests.support.greeting:Greeter
    listeners: [one, two]
    protocols: {second: {numbers: {greet: 7}, key: mine}}
credentials: {mine: {env: KEY}}
"""
    built = build(load_text(text, "test.yaml", catalog), catalog)
    (one,) = built.listeners["one"].exposures
    (two,) = built.listeners["two"].exposures
    assert dict(one.options) == {}
    assert dict(two.options) == {"numbers": {"greet": 7}, "key": "hunter2"}


async def test_addresses_replace_registries_of_their_service_only() -> None:
    built = plan(
        """
  direct:
    contract: tests.support.greeting:Greeting
    group: here
    remote:
      addresses: ["dubbo://10.0.0.1:1", "dubbo://10.0.0.2:2/other.Name?weight=7"]
      group: there
    listeners: [one]
  found:
    contract: tests.support.greeting:Greeting
    remote: {registries: [local]}
    listeners: [one]
""",
        more="registries:\n  local: {type: embedded}\n",
    )
    assert list(built.registries) == ["local"]
    assert sorted(built.directories) == ["direct", "found"]
    assert built.directories["direct"].providers.service == ServiceKey("test.Greeting", "there")
    assert built.directories["found"].providers.service == ServiceKey("test.Greeting")
    assert [each.forwarded for each in built.listeners["one"].exposures] == [True, True]
    (registry,) = built.directories["direct"]._registries.values()
    async for snapshot in registry.watch(ServiceKey("test.Greeting", "there")):
        assert snapshot.endpoints == (Endpoint("dubbo", "10.0.0.1", 1, ServiceKey("test.Greeting", "there")),)
        break


async def test_clients_are_made_once_per_protocol_and_when_needed() -> None:
    built = plan(
        """
  one:
    contract: tests.support.greeting:Greeting
    remote: {addresses: ["dubbo://127.0.0.1:1"]}
  two:
    contract: tests.support.greeting:Greeting
    group: two
    remote: {addresses: ["dubbo://127.0.0.1:2"]}
"""
    )
    assert built.clients == {}
    for directory in built.directories.values():
        await directory.start(5.0)
    assert list(built.clients) == ["dubbo"]
    for client in built.clients.values():
        await client.aclose()
    for directory in built.directories.values():
        await directory.aclose()


def test_implementation_that_fails_is_named_with_its_service(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: object, word: str = "", times: int = 1) -> None:
        raise ZeroDivisionError("no words")

    monkeypatch.setattr("tests.support.greeting.Greeter.__init__", failing)
    text = "services.hosted: tests.support.greeting:Greeter failed when it was called: ZeroDivisionError: no words"
    with pytest.raises(ContractError, match=re.escape(text)):
        plan(HOSTED)


def test_a_filter_per_provider_stands_around_attempts_only() -> None:
    options = "filters:\n  each: {type: concurrency, options: {limit: 1, per: provider}}\n"
    text = HOSTED + "    filters: [each]\n"
    with pytest.raises(ConfigError, match="'each' is per provider"):
        plan(text, more=options)


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("zookeeper", {}, "registries.shared.options: 'address' is required"),
        ("simple", {"lease": 3.0}, "registries.shared.options: needs serve"),
    ],
)
def test_a_registry_that_a_program_configured_must_be_complete(
    kind: str, options: dict[str, object], text: str
) -> None:
    config = GatewayConfig(registries={"shared": RegistryConfig(type=kind, options=options)})
    with pytest.raises(ConfigError, match=re.escape(text)):
        build(config, Catalog([]))
