"""A service as Thrift sees it: how calls, results and exceptions of its methods are read and written, compiled once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.model.call import Attachments, Fault, Ok
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ContractError, ProviderFailed, Retry, ValueMappingError
from gateway.model.typeref import Kind
from protocols.contract import Outcome
from protocols.thrift import names, wire
from protocols.thrift.binary import BinaryReader
from protocols.thrift.context import Pairs, attachments_in, read_pairs, write_pairs
from protocols.thrift.errors import ThriftError
from protocols.thrift.forms import Forms
from protocols.thrift.mapping import check_contract
from protocols.thrift.names import CONTEXT_FIELD
from protocols.thrift.strict import StrictAnswer, StrictArguments
from protocols.thrift.structs import Slot, StructForm, write_slot

__all__ = ["MethodForm", "ServiceForm"]

_SUCCESS: Final = 0


class MethodForm:
    """One method. `name`: as it is called over Thrift.

    `usual_arguments`, `usual_answer`: see `protocols.thrift.strict`.
    """

    __slots__ = (
        "_by_id", "_params", "_result", "_throws", "_throws_by_name",
        "contract", "name", "usual_answer", "usual_arguments",
    )  # fmt: skip

    def __init__(self, name: str, contract: MethodContract, forms: Forms) -> None:
        self.name: Final = name.encode()
        self.contract: Final = contract
        self._params = []
        for id, param in zip(names.param_ids(contract), contract.params, strict=True):
            default = None if param.default is MISSING and param.type.nullable else param.default
            self._params.append(Slot(id, param.name, param.type, forms.compile(param.type), default))
        self._by_id = {slot.id: (at, slot) for at, slot in enumerate(self._params)}
        self._result = None
        if contract.returns.kind is not Kind.NULL:
            returns = contract.returns
            self._result = Slot(_SUCCESS, "result", returns, forms.compile(returns), None)
        self.usual_arguments: Final = StrictArguments.compile(contract)
        self.usual_answer: Final = StrictAnswer.compile(self.name, contract)
        self._throws: dict[int, tuple[str, StructForm]] = {}
        self._throws_by_name: dict[str, tuple[int, StructForm]] = {}
        for id, ref in zip(names.throws_ids(contract), contract.throws, strict=True):
            self._throws[id] = (ref.name, forms.struct(ref))
            self._throws_by_name[ref.name] = (id, forms.struct(ref))

    def write_call(self, writer: Any, values: Sequence[Any], pairs: Pairs) -> None:
        """The struct of arguments. Raises `ValueMappingError` with the place.

        The pairs come first: they are needed before the arguments, and so nobody must pass over those.
        """
        writer.struct()
        if pairs:
            write_pairs(writer, pairs)
        for at, (slot, value) in enumerate(zip(self._params, values, strict=True)):
            try:
                write_slot(slot, writer, value)
            except ValueMappingError as exc:
                raise exc.within(f"args[{at}]") from None
        writer.stop()

    def read_arguments(self, reader: Any) -> tuple[Any, ...]:
        """The arguments in contract order, defaults filled in. `reader`: stands in their struct, at a field.

        Raises:
            BadRequest: one is missing.
            ThriftError: the bytes are no struct.
            ValueMappingError: one does not fit; names its place.
        """
        if self.usual_arguments is not None and type(reader) is BinaryReader:
            usual = reader.read_usual(self.usual_arguments)
            if usual is not None:
                return usual
        by_id = self._by_id
        values: list[Any] = [MISSING] * len(self._params)
        while True:
            number, id = reader.field()
            if number == wire.STOP:
                break
            known = by_id.get(id)
            if known is None:
                if id == CONTEXT_FIELD and number != wire.MAP:
                    raise ThriftError(f"field {CONTEXT_FIELD} is no map")
                reader.skip(number)
                continue
            at, slot = known
            try:
                if values[at] is not MISSING:
                    raise ValueMappingError("the field stands twice")
                values[at] = slot.read(reader) if number == slot.number else slot.read_as(reader, number)
            except ValueMappingError as exc:
                raise exc.within(f"args[{at}]") from None
        reader.end()
        if MISSING in values:
            self._fill(values)
        return tuple(values)

    def _fill(self, values: list[Any]) -> None:
        for at, param in enumerate(self.contract.params):
            if values[at] is MISSING:
                if param.default is not MISSING:
                    values[at] = param.default
                elif param.type.nullable:
                    values[at] = None
                else:
                    raise BadRequest(f"args[{at}]: {self.contract.name} is not given its parameter {param.name!r}")

    def write_result(self, writer: Any, value: Any, pairs: Pairs) -> None:
        """The struct of a result. Raises `ValueMappingError` with the place."""
        writer.struct()
        slot = self._result
        try:
            if slot is not None:
                write_slot(slot, writer, value)
            elif value is not None:
                raise ValueMappingError(f"{type(value).__name__} where nothing is returned")
        except ValueMappingError as exc:
            raise exc.within("result") from None
        if pairs:
            write_pairs(writer, pairs)
        writer.stop()

    def declares(self, fault: Fault) -> bool:
        """Whether an exception has a field in the result."""
        return fault.declared and fault.type_name in self._throws_by_name

    def write_fault(self, writer: Any, fault: Fault, pairs: Pairs) -> None:
        """The struct of a result that is a declared exception. Raises `ValueMappingError` with the place."""
        id, form = self._throws_by_name[fault.type_name]
        writer.struct()
        writer.field(wire.STRUCT, id)
        form.write_exception(writer, fault.message, fault.fields)
        if pairs:
            write_pairs(writer, pairs)
        writer.stop()

    def read_result(self, reader: Any, beside: Pairs) -> tuple[Outcome, Pairs]:
        """What a struct of a result says, and the pairs with it. `beside`: those that came with it elsewhere.

        Raises:
            ThriftError: the bytes are no struct.
            ValueMappingError: it does not fit the contract; names the place.
        """
        value: Any = MISSING
        thrown: tuple[str, str | None, Mapping[str, Any]] | None = None
        pairs = beside
        slot = self._result
        reader.struct()
        while True:
            number, id = reader.field()
            if number == wire.STOP:
                break
            if id == _SUCCESS and slot is not None:
                try:
                    value = slot.read(reader) if number == slot.number else slot.read_as(reader, number)
                except ValueMappingError as exc:
                    raise exc.within("result") from None
            elif id in self._throws and number == wire.STRUCT:
                name, form = self._throws[id]
                thrown = (name, *form.read_exception(reader))
            elif id == CONTEXT_FIELD:
                pairs = read_pairs(reader, number)
            else:
                reader.skip(number)
        reader.end()
        attachments: Attachments = attachments_in(pairs)
        if thrown is not None:
            name, message, fields = thrown
            return Fault(name, message, fields, declared=True, attachments=attachments), pairs
        if value is not MISSING:
            return Ok(value, attachments), pairs
        if slot is None or not slot.null:
            return Ok(None, attachments), pairs
        # An exception of a newer contract, or none at all.
        return ProviderFailed(f"the answer to {self.contract.name} holds no result", retry=Retry.NEVER), pairs


class ServiceForm:
    """A service. Raises ContractError where its contract has no form."""

    def __init__(self, contract: ServiceContract) -> None:
        if findings := check_contract(contract):
            raise ContractError("; ".join(findings))
        self.contract: Final = contract
        self.name: Final = names.service_name(contract)
        forms = Forms(contract)
        self.methods: Final = {
            each.attribute: MethodForm(names.method_name(contract, each), each, forms) for each in contract.methods
        }

    def method(self, contract: MethodContract) -> MethodForm:
        """The form of a method of this contract."""
        return self.methods[contract.attribute]
