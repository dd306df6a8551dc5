"""What pages of other sites make browsers send must not become calls unless their origin is allowed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import Forbidden
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.http.access import guarded
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http_json.server import JsonBinding

DOOR = ServiceContract(
    "shop.Door",
    (
        MethodContract("close", (), TypeRef(Kind.NULL), "close", idempotent=True),
        MethodContract("knock", (), TypeRef(Kind.NULL), "knock"),
    ),
)
KEY = ServiceKey(DOOR.name)
PATHS = {"GET": f"/{KEY}/close", "POST": f"/{KEY}/knock"}
BINDING = JsonBinding([Exposure(KEY, DOOR)], document=lambda: b"{}")
HOST = {"Host": "127.0.0.1:8080"}


def answer(headers: Mapping[str, str], *, verb: str = "POST", path: str = "", cors: tuple[str, ...] = ()) -> object:
    request = HttpRequest(verb, path or PATHS[verb], headers=Headers((HOST | headers).items()))
    return guarded(BINDING, origins=cors).decode_call(request, 0.0)


def is_forbidden(found: object) -> bool:
    return isinstance(found, HttpResponse) and isinstance(found.error, Forbidden) and found.status == 403


@pytest.mark.parametrize("verb", ["GET", "POST"])
@pytest.mark.parametrize(
    "headers",
    [
        # An image, a form or a beacon of another site, as Fetch Metadata describes them.
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Origin": "http://127.0.0.1:9999"},
        # A link that somebody was made to follow.
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        # A browser that knows no Fetch Metadata.
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
    ],
)
def test_pages_of_other_sites_may_not_call(verb: str, headers: dict[str, str]) -> None:
    assert is_forbidden(answer(headers, verb=verb))
    assert is_forbidden(answer(headers, verb=verb, cors=("https://shop.example",)))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://127.0.0.1:8080"},
        {"Origin": "HTTP://127.0.0.1:8080"},
    ],
)
def test_programs_and_pages_of_the_listener_may(headers: dict[str, str]) -> None:
    assert not isinstance(answer(headers), HttpResponse)


@pytest.mark.parametrize("cors", [("https://shop.example",), ("*",)])
def test_pages_that_cors_names_may(cors: tuple[str, ...]) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://shop.example"}

    assert not isinstance(answer(headers, cors=cors), HttpResponse)


def test_documents_are_for_everybody() -> None:
    found = answer({"Sec-Fetch-Site": "cross-site"}, verb="GET", path="/openapi.json")

    assert isinstance(found, HttpResponse)
    assert found.status == 200
