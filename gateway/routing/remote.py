"""The handler of a service that lives elsewhere."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.model.call import Invocation, Result
from gateway.routing.candidates import CallCandidates
from gateway.routing.directory import Directory
from gateway.spi.cluster import Cluster, LoadBalancer, Router

__all__ = ["MethodPolicy", "RemoteService"]


@dataclass(frozen=True, slots=True)
class MethodPolicy:
    """How the calls of a method, or of all methods without a policy of their own, find their provider."""

    cluster: Cluster
    balancer: LoadBalancer


class RemoteService:
    """Gives each call the providers of this moment and leaves the rest to the cluster mode of its method.

    `methods`: policies by contract name of the method, where they differ from `policy`. `routers`: rules that
    narrow the providers, in order.
    """

    __slots__ = ("_directory", "_methods", "_policy", "_routers")

    def __init__(
        self,
        directory: Directory,
        policy: MethodPolicy,
        methods: Mapping[str, MethodPolicy] = MappingProxyType({}),
        routers: Sequence[Router] = (),
    ) -> None:
        self._directory = directory
        self._policy = policy
        self._methods = dict(methods)
        self._routers = tuple(routers)

    def __call__(self, invocation: Invocation) -> Coroutine[Any, Any, Result]:
        """The call on its way. Awaiting it raises `NoProvider` or what the cluster mode raises."""
        if self._routers:
            return self._call_routed(invocation)
        policy = self._methods.get(invocation.method, self._policy)
        return policy.cluster(invocation, CallCandidates(self._directory.providers, policy.balancer, invocation))

    async def _call_routed(self, invocation: Invocation) -> Result:
        # A coroutine of its own, so that a rule that fails fails this call and not whoever asked for it.
        policy = self._methods.get(invocation.method, self._policy)
        providers = self._directory.providers
        candidates = CallCandidates(providers, policy.balancer, invocation, self._routers)
        return await policy.cluster(invocation, candidates)
