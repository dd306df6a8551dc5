"""Which target a request has."""

from __future__ import annotations

import pytest

from protocols.http_json.route import parse_route
from protocols.http_json.route_table import RouteConflict, RouteTable, split_path


def table(*lines: str) -> RouteTable[str]:
    made: RouteTable[str] = RouteTable()
    for line in lines:
        route = parse_route(line)
        made.add(route.verb, route.segments, line, f"owner of {line}")
    return made


@pytest.mark.parametrize(
    ("verb", "path", "line", "captured"),
    [
        ("GET", "/products/new", "GET /products/new", []),
        ("GET", "/products/7", "GET /products/{id}", ["7"]),
        ("GET", "/products/a%2Fb", "GET /products/{id}", ["a/b"]),
        ("GET", "/products/%6Eew", "GET /products/new", []),
        ("GET", "/products/new/tags", "GET /products/{id}/tags", ["new"]),
        ("GET", "/7/8", "GET /{a}/{b}", ["7", "8"]),
        ("POST", "/products/new", "POST /products/{id}", ["new"]),
    ],
)
def test_literal_segments_go_before_parameters(verb: str, path: str, line: str, captured: list[str]) -> None:
    made = table(
        "GET /products/{id}",
        "GET /products/new",
        "GET /products/{id}/tags",
        "GET /{a}/{b}",
        "POST /products/{id}",
    )
    segments = split_path(path)
    assert segments is not None
    assert made.find(verb, segments) == (line, captured)


@pytest.mark.parametrize("path", ["/products", "/products/", "/products/7/", "/PRODUCTS/7", "/"])
def test_other_paths_have_no_target(path: str) -> None:
    segments = split_path(path)
    assert segments is not None
    assert table("GET /products/{id}").find("GET", segments) is None
    assert table("GET /products/{id}").allowed(segments) == ()


def test_all_verbs_of_a_path_are_known() -> None:
    made = table("GET /a/{x}", "DELETE /a/{x}", "PUT /a/b")
    assert made.allowed(["a", "b"]) == ("DELETE", "GET", "PUT")
    assert made.find("PATCH", ["a", "b"]) is None


@pytest.mark.parametrize(
    ("first", "second"), [("GET /a/b", "GET /a/b"), ("GET /a/{x}", "GET /a/{y}"), ("GET /%61", "GET /a")]
)
def test_two_targets_for_the_same_requests_are_refused(first: str, second: str) -> None:
    with pytest.raises(RouteConflict, match=r"owner of GET /") as refused:
        table(first, second)
    assert refused.value.owner == f"owner of {first}"


@pytest.mark.parametrize("path", ["", "*", "a/b", "/%FF", "/" * 65])
def test_path_that_no_target_can_have_is_none(path: str) -> None:
    assert split_path(path) is None


def test_bytes_in_a_path_are_utf8() -> None:
    assert split_path("/gr\xc3\xbcn") == ["grün"]
