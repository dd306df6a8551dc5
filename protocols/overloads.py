"""Which overload of a name a call means whose arguments stand by position or by name, and what is wrong with one.

For wires whose calls name methods by texts: JSON, redis, memcached.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from gateway.model.contract import MISSING, MethodContract, Param
from gateway.model.errors import BadRequest, RpcError, ValueMappingError

__all__ = ["ArgumentError", "Overload", "OverloadGroup", "argument_error", "default_of", "place_of"]


class ArgumentError(BadRequest):
    """An argument does not fit the contract. `path`: where the value sits (`args[0].price`)."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path: Final = path


def place_of(error: RpcError) -> str:
    """The path of the value that is to blame; empty where an error blames none."""
    return error.path if isinstance(error, ArgumentError) else ""


class Overload(Protocol):
    """One method as a wire takes its arguments."""

    @property
    def signature(self) -> MethodContract:
        """The method, as it is called."""
        ...

    @property
    def wire(self) -> MethodContract:
        """The same with the names that the wire's callers use."""
        ...

    def fits_names(self, names: Collection[str]) -> bool:
        """Whether it can be called with exactly these arguments."""
        ...

    def fits_count(self, count: int) -> bool:
        """Whether it can be called with so many arguments by position."""
        ...

    def read_positional(self, items: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments in contract order. Raises BadRequest; an `ArgumentError` where one of them is to blame."""
        ...


_M = TypeVar("_M", bound=Overload)


class OverloadGroup(Generic[_M]):
    """What one name may mean: the overloads of this name, and the method that has it as attribute.

    A call means the one that its arguments fit: by their names, or by their number and what they can be read as. Where
    they fit several, it means the one whose attribute was asked for; so every method can be called by its attribute,
    with all its arguments given.
    """

    __slots__ = ("candidates", "name", "own", "single")

    def __init__(self, name: str, candidates: Sequence[_M]) -> None:
        self.name: Final = name
        self.candidates: Final = tuple(candidates)
        self.own: Final = next((each for each in candidates if each.signature.attribute == name), None)
        self.single: Final = candidates[0] if len(candidates) == 1 else None

    def named(self, names: Mapping[str, Any]) -> _M:
        """The method for arguments by name. Raises BadRequest."""
        if self.single is not None:
            return self.single
        return self._chosen([each for each in self.candidates if each.fits_names(names)])

    def read_positional(self, items: Sequence[Any]) -> tuple[_M, tuple[Any, ...]]:
        """The method for arguments by position, and its arguments.

        Callers in Java have overloads in one name and no other; what tells those apart is which of them can read the
        arguments. Raises BadRequest.
        """
        if self.single is not None:
            return self.single, self.single.read_positional(items)
        fitting = [each for each in self.candidates if each.fits_count(len(items))]
        readable: list[tuple[_M, tuple[Any, ...]]] = []
        refusal: ArgumentError | None = None
        for each in fitting:
            try:
                arguments = each.read_positional(items)
            except ArgumentError as exc:
                refusal = exc if each is self.own or len(fitting) == 1 else refusal
                continue
            if each is self.own:
                return each, arguments
            readable.append((each, arguments))
        if len(readable) == 1:
            return readable[0]
        if refusal is not None and not readable:
            raise refusal
        raise self._undecided([each for each, _ in readable])

    def _chosen(self, fitting: Sequence[_M]) -> _M:
        if len(fitting) == 1:
            return fitting[0]
        if self.own is not None and self.own in fitting:
            return self.own
        raise self._undecided(fitting)

    def _undecided(self, fitting: Sequence[_M]) -> BadRequest:
        listed = "; ".join(_shown(each.wire) for each in fitting or self.candidates)
        if fitting:
            return BadRequest(
                f"{self.name}: several overloads take these arguments, call one of them by its own name: {listed}"
            )
        return BadRequest(f"{self.name}: no overload takes these arguments: {listed}")


def default_of(param: Param) -> Any:
    """What an argument becomes that the caller leaves out; `MISSING` when it may not. Absent and null are one value."""
    return None if param.default is MISSING and param.type.nullable else param.default


def argument_error(method: MethodContract, index: int, misfit: ValueMappingError) -> ArgumentError:
    """What a caller is told whose argument `index` does not fit: by name, as JSON callers know it."""
    inner = misfit.path
    glue = "." if inner and inner[0] not in "[." else ""
    text = f"{method.name}: {method.params[index].name}{glue}{inner}: {misfit.message}"
    return ArgumentError(text, f"args[{index}]{glue}{inner}")


def _shown(method: MethodContract) -> str:
    params = ", ".join(f"{param.name}: {param.type}" for param in method.params)
    return f"{method.attribute}({params})"
