"""Which request goes to which wire over HTTP, where several answer on the same connections."""

from __future__ import annotations

import pytest

from gateway.contracts.python import contract_of
from gateway.demo.catalog import Catalog
from gateway.model.call import Ok, Peer
from gateway.model.endpoint import ServiceKey
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected
from protocols.hessian_http.claim import hessian_claim
from protocols.hessian_http.server import HessianBinding
from protocols.http.access import guarded
from protocols.http.limits import HttpLimits
from protocols.http.message import Headers
from protocols.http.server import HttpServerWire
from protocols.http.shared import SharedHttpWire, Site
from protocols.http_json.server import JsonBinding
from protocols.soap.claim import soap_claim
from protocols.soap.server import SoapBinding
from tests.support.hessian_bytes import hessian_body, hessian_call
from tests.support.http_bytes import all_answers, call, message
from tests.support.soap_bytes import soap_call, soap_request

EXPOSURES = [Exposure(ServiceKey("demo.Catalog", "", ""), contract_of(Catalog), False)]
PATH = "/demo.Catalog"
HESSIAN, SOAP = hessian_claim(EXPOSURES), soap_claim(EXPOSURES)


def site(name: str, limits: HttpLimits | None = None) -> Site:
    limits = limits or HttpLimits()
    if name == "http":
        return Site(HttpServerWire(JsonBinding(EXPOSURES), limits, protocol="http"), None)
    if name == "hessian":
        return Site(HttpServerWire(HessianBinding(EXPOSURES), limits, protocol="hessian"), HESSIAN)
    return Site(HttpServerWire(SoapBinding(EXPOSURES), limits, protocol="webservice"), SOAP)


@pytest.mark.parametrize(
    ("method", "path", "query", "fields", "expected"),
    [
        ("POST", "/demo.Catalog/count", "", {"Content-Type": "application/json"}, ""),
        ("POST", "/demo.Catalog/count", "", {}, ""),
        ("POST", "/jsonrpc", "", {"Content-Type": "application/json-rpc"}, ""),
        ("POST", PATH, "", {"Content-Type": "application/vnd.shop+json"}, ""),
        ("GET", "/demo.Catalog/count", "", {}, ""),
        ("GET", PATH, "", {}, ""),
        ("GET", PATH, "text=wsdl", {}, ""),
        ("GET", "/elsewhere", "wsdl", {}, ""),
        ("PUT", PATH, "", {"Content-Type": "text/xml"}, ""),
        ("OPTIONS", PATH, "", {}, ""),
        ("POST", PATH, "", {"Content-Type": "x-application/hessian"}, "hessian"),
        ("POST", PATH, "", {"Content-Type": "application/x-hessian"}, "hessian"),
        ("POST", PATH, "", {"Content-Type": "application/octet-stream"}, "hessian"),
        ("POST", PATH, "", {"Content-Type": "application/x-www-form-urlencoded"}, "hessian"),
        ("POST", PATH, "", {}, "hessian"),
        ("POST", f"{PATH}/generic", "", {}, "hessian"),
        ("POST", PATH, "group=a&version=1", {}, "hessian"),
        ("POST", PATH, "", {"Content-Type": "text/xml; charset=utf-8"}, "soap"),
        ("POST", PATH, "", {"Content-Type": "application/soap+xml"}, "soap"),
        ("POST", PATH, "", {"Content-Type": 'multipart/related; type="application/xop+xml"'}, "soap"),
        ("POST", PATH, "", {"SOAPAction": '""'}, "soap"),
        ("POST", "/elsewhere", "", {"Content-Type": "application/xml"}, "soap"),
        ("GET", PATH, "wsdl", {}, "soap"),
        ("GET", PATH, "WSDL=1", {}, "soap"),
        ("GET", PATH, "xsd", {}, "soap"),
    ],
)
def test_media_type_and_path_say_whose_a_request_is(
    method: str, path: str, query: str, fields: dict[str, str], expected: str
) -> None:
    headers = Headers(fields.items())
    # Twice, as what was found is remembered with the fields.
    for _ in range(2):
        claimed = [
            name for name, claim in (("hessian", HESSIAN), ("soap", SOAP)) if claim(method, path, query, headers)
        ]
        assert claimed == ([expected] if expected else [])


def test_calls_say_over_which_wire_they_came_and_answers_leave_in_order_in_the_form_of_each() -> None:
    wire = SharedHttpWire([site("hessian"), site("http"), site("webservice")])
    codec = wire.accept(Peer("shared", "127.0.0.1:1"))
    asked = [soap_request(soap_call("count")), call("count"), hessian_call("count"), call("count")]
    events = [event for event in codec.receive(b"".join(asked), 0.0) if isinstance(event, CallReceived)]
    peers = [event.invocation.peer for event in events]

    assert [peer and peer.protocol for peer in peers] == ["webservice", "http", "hessian", "http"]
    assert {peer and peer.address for peer in peers} == {"127.0.0.1:1"}
    answered = b"".join(codec.reply(event.ticket, Ok(3)) for event in reversed(events))
    assert [each.fields["content-type"].partition(";")[0] for each in all_answers(answered)] == [
        "text/xml",
        "application/json",
        "x-application/hessian",
        "application/json",
    ]


def test_what_one_wire_lets_in_the_others_do_not() -> None:
    json = HttpServerWire(guarded(JsonBinding(EXPOSURES), origins=["https://shop.example"]), protocol="http")
    wire = SharedHttpWire([Site(json, None), site("hessian"), site("webservice")])
    # A page may send these without asking, and the fields are the same for all.
    fields = ("Origin: https://shop.example", "Sec-Fetch-Site: cross-site")
    for path, body, becomes in (
        ("/demo.Catalog/count", b"", CallReceived),
        ("/demo.Catalog", hessian_body("count"), CallRejected),
        ("/demo.Catalog/count", b"", CallReceived),
    ):
        (event,) = wire.accept(Peer("shared", "127.0.0.1:1")).receive(message(path, body, *fields), 0.0)
        assert type(event) is becomes


def test_the_limit_of_a_body_is_that_of_the_wire_it_is_for() -> None:
    wire = SharedHttpWire([site("http", HttpLimits(max_body_bytes=100)), site("webservice")])
    head = b"POST /demo.Catalog/count HTTP/1.1\r\nHost: a\r\nContent-Type: %b\r\nContent-Length: 101\r\n\r\n"

    json, soap = (wire.accept(Peer("shared", "a:1")) for _ in range(2))
    json.receive(head % b"application/json", 0.0)
    soap.receive(head % b"text/xml", 0.0)

    assert json.broken is not None
    (refusal,) = all_answers(json.broken.farewell)
    assert refusal.problem["status"] == 413
    assert soap.broken is None
    assert soap.pending_bytes


def test_limits_of_heads_are_the_largest_because_nobody_knows_yet_whose_they_are() -> None:
    wire = SharedHttpWire(
        [site("http", HttpLimits(max_target_bytes=9_000)), site("webservice", HttpLimits(max_headers=400))]
    )

    assert (wire.limits.max_target_bytes, wire.limits.max_headers) == (9_000, 400)


def test_without_json_the_first_wire_gets_what_nobody_claims() -> None:
    wire = SharedHttpWire([site("webservice"), site("hessian")])
    codec = wire.accept(Peer("shared", "a:1"))
    (event,) = codec.receive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0.0)

    # The page that lists the services.
    assert b"text/html" in event.data  # type: ignore[union-attr]
