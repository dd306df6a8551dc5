"""Whether the routes of a service or a reference fit its contract; asked before anything is built from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.model.contract import MethodContract, ServiceContract
from protocols.http_json.route import PROTOCOL, PathParam, Route, check, route_of

__all__ = ["RouteMisfit", "route_misfits", "same_addresses", "unrouted"]


class RouteMisfit(NamedTuple):
    """What is wrong with one route. `name`: as in the routes that were written; empty where the contract says it."""

    name: str
    text: str


def route_misfits(contract: ServiceContract, routes: Mapping[str, Route]) -> list[RouteMisfit]:
    """Routes of methods that the contract does not have or has several of, and those that do not fit their method."""
    problems = list(_strangers(contract, routes))
    for method in contract.methods:
        name = _written_name(contract, routes, method)
        try:
            route = route_of(routes, method, contract)
        except ValueError as exc:
            problems.append(RouteMisfit(name, f"{method.attribute}: its route: {exc}"))
            continue
        if route is not None:
            problems += (RouteMisfit(name, f"{method.attribute}: {route}: {each}") for each in check(route, method))
    return problems


def unrouted(contract: ServiceContract, routes: Mapping[str, Route]) -> list[str]:
    """The methods without a route, by attribute."""
    return [
        method.attribute
        for method in contract.methods
        if method.routes.get(PROTOCOL) is None and not _written_name(contract, routes, method)
    ]


def same_addresses(contract: ServiceContract, routes: Mapping[str, Route]) -> list[RouteMisfit]:
    """Routes that the same requests have as one before them; `route_misfits` must have found nothing."""
    problems: list[RouteMisfit] = []
    owners: dict[tuple[str, tuple[str | None, ...]], str] = {("POST", ("jsonrpc",)): "JSON-RPC"}
    for method in contract.methods:
        route = route_of(routes, method, contract)
        if route is None:
            continue
        shape = tuple(None if isinstance(each, PathParam) else each for each in route.segments)
        owner = owners.setdefault((route.verb, shape), method.attribute)
        if owner != method.attribute:
            name = _written_name(contract, routes, method)
            text = f"{route.verb} {route.path} is the address of {owner} and of {method.attribute}"
            problems.append(RouteMisfit(name, text))
    return problems


def _strangers(contract: ServiceContract, routes: Mapping[str, Route]) -> Iterator[RouteMisfit]:
    attributes = {method.attribute for method in contract.methods}
    for name in routes:
        if name in attributes:
            continue
        overloads = contract.overloads(name)
        if not overloads:
            known = ", ".join(sorted(attributes))
            yield RouteMisfit(name, f"{contract.name} has no method {name!r}; it has {known}")
        elif len(overloads) > 1:
            listed = ", ".join(method.attribute for method in overloads)
            yield RouteMisfit(name, f"{name!r} is overloaded; name one of {listed}")


def _written_name(contract: ServiceContract, routes: Mapping[str, Route], method: MethodContract) -> str:
    if method.attribute in routes:
        return method.attribute
    return method.name if method.name in routes and len(contract.overloads(method.name)) == 1 else ""
