from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

import pytest

from gateway.model.call import Invocation, Ok
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import Unauthenticated
from protocols.contract import Outcome
from protocols.http.access import guarded
from protocols.http.binding import HttpBinding, HttpExchange
from protocols.http.context import read_context
from protocols.http.cors import parse_origin
from protocols.http.message import Headers, HttpRequest, HttpResponse

PAGE = ("Origin", "https://shop.example")
SECRETS = {"shop": "s3cret-1", "bot": "s3cret-2", "old": "ann:pass:word", "umlaut": "schlüssel"}


class Echo:
    """One call per request to `/call`, whose consumer is the method's name; a document for every other path."""

    class Exchange:
        def __init__(self, request: HttpRequest) -> None:
            consumer = read_context(request.headers).consumer
            self.calls: Sequence[Invocation] = [Invocation(ServiceKey("a"), request.path, (), consumer=consumer)]

        def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
            reply = (("Content-Type", "application/json"), ("Polyport-Attachment-a", "1"), ("Vary", "Accept"))
            return HttpResponse(200, reply, b"7")

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        return self.Exchange(request) if request.path == "/call" else HttpResponse(200, (), b"document")

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        return HttpResponse(status, (("Content-Type", "text/plain"),), reason.encode())


def ask(binding: HttpBinding, *fields: tuple[str, str], method: str = "POST", path: str = "/call") -> HttpResponse:
    answer = binding.decode_call(HttpRequest(method, path, headers=Headers(fields)), 0.0)
    return answer if isinstance(answer, HttpResponse) else answer.encode_reply([Ok(7)])


def preflight(binding: HttpBinding, *fields: tuple[str, str]) -> HttpResponse:
    return ask(binding, ("Access-Control-Request-Method", "POST"), *fields, method="OPTIONS")


def values(response: HttpResponse, name: str) -> list[str]:
    return [value for each, value in response.headers if each == name]


def test_nothing_asked_for_is_nothing_between() -> None:
    inner = Echo()

    assert guarded(inner) is inner


def test_a_page_of_a_listed_origin_may_read_answers_and_what_came_with_them() -> None:
    response = ask(guarded(Echo(), origins=["https://shop.example"]), PAGE)

    assert (response.status, response.body) == (200, b"7")
    assert values(response, "Access-Control-Allow-Origin") == ["https://shop.example"]
    assert values(response, "Access-Control-Expose-Headers") == ["Polyport-Attachment-a, Vary"]
    assert values(response, "Vary") == ["Accept", "Origin"]
    assert not values(response, "Access-Control-Allow-Credentials")


@pytest.mark.parametrize("fields", [[], [("Origin", "https://evil.example")], [("Origin", "null")], [PAGE, PAGE]])
def test_nobody_else_may_but_caches_are_told(fields: list[tuple[str, str]]) -> None:
    response = ask(guarded(Echo(), origins=["https://shop.example"]), *fields)

    assert response.status == 200
    assert values(response, "Vary") == ["Accept", "Origin"]
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("fields", [[], [PAGE], [("Origin", "null")]])
def test_where_every_page_may_read_the_answer_is_the_same_for_all(fields: list[tuple[str, str]]) -> None:
    response = ask(guarded(Echo(), origins=["*"]), *fields)

    assert values(response, "Access-Control-Allow-Origin") == ["*"]
    assert values(response, "Vary") == ["Accept"]


def test_documents_and_refusals_are_marked_too() -> None:
    binding = guarded(Echo(), origins=["*"])

    assert values(ask(binding, PAGE, path="/docs"), "Access-Control-Allow-Origin") == ["*"]
    assert values(binding.encode_refusal(413, "too large"), "Access-Control-Allow-Origin") == ["*"]


def test_a_preflight_is_answered_with_what_was_asked_for() -> None:
    wanted = ("Access-Control-Request-Headers", "authorization,polyport-attachment-%c3%bc")
    response = preflight(guarded(Echo(), origins=["https://shop.example"], max_age_s=60), PAGE, wanted)

    assert (response.status, response.body) == (204, b"")
    assert dict(response.headers) == {
        "Access-Control-Allow-Origin": "https://shop.example",
        "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "Access-Control-Allow-Headers": "authorization,polyport-attachment-%c3%bc",
        "Access-Control-Max-Age": "60",
        "Vary": "Access-Control-Request-Headers",
    }
    assert values(response, "Vary") == ["Origin", "Access-Control-Request-Headers"]


def test_a_preflight_of_another_origin_is_refused() -> None:
    response = preflight(guarded(Echo(), origins=["https://shop.example"]), ("Origin", "https://evil.example"))

    assert response.status == 403
    assert not values(response, "Access-Control-Allow-Origin")


@pytest.mark.parametrize("names", ["a\r\nX-Evil: 1", "a\0", "é", "a" * 9000, "a(b)"])
def test_a_preflight_that_asks_for_no_names_is_refused(names: str) -> None:
    response = preflight(guarded(Echo(), origins=["*"]), PAGE, ("Access-Control-Request-Headers", names))

    assert response.status == 400
    assert not values(response, "Access-Control-Allow-Headers")


def test_options_without_a_preflight_is_for_the_binding() -> None:
    assert ask(guarded(Echo(), origins=["*"]), PAGE, method="OPTIONS").status == 200


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("*", "*"),
        ("null", "null"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_origins_are_written_as_browsers_send_them(text: str, origin: str) -> None:
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://a:x",
        "https://u@a",
        "https://ä",
        "https://*",
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_origin(text)


def basic(text: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (("X-API-Key", "s3cret-1"), "shop"),
        (("Authorization", "ApiKey s3cret-2"), "bot"),
        (("Authorization", "Bearer s3cret-2"), "bot"),
        (("AUTHORIZATION", "bearer  s3cret-2"), "bot"),
        (basic("ann:pass:word"), "old"),
        (("X-API-Key", "schlüssel".encode().decode("latin-1")), "umlaut"),
    ],
)
def test_any_known_secret_in_any_form_lets_in_and_names_the_caller(field: tuple[str, str], name: str) -> None:
    answer = guarded(Echo(), secrets=SECRETS).decode_call(HttpRequest("POST", "/call", headers=Headers([field])), 0.0)

    assert not isinstance(answer, HttpResponse)
    assert answer.calls[0].consumer == name


def test_one_that_fits_is_enough_and_a_caller_keeps_its_own_name() -> None:
    headers = Headers([("X-API-Key", "wrong"), ("Authorization", "Bearer s3cret-1"), ("Polyport-Consumer", "web")])
    answer = guarded(Echo(), secrets=SECRETS).decode_call(HttpRequest("POST", "/call", headers=headers), 0.0)

    assert not isinstance(answer, HttpResponse)
    assert answer.calls[0].consumer == "web"


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("X-API-Key", "")],
        [("X-API-Key", "s3cret-")],
        [("X-API-Key", "s3cret-1 ")],
        [("X-API-Key", "s3cret-1"), ("X-API-Key", "s3cret-1")],
        [("Authorization", "s3cret-1")],
        [("Authorization", "Bearer")],
        [("Authorization", "Digest s3cret-1")],
        [("Authorization", "Basic s3cret-1")],
        [("Authorization", "Basic ÿ")],
        [basic("ann:pass")],
        [basic("")],
        [("Polyport-Consumer", "shop")],
    ],
)
def test_nobody_else_reaches_the_binding(fields: list[tuple[str, str]]) -> None:
    response = ask(guarded(Echo(), secrets=SECRETS), *fields)

    assert response.status == 401
    assert isinstance(response.error, Unauthenticated)
    assert values(response, "WWW-Authenticate") == [
        'Bearer realm="polyport"',
        'Basic realm="polyport", charset="UTF-8"',
    ]
    assert b"s3cret" not in response.body


def test_browsers_are_not_asked_for_a_password_that_does_not_exist() -> None:
    response = ask(guarded(Echo(), secrets={"shop": "s3cret"}))

    assert values(response, "WWW-Authenticate") == ['Bearer realm="polyport"']


def test_documents_are_open_only_if_told_so_and_only_for_reading() -> None:
    closed, opened = guarded(Echo(), secrets=SECRETS), guarded(Echo(), secrets=SECRETS, open_paths=["/docs"])

    assert ask(closed, method="GET", path="/docs").status == 401
    assert ask(opened, method="GET", path="/docs").status == 200
    assert ask(opened, method="POST", path="/docs").status == 401
    assert ask(opened, method="GET", path="/docs/").status == 401
    assert ask(opened, method="GET", path="/openapi.json").status == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/docs/", 200),
        ("/docs/swagger.css", 200),
        ("/docs", 401),
        ("/docs/../call", 401),
        ("/docs/%2e%2e/call", 401),
        ("/call", 401),
    ],
)
def test_a_path_that_ends_with_a_slash_opens_what_is_below(path: str, status: int) -> None:
    assert ask(guarded(Echo(), secrets=SECRETS, open_paths=["/docs/"]), method="GET", path=path).status == status


def test_what_was_checked_once_is_not_checked_again_and_not_by_another_listener() -> None:
    headers = Headers([("X-API-Key", "s3cret-1")])
    ours, theirs = guarded(Echo(), secrets=SECRETS), guarded(Echo(), secrets={"other": "s3cret-9"})

    for _ in range(2):
        assert not isinstance(ours.decode_call(HttpRequest("POST", "/call", headers=headers), 0.0), HttpResponse)
        assert isinstance(theirs.decode_call(HttpRequest("POST", "/call", headers=headers), 0.0), HttpResponse)


def test_a_page_may_ask_first_and_may_read_why_it_was_refused() -> None:
    binding = guarded(Echo(), secrets=SECRETS, origins=["https://shop.example"])

    assert preflight(binding, PAGE).status == 204
    refused = ask(binding, PAGE)
    assert refused.status == 401
    assert values(refused, "Access-Control-Allow-Origin") == ["https://shop.example"]
    assert values(refused, "Access-Control-Expose-Headers") == ["WWW-Authenticate"]
