"""A protocol plug-in tried out without a gateway: its own server and its own client, joined over loopback.

For everybody who writes a wire, also outside of this project:

    from adapters.testing import joined
    from gateway.model.call import Ok
    from protocols.testing import CONTRACT, CORPUS, difference

    async def echo(invocation):
        (value,) = invocation.arguments()
        return Ok(value)

    @pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
    async def test_every_value_survives(case):
        async with joined(PLUGIN, echo, CONTRACT) as pair:
            result = await pair.call(case.method, case.value)
        assert difference(case.value, result.value) is None

What the server hands to its handler is in `pair.received`, so one test sees both ends. Needs no test framework, no
configuration and no free port chosen by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.model.call import Invocation, Result
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import ContractError
from gateway.model.exposure import Exposure
from gateway.spi.adapter import ClientAdapter, ListenerOptions, Reference, ServerAdapter
from gateway.spi.cluster import Invoker
from gateway.spi.handler import Handler
from gateway.spi.plugin import ProtocolPlugin

__all__ = ["Joined", "joined"]

_TIMEOUT_S: Final = 5.0


@dataclass(slots=True)
class Joined:
    """Both ends of one service over one wire. Closed by `joined`.

    Attributes:
        server: The plug-in's listener, on `endpoint`.
        client: The plug-in's client; `client.open` gives further invokers.
        invoker: Calls the service at `endpoint`.
        received: What reached the handler, oldest first.
    """

    server: ServerAdapter
    client: ClientAdapter
    endpoint: Endpoint
    invoker: Invoker
    contract: ServiceContract | None
    received: list[Invocation] = field(default_factory=list)

    async def call(self, method: str, *arguments: Any, **attributes: Any) -> Result:
        """Calls `method` with all its arguments, defaults included.

        `method`: the Python name (`MethodContract.attribute`), which is unique among overloads; any name where the
        service has no contract. `attributes`: further ones of the `Invocation` (attachments, deadline …).

        Raises:
            LookupError: the contract has no such method.
            RpcError: there was no answer.
        """
        signature = None if self.contract is None else _method(self.contract, method)
        attributes.setdefault("oneway", signature is not None and signature.oneway)
        name = method if signature is None else signature.name
        invocation = Invocation(self.endpoint.service, name, arguments, signature=signature, **attributes)
        return await self.invoker(invocation)


@asynccontextmanager
async def joined(
    plugin: ProtocolPlugin,
    handler: Handler,
    contract: ServiceContract | None,
    *,
    service: ServiceKey | None = None,
    listener: ListenerOptions | None = None,
    reference: Reference | None = None,
    forwarded: bool = False,
) -> AsyncIterator[Joined]:
    """Starts the plug-in's server in front of `handler`, opens its client towards it, and closes both at the end.

    `contract`: None for a service without one, which needs `service`. `service`: default is the contract's name without
    group and version. `listener`: limits and options to listen with; host, port and protocol are set here.
    `reference`: timeouts, token and options to call with; service and contract are set here. `forwarded`: as if the
    service lived elsewhere, so that arguments reach the handler as bytes.

    Raises:
        ContractError: the plug-in says that it cannot carry the contract; lists everything it found.
    """
    if contract is not None and (findings := plugin.refusals(contract)):
        raise ContractError(f"{plugin.name} cannot carry {contract.name}: {'; '.join(findings)}")
    if service is None:
        if contract is None:
            raise ValueError("a service without a contract needs a name")
        service = ServiceKey(contract.name)
    listener = replace(
        listener or ListenerOptions("testing", plugin.name, "", 0), protocol=plugin.name, host="127.0.0.1", port=0
    )
    reference = replace(
        reference or Reference(service, contract, timeout_s=_TIMEOUT_S), service=service, contract=contract
    )
    received: list[Invocation] = []

    async def noting(invocation: Invocation) -> Result:
        received.append(invocation)
        return await handler(invocation)

    server, client = plugin.server(listener), plugin.client()
    try:
        (endpoint,) = await server.start(noting, [Exposure(service, contract, forwarded)])
        yield Joined(server, client, endpoint, client.open(endpoint, reference), contract, received)
    finally:
        await client.aclose()
        await server.aclose()


def _method(contract: ServiceContract, attribute: str) -> MethodContract:
    for method in contract.methods:
        if method.attribute == attribute:
            return method
    known = ", ".join(method.attribute for method in contract.methods)
    raise LookupError(f"{contract.name} has no method {attribute}; it has {known}")
