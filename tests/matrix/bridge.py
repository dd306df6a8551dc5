"""One cell of the matrix: client of one wire, gateway, provider of another wire; all real and on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.filters.access_log import AccessLog, AccessLogOptions
from gateway.filters.deadline import Deadline
from gateway.filters.tracing import Tracing, TracingOptions
from gateway.model.call import Invocation, Result
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

__all__ = ["CONSUMER", "KEY", "METHODS", "TIMEOUT_S", "Bridge", "bridge"]

KEY: Final = ServiceKey(CONTRACT.name)
METHODS: Final = MappingProxyType({method.attribute: method for method in CONTRACT.methods})
CONSUMER: Final = "matrix-client"
"""The application that calls; what a provider must hear, not the gateway's own name."""
TIMEOUT_S: Final = 10.0

_HOST: Final = "127.0.0.1"
_NAME: Final = "types"


@dataclass(slots=True)
class Bridge:
    """A started cell. `answer`: what the provider says to the next call, an error is raised; `received`: its calls."""

    client: str
    provider: str
    invoker: Invoker
    answer: Result | Exception | None = None
    received: list[Invocation] = field(default_factory=list)

    async def call(self, method: str, arguments: Sequence[Any], answer: Result | Exception, **more: Any) -> Result:
        """Calls `method` (by attribute) through the gateway; the provider answers `answer`.

        Raises:
            GatewayError: there was no answer, or the call could not be sent.
        """
        self.answer = answer
        self.received.clear()
        signature = METHODS[method]
        return await self.invoker(Invocation(KEY, signature.name, tuple(arguments), signature=signature, **more))

    async def respond(self, invocation: Invocation) -> Result:
        """The provider's handler."""
        # Read here: what cannot be read is the call's failure, as with a hosted service.
        invocation.arguments()
        self.received.append(invocation)
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
        made = Bridge(client, provider, _NOBODY)
        behind = await _listen(stack, catalog, provider, made.respond, forwarded=False)
        adapters: dict[str, ClientAdapter] = {}

        def adapter(protocol: str) -> ClientAdapter:
            if protocol not in adapters:
                adapters[protocol] = catalog.protocol(protocol).client()
                stack.push_async_callback(adapters[protocol].aclose)
            return adapters[protocol]

        registry = catalog.registry("direct").build({"endpoints": (behind,)})
        stack.push_async_callback(registry.aclose)
        settings = ReferenceSettings(KEY, CONTRACT, application="matrix-gateway", retries=0, timeout_s=TIMEOUT_S)
        selector = Selector(SelectionTable({_NAME: ServiceSelection(ProtocolOrder((provider,)))}))
        reference = open_reference(_NAME, settings, selector, {"direct": registry}, adapter, catalog)
        stack.push_async_callback(reference.directory.aclose)
        await reference.directory.start(TIMEOUT_S)
        filters: tuple[Filter, ...] = (Tracing(TracingOptions()), AccessLog(AccessLogOptions()), Deadline())
        handler = compose(filters, RoutingTable({KEY: reference.handler}))
        front = await _listen(stack, catalog, client, handler, forwarded=True)
        caller = catalog.protocol(client).client()
        stack.push_async_callback(caller.aclose)
        made.invoker = caller.open(front, Reference(KEY, CONTRACT, timeout_s=TIMEOUT_S, application=CONSUMER))
        yield made


async def _listen(
    stack: AsyncExitStack, catalog: Catalog, protocol: str, handler: Handler, *, forwarded: bool
) -> Endpoint:
    plugin = catalog.protocol(protocol)
    if findings := plugin.check_contract(CONTRACT):
        raise ContractError(f"{protocol} cannot carry {CONTRACT.name}: {'; '.join(findings)}")
    server = plugin.server(ListenerOptions("matrix", protocol, _HOST, 0, max_frame_bytes=16 << 20))
    stack.push_async_callback(server.aclose)
    (endpoint,) = await server.start(handler, [Exposure(KEY, CONTRACT, forwarded)])
    return endpoint


_NOBODY: Final[Any] = None
