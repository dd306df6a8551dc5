"""A contract compiled for the calling side: arguments become JSON, answers become values that fit the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.jsonform.reader import Readers
from gateway.jsonform.text import parse_json
from gateway.jsonform.writer import Writers
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.errors import ProviderFailed, Retry, ValueMappingError
from gateway.model.typeref import Kind
from protocols import java
from protocols.http.message import HttpResponse
from protocols.http_json import media
from protocols.http_json.java_names import java_named
from protocols.http_json.problem import ExceptionForms

__all__ = ["ClientMethod", "ClientService", "content_type_of", "misfit", "parsed"]

# Only a few of those Python knows: the name comes from the peer.
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})


class ClientMethod:
    """One method.

    Attributes:
        signature: As the caller knows it. `wire`: with the names of the wire.
    """

    __slots__ = ("_params", "_read", "signature", "wire")

    def __init__(self, signature: MethodContract, wire: MethodContract, readers: Readers, writers: Writers) -> None:
        self.signature: Final = signature
        self.wire: Final = wire
        self._params: Final = tuple((param.name, writers.compile(param.type)) for param in wire.params)
        self._read: Final = readers.compile(wire.returns)

    def positional(self, arguments: Sequence[Any]) -> list[Any]:
        """The arguments as JSON values, in order. Raises ValueMappingError with the place of what does not fit."""
        params = self._params
        if len(arguments) != len(params):
            raise ValueMappingError(f"expected {len(params)} arguments, found {len(arguments)}", "args")
        written: list[Any] = []
        for (_, write), value in zip(params, arguments, strict=True):
            try:
                written.append(write(value))
            except ValueMappingError as exc:
                raise exc.within(f"args[{len(written)}]") from None
        return written

    def named(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """The arguments as JSON values by name. Raises like `positional`."""
        return dict(zip((name for name, _ in self._params), self.positional(arguments), strict=True))

    def read(self, value: Any) -> Any:
        """The answer that a JSON value stands for.

        Raises:
            ProviderFailed: it does not fit the contract; names the place, and is never repeated.
        """
        try:
            return self._read(value)
        except ValueMappingError as exc:
            raise misfit(exc.within("result"), self.signature.name) from exc

    def read_response(self, response: HttpResponse, content_type: str) -> Any:
        """The answer in a response with a status of success. Raises like `read`.

        Without a body it is null. JSON is read as such, also where the response does not say what it is; of other
        types a method that returns a text takes every text, and one that returns bytes takes everything.
        """
        returns = self.wire.returns
        if returns.kind is Kind.NULL and (not response.body or media.body_refusal(content_type)):
            return None
        if not response.body:
            return self.read(None)
        if refusal := media.body_refusal(content_type):
            if returns.kind is Kind.BYTES:
                return response.body
            if returns.kind is Kind.STRING and content_type.lower().startswith("text/"):
                return _text(response.body, content_type)
            raise ProviderFailed(f"the answer to {self.signature.name} cannot be read: {refusal}", retry=Retry.NEVER)
        return self.read(parsed(response.body, self.signature.name))


class ClientService:
    """All methods of a contract, and its exceptions.

    `java_names`: the peer knows Java names only. `ignore_unknown`: answers may have members that the contract lacks.

    Attributes:
        methods: By Python attribute, which is unique among overloads.
        forms: Of the exceptions, under the names of the wire.
    """

    def __init__(self, contract: ServiceContract, *, java_names: bool = False, ignore_unknown: bool = False) -> None:
        wire = java_named(contract) if java_names else contract
        readers = Readers(wire, ignore_unknown=ignore_unknown, epoch_dates=java_names)
        writers = Writers(wire)
        self.contract: Final = contract
        self.wire: Final = wire
        self.methods: Final[Mapping[str, ClientMethod]] = {
            ours.attribute: ClientMethod(ours, theirs, readers, writers)
            for ours, theirs in zip(contract.methods, wire.methods, strict=True)
        }
        self.forms: Final = ExceptionForms(wire)
        self._exceptions: Final[Mapping[str, StructType]] = {
            name: each
            for each in contract.types.values()
            if isinstance(each, StructType) and each.is_exception
            for name in (each.name, java.class_name(each))
        }

    def method(self, signature: MethodContract | None, name: str) -> ClientMethod:
        """What to call. Raises ValueMappingError where the contract has no such method."""
        found = None
        if signature is not None:
            found = self.methods.get(signature.attribute)
        elif len(overloads := self.contract.overloads(name)) == 1:
            found = self.methods[overloads[0].attribute]
        if found is None:
            raise ValueMappingError(f"the contract {self.contract.name} of this reference has no such method")
        return found

    def fault(self, fault: Fault, attachments: Attachments = NO_ATTACHMENTS) -> Fault:
        """A fault as its caller knows it: fields under the names of the contract, declared wherever it can be.

        A peer may tell only the class of an exception. It is the contract's then if all of its fields have defaults;
        otherwise only its name and text are handed on.
        """
        struct = self._exceptions.get(fault.type_name)
        if struct is None:
            return fault.with_attachments(attachments)
        if fault.declared:
            wire = self.forms.struct(struct.name)
            assert wire is not None
            values = {
                ours.name: fault.fields[theirs.name]
                for ours, theirs in zip(struct.fields, wire.fields, strict=True)
                if theirs.name in fault.fields
            }
        else:
            values = {field.name: field.absent() for field in struct.fields}
        declared = not any(value is MISSING for value in values.values())
        return Fault(struct.name, fault.message, values if declared else {}, declared=declared, attachments=attachments)

    def fault_from(self, type_name: str, message: str | None, members: Mapping[str, Any]) -> Fault:
        """The contract's exception out of a foreign error document: its fields where it has them, else their defaults.

        `type_name`: of one of the contract's exceptions.
        """
        try:
            found = self.forms.read(type_name, {**members, "message": message})
        except ValueMappingError:
            found = None
        return found or Fault(type_name, message)


def parsed(body: bytes, what: str) -> Any:
    """JSON. Raises ProviderFailed, which is never repeated."""
    try:
        return parse_json(body)
    except ValueMappingError as exc:
        raise misfit(exc, what) from exc


def misfit(error: ValueMappingError, what: str) -> ProviderFailed:
    """The provider answered, but not what the contract says."""
    return ProviderFailed(f"the answer to {what} does not fit the contract: {error}", retry=Retry.NEVER)


def content_type_of(response: HttpResponse) -> str:
    """The media type of a response, as it stands there; empty where it says nothing."""
    for name, value in response.headers:
        if name.lower() == "content-type":
            return value
    return ""


def _text(body: bytes, content_type: str) -> str:
    charset = "utf-8"
    for each in content_type.split(";")[1:]:
        name, _, value = each.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"')
    if charset.lower() not in _CHARSETS:
        raise ProviderFailed(f"the answer is a text in {charset[:40]!a}, which is not read", retry=Retry.NEVER)
    try:
        return body.decode(charset)
    except UnicodeDecodeError as exc:
        raise ProviderFailed(f"the answer is no text in {charset}", retry=Retry.NEVER) from exc
