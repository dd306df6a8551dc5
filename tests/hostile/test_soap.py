"""Rows S1 to S6 over webservice://: hostile XML inside requests. What is owed for each stands in README.md."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Awaitable, Callable

import pytest

from tests.support.abuse import REPEATS, Abuse, Attacker
from tests.support.dialect import SOAP
from tests.support.http_bytes import HttpAnswer, message
from tests.support.soap_bytes import NS_12, TYPES, body_of, envelope, soap_call, soap_request

pytestmark = pytest.mark.parametrize("dialect", [SOAP], indirect=True, ids=lambda dialect: dialect.name)

FEW = max(3, REPEATS // 50)
SOME = max(20, REPEATS // 10)
NEXT = soap_request(soap_call())
DEEP = 100_000


async def _fault(attacker: Attacker, data: bytes, said: str, status: int = 500) -> None:
    """What was sent is answered with a fault that says so, and the connection goes on."""
    await attacker.send(data)
    answer: HttpAnswer = await attacker.reply()
    assert answer.status == status, answer
    text = "".join(body_of(answer.body).itertext())
    assert re.search(said, text), text[:600]
    assert len(answer.body) < 4_000
    await attacker.send(NEXT)
    assert SOAP.is_count(await attacker.reply())


def _attack(body: bytes, said: str) -> Callable[[Attacker], Awaitable[None]]:
    return lambda attacker: _fault(attacker, soap_request(body, "demo.Types"), said)


def _typed(operation: str, inside: str, prolog: str = "") -> bytes:
    return prolog.encode() + envelope(f'<{operation} xmlns="{TYPES}">{inside}</{operation}>')


def _doctype(inside: str) -> str:
    return f"<!DOCTYPE e:Envelope {inside}>"


LAUGHS = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
DOCTYPES = {
    "s1 billion laughs": _doctype(f'[<!ENTITY l0 "lol">{LAUGHS}]'),
    "s1 quadratic blow-up": _doctype(f'[<!ENTITY a "{"x" * 60_000}">]'),
    "s1 parameter entities": _doctype("[<!ENTITY % a \"<!ENTITY &#37; b 'c'>\"> %a; %b;]"),
    "s1 attributes by default": _doctype('[<!ATTLIST value a CDATA "b">]'),
    "s2 external entity": _doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]'),
    "s2 external entity of the network": _doctype('[<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]'),
    "s2 external document type": _doctype('SYSTEM "http://127.0.0.1:9/x.dtd"'),
    "s2 public document type": _doctype('PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://127.0.0.1:9/x.dtd"'),
    "empty": "<!DOCTYPE e:Envelope>",
}


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Whom anybody tries to reach by name; our own connections have addresses."""
    asked: list[object] = []
    real = socket.getaddrinfo

    def noting(host: object, *rest: object, **more: object) -> object:
        asked.append(host)
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", noting)
    return asked


@pytest.mark.parametrize("name", DOCTYPES)
async def test_s1_and_s2_document_types(abuse: Abuse, no_sockets: list[object], name: str) -> None:
    body = _typed("echo_string", "<value>&l9;&x;</value>", DOCTYPES[name])
    await abuse(_attack(body, "a document type"), reason="bad-request", times=SOME)
    assert no_sockets == []


XINCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
REFUSED = {
    "s1 an entity that nobody declared": ("echo_string", "<value>&lol;</value>", "no well-formed XML"),
    "s2 xinclude": ("echo_string", f"<value>{XINCLUDE}</value>", "include inside of text"),
    "s2 xinclude among arguments": ("echo_string", XINCLUDE, "has no element"),
    "s3 elements": ("echo_any", "<value>" * DEEP, "deeper than|inside of text"),
    "s3 lists": (
        "echo_any",
        '<value xsi:type="anyList">' + '<item xsi:type="anyList">' * DEEP,
        "elements nested deeper than 200",
    ),
    "s3 structs": ("echo_struct", "<value>" + "<parent>" * DEEP, "elements nested deeper than 200"),
    "s3 an attribute of 1 MiB": ("echo_string", f'<value a="{"x" * (1 << 20)}">x</value>', "a tag or comment of more"),
    "s3 a name of 1 MiB": ("echo_string", f"<{'x' * (1 << 20)}/>", "a tag or comment of more"),
    "s3 a comment of 1 MiB": ("echo_string", f"<!--{'x' * (1 << 20)}-->", "a tag or comment of more"),
    "s3 an instruction of 1 MiB": ("echo_string", f"<?x {'x' * (1 << 20)}?>", "a tag or comment of more"),
    "s3 10,000 attributes": (
        "echo_string",
        "<value " + " ".join(f'a{number}=""' for number in range(5_000)) + "/>",
        "the attribute a0 has no place",
    ),
    "s3 10,000 namespaces": (
        "echo_string",
        "<value " + " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(2_000)) + "/>",
        "more than 1000 declared namespaces",
    ),
    "s3 a namespace of 60,000 characters": (
        "echo_string_list",
        f'<value xmlns:n="{"u" * 60_000}"/>',
        "a namespace of 60000 characters; 1024 are taken",
    ),
    "s3 namespaces one after the other": (
        "echo_string_list",
        "".join(f'<value xmlns:n{number}="urn:{number}"/>' for number in range(2_000)),
        "more than 1000 declared namespaces",
    ),
    "s3 300,000 empty lists": ("echo_nested_list", "<value/>" * 300_000, "more than 300000 elements"),
    "s3 the same attribute": ("echo_string", '<value a="1" a="2"/>', "no well-formed XML"),
    "s3 the same attribute by two prefixes": (
        "echo_string",
        '<value xmlns:p="urn:a" xmlns:q="urn:a" p:a="1" q:a="2"/>',
        "no well-formed XML",
    ),
    "s5 nothing where null cannot be": ("echo_i32", '<value xsi:nil="true"/>', r"args\[0\]: null"),
    "s5 an unknown prefix": ("echo_any", '<value xsi:type="nobody:int">1</value>', "'nobody' is not declared"),
    "s5 another struct": ("echo_struct", '<value xsi:type="Point"><x>1</x></value>', "no type that can stand here"),
    "s5 a class of the host": ("echo_any", '<value xsi:type="xs:os.system">ls</value>', "no type of the schema"),
    "a number of 100,000 digits": ("echo_bigint", f"<value>{'7' * 100_000}</value>", "at most 10000"),
    "an exponent": ("echo_decimal", "<value>1e999999999</value>", "without an exponent"),
    "a huge exponent": (
        "echo_decimal",
        '<value xsi:type="scaledDecimal" exponent="999999999">1</value>',
        "expected an exponent from 1",
    ),
    "NUL": ("echo_string", "<value>a\0b</value>", "no well-formed XML"),
    "NUL by number": ("echo_string", "<value>&#0;</value>", "no well-formed XML"),
    "half of a pair by number": ("echo_string", "<value>&#xD800;</value>", "no well-formed XML"),
    "a declaration inside": ("echo_string", '<?xml version="1.0"?>', "no well-formed XML"),
    "rpc encoding": ("echo_string", '<value href="#id1"/>', r"rpc/encoded"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_s1_to_s5_values(abuse: Abuse, no_sockets: list[object], name: str) -> None:
    operation, inside, said = REFUSED[name]
    body = _typed(operation, inside)
    await abuse(_attack(body, said), reason="bad-request", times=FEW if len(body) > 10_000 else SOME)
    assert no_sockets == []


async def test_keys_with_one_hash_are_refused(abuse: Abuse) -> None:
    # UUIDs hash by their number, and Python's hash of an integer is its rest by 2^61 - 1.
    uuids = (f"{number * ((1 << 61) - 1):032x}" for number in range(2_000))
    items = "".join(
        f'<item xsi:type="uuid">{each[:8]}-{each[8:12]}-{each[12:16]}-{each[16:20]}-{each[20:]}</item>'
        for each in uuids
    )
    body = _typed("echo_any", f'<value xsi:type="anySet">{items}</value>')
    await abuse(_attack(body, "the same hash"), reason="bad-request", times=FEW)


TAKEN = {
    "comments that split a text": ("<value>ab<!-- x -->cd<!-- y -->ef</value>", "abcdef"),
    "character data": ("<value><![CDATA[<a>&b;]]></value>", "<a>&b;"),
    "character data in pieces": ("<value>a<![CDATA[b]]>c<![CDATA[d]]></value>", "abcd"),
    "instructions": ("<?php echo 1 ?><value>a<?x?>b</value>", "ab"),
    "references": ("<value>&#x41;&#66;&amp;&lt;&#10;</value>", "AB&<\n"),
    "a schema elsewhere": (
        '<value xsi:schemaLocation="http://demo/ http://127.0.0.1:9/x.xsd">a</value>',
        "a",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
async def test_what_is_strange_and_harmless_is_read(abuse: Abuse, no_sockets: list[object], name: str) -> None:
    inside, text = TAKEN[name]

    async def attack(attacker: Attacker) -> None:
        await attacker.send(soap_request(_typed("echo_string", inside), "demo.Types"))
        assert SOAP.is_echo(await attacker.reply(), text)

    await abuse(attack, reason=None, times=SOME)
    assert no_sockets == []


TWO = _typed("echo_string", "<value>x</value>").replace(b"</e:Body>", b"<a/></e:Body>")
MESSAGES = {
    "s4 two operations": (TWO, "a second element", "bad-request"),
    "s4 no operation": (envelope(""), "holds no operation", "bad-request"),
    "s4 an unknown version": (envelope("<a/>", namespace="urn:x"), "neither SOAP 1.1 nor", "bad-request"),
    "s4 a block that must be understood": (
        envelope("<a/>", header='<b xmlns="urn:x" e:mustUnderstand="1"/>'),
        "must be understood",
        "bad-request",
    ),
    "s4 an unknown operation": (envelope(f'<a xmlns="{TYPES}"/>'), "has no operation", "no-such-method"),
    "900 header blocks": (
        envelope("<a/>", header='<b xmlns="urn:x" e:mustUnderstand="1"/>' * 900),
        "must be understood",
        "bad-request",
    ),
    "a name of 60,000 characters": (
        envelope(f'<{"a" * 60_000} xmlns="{TYPES}"/>'),
        "has no operation of 600",
        "no-such-method",
    ),
    "another XML": (b'<?xml version="2.0"?>' + soap_call(), "version of XML", "bad-request"),
    "nothing": (b"", "no well-formed XML", "bad-request"),
    "spaces": (b" " * 10_000, "no well-formed XML", "bad-request"),
    "less-than": (b"<" * (1 << 20), "no well-formed XML", "bad-request"),
    "zeros": (bytes(1 << 20), "no well-formed XML", "bad-request"),
    "0xff": (b"\xff" * 1_000, "no well-formed XML", "bad-request"),
    "JSON": (b'{"a": 1}', "no well-formed XML", "bad-request"),
    "bad UTF-8": (_typed("echo_string", "<value>").replace(b"<value>", b"<value>\xc3\x28"), "XML", "bad-request"),
    "the half of a message": (_typed("echo_string", "<value>x</value>")[:-60], "no well-formed XML", "bad-request"),
}


@pytest.mark.parametrize("name", MESSAGES)
async def test_s4_messages_that_are_no_call(abuse: Abuse, name: str) -> None:
    body, said, reason = MESSAGES[name]
    await abuse(_attack(body, said), reason=reason, times=FEW if len(body) > 10_000 else SOME)


async def test_s4_the_body_is_called_whatever_soapaction_says(abuse: Abuse) -> None:
    body = soap_call()
    fields = ("Content-Type: text/xml", 'SOAPAction: "http://demo/remove"')

    async def attack(attacker: Attacker) -> None:
        await attacker.send(message("/demo.Catalog", body, *fields))
        assert SOAP.is_count(await attacker.reply())

    await abuse(attack, reason=None, times=SOME)


async def test_s4_both_versions_on_one_connection(abuse: Abuse) -> None:
    async def attack(attacker: Attacker) -> None:
        for namespace in (NS_12, "http://schemas.xmlsoap.org/soap/envelope/", NS_12):
            await attacker.send(soap_request(soap_call(namespace=namespace)))
            answer: HttpAnswer = await attacker.reply()
            assert SOAP.is_count(answer)
            assert namespace.encode() in answer.body

    await abuse(attack, reason=None, times=SOME)


PARTS = "--x\r\nContent-Type: application/xop+xml\r\n\r\n{}\r\n--x--"
MULTIPART = {
    "mtom": 'multipart/related; type="application/xop+xml"; boundary=x; start="<root>"',
    "no boundary": "multipart/related",
    "a form": "multipart/form-data; boundary=x",
}


@pytest.mark.parametrize("name", MULTIPART)
async def test_s6_attachments_are_refused(abuse: Abuse, name: str) -> None:
    data = soap_request(PARTS.format(soap_call().decode()).encode(), content_type=MULTIPART[name])
    await abuse(lambda attacker: _fault(attacker, data, "not read here", 415), reason="bad-request", times=SOME)


@pytest.mark.parametrize("abuse", ["frame: 64KiB"], indirect=True)
async def test_j4_bombs(abuse: Abuse) -> None:
    packed = gzip.compress(_typed("echo_string", f"<value>{' ' * (1 << 20)}</value>"))
    data = message("/demo.Types", packed, "Content-Type: text/xml", "Content-Encoding: gzip")
    await abuse(
        lambda attacker: _fault(attacker, data, "without its content coding", 413), reason="bad-request", times=SOME
    )
