"""SOAP messages put together by hand, and read with lxml: nothing here is the codec's own."""

from __future__ import annotations

from lxml import etree

__all__ = ["NS_11", "NS_12", "TYPES", "body_of", "envelope", "soap_call", "soap_request", "text_of"]

NS_11 = "http://schemas.xmlsoap.org/soap/envelope/"
NS_12 = "http://www.w3.org/2003/05/soap-envelope"
TYPES = "http://demo/"
"""The namespace of demo.Types and demo.Catalog."""
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xs="http://www.w3.org/2001/XMLSchema"'


def envelope(inside: str, *, header: str = "", namespace: str = NS_11) -> bytes:
    """An envelope. `inside`: of its body; `header`: of its header, empty for none."""
    head = f"<e:Header>{header}</e:Header>" if header else ""
    return f'<e:Envelope xmlns:e="{namespace}" {XSI}>{head}<e:Body>{inside}</e:Body></e:Envelope>'.encode()


def soap_call(operation: str = "count", arguments: str = "", *, namespace: str = NS_11) -> bytes:
    """The envelope of a call; the elements of `arguments` are qualified."""
    return envelope(f'<{operation} xmlns="{TYPES}">{arguments}</{operation}>', namespace=namespace)


def text_of(document: bytes) -> str:
    """The text of the result in an answer."""
    return body_of(document)[0].text or ""


def soap_request(body: bytes, service: str = "demo.Catalog", content_type: str = "text/xml; charset=utf-8") -> bytes:
    """A request of HTTP with an envelope."""
    head = f"POST /{service} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def body_of(document: bytes) -> etree._Element:
    """What is inside of the body of an envelope."""
    root = etree.fromstring(document)
    (body,) = (each for each in root if etree.QName(each).localname == "Body")
    (inside,) = body
    return inside
