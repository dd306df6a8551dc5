"""The public pair of server and client that authors of plug-ins test with."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from adapters.dubbo import PLUGIN as DUBBO
from adapters.tcp.client import TcpClient
from adapters.tcp.server import TcpServer
from adapters.testing import joined
from gateway.model.call import Invocation, Ok, Result
from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError, Overloaded, Unauthenticated
from gateway.model.typeref import Kind, TypeRef
from gateway.spi.adapter import ListenerOptions, Reference
from gateway.spi.plugin import ProtocolPlugin
from protocols.testing import CONTRACT, CORPUS, Case, difference
from tests.support.toy_wire import SERVICE, ToyClientWire, ToyServerWire, ToyService

TOY = ProtocolPlugin(
    name="toy",
    default_port=7,
    server=lambda options: TcpServer(options, lambda _: ToyServerWire()),
    client=lambda: TcpClient(lambda _: ToyClientWire()),
    check_contract=lambda contract: [f"{each.name}: only bytes" for each in contract.methods if each.name != "echo"],
    listener_options=MappingProxyType({}),
    reference_options=MappingProxyType({}),
    client_snippet=lambda address, service: "",
)
BYTES = TypeRef(Kind.BYTES)


def contract(*methods: MethodContract) -> ServiceContract:
    return ServiceContract("toy.Service", methods)


def method(name: str, attribute: str, **flags: Any) -> MethodContract:
    return MethodContract(name, (Param("argument", BYTES),), BYTES, attribute, **flags)


def options(**values: Any) -> Mapping[str, Any]:
    return MappingProxyType(values)


async def echo(invocation: Invocation) -> Result:
    (value,) = invocation.arguments()
    return Ok(value)


async def test_service_without_a_contract() -> None:
    async with joined(TOY, ToyService(), None, service=SERVICE) as pair:
        result = await pair.call("echo", b"hello")
        assert isinstance(result, Ok)
        assert result.value == b"hello"
        assert [(each.method, each.arguments()) for each in pair.received] == [("echo", (b"hello",))]
        assert pair.endpoint.port
        assert pair.endpoint.service == SERVICE


async def test_methods_go_by_their_python_name() -> None:
    async with joined(TOY, ToyService(), contract(method("echo", "echo_of_bytes"))) as pair:
        assert isinstance(await pair.call("echo_of_bytes", b""), Ok)
        assert pair.received[0].method == "echo"
        with pytest.raises(LookupError, match=r"toy\.Service has no method echo; it has echo_of_bytes"):
            await pair.call("echo", b"")


async def test_oneway_is_the_contracts_affair() -> None:
    service = ToyService()
    async with joined(TOY, service, contract(method("echo", "tell", oneway=True))) as pair:
        result = await pair.call("tell", b"x")
        assert isinstance(result, Ok)
        assert result.value is None
        await service.until(received=1)
        assert pair.received[0].oneway


async def test_contract_the_plugin_refuses_is_not_even_listened_for() -> None:
    with pytest.raises(ContractError, match=r"toy cannot carry toy\.Service: a: only bytes; b: only bytes"):
        async with joined(TOY, ToyService(), contract(method("a", "a"), method("b", "b"))):
            pass


async def test_service_needs_a_name_or_a_contract() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        async with joined(TOY, ToyService(), None):
            pass


async def test_listener_and_reference_may_be_adjusted() -> None:
    limits = ListenerOptions("any", "any", "192.0.2.1", 1, max_calls=1)
    patient = Reference(ServiceKey("any"), None, timeout_s=60.0)
    service = ToyService()
    async with joined(TOY, service, None, service=SERVICE, listener=limits, reference=patient) as pair:
        await pair.call("slow", b"", oneway=True)
        await service.until(waiting=1)
        with pytest.raises(Overloaded):
            await pair.call("slow", b"")


async def test_both_ends_are_closed_when_the_test_fails() -> None:
    with contextlib.suppress(ZeroDivisionError):
        async with joined(TOY, ToyService(), None, service=SERVICE) as pair:
            await pair.call("echo", b"")
            raise ZeroDivisionError
    assert isinstance(pair.server, TcpServer)
    assert isinstance(pair.client, TcpClient)
    assert (pair.server.connections, pair.client.connections) == (0, ())


@pytest.mark.parametrize("case", CORPUS[::40], ids=lambda case: case.name)
async def test_real_wire_carries_the_corpus(case: Case) -> None:
    async with joined(DUBBO, echo, CONTRACT) as pair:
        result = await pair.call(case.method, case.value)
    assert isinstance(result, Ok)
    assert difference(case.value, result.value) is None


async def test_real_wire_takes_its_own_options() -> None:
    listener = ListenerOptions("any", "any", "any", 0, options=options(token="s3cret"))
    reference = Reference(ServiceKey("any"), None, token="s3cret")
    case = CORPUS[0]
    async with joined(DUBBO, echo, CONTRACT, listener=listener, reference=reference) as pair:
        assert isinstance(await pair.call(case.method, case.value), Ok)
    async with joined(DUBBO, echo, CONTRACT, listener=listener, reference=replace(reference, token="")) as pair:
        with pytest.raises(Unauthenticated):
            await pair.call(case.method, case.value)


async def test_forwarded_arguments_arrive_as_bytes() -> None:
    case = CORPUS[0]
    async with joined(DUBBO, echo, CONTRACT, forwarded=True) as pair:
        await pair.call(case.method, case.value)
        assert pair.received[0].raw is not None
