"""Functions for the values of a contract's types, compiled once per type, also of types that name themselves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from gateway.model.contract import EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Step", "TypeSteps", "with_nulls"]

Step = Callable[[Any, Any], Any]
"""From a value, and the state of whoever goes through it, to another one. Raises `ValueMappingError`."""

_Member = TypeVar("_Member")


class TypeSteps(ABC, Generic[_Member]):
    """Compiles the steps of one contract. A subclass says what is done with values of each kind of type.

    `_Member`: what the step of a struct has of each of its fields.
    """

    def __init__(self, contract: ServiceContract) -> None:
        self._contract = contract
        self._steps: dict[TypeRef, Step] = {}
        self._structs: dict[str, Step] = {}

    def step(self, ref: TypeRef) -> Step:
        """What is done with values of the type."""
        found = self._steps.get(ref)
        if found is None:
            found = self._steps[ref] = self.finished(self._compile(ref), ref)
        return found

    def struct_step(self, definition: StructType) -> Step:
        """What is done with a struct or exception of the contract."""
        found = self._structs.get(definition.name)
        if found is None:
            # Known before its fields are compiled: they may name it again.
            members: list[_Member] = []
            found = self._structs[definition.name] = self.of_struct(definition, members)
            members += [self.member(definition, each, self.step(each.type)) for each in definition.fields]
        return found

    def _compile(self, ref: TypeRef) -> Step:
        match ref.kind:
            case Kind.ANY:
                return self.of_any()
            case Kind.LIST:
                return self.of_list(ref, self.step(ref.args[0]))
            case Kind.SET:
                return self.of_set(ref, self.step(ref.args[0]))
            case Kind.MAP:
                return self.of_map(ref, self.step(ref.args[0]), self.step(ref.args[1]))
            case Kind.ENUM:
                return self.of_enum(self._contract.enum(ref))
            case Kind.STRUCT | Kind.EXCEPTION:
                return self.struct_step(self._contract.struct(ref))
            case Kind.CALLBACK:
                return self.of_callback
        return self.of_scalar(ref)

    def finished(self, step: Step, ref: TypeRef) -> Step:
        """The step of a type with what its nulls are."""
        return step if ref.kind is Kind.ANY else with_nulls(step, ref)

    @abstractmethod
    def member(self, definition: StructType, field: Field, step: Step) -> _Member:
        """What `of_struct` has of one field."""

    @abstractmethod
    def of_any(self) -> Step:
        """For values that say themselves what they are."""

    @abstractmethod
    def of_scalar(self, ref: TypeRef) -> Step:
        """For everything that has no parts."""

    @abstractmethod
    def of_list(self, ref: TypeRef, element: Step) -> Step:
        """For lists."""

    @abstractmethod
    def of_set(self, ref: TypeRef, element: Step) -> Step:
        """For sets."""

    @abstractmethod
    def of_map(self, ref: TypeRef, key: Step, value: Step) -> Step:
        """For maps."""

    @abstractmethod
    def of_enum(self, definition: EnumType) -> Step:
        """For constants of an enum."""

    @abstractmethod
    def of_struct(self, definition: StructType, members: list[_Member]) -> Step:
        """For structs and exceptions. `members`: filled after this returns."""

    @abstractmethod
    def of_callback(self, value: Any, state: Any) -> Any:
        """For callbacks: the step itself."""


def with_nulls(step: Step, ref: TypeRef) -> Step:
    """The same step where None may stand, or must not."""
    if ref.nullable:
        return lambda value, state: None if value is None else step(value, state)
    if ref.kind is Kind.NULL:
        return step

    def required(value: Any, state: Any) -> Any:
        if value is None:
            raise ValueMappingError(f"null where {ref} is required")
        return step(value, state)

    return required
