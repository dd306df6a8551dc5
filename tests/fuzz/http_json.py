"""What must hold for any bytes given to the http:// codecs, and messages to start from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Any

import httptools

from gateway.jsonform.text import parse_json
from gateway.model.call import Fault, Invocation, Ok, Peer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import BadRequest, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, Outcome, Send, ServerCodec
from protocols.http.binding import HttpExchange
from protocols.http.context import read_context, read_reply_attachments, request_headers
from protocols.http.limits import HttpLimits
from protocols.http.message import Headers, HttpRequest, HttpResponse
from protocols.http.server import HttpServerWire
from protocols.http_json.client import ClientOptions, JsonClientBinding
from protocols.http_json.route import parse_route
from protocols.http_json.server import JsonBinding
from protocols.testing import CONTRACT, CORPUS, FAULTS

__all__ = [
    "binding_seeds",
    "check_binding",
    "check_context",
    "check_json",
    "check_reply",
    "check_stream",
    "context_seeds",
    "json_seeds",
    "reply_seeds",
    "stream_seeds",
]

_KEY = ServiceKey(CONTRACT.name)
_PEER = Peer("http", "fuzz")
_LARGEST_SEED = 2_000
_CODING = b"Transfer-Encoding: "
_NOTHING = object()
# Small, so that limits are met often and no input takes long.
_LIMITS = HttpLimits(
    max_body_bytes=2_000,
    max_inflated_bytes=2_000,
    max_header_bytes=600,
    max_headers=12,
    max_target_bytes=200,
    max_chunk_line_bytes=40,
    max_chunk_extension_bytes=60,
    max_chunks=8,
    max_pipelined=4,
)


class _Recorded:
    """A call of `_Recording`."""

    def __init__(self, request: HttpRequest) -> None:
        self.calls = (Invocation(_KEY, request.path, (request.body,)),)

    def encode_reply(self, outcomes: Any) -> HttpResponse:
        return HttpResponse(200, (), b"called")


class _Recording:
    """A binding that keeps what it is given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str, bytes]] = []

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        self.seen.append((request.method, request.path, request.query, request.body))
        return _Recorded(request) if request.method == "POST" else HttpResponse(200, (), b"said")

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        assert len(reason) < 2_000, "a reason repeats the data"
        return HttpResponse(status, (), reason.encode())


def stream_seeds() -> Iterator[bytes]:
    """Requests as they follow each other on a connection."""
    post = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    chunked = b"POST /a?b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: t\r\n\r\n"
    yield post
    yield chunked
    yield post + chunked + b"\r\n" + post
    yield b"GET http://a/b?c=d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    yield b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + post
    yield b"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nAccept-Encoding: gzip\r\n\r\n"
    yield b"POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc" + post
    yield b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + post
    yield b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
    yield b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n" + b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n" + post


def _run(pieces: list[bytes]) -> tuple[Any, ...]:
    """All that can be seen from outside when a codec gets these pieces, except where one piece ends."""
    binding = _Recording()
    codec: ServerCodec = HttpServerWire(binding, _LIMITS).accept(_PEER)
    sent, rejected = b"", []
    for piece in pieces:
        if codec.finished or codec.broken is not None:
            break
        for event in codec.receive(piece, 1.0):
            if isinstance(event, CallReceived):
                sent += codec.reply(event.ticket, Ok(None))
            elif isinstance(event, CallRejected):
                rejected.append(str(event.error))
                sent += codec.reply(event.ticket, event.error)
            elif isinstance(event, Send):
                sent += event.data
    reason = ""
    if codec.broken is not None:
        sent += codec.broken.farewell
        reason = codec.broken.reason
    assert codec.held_bytes == 0
    assert codec.pending_bytes <= sum(map(len, pieces)) + 1
    return binding.seen, rejected, sent, reason, codec.finished


class _Reader:
    """What llhttp sees."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.ended = 0

    def on_message_begin(self) -> None:
        self.bodies.append(b"")

    def on_body(self, body: bytes) -> None:
        self.bodies[-1] += body

    def on_message_complete(self) -> None:
        self.ended += 1


def check_stream(data: bytes) -> None:
    """The same in one piece and byte by byte; answers that llhttp reads; as many requests as llhttp sees in it."""
    seen, rejected, sent, reason, finished = _run([data])
    again, rejected_again, sent_again, reason_again, finished_again = _run([bytes((each,)) for each in data])
    if b"expect" in data.lower():
        # Whether a body is asked for, and so whether it is wanted at all, is up to how much of it came with the head.
        return
    assert (seen, rejected, finished) == (again, rejected_again, finished_again)
    # Where two things are wrong, the one that arrives first is named.
    assert bool(reason) == bool(reason_again), (reason, reason_again)
    if b"HEAD" in data or "not-http" in (reason, reason_again):
        # Who speaks something else gets no answer. Answers to HEAD say a length and have no body, which only who asked
        # can know.
        return
    assert len(_answers(sent)) == len(_answers(sent_again))
    own = (
        any(method != "POST" for method, *_ in seen) or b"OPTIONS" in data or b"ncoding: " in data.replace(_CODING, b"")
    )
    if reason or rejected or finished or own:
        return
    requests = _Reader()
    try:
        httptools.HttpRequestParser(requests).feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return
    assert requests.bodies[: requests.ended] == [body for *_, body in seen], "a request hides in another one"


def _answers(sent: bytes) -> list[bytes]:
    answers = _Reader()
    if sent:
        httptools.HttpResponseParser(answers).feed_data(sent)
    assert answers.ended == len(answers.bodies)
    return answers.bodies


_ROUTES = {
    "echo_string": parse_route("GET /strings/{value}"),
    "echo_i64": parse_route("GET /longs?value={value}"),
    "echo_date": parse_route("GET /dates header:X-Date={value}"),
    "echo_struct": parse_route("PUT /makers body={value} -> 201"),
}
_SERVER = JsonBinding(
    [
        Exposure(_KEY, CONTRACT, options={"routes": _ROUTES}),
        Exposure(ServiceKey(CONTRACT.name, "blind"), None, forwarded=True),
    ],
    document=None,
    pages=None,
)
_METHODS = {method.attribute: method for method in CONTRACT.methods}


def _client(style: str) -> tuple[JsonClientBinding, Any]:
    binding = JsonClientBinding(ClientOptions(style=style))
    return binding, binding.bind(Endpoint("http", "localhost", 1, _KEY), _KEY, CONTRACT, "", "fuzz")


_CLIENTS = [_client("polyport"), _client("jsonrpc")]


def binding_seeds() -> Iterator[bytes]:
    """Requests with the values of the corpus: first line, fields, an empty line, the body."""
    for binding, bound in _CLIENTS:
        for case in CORPUS:
            method = _METHODS[case.method]
            try:
                request, _ = binding.encode_call(
                    bound, Invocation(_KEY, method.name, case.arguments, signature=method), 1.0
                )
            except ValueMappingError:
                continue
            if len(request.body) <= _LARGEST_SEED:
                fields = "".join(f"{name}: {value}\n" for name, value in request.headers.pairs)
                yield f"POST {request.path}\n{fields}\n".encode("latin-1") + request.body
    yield b"GET /strings/%e4%bd%a0\n\n"
    yield b"GET /longs?value=9007199254740993\n\n"
    yield b"GET /dates\nX-Date: 2024-02-29\n\n"
    yield b'PUT /makers\nContent-Type: application/json\n\n{"name":"a"}'
    yield f"GET /{_KEY}/echo_string_set?value=a&value=b\n\n".encode()
    yield b'POST /jsonrpc\n\n[{"jsonrpc":"2.0","id":1,"method":"%b.echo_i32","params":[1]},{"jsonrpc":"2.0"}]' % (
        CONTRACT.name.encode()
    )
    yield f'POST /blind/{CONTRACT.name}/any\n\n[1,{{"$type":"set","value":["a"]}}]'.encode()


def _request(data: bytes) -> HttpRequest:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
    return HttpRequest(method, path, query, Headers(pairs), body, _PEER)


def check_binding(data: bytes) -> None:
    """Calls or a response, never an exception; answers are what they say they are."""
    request = _request(data)
    if not (request.method.isascii() and request.method.isalpha() and request.path.startswith("/")):
        return  # no driver would let that through
    found = _SERVER.decode_call(request, 1.0)
    if isinstance(found, HttpResponse):
        _check_response(found)
        return
    outcomes: list[Outcome | None] = []
    for invocation in found.calls:
        try:
            arguments = invocation.arguments()
            outcome: Outcome = Ok(arguments[0] if arguments else None)
        except BadRequest as exc:
            outcome = exc
        outcomes.append(None if invocation.oneway else outcome)
    _check_response(found.encode_reply(outcomes))


def _check_response(response: HttpResponse) -> None:
    fields = {name.lower(): value for name, value in response.headers}
    assert len(fields) == len(response.headers)
    for name, value in fields.items():
        assert f"{name}{value}".isascii(), fields
        assert f"{name}{value}".isprintable(), fields
    assert len(response.body) < 100_000, "an answer is much longer than what it answers"
    if response.body:
        document = json.loads(response.body)
        if fields["content-type"] == "application/problem+json":
            assert document["status"] == response.status
            assert document["detail"].isprintable()


def reply_seeds() -> Iterator[bytes]:
    """Answers to calls: number of the client, status and media type, an empty line, the body."""
    for number, (binding, bound) in enumerate(_CLIENTS):
        outcomes: list[tuple[str, tuple[Any, ...], Outcome]] = [
            (case.method, case.arguments, Ok(case.value)) for case in CORPUS
        ]
        outcomes += [(case.method, ("x",), case.fault) for case in FAULTS]
        outcomes.append(("echo_string", ("x",), BadRequest("no")))
        for attribute, arguments, outcome in outcomes:
            method = _METHODS[attribute]
            try:
                request, _ = binding.encode_call(bound, Invocation(_KEY, method.name, arguments, signature=method), 1.0)
            except ValueMappingError:
                continue
            exchange = _SERVER.decode_call(request, 1.0)
            assert not isinstance(exchange, HttpResponse)
            answer = exchange.encode_reply([outcome])
            if len(answer.body) <= _LARGEST_SEED:
                media_type = dict(answer.headers).get("Content-Type", "")
                yield f"{number} {answer.status} {attribute} {media_type}\n\n".encode() + answer.body


def check_reply(data: bytes) -> None:
    """An outcome, never an exception, whatever a server answers."""
    head, _, body = data.partition(b"\n\n")
    first, status, attribute, media_type, *_ = [*head.decode("latin-1").split(" ", 3), "", "", "", ""]
    binding, bound = _CLIENTS[first == "1"]
    method = _METHODS.get(attribute, _METHODS["echo_everything"])
    arguments = next((case.arguments for case in CORPUS if case.method == method.attribute), ("x",))
    _, ticket = binding.encode_call(bound, Invocation(_KEY, method.name, arguments, signature=method), 1.0)
    code = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 200
    headers = (("Content-Type", media_type),) if media_type else ()
    outcome = binding.decode_reply(bound, ticket, HttpResponse(code, headers, body))
    assert isinstance(outcome, Ok | Fault | RpcError), outcome
    if isinstance(outcome, RpcError):
        assert len(str(outcome)) < 20_000, "a message repeats the data"


def _check_brief(error: Exception) -> None:
    assert len(str(error)) < 2_000, "a message repeats the data"


def context_seeds() -> Iterator[bytes]:
    """Fields of a call."""
    yield b"Polyport-Attachment-a%20b: c%0d%0a\nPolyport-Timeout: 1.5\nPolyport-Consumer: shop"
    yield b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\nPolyport-Attachment-%e4%bd%a0: %e4"
    yield b"polyport-attachment-A: 1\nPolyport-Attachment-a: 2\nPolyport-Attachment-%41: 3"


def check_context(data: bytes) -> None:
    """What is read can be written, and is then read again."""
    lines = data.decode("latin-1").split("\n")
    headers = Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
    try:
        context = read_context(headers)
    except BadRequest as exc:
        _check_brief(exc)
        return
    invocation = Invocation(_KEY, "a", (), attachments=context.attachments, traceparent=context.traceparent)
    again = read_context(Headers(request_headers(invocation, context.timeout_s, context.consumer)))
    assert dict(again.attachments) == dict(context.attachments)
    assert (again.traceparent, again.consumer) == (context.traceparent, context.consumer)
    assert dict(read_reply_attachments(Headers(headers.pairs))) == dict(context.attachments)


def json_seeds() -> Iterator[bytes]:
    """The bodies of the corpus, and what JSON has besides."""
    for seed in binding_seeds():
        yield seed.partition(b"\n\n")[2]
    yield b'{"a": [1, -0, 1.50, 1e3, true, null, "\\u0041\\n\\ud83d\\ude00"], "b": {}}'
    yield b"[" * 70 + b"]" * 70
    yield b"[1" + b"0" * 400 + b"]"


def check_json(data: bytes) -> None:
    """What is accepted means what Python's own reader says, keys twice excepted, which are refused."""
    try:
        value = parse_json(data)
    except ValueMappingError as exc:
        _check_brief(exc)
        return
    theirs = json.loads(data.decode(), parse_float=Decimal, parse_int=int)
    assert _same(value, theirs), (value, theirs)


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return all(_same(one, other) for one, other in zip_longest(ours, theirs, fillvalue=_NOTHING))
    if isinstance(ours, bool) or ours is None or isinstance(ours, str):
        return type(ours) is type(theirs) and ours == theirs
    return bool(ours == theirs)
