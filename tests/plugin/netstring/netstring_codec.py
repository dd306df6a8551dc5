"""netstring://: calls as JSON inside netstrings. Bytes in, events out; no I/O.

A message is one netstring (D. J. Bernstein, "Netstrings", https://cr.yp.to/proto/netstrings.txt): the number of bytes
in decimal without leading zeros, a colon, the bytes, a comma. The bytes are one JSON object; an empty netstring is a
heartbeat, which a server sends back.

    call    {"id": 7, "service": "[group/]interface[:version]", "method": "find", "arguments": [42], "attachments": {…},
             "timeout": 2.5, "trace": "00-…", "consumer": "billing", "token": "…"}
    answer  {"id": 7, "value": …, "attachments": {…}}
    fault   {"id": 7, "fault": {"type": "shop.SoldOut", "message": …, "declared": true, "fields": {…}, "stack": […]}, …}
    error   {"id": 7, "error": {"code": "no-such-method", "message": "…", "retry": "never", "exhausted": false}}
    end     {"goodbye": true}

A call without an id is not answered. `arguments` may be shorter than the parameters where those have defaults. An
overloaded method is written with its types: `find(i64)`. An error without an id ends the connection.

Values are JSON as in `gateway.jsonform`, which refuses with its path what has no form: lone surrogates.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.jsonform.reader import Readers
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import Writers
from gateway.model.call import NO_ATTACHMENTS, Fault, Invocation, Ok, Peer
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    ContractError,
    LocalWireError,
    NoSuchMethod,
    NoSuchService,
    ProviderFailed,
    RemoteWireError,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from gateway.model.exposure import Exposure
from protocols.contract import CallReceived, CallRejected, ClientEvent, Drain, Outcome, ReplyReceived, Send, ServerEvent
from protocols.reader import Limits

__all__ = ["NetstringClientCodec", "NetstringClientWire", "NetstringServerCodec", "NetstringServerWire", "netstring"]

HEARTBEAT: Final = b"0:,"
_MAX_IN_FLIGHT: Final = 65_536
_LARGEST_ID: Final = (1 << 53) - 1
"""Up to here every JSON parser keeps integers exact: RFC 8259, section 6."""

_LONGEST_S: Final = 366 * 86_400.0
"""What a caller may say it waits; a year is for ever."""


def netstring(data: bytes) -> bytes:
    """`data` as a netstring."""
    return b"%d:%b," % (len(data), data)


class Netstrings:
    """Cuts a stream into netstrings. `broken`: why it cannot be cut any further."""

    __slots__ = ("_digits", "_held", "_limit", "broken")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._digits = len(str(limit))
        self._held = bytearray()
        self.broken: RemoteWireError | None = None

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete netstring."""
        return len(self._held)

    def split(self, data: bytes) -> list[bytes]:
        """The netstrings that `data` completes."""
        held = self._held
        held += data
        found: list[bytes] = []
        start = 0
        while self.broken is None and start < len(held):
            colon = held.find(b":", start, start + self._digits + 1)
            digits = held[start : colon if colon >= 0 else start + self._digits + 1]
            if not digits.isdigit() or len(digits) > self._digits or (digits[0] == 0x30 and len(digits) > 1):
                # The length is checked before a byte behind it is kept.
                self.broken = _lost("bad-length", f"a netstring begins with its length, at most {self._limit}")
                break
            if colon < 0:
                break
            size = int(digits)
            end = colon + 1 + size
            if size > self._limit:
                self.broken = _lost("frame-too-large", f"a message of {size} bytes; at most {self._limit} are read")
            elif end >= len(held):
                break
            elif held[end] != 0x2C:
                self.broken = _lost("bad-end", "a netstring ends with a comma")
            else:
                found.append(bytes(held[colon + 1 : end]))
                start = end + 1
        del held[:start]
        return found


class Method:
    """One method of a contract with the readers and writers of its values, compiled once."""

    def __init__(
        self, signature: MethodContract, contract: ServiceContract, readers: Readers, writers: Writers
    ) -> None:
        self.signature: Final = signature
        self._contract = contract
        self._compile_reader, self._compile_writer = readers.compile, writers.compile
        overloaded = len(contract.overloads(signature.name)) > 1
        self.text: Final = _typed(signature) if overloaded else signature.name
        """How calls name it."""
        self._writers = [writers.compile(param.type) for param in signature.params]
        self._readers = [readers.compile(param.type) for param in signature.params]
        self._write_result = writers.compile(signature.returns)
        self._read_result = readers.compile(signature.returns)

    def write_arguments(self, values: Sequence[Any]) -> list[Any]:
        """Raises ValueMappingError with the place of a value that has no form here."""
        return [_at(f"args[{index}]", each, values[index]) for index, each in enumerate(self._writers)]

    def read_arguments(self, written: Any) -> tuple[Any, ...]:
        """Raises BadRequest or ValueMappingError."""
        params = self.signature.params
        if not isinstance(written, list):
            raise BadRequest("arguments: expected an array")
        left_out = [param.default for param in params[len(written) :]]
        if len(written) > len(params) or any(each is MISSING for each in left_out):
            raise BadRequest(f"{self.signature.signature} takes other than {len(written)} arguments")
        given = [_at(f"args[{index}]", self._readers[index], each) for index, each in enumerate(written)]
        return (*given, *left_out)

    def write_result(self, value: Any) -> Any:
        """Raises ValueMappingError."""
        return _at("result", self._write_result, value)

    def read_result(self, written: Any) -> Any:
        """Raises ValueMappingError."""
        return _at("result", self._read_result, written)

    def write_fault(self, fault: Fault) -> dict[str, Any]:
        """Raises ValueMappingError."""
        fields = {}
        if fault.declared:
            for field in self._exception(fault.type_name).fields:
                value = fault.fields.get(field.name, field.absent())
                if value is not MISSING:
                    fields[field.name] = _at(f"fault.{field.name}", self._compile_writer(field.type), value)
        return {
            "type": fault.type_name,
            "message": fault.message,
            "declared": fault.declared,
            "fields": fields,
            "stack": list(fault.stack),
        }

    def read_fault(self, written: Mapping[str, Any], attachments: Mapping[str, str]) -> Fault:
        """Raises ValueMappingError, KeyError for a member that is missing."""
        name, message, stack = written["type"], written["message"], written["stack"]
        if not isinstance(name, str) or not isinstance(message, str | None):
            raise ValueMappingError("type and message are texts", "fault")
        values = {}
        if written["declared"] is True:
            for field in self._exception(name).fields:
                given = written["fields"].get(field.name, MISSING)
                read = self._compile_reader(field.type)
                values[field.name] = field.absent() if given is MISSING else _at(f"fault.{field.name}", read, given)
                if values[field.name] is MISSING:
                    raise ValueMappingError("the field is missing", f"fault.{field.name}")
        return Fault(
            name,
            message,
            values,
            declared=written["declared"] is True,
            stack=tuple(map(str, stack)) if isinstance(stack, list) else (),
            attachments=attachments,
        )

    def _exception(self, name: str) -> StructType:
        found = self._contract.types.get(name)
        if not isinstance(found, StructType) or not found.is_exception:
            raise ValueMappingError(f"{self._contract.name} declares no exception {name!r}", "fault")
        return found


class Service:
    """The methods of one service, by the texts calls name them with."""

    def __init__(self, key: ServiceKey, contract: ServiceContract | None) -> None:
        if contract is None:
            raise ContractError(f"{key}: netstring:// carries no service without a contract")
        self.key: Final = key
        readers, writers = Readers(contract), Writers(contract)
        self._methods = [Method(each, contract, readers, writers) for each in contract.methods]
        self._by_id = {id(each.signature): each for each in self._methods}
        self._by_text: dict[str, Method] = {}
        for method in self._methods:
            self._by_text[method.text] = self._by_text[_typed(method.signature)] = method

    def of(self, invocation: Invocation) -> Method:
        """The method of a call. Its signature may belong to another description of the same service."""
        signature = invocation.signature
        found = self._by_id.get(id(signature))
        if found is None:
            found = self.method(invocation.method if signature is None else _typed(signature))
        return found

    def method(self, text: Any) -> Method:
        """Raises NoSuchMethod."""
        found = self._by_text.get(text) if isinstance(text, str) else None
        if found is None:
            raise NoSuchMethod(f"{self.key} has {', '.join(method.text for method in self._methods)}")
        return found


class NetstringServerWire:
    """The services of one listener; see `protocols.contract.ServerWire`. `token`: what callers must show, or empty."""

    def __init__(self, exposures: Sequence[Exposure], limits: Limits, token: str = "") -> None:
        self.limits: Final = limits
        self.token: Final = token.encode()
        self.services: Final = {str(each.service): Service(each.service, each.contract) for each in exposures}

    def accept(self, peer: Peer) -> NetstringServerCodec:
        """A codec for a new connection."""
        return NetstringServerCodec(self, peer)


class NetstringServerCodec:
    """See `protocols.contract.ServerCodec`. A ticket is the id of a call and its method."""

    def __init__(self, wire: NetstringServerWire, peer: Peer) -> None:
        self._wire = wire
        self._peer = peer
        self._stream = Netstrings(wire.limits.max_frame_bytes)
        self.broken: RemoteWireError | None = None
        self.finished = False

    @property
    def pending_bytes(self) -> int:
        """Bytes of an incomplete message."""
        return self._stream.pending_bytes

    @property
    def held_bytes(self) -> int:
        """Nothing: answers leave as they come."""
        return 0

    def receive(self, data: bytes, now: float) -> Sequence[ServerEvent]:
        """See `ServerCodec.receive`."""
        events: list[ServerEvent] = []
        for message in self._stream.split(data):
            if not message:
                events.append(Send(HEARTBEAT))
                continue
            try:
                call = _object(message)
                call_id = _call_id(call)
            except ValueMappingError as exc:
                # Nobody can be told which call this was, so everybody has to be.
                self.broken = _lost("malformed", str(exc))
                return events
            events.append(self._call(call, call_id, now))
        self.broken = self._stream.broken
        return events

    def _call(self, call: dict[str, Any], call_id: int | None, now: float) -> ServerEvent:
        method = None
        try:
            token, timeout = _text(call, "token").encode(), call.pop("timeout", None)
            if self._wire.token and not hmac.compare_digest(self._wire.token, token):
                raise Unauthenticated("the token is missing or wrong")
            key = call.pop("service", "")
            service = self._wire.services.get(key) if isinstance(key, str) else None
            if service is None:
                raise NoSuchService(f"here are {', '.join(self._wire.services)}")
            method = service.method(call.pop("method", ""))
            if timeout is not None and (isinstance(timeout, bool | str | list | dict) or timeout < 0):
                raise BadRequest("timeout: expected seconds")
            invocation = Invocation(
                service.key,
                method.signature.name,
                method.read_arguments(call.pop("arguments", [])),
                signature=method.signature,
                attachments=_attachments(call),
                deadline=None if timeout is None else now + min(float(timeout), _LONGEST_S),
                traceparent=_text(call, "trace") or None,
                peer=self._peer,
                consumer=_text(call, "consumer"),
                oneway=call_id is None,
            )
            if call:
                raise BadRequest(f"a call has no member {next(iter(call))!r}")
        except RpcError as exc:
            return CallRejected(None if call_id is None else (call_id, method), exc)
        except (ValueMappingError, OverflowError) as exc:
            return CallRejected(None if call_id is None else (call_id, method), BadRequest(str(exc)))
        return CallReceived(None if call_id is None else (call_id, method), invocation)

    def reply(self, ticket: Any, outcome: Outcome) -> bytes:
        """See `ServerCodec.reply`."""
        call_id, method = ticket
        try:
            if isinstance(outcome, RpcError):
                return _error(call_id, outcome)
            reply: dict[str, Any] = {"id": call_id}
            if isinstance(outcome, Fault):
                outcome = outcome.decoded()
                reply["fault"] = method.write_fault(outcome)
            else:
                reply["value"] = method.write_result(outcome.value)
            if outcome.attachments:
                reply["attachments"] = _written(outcome.attachments)
            return self._fitting(reply)
        except RpcError as exc:
            return _error(call_id, exc)
        except Exception as exc:  # a value's own code runs while it is written, and may raise anything
            why = str(exc) if isinstance(exc, ValueMappingError) else f"writing it raised {type(exc).__name__}"
            return _error(call_id, ProviderFailed(f"the answer cannot be sent: {why}", retry=Retry.NEVER))

    def _fitting(self, reply: dict[str, Any]) -> bytes:
        data, limit = format_json(reply), self._wire.limits.max_frame_bytes
        if len(data) > limit:
            raise ProviderFailed(f"the answer of {len(data)} bytes exceeds the limit of {limit}", retry=Retry.NEVER)
        return netstring(data)

    def goodbye(self) -> bytes:
        """Asks for no further calls."""
        return netstring(format_json({"goodbye": True}))

    def ping(self) -> bytes:
        """Servers send no heartbeats."""
        return b""


class NetstringClientWire:
    """See `protocols.contract.ClientWire`."""

    def __init__(self, limits: Limits) -> None:
        self.limits: Final = limits

    def bind(
        self, service: ServiceKey, contract: ServiceContract | None, token: str, application: str, path: str = ""
    ) -> Any:
        """The service, and what every call of this reference says about itself."""
        head = {"service": str(service)} | ({"token": token} if token else {})
        return Service(service, contract), head, application

    def connect(self) -> NetstringClientCodec:
        """A codec for a new connection."""
        return NetstringClientCodec(self.limits)


class NetstringClientCodec:
    """See `protocols.contract.ClientCodec`."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.max_frame_bytes
        self._stream = Netstrings(limits.max_frame_bytes)
        self._expected: dict[int, Method] = {}
        self._last_id = 0
        self.max_in_flight = _MAX_IN_FLIGHT
        self.broken: RemoteWireError | None = None

    def call(self, binding: Any, invocation: Invocation, timeout_s: float | None) -> tuple[int, bytes]:
        """See `ClientCodec.call`."""
        service, head, application = binding
        method: Method = service.of(invocation)
        arguments = method.write_arguments(invocation.arguments())
        call_id = -1 if invocation.oneway else self._last_id + 1
        call: dict[str, Any] = {} if invocation.oneway else {"id": call_id}
        call |= head | {"method": method.text, "arguments": arguments}
        call["consumer"] = invocation.consumer or application
        if invocation.attachments:
            call["attachments"] = _written(invocation.attachments)
        if invocation.traceparent is not None:
            call["trace"] = invocation.traceparent
        if timeout_s is not None:
            call["timeout"] = max(0.0, timeout_s)
        data = format_json(call)
        if len(data) > self._limit:
            raise LocalWireError(f"the call of {len(data)} bytes exceeds the limit of {self._limit}")
        if not invocation.oneway:
            self._last_id = call_id
            self._expected[call_id] = method
        return call_id, netstring(data)

    def abandon(self, call_id: int) -> None:
        """Forgets a call."""
        self._expected.pop(call_id, None)

    def receive(self, data: bytes) -> Sequence[ClientEvent]:
        """See `ClientCodec.receive`."""
        events: list[ClientEvent] = []
        for message in self._stream.split(data):
            if not message:
                continue
            try:
                reply = _object(message)
                call_id = _call_id(reply)
                if call_id is None and reply.get("goodbye") is not True:
                    raise ValueMappingError(f"the server ends the connection: {reply.get('error')!r}")
            except ValueMappingError as exc:
                self.broken = RemoteWireError(str(exc))
                return events
            if call_id is None:
                events.append(Drain(True))
                continue
            method = self._expected.pop(call_id, None)
            events.append(ReplyReceived(call_id, _NOBODY if method is None else _outcome(reply, method)))
        self.broken = self._stream.broken
        return events

    def ping(self) -> bytes:
        """A heartbeat."""
        return HEARTBEAT


_NOBODY: Final = ProviderFailed("a reply that nobody waits for")


def _outcome(reply: dict[str, Any], method: Method) -> Outcome:
    try:
        if "error" in reply:
            error = reply["error"]
            kind = RPC_ERRORS.get(error["code"], ProviderFailed)
            return kind(str(error["message"]), retry=Retry(error["retry"]), exhausted=error["exhausted"] is True)
        attachments = _attachments(reply)
        if "fault" in reply:
            return method.read_fault(reply["fault"], attachments)
        return Ok(method.read_result(reply["value"]), attachments)
    except (RpcError, ValueMappingError) as exc:
        return ProviderFailed(f"the answer does not fit: {exc}")
    except (KeyError, TypeError, ValueError, AttributeError):
        return ProviderFailed("the answer is none of value, fault and error")


def _object(message: bytes) -> dict[str, Any]:
    found = parse_json(message)
    if not isinstance(found, dict):
        raise ValueMappingError("a message is a JSON object")
    return found


def _call_id(message: dict[str, Any]) -> int | None:
    """The id, taken out of the message; None where there is none."""
    found = message.pop("id", None)
    if found is not None and (type(found) is not int or not 0 <= found <= _LARGEST_ID):
        raise ValueMappingError(f"an id is an integer from 0 to {_LARGEST_ID}")
    return found


def _text(message: dict[str, Any], name: str) -> str:
    found = message.pop(name, "")
    if not isinstance(found, str):
        raise BadRequest(f"{name}: expected a text")
    return found


def _attachments(message: dict[str, Any]) -> Mapping[str, str]:
    found = message.pop("attachments", NO_ATTACHMENTS)
    if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found.values()):
        raise BadRequest("attachments: expected an object of texts")
    return found


def _written(attachments: Mapping[str, Any]) -> dict[str, str]:
    for key, value in attachments.items():
        if not isinstance(value, str):
            raise ValueMappingError("netstring:// carries texts alone", f"attachments[{key}]")
    return dict(attachments)


def _error(call_id: int | None, error: RpcError) -> bytes:
    # What a peer sent may be quoted in the text, lone surrogates included.
    text = str(error).encode("utf-8", "backslashreplace").decode()
    reply = {"code": error.code, "message": text, "retry": error.retry.value, "exhausted": error.exhausted}
    return netstring(format_json({"error": reply} if call_id is None else {"id": call_id, "error": reply}))


def _lost(reason: str, text: str) -> RemoteWireError:
    return RemoteWireError(text, reason=reason, farewell=_error(None, BadRequest(text)))


def _typed(signature: MethodContract) -> str:
    return f"{signature.name}({','.join(str(param.type) for param in signature.params)})"


def _at(place: str, convert: Any, value: Any) -> Any:
    try:
        return convert(value)
    except ValueMappingError as exc:
        raise exc.within(place) from None
