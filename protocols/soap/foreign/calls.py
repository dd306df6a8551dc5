"""A contract on top of the WSDL it came from: what its calls and their answers are in messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.model.call import Fault, Ok
from gateway.model.contract import EnumType, MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ContractError, ValueMappingError
from gateway.model.instance import new_struct
from gateway.model.reachable import method_types, reachable
from gateway.model.typeref import Kind, TypeRef
from protocols.contract import Outcome
from protocols.http_json.problem import plain_text
from protocols.soap.envelope import Version
from protocols.soap.foreign.answer import AnswerReader
from protocols.soap.foreign.description import ENCODING, local_name
from protocols.soap.foreign.operation import ForeignOperation, Message
from protocols.soap.foreign.reader import ForeignService
from protocols.soap.foreign.writer import ContentWriter
from protocols.soap.foreign.xml_text import start_tag
from protocols.soap.names import SOAP_11, SOAP_12
from protocols.soap.text import BLANKS
from protocols.soap.tree import Node, parse_tree

__all__ = ["ForeignCall", "ForeignCalls", "differences"]

_BODIES: Final = frozenset(f"{{{each}}}Body" for each in (SOAP_11, SOAP_12))
_ENVELOPES: Final = frozenset(f"{{{each}}}Envelope" for each in (SOAP_11, SOAP_12))
_FAULTS: Final = frozenset(f"{{{each}}}Fault" for each in (SOAP_11, SOAP_12))
_NOT_FITTING: Final = frozenset({"VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})
_MAX_TEXT: Final = 65_536


class ForeignCall:
    """One method: `protocols.soap.service.Operation` for a service that was described elsewhere."""

    def __init__(self, operation: ForeignOperation, signature: MethodContract, calls: ForeignCalls) -> None:
        self.signature: Final = signature
        self.name: Final = signature.name
        self.action: Final = operation.action
        self._operation = operation
        self._calls = calls
        self._writer = ContentWriter(calls.service.layouts, encoded=operation.encoded)

    def write_request(self, version: Version, header: str, arguments: Sequence[Any]) -> bytes:
        """The document of a call. Raises `ValueMappingError` for an argument without a form."""
        operation, request = self._operation, self._operation.request
        names = [each.attribute for each in request.fields]
        values = dict(zip(names, arguments, strict=True))
        attributes = f' soap:encodingStyle="{ENCODING}"' if operation.encoded else ""
        start, end, namespace = "", "", ""
        if request.wrapper:
            start, end, namespace = start_tag(request.wrapper, "", attributes)
        try:
            inside = "".join(self._writer.content(request.content, values.__getitem__, namespace))
        except ValueMappingError as exc:
            raise _at_argument(exc, names) from None
        body = f"<soap:Body>{start}{inside}{end}</soap:Body></soap:Envelope>"
        return f"{version.head}{header}{body}".encode()

    def read_answer(self, data: bytes, charset: str, max_elements: int) -> Outcome:
        """What an envelope says.

        Raises:
            XmlError: it is no XML that is read here.
            LookupError: its encoding is not read here.
            ValueMappingError: it does not fit the WSDL.
        """
        root = parse_tree(data, max_elements=max_elements, charset=charset)
        if root.tag not in _ENVELOPES:
            raise ValueMappingError(f"no envelope of SOAP, but an element {local_name(root.tag)[:60]!r}")
        body = next((each for each in root if each.tag in _BODIES), None)
        if not isinstance(body, Node):
            raise ValueMappingError("an envelope without a body")
        children = [each for each in body if isinstance(each, Node)]
        ids: dict[str, Node] = {}
        if self._operation.encoded:
            ids = {found: each for each in body.iter() if isinstance(each, Node) and (found := each.get("id"))}
        calls = self._calls
        reader = AnswerReader(calls.service.layouts, calls.contract, ids, calls.zone, len(data))
        if children and children[0].tag in _FAULTS:
            return self._fault(children[0], reader)
        response = self._operation.response
        return Ok(None) if response is None else Ok(self._result(response, children, reader))

    def _result(self, response: Message, children: list[Node], reader: AnswerReader) -> Any:
        if response.wrapper and (children or response.fields):
            if not children:
                raise ValueMappingError("an empty body")
            wrapper = children[0]
            # The wrapper of an rpc message has no name of its own (WS-I Basic Profile 1.1, section 4.7.11).
            if not self._operation.rpc and wrapper.tag != response.wrapper:
                raise ValueMappingError(
                    f"expected {local_name(response.wrapper)}, found {local_name(wrapper.tag)[:60]!r}"
                )
            children = [each for each in wrapper if isinstance(each, Node)]
        values = reader.fields(response.content, children, response.fields)
        if not response.fields:
            return None
        if not self._operation.result:
            return values[response.fields[0].attribute]
        struct = self._calls.contract.struct(TypeRef(Kind.STRUCT, name=self._operation.result))
        return new_struct(struct, values)

    def _fault(self, node: Node, reader: AnswerReader) -> Outcome:
        code = _text(node, "faultcode") or _text(node, "Code", "Subcode", "Value") or _text(node, "Code", "Value")
        base = _text(node, "faultcode") or _text(node, "Code", "Value")
        text = _text(node, "faultstring") or _text(node, "Reason", "Text")
        if base.rpartition(":")[2] in _NOT_FITTING:
            return BadRequest(f"{base.rpartition(':')[2]}: {plain_text(text)}")
        detail = _child(node, "detail")
        if detail is None:
            detail = _child(node, "Detail")
        for each in () if detail is None else detail:
            layout = self._operation.faults.get(each.tag)
            if layout is None or not isinstance(each, Node):
                continue
            try:
                values = reader.struct(layout, each)
            except ValueMappingError:
                # Whoever gets the exception as one that was not declared knows at least its text.
                continue
            struct = self._calls.contract.struct(TypeRef(Kind.EXCEPTION, name=layout.struct.name))
            fields = {field.name: values[field.attribute] for field in struct.fields}
            return Fault(struct.name, text or None, fields, declared=True)
        return Fault(code.rpartition(":")[2] or "Server", text or None)


class ForeignCalls:
    """A contract, and the service of a WSDL that answers it.

    Attributes:
        by_attribute: The calls by the attribute of their method.
        zone: Of instants without one, empty where they are refused.

    Raises:
        ContractError: the contract is not that of the WSDL.
    """

    def __init__(self, contract: ServiceContract, service: ForeignService, zone: str = "") -> None:
        if found := differences(contract, service):
            listed = "".join(f"\n  {each}" for each in found[:20])
            raise ContractError(f"{contract.name} is not what the WSDL says:{listed}")
        self.contract: Final = contract
        self.service: Final = service
        self.zone: Final = zone
        self.by_attribute: Final[Mapping[str, ForeignCall]] = MappingProxyType(
            {each.attribute: ForeignCall(service.operations[each.attribute], each, self) for each in contract.methods}
        )


def differences(contract: ServiceContract, service: ForeignService) -> list[str]:
    """Where a contract is not that of a WSDL; it may have fewer methods, other defaults and other words."""
    return list(_differences(contract, service))


def _differences(contract: ServiceContract, service: ForeignService) -> Iterator[str]:
    for method in contract.methods:
        operation = service.operations.get(method.attribute)
        if operation is None:
            yield f"{method.attribute}: there is no such operation"
            continue
        ours, theirs = _signature(method), _signature(operation.method)
        if ours != theirs:
            yield f"{method.attribute} is {ours}, not {theirs}"
    for name in sorted(reachable(method_types(contract.methods), contract.types)):
        mine, other = contract.types[name], service.contract.types.get(name)
        if other is None:
            yield f"{name}: there is no such type"
        elif isinstance(mine, EnumType) or isinstance(other, EnumType):
            if type(mine) is not type(other) or getattr(mine, "constants", ()) != getattr(other, "constants", ()):
                yield f"{name} has other constants"
        else:
            fields = {each.attribute: str(each.type) for each in mine.fields}
            expected = {each.attribute: str(each.type) for each in other.fields}
            for field in sorted(fields.keys() | expected.keys()):
                if fields.get(field) != expected.get(field):
                    yield f"{name}.{field} is {fields.get(field, 'missing')}, not {expected.get(field, 'there')}"


def _signature(method: MethodContract) -> str:
    params = ", ".join(f"{each.name}: {each.type}" for each in method.params)
    throws = "".join(f" ! {each}" for each in method.throws)
    return f"({params}) -> {'oneway' if method.oneway else method.returns}{throws}"


def _at_argument(exc: ValueMappingError, names: list[str]) -> ValueMappingError:
    """The error with the place of the argument, as all wires have it."""
    for index, name in enumerate(names):
        rest = exc.path.removeprefix(name)
        if exc.path.startswith(name) and rest[:1] in ("", ".", "["):
            return ValueMappingError(exc.message, f"args[{index}]{rest}")
    return exc


def _child(node: Node, local: str) -> Node | None:
    return next((each for each in node if isinstance(each, Node) and local_name(each.tag) == local), None)


def _text(node: Node, *path: str) -> str:
    """The text of the element at a path of local names, empty where there is none."""
    found: Node | None = node
    for local in path:
        found = None if found is None else _child(found, local)
    return "" if found is None else (found.text or "").strip(BLANKS)[:_MAX_TEXT]
