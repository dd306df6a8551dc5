"""Tokens of WS-Security as credentials."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from gateway.model.call import Invocation
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import Unauthenticated
from gateway.model.exposure import Exposure
from gateway.model.typeref import Kind, TypeRef
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.soap.security import TokenCheck
from protocols.soap.server import SoapBinding
from tests.support.soap_bytes import envelope

WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
PROFILE = f"{WSS}username-token-profile-1.0#"
KEY = ServiceKey("shop.Store")
STORE = ServiceContract("shop.Store", (MethodContract("count", (), TypeRef(Kind.I32), "count"),))
SECRETS = {"shop": "ann:secret", "partner": "a long key"}
NOW = 1_058_318_672_000  # 2003-07-16T01:24:32Z
CREATED = "2003-07-16T01:24:32Z"


class Clock:
    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def binding(clock: Clock) -> SoapBinding:
    return SoapBinding([Exposure(KEY, STORE)], tokens=TokenCheck(SECRETS, 300.0, clock))


def security(inside: str, must: str = "1") -> str:
    return (
        f'<w:Security xmlns:w="{WSS}wssecurity-secext-1.0.xsd" xmlns:u="{WSS}wssecurity-utility-1.0.xsd" '
        f'e:mustUnderstand="{must}">{inside}</w:Security>'
    )


def text_token(user: str, password: str, kind: str | None = f"{PROFILE}PasswordText") -> str:
    said = "" if kind is None else f' Type="{kind}"'
    return security(
        f"<w:UsernameToken><w:Username>{user}</w:Username><w:Password{said}>{password}</w:Password></w:UsernameToken>"
    )


def digest_token(user: str, password: str, nonce: bytes = b"nonce", created: str = CREATED) -> str:
    made = b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()
    return security(
        f"<w:UsernameToken><w:Username>{user}</w:Username>"
        f'<w:Password Type="{PROFILE}PasswordDigest">{made}</w:Password>'
        f"<w:Nonce>{b64encode(nonce).decode()}</w:Nonce><u:Created>{created}</u:Created></w:UsernameToken>"
    )


def asked(binding: SoapBinding, header: str = "", **fields: str) -> Invocation | HttpResponse:
    pairs = [("Content-Type", "text/xml"), *((name.replace("_", "-"), value) for name, value in fields.items())]
    body = envelope('<count xmlns="http://shop/"/>', header=header)
    exchange = binding.decode_call(HttpRequest("POST", "/shop.Store", "", Headers(pairs), body), 0.0)
    return exchange if isinstance(exchange, HttpResponse) else exchange.calls[0]


def assert_refused(found: Invocation | HttpResponse, said: str = "") -> None:
    assert isinstance(found, HttpResponse)
    assert found.status == 401
    assert isinstance(found.error, Unauthenticated)
    assert said in found.body.decode()
    assert any(name == "WWW-Authenticate" for name, _ in found.headers)
    assert "secret" not in found.body.decode()


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (text_token("ann", "secret"), "shop"),
        (text_token("ann", "secret", None), "shop"),
        (text_token("partner", "a long key"), "partner"),
        (digest_token("ann", "secret"), "shop"),
        (digest_token("partner", "a long key"), "partner"),
        (digest_token("ann", "secret", created="2003-07-16T03:24:32.5+02:00"), "shop"),
    ],
)
def test_a_token_that_is_good_names_its_credential(binding: SoapBinding, header: str, name: str) -> None:
    found = asked(binding, header)
    assert isinstance(found, Invocation)
    assert found.consumer == name


def test_fields_of_http_are_as_good(binding: SoapBinding) -> None:
    found = asked(binding, Authorization="Basic " + b64encode(b"ann:secret").decode())
    assert isinstance(found, Invocation)
    assert found.consumer == "shop"


@pytest.mark.parametrize(
    "header",
    [
        "",
        security(""),
        text_token("ann", "wrong"),
        text_token("bob", "secret"),
        text_token("ann", "ann:secret"),
        text_token("", "secret"),
        text_token("shop", "secret"),
        text_token("ann", "a long key"),
        text_token("ann", "secret", f"{PROFILE}PasswordPlain"),
        digest_token("ann", "wrong"),
        digest_token("bob", "secret"),
        digest_token("ann", "secret", nonce=b""),
        digest_token("ann", "secret", created=""),
        digest_token("ann", "secret", created="yesterday"),
        digest_token("ann", "secret", created="2003-07-16T01:19:31Z"),
        digest_token("ann", "secret", created="2003-07-16T01:29:33Z"),
        text_token("ann", "secret") + text_token("ann", "secret"),
        text_token("ann", "x" * 2_000),
        '<p:context xmlns:p="urn:polyport:soap"><x/></p:context>',
    ],
)
def test_strangers_learn_nothing(binding: SoapBinding, header: str) -> None:
    assert_refused(asked(binding, header))


def test_a_digest_is_good_once(binding: SoapBinding, clock: Clock) -> None:
    header = digest_token("ann", "secret")
    assert isinstance(asked(binding, header), Invocation)
    assert_refused(asked(binding, header), "was used before")
    assert isinstance(asked(binding, digest_token("ann", "secret", nonce=b"another")), Invocation)
    assert isinstance(asked(binding, digest_token("partner", "a long key")), Invocation)
    clock.ms += 301_000
    assert_refused(asked(binding, header), "too long ago")


def test_a_wrong_digest_uses_no_nonce_up(binding: SoapBinding) -> None:
    assert_refused(asked(binding, digest_token("ann", "guess")))
    assert isinstance(asked(binding, digest_token("ann", "secret")), Invocation)


@pytest.mark.parametrize(("expires", "taken"), [("2003-07-16T01:24:00Z", True), ("2003-07-16T01:19:00Z", False)])
def test_a_message_that_has_expired_is_refused(binding: SoapBinding, expires: str, taken: bool) -> None:
    stamp = f"<u:Timestamp><u:Created>2003-07-16T01:00:00Z</u:Created><u:Expires>{expires}</u:Expires></u:Timestamp>"
    header = text_token("ann", "secret").replace("<w:UsernameToken>", f"{stamp}<w:UsernameToken>")
    found = asked(binding, header)
    if taken:
        assert isinstance(found, Invocation)
    else:
        assert_refused(found, "has expired")


@pytest.mark.parametrize("must", ["0", "1"])
def test_what_is_signed_is_not_taken_for_understood(must: str) -> None:
    binding = SoapBinding([Exposure(KEY, STORE)])
    signature = '<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"/>'
    found = asked(binding, security(signature, must))
    assert isinstance(found, HttpResponse)
    assert b"soap:MustUnderstand" in found.body


def test_where_nobody_asks_a_token_is_passed_over() -> None:
    found = asked(SoapBinding([Exposure(KEY, STORE)]), text_token("ann", "anything"))
    assert isinstance(found, Invocation)
    assert found.consumer == ""


def test_a_digest_that_openssl_made() -> None:
    """UsernameToken Profile 1.1.1, section 3.1, gives the formula. The digest is OpenSSL's, of nonce, moment and
    password `userpassword`: `openssl dgst -sha1 -binary | base64`."""
    check = TokenCheck({"nnk": "NNK:userpassword"}, 300.0, Clock())
    binding = SoapBinding([Exposure(KEY, STORE)], tokens=check)
    header = security(
        "<w:UsernameToken><w:Username>NNK</w:Username>"
        f'<w:Password Type="{PROFILE}PasswordDigest">QzjxijMsFjz7rHnwYbYfj24KD48=</w:Password>'
        "<w:Nonce>5uW4ABku/m6/S5rnE+L7vg==</w:Nonce><u:Created>2003-07-16T01:24:32Z</u:Created></w:UsernameToken>"
    )
    assert isinstance(asked(binding, header), Invocation)
