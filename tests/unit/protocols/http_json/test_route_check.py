"""What `polyport check` says of routes before anything is built from them."""

from __future__ import annotations

from typing import Protocol

import pytest

from gateway.contracts import I64, contract_of, method, service
from protocols.http_json.route import parse_route
from protocols.http_json.route_check import RouteMisfit, route_misfits, same_addresses, unrouted


@service("shop.Store")
class Store(Protocol):
    @method(routes={"http": "GET /items/{item}"})
    async def get(self, item: I64) -> str: ...

    @method(name="same")
    async def same_number(self, number: I64) -> str: ...

    @method(name="same")
    async def same_text(self, text: str) -> str: ...

    async def put(self, item: I64, text: str) -> None: ...


STORE = contract_of(Store)


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("gt", "GET /x", "shop.Store has no method 'gt'; it has get, put, same_number, same_text"),
        ("same", "GET /x", "'same' is overloaded; name one of same_number, same_text"),
        ("put", "PUT /x/{id}", "put: PUT /x/{id}: put has no parameter 'id'; it has item, text"),
    ],
)
def test_misfit_is_named_as_it_was_written(name: str, line: str, reason: str) -> None:
    assert route_misfits(STORE, {name: parse_route(line)}) == [RouteMisfit(name, reason)]


def test_routes_that_fit_are_fine() -> None:
    routes = {"put": parse_route("PUT /items/{item} body={text}"), "same_text": parse_route("GET /same/{text}")}

    assert route_misfits(STORE, routes) == []
    assert same_addresses(STORE, routes) == []
    assert unrouted(STORE, routes) == ["same_number"]


@pytest.mark.parametrize(
    ("name", "line", "reason"),
    [
        ("same_number", "GET /items/{number}", "GET /items/{number} is the address of get and of same_number"),
        ("put", "POST /jsonrpc", "POST /jsonrpc is the address of JSON-RPC and of put"),
    ],
)
def test_two_methods_do_not_share_an_address(name: str, line: str, reason: str) -> None:
    assert same_addresses(STORE, {name: parse_route(line)}) == [RouteMisfit(name, reason)]


def test_literal_segment_beside_a_parameter_is_another_address() -> None:
    assert same_addresses(STORE, {"same_number": parse_route("GET /items/first")}) == []
