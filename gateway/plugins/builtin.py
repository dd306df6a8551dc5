"""What ships with the gateway. Text only: nothing is imported before it is used.

Protocols and registries are outside this package, so these strings are also what keeps `gateway` free of imports
from `adapters` and `registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["BUILTIN", "SHARED_PORT"]

BUILTIN: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "protocol": {
            "dubbo": "adapters.dubbo:PLUGIN",
            "http": "adapters.http_json:PLUGIN",
            "hessian": "adapters.hessian:PLUGIN",
            "memcached": "adapters.memcached:PLUGIN",
            "rmi": "adapters.rmi:PLUGIN",
            "redis": "adapters.redis:PLUGIN",
            "thrift": "adapters.thrift:PLUGIN",
            "webservice": "adapters.soap:PLUGIN",
        },
        "registry": {
            "direct": "registry.direct:PLUGIN",
            "embedded": "registry.embedded:PLUGIN",
            "multicast": "registry.multicast:PLUGIN",
            "redis": "registry.redis.plugin:PLUGIN",
            "simple": "registry.simple.plugin:PLUGIN",
            "zookeeper": "registry.zookeeper.plugin:PLUGIN",
        },
        "cluster": {
            "failover": "gateway.cluster.failover:PLUGIN",
            "failfast": "gateway.cluster.failfast:PLUGIN",
            "failsafe": "gateway.cluster.failsafe:PLUGIN",
            "forking": "gateway.cluster.forking:PLUGIN",
            "broadcast": "gateway.cluster.broadcast:PLUGIN",
            "available": "gateway.cluster.available:PLUGIN",
            "failback": "gateway.cluster.failback:PLUGIN",
            "mergeable": "gateway.cluster.mergeable:PLUGIN",
            "zone_aware": "gateway.cluster.zone_aware:PLUGIN",
        },
        "balance": {
            "random": "gateway.balance.weighted_random:PLUGIN",
            "round_robin": "gateway.balance.round_robin:PLUGIN",
            "least_active": "gateway.balance.least_active:PLUGIN",
            "consistent_hash": "gateway.balance.consistent_hash:PLUGIN",
            "shortest_response": "gateway.balance.shortest_response:PLUGIN",
            "adaptive": "gateway.balance.adaptive:PLUGIN",
        },
        "filter": {
            "access": "gateway.filters.access:PLUGIN",
            "access_log": "gateway.filters.access_log:PLUGIN",
            "adaptive_concurrency": "gateway.filters.adaptive_concurrency:PLUGIN",
            "circuit_breaker": "gateway.filters.circuit_breaker:PLUGIN",
            "concurrency": "gateway.filters.concurrency:PLUGIN",
            "deadline": "gateway.filters.deadline:PLUGIN",
            "explain": "gateway.filters.explain:PLUGIN",
            "load_report": "gateway.filters.load_report:PLUGIN",
            "rate_limit": "gateway.filters.rate_limit:PLUGIN",
            "tracing": "gateway.filters.tracing:PLUGIN",
        },
    }
)
"""Kind of plug-in, then name, then `module:attribute`."""

SHARED_PORT: Final = "adapters.shared_port.front:Front"
"""What makes a port on which several wires are spoken: `(options)` to a `gateway.spi.shared_port.SharedPort`."""
