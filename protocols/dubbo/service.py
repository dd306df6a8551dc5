"""A contract compiled for dubbo://: Java names and descriptors to methods, readers and writers per method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.model.callback import Callback
from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ContractError, NoSuchMethod, ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols import java
from protocols.dubbo.generic import generalize, realize, realize_result
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.reader import Reader
from protocols.hessian.text import encode_text
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer

__all__ = ["CallbackParam", "MethodBinding", "ServiceBinding"]

_ANY: Final = TypeRef(Kind.ANY, nullable=True)
_NULL: Final = TypeRef(Kind.NULL)


class CallbackParam(NamedTuple):
    """A parameter that is a callback. `service`: what can be called; `withdrawn`: the call takes it back."""

    position: int
    service: ServiceBinding
    withdrawn: bool


class MethodBinding:
    """One method, ready for both directions.

    Attributes:
        signature: The method's contract.
        java_name: Name on the wire; overloads share it.
        descriptor: JVM descriptor of the parameters, concatenated.
        head: Method name and descriptor as they stand in a request body.
        callbacks: Its parameters that are callbacks, which stand as null among the arguments.
    """

    __slots__ = (
        "_compile_arguments_reader",
        "_read_arguments",
        "_read_leading",
        "_read_result",
        "_types",
        "_write_arguments",
        "_write_result",
        "callbacks",
        "contract",
        "definitions",
        "descriptor",
        "head",
        "java_name",
        "read_exception",
        "signature",
        "write_exception",
    )

    def __init__(
        self,
        signature: MethodContract,
        contract: ServiceContract,
        compiler: TypedCompiler,
        definitions: DefinitionCache,
        callbacks: Sequence[CallbackParam] = (),
    ) -> None:
        self.signature: Final = signature
        self.contract: Final = contract
        self.definitions: Final = definitions
        self.java_name: Final = java.method_name(signature)
        self.descriptor: Final = java.method_descriptor(signature, contract)
        self.head: Final = encode_text(self.java_name) + encode_text(self.descriptor)
        self.callbacks: Final = tuple(callbacks)
        types = [_NULL if param.type.kind is Kind.CALLBACK else param.type for param in signature.params]
        self._compile_arguments_reader: Final = compiler.compile_arguments_reader
        self._types: Final = types
        self._read_arguments: Final = compiler.compile_arguments_reader(types)
        self._read_leading: dict[int, Callable[[Reader], tuple[Any, ...]]] = {}
        self._write_arguments: Final = compiler.compile_arguments_writer(types)
        self._read_result: Final = compiler.compile_reader(signature.returns)
        self._write_result: Final = compiler.compile_writer(signature.returns)
        self.read_exception: Final = compiler.compile_reader(_ANY)
        """Reads a throwable: a contract's exception as such, any other as a `Record`."""
        self.write_exception: Final = compiler.compile_writer(_ANY)

    def read_arguments(self, reader: Reader) -> tuple[Any, ...]:
        """The arguments at the reader's position.

        Raises:
            BadRequest: they do not fit the contract; the text names method, argument and path.
        """
        try:
            return self._read_arguments(reader)
        except HessianError as exc:
            raise BadRequest(f"{self.java_name}: {exc}") from exc

    def read_leading_arguments(self, reader: Reader, count: int) -> tuple[Any, ...]:
        """The first `count` arguments; raises like `read_arguments`."""
        read = self._read_leading.get(count)
        if read is None:
            read = self._read_leading[count] = self._compile_arguments_reader(self._types[:count])
        try:
            return read(reader)
        except HessianError as exc:
            raise BadRequest(f"{self.java_name}: {exc}") from exc

    def write_arguments(self, writer: Writer, values: tuple[Any, ...]) -> None:
        """Appends the arguments.

        Raises:
            ValueMappingError: one has no form on this wire; the path begins with `args[i]`.
        """
        count = len(self.signature.params)
        if len(values) != count:
            raise ValueMappingError(f"{self.signature.signature} takes {count} arguments, got {len(values)}")
        if self.callbacks:
            values = self.with_callbacks(values, {})
        self._write_arguments(writer, values)

    def with_callbacks(self, values: tuple[Any, ...], callbacks: Mapping[int, Callback]) -> tuple[Any, ...]:
        """Arguments with these callbacks in their places, and with null where there is none."""
        filled = list(values)
        for each in self.callbacks:
            filled[each.position] = callbacks.get(each.position)
        return tuple(filled)

    def read_result(self, reader: Reader) -> Any:
        """The value at the reader's position. Raises HessianError."""
        try:
            return self._read_result(reader)
        except HessianError as exc:
            raise exc.within("result") from None

    def write_result(self, writer: Writer, value: Any) -> None:
        """Appends the returned value. Raises ValueMappingError with a path that begins with `result`."""
        try:
            self._write_result(writer, value)
        except ValueMappingError as exc:
            raise exc.within("result") from None

    def check_null_result(self) -> None:
        """Raises ValueMappingError where null is not a value of the return type."""
        returns = self.signature.returns
        if not (returns.nullable or returns.kind in (Kind.NULL, Kind.ANY)):
            raise ValueMappingError(f"expected {returns}, found null", "result")

    def realize_arguments(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments of a `$invoke` as contract values.

        Raises:
            BadRequest: they do not fit the contract; the text names method, argument and path.
        """
        realized: list[Any] = []
        try:
            for value, param in zip(values, self.signature.params, strict=True):
                realized.append(realize(value, param.type, self.contract))
        except ValueMappingError as exc:
            raise BadRequest(f"{self.java_name}: {exc.within(f'args[{len(realized)}]')}") from exc
        return tuple(realized)

    def realize_result(self, value: Any) -> Any:
        """The value of an answer to a `$invoke` as a contract value. Raises ValueMappingError."""
        return realize_result(value, self.signature, self.contract)

    def generalize_result(self, value: Any) -> Any:
        """The returned value as a `$invoke` gives it. Raises ValueMappingError."""
        return generalize(value, self.signature.returns, self.contract)


class ServiceBinding:
    """A contract's methods by what the wire calls them.

    Raises:
        ContractError: Java cannot carry the contract; lists everything that is wrong.
    """

    __slots__ = ("_by_signature", "_by_wire", "callbacks", "contract")

    def __init__(self, contract: ServiceContract) -> None:
        if problems := java.check_contract(contract):
            raise ContractError(f"{contract.name} cannot be carried by dubbo://: " + "; ".join(problems))
        self.contract: Final = contract
        self.callbacks: Final = {name: ServiceBinding(each) for name, each in contract.callbacks.items()}
        compiler, definitions = TypedCompiler(contract), DefinitionCache()
        bindings = [
            MethodBinding(method, contract, compiler, definitions, self._callbacks_of(method))
            for method in contract.methods
        ]
        self._by_wire: Final = {(each.java_name, each.descriptor): each for each in bindings}
        self._by_signature: Final = {id(each.signature): each for each in bindings}

    def _callbacks_of(self, method: MethodContract) -> list[CallbackParam]:
        params = [(at, method.params[at]) for at in method.callbacks]
        return [CallbackParam(at, self.callbacks[param.type.name], param.withdrawn) for at, param in params]

    def find(self, java_name: str, descriptor: str) -> MethodBinding:
        """The method a caller means: the one with these types, or else the only one with this name and so many.

        `descriptor`: well-formed, as `protocols.java.parse_descriptor` sees it.

        Raises:
            NoSuchMethod: there is none; the text lists the overloads that exist.
        """
        found = self._by_wire.get((java_name, descriptor))
        if found is not None:
            return found
        named = [each for (name, _), each in self._by_wire.items() if name == java_name]
        # A caller without the Java interface guesses the types by its values.
        count = len(java.parse_descriptor(descriptor))
        fitting = [each for each in named if len(each.signature.params) == count]
        if len(fitting) == 1:
            return fitting[0]
        shown = shorten(java_name)
        if named:
            overloads = [each.descriptor or "no parameters" for each in named]
            wanted = shorten(descriptor) or "no parameters"
            raise NoSuchMethod(f"{self.contract.name}.{shown} takes {' or '.join(overloads)}, not {wanted}")
        raise NoSuchMethod(f"{self.contract.name} has no method {shown}")

    def of(self, signature: MethodContract) -> MethodBinding:
        """The binding of one of this contract's methods, or of an equal one of an equal contract."""
        found = self._by_signature.get(id(signature))
        if found is None:
            found = self.find(java.method_name(signature), java.method_descriptor(signature, self.contract))
        return found
