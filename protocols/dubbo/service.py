"""A contract compiled for dubbo://: Java names and descriptors to methods, readers and writers per method."""

from __future__ import annotations

from typing import Any, Final

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, ValueMappingError
from protocols import java
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer

__all__ = ["MethodBinding", "ServiceBinding"]

_SHOWN: Final = 200


class MethodBinding:
    """One method, ready for both directions.

    Attributes:
        signature: The method's contract.
        java_name: Name on the wire; overloads share it.
        descriptor: JVM descriptor of the parameters, concatenated.
        head: Method name and descriptor as they stand in a request body.
    """

    __slots__ = (
        "_argument_readers",
        "_argument_writers",
        "_result_reader",
        "_result_writer",
        "contract",
        "descriptor",
        "head",
        "java_name",
        "signature",
    )

    def __init__(self, signature: MethodContract, contract: ServiceContract, compiler: TypedCompiler) -> None:
        self.signature: Final = signature
        self.contract: Final = contract
        self.java_name: Final = java.method_name(signature)
        self.descriptor: Final = java.method_descriptor(signature, contract)
        self.head: Final = encode_text(self.java_name) + encode_text(self.descriptor)
        self._argument_readers: Final = tuple(compiler.reader(param.type) for param in signature.params)
        self._argument_writers: Final = tuple(compiler.writer(param.type) for param in signature.params)
        self._result_reader: Final = compiler.reader(signature.returns)
        self._result_writer: Final = compiler.writer(signature.returns)

    def read_arguments(self, reader: Reader) -> tuple[Any, ...]:
        """The arguments at the reader's position.

        Raises:
            BadRequest: they do not fit the contract; the text names method, argument and path.
        """
        values: list[Any] = []
        try:
            for read in self._argument_readers:
                values.append(read(reader))  # noqa: PERF401  # the length says which argument is bad
        except ValueMappingError as exc:
            raise BadRequest(f"{self.java_name}: {exc.within(f'args[{len(values)}]')}") from exc
        except HessianError as exc:
            raise BadRequest(f"{self.java_name}: args[{len(values)}]: {exc}") from exc
        return tuple(values)

    def write_arguments(self, writer: Writer, values: tuple[Any, ...]) -> None:
        """Appends the arguments.

        Raises:
            ValueMappingError: one has no form on this wire; the path begins with `args[i]`.
        """
        writers = self._argument_writers
        if len(values) != len(writers):
            raise ValueMappingError(f"{self.signature.signature} takes {len(writers)} arguments, got {len(values)}")
        index = 0
        try:
            for write in writers:
                write(writer, values[index])
                index += 1
        except ValueMappingError as exc:
            raise exc.within(f"args[{index}]") from None

    def read_result(self, reader: Reader) -> Any:
        """The value at the reader's position. Raises ValueMappingError or HessianError."""
        return self._result_reader(reader)

    def write_result(self, writer: Writer, value: Any) -> None:
        """Appends the returned value. Raises ValueMappingError with a path that begins with `result`."""
        try:
            self._result_writer(writer, value)
        except ValueMappingError as exc:
            raise exc.within("result") from None


class ServiceBinding:
    """A contract's methods by what the wire calls them.

    Raises:
        ContractError: Java cannot carry the contract; lists everything that is wrong.
    """

    __slots__ = ("_by_signature", "_by_wire", "compiler", "contract")

    def __init__(self, contract: ServiceContract) -> None:
        if problems := java.check_contract(contract):
            raise ContractError(f"{contract.name} cannot be carried by dubbo://: " + "; ".join(problems))
        self.contract: Final = contract
        self.compiler: Final = TypedCompiler(contract)
        bindings = [MethodBinding(method, contract, self.compiler) for method in contract.methods]
        self._by_wire: Final = {(each.java_name, each.descriptor): each for each in bindings}
        self._by_signature: Final = {id(each.signature): each for each in bindings}

    def find(self, java_name: str, descriptor: str) -> MethodBinding:
        """The method a caller means.

        Raises:
            NoSuchMethod: there is none; the text lists the overloads that exist.
        """
        found = self._by_wire.get((java_name, descriptor))
        if found is not None:
            return found
        shown = _shorten(java_name)
        overloads = [
            each.descriptor or "no parameters" for (name, _), each in self._by_wire.items() if name == java_name
        ]
        if overloads:
            wanted = _shorten(descriptor) or "no parameters"
            raise NoSuchMethod(f"{self.contract.name}.{shown} takes {' or '.join(overloads)}, not {wanted}")
        raise NoSuchMethod(f"{self.contract.name} has no method {shown}")

    def of(self, signature: MethodContract) -> MethodBinding:
        """The binding of one of this contract's methods, or of an equal one of an equal contract."""
        found = self._by_signature.get(id(signature))
        if found is None:
            found = self.find(java.method_name(signature), java.method_descriptor(signature, self.contract))
        return found


def _shorten(text: str) -> str:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return shown.encode("unicode_escape", "backslashreplace").decode("ascii")
