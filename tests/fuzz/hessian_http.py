"""What must hold for any bytes given to the hessian:// codecs, and messages to start from."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from gateway.model.call import Fault, Ok
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import LocalWireError, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.hessian.caucho import CAUCHO
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.hessian_http.client import ClientOptions, HessianClientBinding
from protocols.hessian_http.envelope import Envelope
from protocols.hessian_http.from_hessian1 import Layouts, Translated, translate
from protocols.hessian_http.server import HessianBinding
from protocols.hessian_http.to_hessian1 import to_hessian1
from protocols.http.message import HttpRequest, HttpResponse
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS, FAULTS, difference
from tests.support.hessian_bytes import hessian_body, old_body

__all__ = ["binding_seeds", "check_binding", "check_old", "check_reply", "old_seeds", "reply_seeds"]

# Small, so that limits are met often and no input takes long.
_LIMITS = Limits(max_frame_bytes=1 << 20, max_depth=16, max_elements=2_000, max_name_bytes=256)
_LARGEST_SEED = 2_000
_KEY = ServiceKey(CONTRACT.name)
_PATH = f"/{CONTRACT.name}"
_METHODS = {method.attribute: method for method in CONTRACT.methods}


def _values() -> Iterator[tuple[str, bytes]]:
    """Method and value of what the corpus has, in Hessian 2."""
    compiler = TypedCompiler(CONTRACT, CAUCHO)
    for case in CORPUS:
        writer = Writer(dialect=CAUCHO)
        try:
            compiler.compile_writer(case.type)(writer, case.value)
        except ValueMappingError:
            continue
        if len(writer.out) <= _LARGEST_SEED:
            yield case.method, writer.finish()


def old_seeds() -> Iterator[bytes]:
    """Values in Hessian 1, each with its end."""
    for _, value in _values():
        yield to_hessian1(value, _LIMITS) + b"z"


def _read(translated: Translated) -> list[Any] | None:
    """The values; None when they are refused."""
    reader = Reader(translated.data, limits=_LIMITS)
    reader.classes = list(translated.classes)
    try:
        values = [reader.read() for _ in range(translated.values)]
    except HessianError:
        return None
    assert reader.at_end, "what was translated is more than the values that there were"
    return values


def check_old(data: bytes) -> None:
    """Translates bytes as Hessian 1 and as Hessian 2; fails unless each gives values or an error, and they agree."""
    message = ""
    try:
        translated = translate(data, 0, _LIMITS, Layouts())
    except HessianError as exc:
        message = str(exc)
    else:
        assert translated.end <= len(data)
        known = _read(translate(data, 0, _LIMITS, _layouts()))
        found = _read(translated)
        assert (known is None) == (found is None), "what is known of classes changes what is refused"
        assert difference(found, known) is None, "what is known of classes changes what is read"
    assert len(message) < 2_000, "a message repeats the data"
    try:
        old = to_hessian1(data, _LIMITS)
    except LocalWireError:
        return
    # Whoever reads the one can read the other, but for what Hessian 1 has no room for.
    try:
        again = translate(old + b"z", 0, _LIMITS, Layouts())
    except HessianError:
        return
    assert again.end == len(old) + 1, "what was written ends before its end"


@functools.cache
def _layouts() -> Layouts:
    return Layouts()


@functools.cache
def _binding() -> HessianBinding:
    return HessianBinding([Exposure(_KEY, CONTRACT), Exposure(ServiceKey("demo.Generic"), None)], _LIMITS)


def binding_seeds() -> Iterator[bytes]:
    """Bodies of requests in each envelope; what stands before the first line break is the path."""
    for method, value in _values():
        java = "echo" + "".join(word.capitalize() for word in method.removeprefix("echo_").split("_"))
        if len(java) < 32:
            yield _PATH.encode() + b"\n" + hessian_body(java, value)
            yield _PATH.encode() + b"\n" + old_body(java, to_hessian1(value, _LIMITS), version=1)
            yield b"/demo.Generic\n" + old_body(java, to_hessian1(value, _LIMITS))
    yield _PATH.encode() + b"\n" + hessian_body("_hessian_getAttribute", b"\x0ejava.api.class")


def check_binding(data: bytes) -> None:
    """Takes a body for a call and answers it; fails unless it becomes one, or a refusal."""
    path, _, body = data.partition(b"\n")
    request = HttpRequest("POST", "/" + path.decode("latin-1").lstrip("/"), "", body=body)
    exchange = _binding().decode_call(request, 0.0)
    if isinstance(exchange, HttpResponse):
        assert exchange.status in (200, 400), exchange.status
        assert len(exchange.body) < 20_000
        return
    (invocation,) = exchange.calls
    outcome: Ok | RpcError
    try:
        outcome = Ok((*invocation.arguments(), None)[0])
    except RpcError as exc:
        outcome = exc
    assert isinstance(outcome, Ok) or len(str(outcome)) < 4_000, "a message repeats the data"
    answer = exchange.encode_reply([outcome])
    assert answer.status == 200
    assert answer.body[:1] in b"Hr"


@functools.cache
def _client() -> tuple[HessianClientBinding, object, object]:
    binding = HessianClientBinding(ClientOptions(max_request_bytes=1 << 20))
    bound = binding.bind(Endpoint("hessian", "a", 1, _KEY), _KEY, CONTRACT, "", "fuzz")
    return binding, bound, bound.methods["fail_declared"]


def reply_seeds() -> Iterator[bytes]:
    """Replies with values and faults in both versions."""
    for _, value in _values():
        yield b"H\x02\x00R" + value
        yield b"r\x01\x00" + to_hessian1(value, _LIMITS) + b"z"
    for envelope in Envelope:
        for case in FAULTS:
            body = (
                hessian_body("failDeclared", b"\x01x")
                if not envelope.old_call
                else old_body("failDeclared", b"S\x00\x01x")
            )
            if envelope is Envelope.HESSIAN_1:
                body = old_body("failDeclared", b"S\x00\x01x", version=1)
            exchange = _binding().decode_call(HttpRequest("POST", _PATH, "", body=body), 0.0)
            assert not isinstance(exchange, HttpResponse)
            reply = exchange.encode_reply([case.fault]).body
            if len(reply) <= _LARGEST_SEED:
                yield reply


def check_reply(data: bytes) -> None:
    """Takes a body for a reply; fails unless it becomes an outcome."""
    binding, bound, method = _client()
    for ticket in (method, None):
        outcome = None
        try:
            outcome = binding.decode_reply(bound, ticket, HttpResponse(200, (), data))
        except RpcError as exc:
            outcome = exc
        assert isinstance(outcome, Ok | Fault | RpcError)
        if isinstance(outcome, RpcError):
            assert len(str(outcome)) < 4_000, "a message repeats the data"
