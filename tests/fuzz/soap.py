"""What must hold for any bytes given to the webservice:// codecs, and messages to start from."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from lxml import etree

from gateway.model.call import Fault, Invocation, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.soap.client import ClientOptions, SoapClientBinding
from protocols.soap.document import XmlLimits
from protocols.soap.schema import write_schema
from protocols.soap.server import SoapBinding
from protocols.testing import CONTRACT, CORPUS, FAULTS, difference

__all__ = ["binding_seeds", "check_binding", "check_reply", "reply_seeds"]

# Small, so that limits are met often and no input takes long.
_LIMITS = XmlLimits(max_depth=40, max_elements=2_000, max_token_bytes=4_096, max_namespaces=50)
_LARGEST_SEED = 2_000
_KEY = ServiceKey(CONTRACT.name)
_METHODS = {method.attribute: method for method in CONTRACT.methods}
_FIELDS = Headers((("Content-Type", "text/xml"),))


@functools.cache
def _binding() -> SoapBinding:
    return SoapBinding([Exposure(_KEY, CONTRACT)], limits=_LIMITS)


@functools.cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(write_schema(CONTRACT, "http://demo/").encode()))


@functools.cache
def _client() -> tuple[SoapClientBinding, object]:
    binding = SoapClientBinding(ClientOptions(), _LIMITS)
    return binding, binding.bind(Endpoint("webservice", "a", 1, _KEY), _KEY, CONTRACT, "", "fuzz")


def binding_seeds() -> Iterator[bytes]:
    """Requests with every value of the corpus, in both versions."""
    for version in ("1.1", "1.2"):
        client = SoapClientBinding(ClientOptions(version=version))
        bound = client.bind(Endpoint("webservice", "a", 1, _KEY), _KEY, CONTRACT, "", "")
        for case in CORPUS:
            signature = _METHODS[case.method]
            invocation = Invocation(_KEY, signature.name, case.arguments, signature=signature, attachments={"a": "b"})
            try:
                request, _ = client.encode_call(bound, invocation, 1.0)
            except ValueMappingError:
                continue
            if len(request.body) <= _LARGEST_SEED:
                yield request.body


def check_binding(data: bytes) -> None:
    """Takes a body for a call and answers it; what is read of it must be valid XML, and survive being written."""
    request = HttpRequest("POST", f"/{CONTRACT.name}", "", _FIELDS, data)
    exchange = _binding().decode_call(request, 0.0)
    if isinstance(exchange, HttpResponse):
        assert exchange.status in (400, 415, 500), exchange.status
        assert len(exchange.body) < 20_000, "a message repeats the data"
        etree.fromstring(exchange.body)
        return
    (invocation,) = exchange.calls
    arguments = _read(invocation)
    if isinstance(arguments, BadRequest):
        assert len(str(arguments)) < 4_000, "a message repeats the data"
        etree.fromstring(exchange.encode_reply([arguments]).body)
        return
    assert _is_document(data), "what libxml2 takes for no document becomes a call"
    again = _again(invocation, arguments)
    answer = exchange.encode_reply([Ok((*arguments, None)[0])])
    etree.fromstring(answer.body)
    assert again is None or difference(arguments, again) is None


def _again(invocation: Invocation, arguments: tuple[object, ...]) -> tuple[object, ...] | None:
    """The arguments, written and read once more; None where they are beyond a limit then."""
    client, bound = _client()
    signature = invocation.signature
    assert signature is not None
    sent = Invocation(_KEY, signature.name, arguments, signature=signature)
    request, _ = client.encode_call(bound, sent, None)
    (inside,) = etree.fromstring(request.body)[-1]
    assert _schema().validate(inside), _schema().error_log.last_error
    exchange = _binding().decode_call(request, 0.0)
    assert not isinstance(exchange, HttpResponse)
    again = _read(exchange.calls[0])
    if isinstance(again, BadRequest):
        assert any(limit in str(again) for limit in ("elements", "levels", "bytes")), again
        return None
    return again


def _read(invocation: Invocation) -> tuple[object, ...] | BadRequest:
    try:
        return invocation.arguments()
    except BadRequest as exc:
        return exc


def _is_document(data: bytes) -> bool:
    try:
        etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as exc:
        # It asks more of a namespace than Namespaces in XML does: a URI by its grammar.
        return "is not a valid URI" in str(exc) or "is not absolute" in str(exc)
    return True


def reply_seeds() -> Iterator[bytes]:
    """Answers with values and faults in both versions."""
    for body in binding_seeds():
        exchange = _binding().decode_call(HttpRequest("POST", f"/{CONTRACT.name}", "", _FIELDS, body), 0.0)
        if isinstance(exchange, HttpResponse):
            continue
        outcomes: list[Ok | Fault | RpcError] = [Ok((*exchange.calls[0].arguments(), None)[0], {"a": "b"})]
        if exchange.calls[0].method == "echo_string":
            outcomes += [case.fault for case in FAULTS if len(case.fault.message or "") < 100]
            outcomes.append(RpcError("no"))
        for outcome in outcomes:
            answer = exchange.encode_reply([outcome]).body
            if len(answer) <= _LARGEST_SEED:
                yield answer


def check_reply(data: bytes) -> None:
    """Takes a body for an answer; fails unless it becomes an outcome."""
    client, bound = _client()
    for attribute in ("echo_everything", "fail_declared", "echo_any"):
        ticket = bound.service.by_attribute[attribute]  # type: ignore[attr-defined]
        for status in (200, 500):
            response = HttpResponse(status, (("Content-Type", "text/xml"),), data)
            outcome = client.decode_reply(bound, ticket, response)
            assert isinstance(outcome, Ok | Fault | RpcError)
            if isinstance(outcome, RpcError):
                assert len(str(outcome)) < 4_000, "a message repeats the data"
