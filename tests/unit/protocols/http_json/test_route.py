"""The line that gives a method an address of its own."""

from __future__ import annotations

import pytest

from gateway.model.contract import MethodContract, Param, ServiceContract
from gateway.model.typeref import Kind, TypeRef
from protocols.http_json.route import Parts, PathParam, Route, check, parse_route, route_of

TEXT, LONG, NOTHING = TypeRef(Kind.STRING), TypeRef(Kind.I64), TypeRef(Kind.NULL)
NOT_FOUND = TypeRef(Kind.EXCEPTION, name="shop.NotFound")
PRODUCT = TypeRef(Kind.STRUCT, name="shop.Product")


def method(*params: tuple[str, TypeRef], returns: TypeRef = TEXT, **more: object) -> MethodContract:
    return MethodContract("find", tuple(Param(*each) for each in params), returns, "find", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "route"),
    [
        ("GET /", Route("GET", ("",))),
        ("GET /products/{id}", Route("GET", ("products", PathParam("id")))),
        ("DELETE /a/b/", Route("DELETE", ("a", "b", ""))),
        ("GET /a%20b/%C3%BC", Route("GET", ("a b", "ü"))),
        (
            "GET /products?q={text}&page%5Bmax%5D={limit}",
            Route("GET", ("products",), query=(("q", "text"), ("page[max]", "limit"))),
        ),
        (
            "POST /shops/{shop} header:X-Tenant={tenant} body={product} -> 201 NotFound=404 a.Gone=410",
            Route(
                "POST",
                ("shops", PathParam("shop")),
                headers=(("X-Tenant", "tenant"),),
                body="product",
                status=201,
                faults=(("NotFound", 404), ("a.Gone", 410)),
            ),
        ),
        ("PUT /x body=*", Route("PUT", ("x",), body="*")),
        ("PATCH /x -> NotFound=404", Route("PATCH", ("x",), faults=(("NotFound", 404),))),
    ],
)
def test_line_is_read_and_written(line: str, route: Route) -> None:
    assert parse_route(line) == route
    assert str(route) == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "expected a verb and a path"),
        ("/products", "expected a verb and a path"),
        ("FETCH /products", "'FETCH' is no verb"),
        ("get /products", "'get' is no verb"),
        ("GET products", "'products': a path begins with /"),
        ("GET //x", "empty segment"),
        ("GET /a/../b", r"clients take '\.\.' out"),
        ("GET /a/%2E/b", r"clients take '\.' out"),
        ("GET /a{id}", "a segment is a literal or one"),
        ("GET /{}", "a parameter has a name"),
        ("GET /a%", "'a%': write what cannot stand"),
        ("GET /a%FF", "not UTF-8"),
        ("GET /{id}/{id}", "'id' is there twice"),
        ("GET /{id}?id={id}", "'id' is there twice"),
        ("GET /x?q", "'q': a query has parts of the form"),
        ("GET /x?q=1", "'q=1': a query has parts of the form"),
        ("GET /x?q={a}&q={b}", "two parts of this name"),
        ("GET /x header:A B={c}", "'header:A': a header field is written"),
        ("GET /x header:Content-Length={c}", "belongs to HTTP itself"),
        ("GET /x body={a}", "a GET request has no body"),
        ("POST /x body=a", "'body=a': the body is written"),
        ("POST /x body=* header:A={a}", "only '-> status' can follow the body"),
        ("POST /x nonsense", "'nonsense': expected header:"),
        ("POST /x ->", "a status must follow"),
        ("POST /x -> 99", "'99': expected a status"),
        ("POST /x -> 404", "'404': one status from 200 to 299"),
        ("POST /x -> A=200", "'A=200': the status of an exception"),
        ("POST /x -> A=404 201", "'201': one status from 200 to 299"),
        ("GET /" + "a/" * 40, "more than 32 segments"),
    ],
)
def test_what_is_no_line_is_refused_with_the_word_that_is_wrong(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_route(line)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("GET /{id}", Parts(path=((0, "id"),), query=(("text", "text"),))),
        ("DELETE /x", Parts(query=(("id", "id"), ("text", "text")))),
        ("DELETE /x body=*", Parts(members=("id", "text"))),
        ("POST /x/{id}", Parts(path=((1, "id"),), members=("text",))),
        ("POST /x body={text}", Parts(query=(("id", "id"),), whole="text")),
        ("PUT /x?t={text} header:I={id}", Parts(query=(("t", "text"),), headers=(("I", "id"),))),
    ],
)
def test_parameters_that_are_not_mentioned_have_a_place(line: str, parts: Parts) -> None:
    assert parse_route(line).parts(method(("id", LONG), ("text", TEXT))) == parts


@pytest.mark.parametrize(
    ("line", "subject", "problem"),
    [
        ("GET /{name}", method(("id", LONG)), "find has no parameter 'name'; it has id"),
        ("GET /{id}", method(("id", LONG.optional())), "'id' is i64?, which is no segment of a path"),
        ("GET /{p}", method(("p", PRODUCT)), "'p' is shop.Product, which is no segment of a path"),
        (
            "GET /x header:A={ids}",
            method(("ids", TypeRef(Kind.LIST, (LONG,)))),
            "'ids' is list<i64>, which is no header field",
        ),
        (
            "GET /x -> Gone=410",
            method(throws=(NOT_FOUND,)),
            "does not declare the exception 'Gone'; it has shop.NotFound",
        ),
        ("GET /x -> 204", method(), "status 204 has no body"),
    ],
)
def test_route_that_does_not_fit_its_method_is_found(line: str, subject: MethodContract, problem: str) -> None:
    (found,) = check(parse_route(line), subject)
    assert problem in found


def test_route_that_fits_has_no_findings() -> None:
    subject = method(("id", LONG), ("product", PRODUCT), throws=(NOT_FOUND,), returns=NOTHING)
    route = parse_route("PUT /products/{id} body={product} -> 204 NotFound=404")
    assert check(route, subject) == []
    assert route.fault_status("shop.NotFound") == 404
    assert route.fault_status("shop.Gone") is None


def test_route_of_a_method_is_the_written_one_before_its_own() -> None:
    own = method(routes={"http": "GET /own"})
    contract = ServiceContract("shop.Shop", (own,))
    assert route_of({}, own, contract) == parse_route("GET /own")
    assert route_of({"find": "GET /written"}, own, contract) == parse_route("GET /written")
    bare = method()
    assert route_of({}, bare, ServiceContract("shop.Shop", (bare,))) is None


def test_name_of_overloads_gives_no_route() -> None:
    first, second = method(), MethodContract("find", (), TEXT, "find_other")
    contract = ServiceContract("shop.Shop", (first, second))
    assert route_of({"find": "GET /x"}, first, contract) == parse_route("GET /x")
    assert route_of({"find": "GET /x"}, second, contract) is None
