"""The methods of a contract as blocks carry their arguments and results: each value in its own bytes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from gateway.jsonform.reader import Readers
from gateway.jsonform.writer import Writers
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.typeref import Kind
from protocols.http_json.problem import ExceptionForms
from protocols.memcached.form import JSON, NULL, format_of
from protocols.overloads import argument_error, default_of
from protocols.texts.value import TextReaders, TextWriters

__all__ = ["BlockMethod", "BlockService"]


class BlockMethod:
    """One method. An argument or result is its bytes (`protocols.texts.value`), or None for null.

    Attributes:
        flags: Of results that are not null.
        forms: The exceptions of the contract.
    """

    __slots__ = ("_params", "_read", "_returns_null", "_write", "_writers", "flags", "forms", "signature", "wire")

    def __init__(
        self,
        signature: MethodContract,
        contract: ServiceContract,
        readers: TextReaders,
        writers: TextWriters,
        forms: ExceptionForms,
    ) -> None:
        self.signature: Final = signature
        self.wire: Final = signature
        self.flags: Final = format_of(signature.returns, contract)
        self.forms: Final = forms
        self._params: Final = tuple(
            (readers.compile(each.type), _takes_null(each.type.nullable, each.type.kind), default_of(each))
            for each in signature.params
        )
        self._writers: Final = tuple(writers.compile(each.type) for each in signature.params)
        self._write: Final = writers.compile(signature.returns)
        self._read: Final = readers.compile(signature.returns)
        self._returns_null: Final = _takes_null(signature.returns.nullable, signature.returns.kind)

    def fits_names(self, names: Collection[str]) -> bool:
        """See `Overload.fits_names`: arguments in bytes have no names."""
        return False

    def fits_count(self, count: int) -> bool:
        """See `Overload.fits_count`."""
        params = self._params
        return count <= len(params) and all(default is not MISSING for _, _, default in params[count:])

    def read_positional(self, items: Sequence[bytes | None]) -> tuple[Any, ...]:
        """See `Overload.read_positional`."""
        params = self._params
        if len(items) > len(params):
            raise BadRequest(f"{self.signature.name} takes {len(params)} arguments, not {len(items)}")
        values: list[Any] = []
        try:
            for (read, takes_null, _), item in zip(params, items, strict=False):
                if item is not None:
                    values.append(read(item))
                elif takes_null:
                    values.append(None)
                else:
                    raise ValueMappingError(f"null where {self.signature.params[len(values)].type} is required")
        except ValueMappingError as exc:
            raise argument_error(self.signature, len(values), exc) from None
        for _, _, default in params[len(items) :]:
            if default is MISSING:
                raise BadRequest(f"{self.signature.name} needs at least {len(values) + 1} arguments, not {len(items)}")
            values.append(default)
        return tuple(values)

    def write_arguments(self, values: Sequence[Any]) -> list[bytes | None]:
        """The inverse of `read_positional`. Raises `ValueMappingError` with the place (`args[0].price`)."""
        parts: list[bytes | None] = []
        try:
            for write, (_, takes_null, _), value in zip(self._writers, self._params, values, strict=True):
                if value is None and not takes_null:
                    raise ValueMappingError(f"null where {self.signature.params[len(parts)].type} is required")
                parts.append(write(value))
        except ValueMappingError as exc:
            raise exc.within(f"args[{len(parts)}]") from None
        return parts

    def write_result(self, value: Any) -> tuple[int, bytes]:
        """The flags and bytes of a result. Raises `ValueMappingError` with the place (`result.price`)."""
        try:
            if value is None and not self._returns_null:
                raise ValueMappingError(f"null where {self.signature.returns} is required")
            data = self._write(value)
        except ValueMappingError as exc:
            raise exc.within("result") from None
        return (JSON, NULL) if value is None or data is None else (self.flags, data)

    def read_result(self, flags: int, data: bytes) -> Any:
        """The inverse. Raises `ValueMappingError` with the place."""
        try:
            # In JSON itself a null reads as one where there may be one.
            if flags == JSON and data == NULL and self.flags != JSON:
                if not self._returns_null:
                    raise ValueMappingError(f"null where {self.signature.returns} is required")
                return None
            return self._read(data)
        except ValueMappingError as exc:
            raise exc.within("result") from None


def _takes_null(nullable: bool, kind: Kind) -> bool:
    return nullable or kind in (Kind.NULL, Kind.ANY)


class BlockService:
    """The methods of a contract, by attribute, each compiled when it is first asked for."""

    __slots__ = ("_made", "_readers", "_writers", "contract", "forms")

    def __init__(self, contract: ServiceContract) -> None:
        self.contract: Final = contract
        self.forms: Final = ExceptionForms(contract)
        self._readers = TextReaders(contract, Readers(contract))
        self._writers = TextWriters(contract, Writers(contract))
        self._made: dict[str, BlockMethod] = {}

    def of(self, signature: MethodContract) -> BlockMethod:
        """One of the contract's methods."""
        found = self._made.get(signature.attribute)
        if found is None:
            found = self._made[signature.attribute] = BlockMethod(
                signature, self.contract, self._readers, self._writers, self.forms
            )
        return found
