"""Polyport's public API: describe services, host them, call them.

    from gateway import I64, ServiceError, connect, method, service

    @service(name="shop.Orders")
    class Orders:
        async def find(self, order_id: I64) -> Order | None: ...

    async with connect("dubbo://127.0.0.1:20880", Orders) as orders:
        order = await orders.find(7)

Names are imported when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from gateway.contracts import (
        F32,
        F64,
        I8,
        I16,
        I32,
        I64,
        NO_CALL,
        BigInt,
        Call,
        Char,
        Doc,
        Hint,
        JavaType,
        LocalDateTime,
        Withdrawn,
        contract_of,
        enum,
        method,
        service,
        struct,
    )
    from gateway.model.errors import (
        BadRequest,
        ConfigError,
        ConnectFailed,
        ConnectionLost,
        ContractError,
        DeadlineExceeded,
        Forbidden,
        GatewayError,
        NoProvider,
        NoSuchMethod,
        NoSuchService,
        Overloaded,
        ProviderFailed,
        Retry,
        RpcError,
        Unauthenticated,
        ValueMappingError,
    )
    from gateway.model.fault import RemoteError, ServiceError
    from gateway.runtime.app import App, StartError
    from gateway.runtime.connect import connect, connect_sync
    from gateway.runtime.contract_file import read_contracts
    from gateway.runtime.offering import offering, withdraw
    from gateway.runtime.proxy import GenericProxy, calling, futures
    from gateway.runtime.reference import MethodSettings

__all__ = [
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "NO_CALL",
    "App",
    "BadRequest",
    "BigInt",
    "Call",
    "Char",
    "ConfigError",
    "ConnectFailed",
    "ConnectionLost",
    "ContractError",
    "DeadlineExceeded",
    "Doc",
    "Forbidden",
    "GatewayError",
    "GenericProxy",
    "Hint",
    "JavaType",
    "LocalDateTime",
    "MethodSettings",
    "NoProvider",
    "NoSuchMethod",
    "NoSuchService",
    "Overloaded",
    "ProviderFailed",
    "RemoteError",
    "Retry",
    "RpcError",
    "ServiceError",
    "StartError",
    "Unauthenticated",
    "ValueMappingError",
    "Withdrawn",
    "calling",
    "connect",
    "connect_sync",
    "contract_of",
    "enum",
    "futures",
    "method",
    "offering",
    "read_contracts",
    "service",
    "struct",
    "withdraw",
]

__distribution__ = "polyport"

_CONTRACTS: Final = "gateway.contracts"
_MODULES: Final = {
    **dict.fromkeys(
        (
            "BadRequest",
            "ConfigError",
            "ConnectFailed",
            "ConnectionLost",
            "ContractError",
            "DeadlineExceeded",
            "Forbidden",
            "GatewayError",
            "NoProvider",
            "NoSuchMethod",
            "NoSuchService",
            "Overloaded",
            "ProviderFailed",
            "Retry",
            "RpcError",
            "Unauthenticated",
            "ValueMappingError",
        ),
        "gateway.model.errors",
    ),
    "App": "gateway.runtime.app",
    "GenericProxy": "gateway.runtime.proxy",
    "MethodSettings": "gateway.runtime.reference",
    "RemoteError": "gateway.model.fault",
    "ServiceError": "gateway.model.fault",
    "StartError": "gateway.runtime.app",
    "calling": "gateway.runtime.proxy",
    "connect": "gateway.runtime.connect",
    "connect_sync": "gateway.runtime.connect",
    "futures": "gateway.runtime.proxy",
    "offering": "gateway.runtime.offering",
    "read_contracts": "gateway.runtime.contract_file",
    "withdraw": "gateway.runtime.offering",
}
"""Where a name comes from, if not from `gateway.contracts`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES.get(name, _CONTRACTS)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
