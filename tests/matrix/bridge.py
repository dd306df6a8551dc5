"""One cell of the matrix: client of one wire, gateway, provider of another wire; all real and on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from gateway.filters.access_log import AccessLog, AccessLogOptions
from gateway.filters.deadline import Deadline
from gateway.filters.tracing import Tracing, TracingOptions
from gateway.model.call import Invocation, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from gateway.routing.selection import ProtocolOrder, SelectionTable, Selector, ServiceSelection
from gateway.routing.table import RoutingTable
from gateway.runtime.reference import ReferenceSettings, open_reference
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference
from gateway.spi.cluster import Invoker
from gateway.spi.handler import Filter, Handler, compose
from protocols.testing import CONTRACT
from tests.matrix.forms import FORMS, OLDER
from tests.support.relay import Relay, relaying

__all__ = ["CONSUMER", "TIMEOUT_S", "Bridge", "bridge"]

CONSUMER: Final = "matrix-client"
"""The application that calls; what a provider must hear, not the gateway's own name."""
TIMEOUT_S: Final = 10.0

_HOST: Final = "127.0.0.1"
_CONTRACTS: Final = (CONTRACT, FORMS)
_METHODS: Final = MappingProxyType(
    {method.attribute: (contract, method) for contract in _CONTRACTS for method in contract.methods}
)
_OLDER: Final = "older"
"""Marks the invoker of a caller that has an older contract."""


@dataclass(slots=True)
class Bridge:
    """A started cell.

    Attributes:
        client: The wire of the client.
        provider: The wire of the provider.
        before: What goes through between client and gateway.
        behind: What goes through between gateway and provider.
        answer: What the provider says to the next call; an error is raised.
        asked: Set when the provider has a call.
        may_answer: What the provider waits for before it answers.
        received: The calls that the provider got.
    """

    client: str
    provider: str
    before: Relay
    behind: Relay
    answer: Result | Exception | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    received: list[Invocation] = field(default_factory=list)
    _invokers: dict[str, Invoker] = field(default_factory=dict)

    async def call(self, method: str, arguments: Sequence[Any], answer: Result | Exception, **more: Any) -> Result:
        """Calls `method` (by attribute) through the gateway; the provider answers `answer`.

        `more`: of the invocation; `held=True` keeps the provider waiting for `may_answer`.

        Raises:
            GatewayError: there was no answer, or the call could not be sent.
        """
        contract, signature = _METHODS[method]
        return await self._call(contract.name, contract, signature, arguments, answer, more)

    async def call_with_older_contract(self, method: str, arguments: Sequence[Any], answer: Result) -> Result:
        """As `call`, by a caller whose contract is `OLDER`."""
        (signature,) = (each for each in OLDER.methods if each.attribute == method)
        return await self._call(_OLDER, OLDER, signature, arguments, answer, {})

    async def _call(
        self,
        invoker: str,
        contract: ServiceContract,
        signature: MethodContract,
        arguments: Sequence[Any],
        answer: Result | Exception,
        more: dict[str, Any],
    ) -> Result:
        self.expect(answer, held=more.pop("held", False))
        key = ServiceKey(contract.name)
        return await self._invokers[invoker](
            Invocation(key, signature.name, tuple(arguments), signature=signature, **more)
        )

    def expect(self, answer: Result | Exception, *, held: bool = False) -> None:
        """What the provider says to the next call, whoever makes it; forgets the one before."""
        self.answer = answer
        self.received.clear()
        self.asked.clear()
        if held:
            self.may_answer.clear()
        else:
            self.may_answer.set()
        for relay in (self.before, self.behind):
            relay.sent.clear()
            relay.received.clear()

    async def respond(self, invocation: Invocation) -> Result:
        """The provider's handler."""
        # Read here: what cannot be read is the call's failure, as with a hosted service.
        invocation.arguments()
        self.received.append(invocation)
        self.asked.set()
        await self.may_answer.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None, "call sets the answer"
        return self.answer


@asynccontextmanager
async def bridge(client: str, provider: str, catalog: Catalog) -> AsyncIterator[Bridge]:
    """Starts provider, gateway and client, and ends them. `client`, `provider`: names of protocols.

    The gateway is put together from the parts a configuration is built into: filters of a listener, routing table,
    directory, cluster and balancer.

    Raises:
        ContractError: a wire says that it cannot carry the corpus; lists everything it found.
    """
    async with AsyncExitStack() as stack:
        made: list[Bridge] = []

        async def respond(invocation: Invocation) -> Result:
            return await made[0].respond(invocation)

        behind, providers = await _listen(stack, catalog, provider, respond, forwarded=False)
        adapters: dict[str, ClientAdapter] = {}

        def adapter(protocol: str) -> ClientAdapter:
            if protocol not in adapters:
                adapters[protocol] = catalog.protocol(protocol).client()
                stack.push_async_callback(adapters[protocol].aclose)
            return adapters[protocol]

        registry = catalog.registry("direct").build({"endpoints": providers})
        stack.push_async_callback(registry.aclose)
        handlers = {}
        for contract in _CONTRACTS:
            key = ServiceKey(contract.name)
            settings = ReferenceSettings(key, contract, application="matrix-gateway", retries=0, timeout_s=TIMEOUT_S)
            selector = Selector(SelectionTable({contract.name: ServiceSelection(ProtocolOrder((provider,)))}))
            reference = open_reference(contract.name, settings, selector, {"direct": registry}, adapter, catalog)
            stack.push_async_callback(reference.directory.aclose)
            await reference.directory.start(TIMEOUT_S)
            handlers[key] = reference.handler
        filters: tuple[Filter, ...] = (Tracing(TracingOptions()), AccessLog(AccessLogOptions()), Deadline())
        handler = compose(filters, RoutingTable(handlers))
        before, fronts = await _listen(stack, catalog, client, handler, forwarded=True)
        caller = catalog.protocol(client).client()
        stack.push_async_callback(caller.aclose)
        made.append(Bridge(client, provider, before, behind))
        for name, front, contract in zip(
            (*(each.name for each in _CONTRACTS), _OLDER), (*fronts, fronts[-1]), (*_CONTRACTS, OLDER), strict=True
        ):
            key = ServiceKey(contract.name)
            # Patient, so that only the deadline of a call ends it.
            told = Reference(key, contract, timeout_s=TIMEOUT_S, application=CONSUMER)
            made[0]._invokers[name] = caller.open(front, told)
        yield made[0]


async def _listen(
    stack: AsyncExitStack, catalog: Catalog, protocol: str, handler: Handler, *, forwarded: bool
) -> tuple[Relay, list[Endpoint]]:
    """A listener, a relay in front of it, and where the relay has each service of `_CONTRACTS`."""
    plugin = catalog.protocol(protocol)
    for contract in _CONTRACTS:
        if findings := plugin.check_contract(contract):
            raise ContractError(f"{protocol} cannot carry {contract.name}: {'; '.join(findings)}")
    server = plugin.server(ListenerOptions("matrix", protocol, _HOST, 0, max_frame_bytes=16 << 20))
    stack.push_async_callback(server.aclose)
    exposures = [Exposure(ServiceKey(each.name), each, forwarded) for each in _CONTRACTS]
    endpoints = await server.start(handler, exposures)
    relay = await stack.enter_async_context(relaying(endpoints[0].address, half_closes=True))
    port = int(relay.address.rpartition(":")[2])
    return relay, [replace(each, port=port) for each in endpoints]
