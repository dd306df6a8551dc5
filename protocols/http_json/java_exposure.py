"""A service as callers see it who know it under the names of Java beans: for documents, which describe those."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from gateway.model.exposure import Exposure
from protocols.http_json.java_names import java_named
from protocols.http_json.route import ROUTES_OPTION, PathParam, Route, route_of

__all__ = ["java_exposure"]


def java_exposure(exposure: Exposure) -> Exposure:
    """The same service with contract and routes under Java's names; see `java_named`.

    Raises:
        ValueError: a route of the contract is none.
    """
    contract = exposure.contract
    if contract is None:
        return exposure
    wire = java_named(contract)
    written = exposure.options.get(ROUTES_OPTION, {})
    routes: dict[str, Route] = {}
    for ours, theirs in zip(contract.methods, wire.methods, strict=True):
        route = route_of(written, ours, contract)
        if route is not None:
            names = {before.name: after.name for before, after in zip(ours.params, theirs.params, strict=True)}
            routes[ours.attribute] = _renamed(route, names)
    options = MappingProxyType({**exposure.options, ROUTES_OPTION: MappingProxyType(routes)})
    return replace(exposure, contract=wire, options=options)


def _renamed(route: Route, names: dict[str, str]) -> Route:
    return replace(
        route,
        segments=tuple(PathParam(names[each.name]) if isinstance(each, PathParam) else each for each in route.segments),
        query=tuple((wire, names[param]) for wire, param in route.query),
        headers=tuple((wire, names[param]) for wire, param in route.headers),
        body=names.get(route.body, route.body),
    )
