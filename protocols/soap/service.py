"""A contract, compiled for SOAP: its operations by name, its exceptions, and how messages of both are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.form import new_walk
from gateway.model.call import Fault
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.errors import ContractError, ValueMappingError
from gateway.model.instance import new_exception
from protocols.soap.envelope import Version
from protocols.soap.fault import clean_text, exception_detail, text_detail, write_fault
from protocols.soap.frames import Plan
from protocols.soap.mapping import check_contract
from protocols.soap.names import PARAMETERS, QUALIFIED, TypeNames, action_of, expanded, operation_names, response_name
from protocols.soap.reader import Readers
from protocols.soap.text import BLANKS, escape_attribute
from protocols.soap.writer import Writers

__all__ = ["Operation", "Service"]


class Operation:
    """One method.

    Attributes:
        name: Of the operation and of the element of its request.
        arguments, result: How the elements of request and response are read.
        action: Its SOAPAction.
    """

    __slots__ = (
        "_request_end",
        "_request_start",
        "_response_end",
        "_response_start",
        "_write_arguments",
        "_write_result",
        "action",
        "arguments",
        "name",
        "result",
        "signature",
    )

    def __init__(
        self, signature: MethodContract, name: str, namespace: str, readers: Readers, writers: Writers, prefix: str
    ) -> None:
        self.signature: Final = signature
        self.name: Final = name
        self.action: Final = action_of(namespace, name)
        self.arguments: Final = readers.arguments(name, signature.params)
        response = response_name(name)
        self.result: Final = readers.result(response, signature.returns)
        self._write_arguments = writers.arguments(signature.params)
        self._write_result = writers.result(signature.returns)
        binding = f'xmlns{":" + prefix[:-1] if prefix else ""}="{escape_attribute(namespace)}"'
        self._request_start = f"<soap:Body><{prefix}{name} {binding}>"
        self._request_end = f"</{prefix}{name}></soap:Body></soap:Envelope>"
        self._response_start = f"<soap:Body><{prefix}{response} {binding}>"
        self._response_end = f"</{prefix}{response}></soap:Body></soap:Envelope>"

    def write_request(self, version: Version, header: str, arguments: Sequence[Any]) -> bytes:
        """The document of a call. Raises `ValueMappingError` for an argument without a form."""
        parts = [version.head, header, self._request_start]
        self._write_arguments(parts.append, arguments, new_walk())
        parts.append(self._request_end)
        return "".join(parts).encode()

    def write_response(self, version: Version, header: str, value: Any) -> bytes:
        """The document of an answer. Raises `ValueMappingError` for a value without a form."""
        parts = [version.head, header, self._response_start]
        self._write_result(parts.append, value, new_walk())
        parts.append(self._response_end)
        return "".join(parts).encode()


class Service:
    """One contract in one namespace. `form`: of the elements that are written inside of operations, one of `FORMS`.

    Attributes:
        operations: By the expanded name of the element of the request.
        by_attribute: By the attribute of the method.
        exceptions: How declared exceptions are read, by the expanded name of their element and by its local name.

    Raises:
        ContractError: the contract has no form on this wire; names all that is wrong.
    """

    __slots__ = ("_details", "by_attribute", "contract", "exceptions", "form", "namespace", "operations")

    def __init__(self, contract: ServiceContract, namespace: str, form: str = QUALIFIED) -> None:
        if problems := check_contract(contract):
            raise ContractError(f"{contract.name} cannot be carried by webservice://: " + "; ".join(problems))
        self.contract: Final = contract
        self.namespace: Final = namespace
        self.form: Final = form
        prefix = "" if form == QUALIFIED else "n:"
        readers, writers = Readers(contract, namespace), Writers(contract, prefix, prefix if form == PARAMETERS else "")
        names = operation_names(contract)
        self.by_attribute: Final[Mapping[str, Operation]] = MappingProxyType(
            {
                each.attribute: Operation(each, names[each.attribute], namespace, readers, writers, prefix)
                for each in contract.methods
            }
        )
        self.operations: Final[Mapping[str, Operation]] = MappingProxyType(
            {expanded(namespace, each.name): each for each in self.by_attribute.values()}
        )
        types = TypeNames(contract)
        exceptions: dict[str, tuple[StructType, Plan]] = {}
        self._details: dict[str, tuple[str, Any]] = {}
        binding = f'xmlns{":" + prefix[:-1] if prefix else ""}="{escape_attribute(namespace)}"'
        for name, definition in contract.types.items():
            if isinstance(definition, StructType) and definition.is_exception:
                local = types.of_named(name)
                exceptions[expanded(namespace, local)] = definition, readers.struct(name)
                self._details[name] = f"{prefix}{local}", (binding, writers.exception(name))
        self.exceptions: Final[Mapping[str, tuple[StructType, Plan]]] = MappingProxyType(exceptions)

    def write_fault(self, version: Version, header: str, fault: Fault) -> bytes:
        """The document of an answer that is an exception, decoded.

        Raises:
            ValueMappingError: a field does not fit the contract, or is missing; `path` says which.
        """
        struct = self.contract.types.get(fault.type_name) if fault.declared else None
        if isinstance(struct, StructType) and struct.is_exception:
            detail = self._detail(struct, fault)
            text = fault.message or struct.name
        else:
            detail = exception_detail(fault)
            text = fault.type_name if fault.message is None else f"{fault.type_name}: {fault.message}"
        detail += text_detail(fault.message)
        body = f"<soap:Body>{write_fault(version, 'Server', text, detail)}</soap:Body></soap:Envelope>"
        return f"{version.head}{header}{body}".encode()

    def _detail(self, struct: StructType, fault: Fault) -> str:
        values: dict[str, Any] = {}
        for field in struct.fields:
            value = fault.fields.get(field.name, MISSING)
            if value is MISSING and (value := field.absent()) is MISSING:
                raise ValueMappingError(f"expected {field.type}, found nothing", f"{struct.name}.{field.name}")
            values[field.attribute] = value
        message = None if fault.message is None else clean_text(fault.message)
        if self.form == PARAMETERS and message and message == message.strip(BLANKS):
            message = None  # the fault says it; Dubbo's client fails at an element that its class has no setter for
        element, (binding, write) = self._details[struct.name]
        parts: list[str] = []
        try:
            write(parts.append, new_exception(struct, message, values), new_walk())
        except ValueMappingError as exc:
            raise exc.within(struct.name) from None
        return f"<{element} {binding}>{''.join(parts)}</{element}>"
