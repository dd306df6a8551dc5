"""The server's half of hessian:// (`protocols.http.binding.HttpBinding`): which request is which call.

| request | meaning |
| --- | --- |
| `POST /[group/]interface[:version]` | a call; its body says which method, whatever the media type |
| `POST /interface?group=…&version=…` | the same, as Dubbo's consumers address it |
| `POST /…/generic` | `$invoke` of Dubbo's generic consumers (`protocols.hessian_http.invoke`) |
| anything else | 405, 400 for a body that is no call, otherwise a fault |

The interface may be called by its Java name. Answers have status 200 and are written as the call asks
(`protocols.hessian_http.envelope`); exceptions and errors are faults (`protocols.hessian_http.fault`). A caller without
the interface may ask for its name, `_hessian_getAttribute`, which filters see as they see calls
(`gateway.model.question`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote, unquote

from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault, Invocation, Ok
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, NoSuchService, RpcError, ValueMappingError
from gateway.model.exposure import Exposure
from gateway.model.question import Question
from protocols import java
from protocols.contract import Outcome
from protocols.dubbo.invoke import check_mode
from protocols.dubbo.service import MethodBinding
from protocols.dubbo.throwable import generic_exception, throwable_of_fault
from protocols.hessian.caucho import CAUCHO
from protocols.hessian.dialect import Dialect
from protocols.hessian.errors import HessianError
from protocols.hessian.writer import Writer
from protocols.hessian_http.arguments import ArgumentBytes, GenericArguments, TypedArguments, choose
from protocols.hessian_http.call import CallHead, read_call
from protocols.hessian_http.caller import Caller, read_caller
from protocols.hessian_http.envelope import CONTENT_TYPE, Envelope
from protocols.hessian_http.fault import SERVICE_EXCEPTION, error_fault, fault_message
from protocols.hessian_http.from_hessian1 import Layouts
from protocols.hessian_http.invoke import GENERIC_PATH, is_invoke, read_invocation
from protocols.hessian_http.reply import encode_fault, encode_value
from protocols.hessian_http.service import ServiceMethods
from protocols.http.binding import HttpExchange
from protocols.http.content import MAX_PLAIN_BYTES, bare_deflate
from protocols.http.context import reply_headers
from protocols.http.invocation import make_invocation
from protocols.http.message import HttpRequest, HttpResponse
from protocols.http.unwritable import unwritable
from protocols.reader import DEFAULT_LIMITS, Limits

__all__ = ["HessianBinding", "service_path"]

_HEADERS: Final = (("Content-Type", CONTENT_TYPE),)
_DEFLATED: Final = (("Content-Encoding", "deflate"), ("Vary", "Accept-Encoding"))
_PLAIN_TEXT: Final = (("Content-Type", "text/plain; charset=utf-8"),)
_ALLOW: Final = (("Allow", "POST"),)
_ATTRIBUTE: Final = "_hessian_getAttribute"
_CLASS_ATTRIBUTES: Final = frozenset({"java.api.class", "java.home.class", "java.object.class"})
_MAX_FOUND: Final = 1_024
_MAX_QUERY_FIELDS: Final = 100
"""Dubbo's consumers send some thirty."""
_SHOWN: Final = 100


class _Service:
    """One service. `methods`: None for one without a contract. `interface`: its Java name."""

    __slots__ = ("interface", "key", "methods")

    def __init__(self, key: ServiceKey, contract: ServiceContract | None, dialect: Dialect) -> None:
        self.key: Final = key
        self.methods: Final = None if contract is None else ServiceMethods(contract, dialect)
        self.interface: Final = key.interface if contract is None else java.interface_name(contract)

    def attribute(self, arguments: tuple[Any, ...]) -> Ok:
        """What `_hessian_getAttribute` gives; null for what nobody has."""
        name = arguments[0] if len(arguments) == 1 else None
        return Ok(self.interface if isinstance(name, str) and name in _CLASS_ATTRIBUTES else None)


class HessianBinding:
    """The services of a listener.

    `limits`: of a call's values and of a reply. `dialect`: how replies are written. `compress`: send long replies as
    bare deflate to callers that take it and no gzip.

    Raises:
        ContractError: a contract has no form here, or two services have one path.
    """

    def __init__(
        self,
        exposures: Sequence[Exposure],
        limits: Limits = DEFAULT_LIMITS,
        dialect: Dialect = CAUCHO,
        *,
        compress: bool = True,
    ) -> None:
        self.limits: Final = limits
        self.dialect: Final = dialect
        self.compress: Final = compress
        self._layouts: Final = Layouts()
        self._by_key: dict[ServiceKey, _Service] = {}
        for each in exposures:
            service = _Service(each.service, each.contract, dialect)
            self._by_key[each.service] = service
            if service.interface != each.service.interface:
                self._by_key.setdefault(
                    ServiceKey(service.interface, each.service.group, each.service.version), service
                )
        self._by_path: Final = {service_path(key): service for key, service in self._by_key.items()}
        self._found: dict[tuple[str, str], _Service] = {}

    def decode_call(self, request: HttpRequest, now: float) -> HttpExchange | HttpResponse:
        """See `HttpBinding.decode_call`."""
        if request.method != "POST":
            refusal = self.encode_refusal(405, "calls are made with POST")
            return HttpResponse(405, refusal.headers + _ALLOW, refusal.body, BadRequest("calls are made with POST"))
        body = request.body
        try:
            caller = read_caller(request.headers)
            if caller.refusal is not None:
                return self._refused(403, caller.refusal)
            service = self._by_path.get(request.path) if not (request.query or caller.group or caller.version) else None
            if service is not None and (methods := service.methods) is not None:
                # What nearly all calls are: a known method and a number of arguments that fits one of its name.
                if body.startswith(b"H\x02\x00C"):
                    end = 6 + body[4] if len(body) > 4 else 0
                    if (method := methods.by_head.get(body[4:end])) is not None:
                        read = ArgumentBytes(body, end, len(method.signature.params), self.limits, self._layouts)
                        return self._typed(service, method, read, Envelope.HESSIAN_2, request, caller, now)
                elif body[:1] == b"c" and len(body) > 6:
                    end = 6 + (body[4] << 8) + body[5]
                    if (method := methods.by_old_head.get(body[3:end])) is not None:
                        read = ArgumentBytes(body, end, None, self.limits, self._layouts)
                        envelope = Envelope.MIXED if body[1] >= 2 else Envelope.HESSIAN_1
                        return self._typed(service, method, read, envelope, request, caller, now)
            head = read_call(body)
        except HessianError as exc:
            return self._refused(400, BadRequest(f"the body is no call: {exc}"))
        except RpcError as exc:
            return self._refused(400, exc)
        try:
            return self._call(head, request, caller, now)
        except RpcError as exc:
            return self.error_response(head.envelope, exc, refused=True)
        except HessianError as exc:
            return self.error_response(head.envelope, BadRequest(f"{head.method[:_SHOWN]}: {exc}"), refused=True)

    def encode_refusal(self, status: int, reason: str) -> HttpResponse:
        """See `HttpBinding.encode_refusal`. Clients show the text of any status but 200."""
        return HttpResponse(status, _PLAIN_TEXT, reason.encode("utf-8", "backslashreplace"))

    def error_response(self, envelope: Envelope, error: RpcError, *, refused: bool = False) -> HttpResponse:
        """The fault for a call without an answer. `refused`: it became none, for logs and counters."""
        code, message = error_fault(error)
        # Short in any case, and it must be possible where a reply was not.
        body = encode_fault(envelope, code, message, None, DEFAULT_LIMITS, self.dialect)
        return HttpResponse(200, _HEADERS, body, error if refused else None)

    def value_response(
        self,
        envelope: Envelope,
        caller: Caller,
        write: Callable[[Writer], None],
        attachments: Attachments = NO_ATTACHMENTS,
    ) -> HttpResponse:
        """A reply with the value that `write` writes. Raises like it, and LocalWireError for one that is too large."""
        return self._reply(encode_value(envelope, write, self.limits, self.dialect), caller, attachments)

    def fault_response(
        self, envelope: Envelope, caller: Caller, fault: Fault, method: MethodBinding | None, generic: bool
    ) -> HttpResponse:
        """A reply with an exception of the service. Raises like `value_response`."""
        contract = None if method is None else method.contract
        detail = generic_exception(fault, contract) if generic else throwable_of_fault(fault, contract)

        def write(writer: Writer) -> None:
            if method is None or generic:
                writer.write(detail)
            else:
                method.write_exception(writer, detail)

        message = fault_message(fault)
        body = encode_fault(envelope, SERVICE_EXCEPTION, message, write, self.limits, self.dialect)
        return self._reply(body, caller, fault.attachments)

    def _reply(self, body: bytes, caller: Caller, attachments: Attachments) -> HttpResponse:
        headers = _HEADERS if attachments is NO_ATTACHMENTS else _HEADERS + reply_headers(attachments)
        if self.compress and caller.deflates and len(body) > MAX_PLAIN_BYTES:
            return HttpResponse(200, headers + _DEFLATED, bare_deflate(body))
        return HttpResponse(200, headers, body)

    def _refused(self, status: int, error: RpcError) -> HttpResponse:
        refusal = self.encode_refusal(status, str(error))
        return HttpResponse(status, refusal.headers, refusal.body, error)

    def _call(self, head: CallHead, request: HttpRequest, caller: Caller, now: float) -> HttpExchange | HttpResponse:
        service = self._find(request, caller)
        read = ArgumentBytes(request.body, head.arguments, head.size, self.limits, self._layouts)
        if head.method == _ATTRIBUTE:
            asked = make_invocation(
                service.key, _ATTRIBUTE, GenericArguments(read), None, request, caller.context, now, oneway=False
            )
            return _Exchange(self, Question(asked, service.attribute), head.envelope, caller, None)
        if caller.generic is not None and is_invoke(head.method):
            check_mode(caller.generic)
        methods = service.methods
        if methods is None:
            raw = GenericArguments(read)
            invocation = make_invocation(
                service.key, head.method, raw, None, request, caller.context, now, oneway=False
            )
            return _Exchange(self, invocation, head.envelope, caller, None)
        if is_invoke(head.method) and request.path.endswith(GENERIC_PATH):
            method, invoked = read_invocation(methods, read)
            name, signature = method.signature.name, method.signature
            invocation = make_invocation(
                service.key, name, invoked, signature, request, caller.context, now, oneway=signature.oneway
            )
            return _Exchange(self, invocation, head.envelope, caller, method, generic=True)
        fitting = methods.named(head.method)
        if len(fitting) > 1:
            read, size = read.counted()
            fitting = methods.fitting(head.method, size)
        elif head.size is not None:
            fitting = methods.fitting(head.method, head.size)
        method, values = choose(head.method, fitting, read)
        return self._typed(service, method, read, head.envelope, request, caller, now, values)

    def _typed(
        self,
        service: _Service,
        method: MethodBinding,
        read: ArgumentBytes,
        envelope: Envelope,
        request: HttpRequest,
        caller: Caller,
        now: float,
        values: tuple[Any, ...] | None = None,
    ) -> HttpExchange | HttpResponse:
        signature = method.signature
        raw = TypedArguments(method, read, values)
        try:
            invocation = make_invocation(
                service.key, signature.name, raw, signature, request, caller.context, now, oneway=signature.oneway
            )
        except RpcError as exc:  # of a call that gets its answer before it runs
            return self.error_response(envelope, exc, refused=True)
        return _Exchange(self, invocation, envelope, caller, method)

    def _find(self, request: HttpRequest, caller: Caller) -> _Service:
        """The service that a request addresses: by its path, and what stands beside it for group and version.

        Raises:
            NoSuchService: there is none.
        """
        known = self._found.get((request.path, request.query)) if not (caller.group or caller.version) else None
        if known is not None:
            return known
        fields = _query(request.query)
        path = request.path.removesuffix(GENERIC_PATH)
        found = self._by_path.get(path)
        try:
            key = ServiceKey.parse(unquote(path).strip("/"))
        except ValueError:
            key = None
        if key is not None:
            group = key.group or caller.group or fields.get("group", "")
            version = key.version or caller.version or fields.get("version", "")
            found = self._by_key.get(ServiceKey(key.interface, group, version)) or self._by_key.get(key)
        if found is None:
            raise NoSuchService(f"nothing has the path {request.path[:_SHOWN]!a}")
        if not (caller.group or caller.version) and len(self._found) < _MAX_FOUND and len(request.query) < _MAX_FOUND:
            self._found[request.path, request.query] = found
        return found


class _Exchange:
    """One call (`HttpExchange`). `method`: None for a service without a contract. `generic`: it came as a `$invoke`."""

    __slots__ = ("_binding", "_caller", "_envelope", "_generic", "_method", "calls")

    def __init__(
        self,
        binding: HessianBinding,
        invocation: Invocation,
        envelope: Envelope,
        caller: Caller,
        method: MethodBinding | None,
        *,
        generic: bool = False,
    ) -> None:
        self.calls: Final = (invocation,)
        self._generic: Final = generic
        self._binding: Final = binding
        self._envelope: Final = envelope
        self._caller: Final = caller
        self._method: Final = method

    def encode_reply(self, outcomes: Sequence[Outcome | None]) -> HttpResponse:
        """See `HttpExchange.encode_reply`. A call without answer is answered as one that returns nothing."""
        outcome, binding, method = outcomes[0], self._binding, self._method
        if isinstance(outcome, RpcError):
            return binding.error_response(self._envelope, outcome)
        try:
            if isinstance(outcome, Fault):
                return binding.fault_response(self._envelope, self._caller, outcome.decoded(), method, self._generic)
            if outcome is None:
                return binding.value_response(self._envelope, self._caller, _write_null)
            assert isinstance(outcome, Ok)
            write = _write_generic if method is None or self._generic else method.write_result
            value = outcome.value
            if method is not None and self._generic:
                value = method.generalize_result(value)
            return binding.value_response(
                self._envelope, self._caller, lambda writer: write(writer, value), outcome.attachments
            )
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            return binding.error_response(self._envelope, unwritable(exc)[0])


def _write_null(writer: Writer) -> None:
    writer.write(None)


def _write_generic(writer: Writer, value: Any) -> None:
    try:
        writer.write(value)
    except ValueMappingError as exc:
        raise exc.within("result") from None


def _query(text: str) -> dict[str, str]:
    """What a query says, by name. Raises BadRequest."""
    try:
        return dict(parse_qsl(text, max_num_fields=_MAX_QUERY_FIELDS)) if text else {}
    except ValueError:
        raise BadRequest(f"a query with more than {_MAX_QUERY_FIELDS} fields") from None


def service_path(key: ServiceKey) -> str:
    """Where the calls of a service go."""
    return "/" + quote(str(key), safe="/:$")
