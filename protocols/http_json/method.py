"""One method of a contract, compiled for JSON: its arguments by name, by position or from a query, and its result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from gateway.jsonform.reader import Readers
from gateway.jsonform.text import format_json
from gateway.jsonform.text_value import compile_text_reader
from gateway.jsonform.writer import Writers
from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.typeref import Kind
from protocols.http_json.route import has_query_form
from protocols.overloads import ArgumentError, argument_error, default_of

__all__ = ["MethodBinding"]

TextReader = Callable[[list[str]], Any]


class MethodBinding:
    """How one method looks in JSON.

    `contract`: of `wire`; its types have the names that JSON callers use. `readers`, `writers`: of that contract,
    shared by its methods. `ignore_unknown`: arguments that the method does not know are skipped, not refused.

    Attributes:
        signature: The method, as it is called.
        wire: The same with the names that JSON callers use.
        by_query: Whether it may be called by a query: it is idempotent, and its arguments have a form there.
        returns_value: Whether an answer has a value; false for methods that return nothing.
        names: Of the parameters.
        required: Of the parameters that a caller cannot leave out.
    """

    __slots__ = (
        "_contract",
        "_ignore_unknown",
        "_params",
        "_text_readers",
        "_write",
        "by_query",
        "names",
        "required",
        "returns_value",
        "signature",
        "wire",
    )

    def __init__(
        self,
        signature: MethodContract,
        wire: MethodContract,
        contract: ServiceContract,
        readers: Readers,
        writers: Writers,
        *,
        ignore_unknown: bool = False,
    ) -> None:
        self.signature: Final = signature
        self.wire: Final = wire
        self._contract: Final = contract
        self._ignore_unknown: Final = ignore_unknown
        self._params: Final = tuple(
            (param.name, readers.compile(param.type), default_of(param)) for param in wire.params
        )
        self._text_readers: dict[str, TextReader] = {}
        self._write: Final = writers.compile(wire.returns)
        self.by_query: Final = signature.idempotent and all(has_query_form(each.type) for each in wire.params)
        self.returns_value: Final = signature.returns.kind is not Kind.NULL
        self.names: Final = frozenset(param.name for param in wire.params)
        self.required: Final = frozenset(name for name, _, default in self._params if default is MISSING)

    def fits_names(self, names: Collection[str]) -> bool:
        """Whether it can be called with exactly these arguments."""
        return self.required.issubset(names) and (self._ignore_unknown or self.names.issuperset(names))

    def fits_count(self, count: int) -> bool:
        """Whether it can be called with so many arguments by position."""
        params = self._params
        return count <= len(params) and all(default is not MISSING for _, _, default in params[count:])

    def read_named(self, members: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments in contract order, out of a JSON object.

        Raises:
            BadRequest: they do not fit; an `ArgumentError` where one of them is to blame.
        """
        values: list[Any] = []
        left = len(members)
        for name, read, default in self._params:
            value = members.get(name, MISSING)
            if value is MISSING:
                if default is MISSING:
                    raise self._missing(len(values))
                values.append(default)
                continue
            left -= 1
            try:
                values.append(read(value))
            except ValueMappingError as exc:
                raise argument_error(self.wire, len(values), exc) from None
        if left and not self._ignore_unknown:
            raise self._unknown(members)
        return tuple(values)

    def read_positional(self, items: Sequence[Any]) -> tuple[Any, ...]:
        """The arguments in contract order, out of a JSON array. Raises like `read_named`."""
        params = self._params
        if len(items) > len(params):
            raise BadRequest(f"{self.wire.name} takes {len(params)} arguments, not {len(items)}")
        values: list[Any] = []
        for item, (_, read, _) in zip(items, params, strict=False):
            try:
                values.append(read(item))
            except ValueMappingError as exc:
                raise argument_error(self.wire, len(values), exc) from None
        for _, _, default in params[len(items) :]:
            if default is MISSING:
                raise self._missing(len(values))
            values.append(default)
        return tuple(values)

    def read_texts(self, texts: Mapping[str, list[str]]) -> tuple[Any, ...]:
        """The arguments in contract order, out of what a query has under each name. Raises like `read_named`."""
        if not self._ignore_unknown and not self.names.issuperset(texts):
            raise self._unknown(texts)
        values: list[Any] = []
        for index, (name, _, default) in enumerate(self._params):
            found = texts.get(name)
            values.append(self.absent(index, default) if found is None else self.read_text(index, found))
        return tuple(values)

    def read_text(self, index: int, texts: list[str]) -> Any:
        """One argument out of the texts it was given as. Raises `ArgumentError`."""
        param = self.wire.params[index]
        read = self._text_readers.get(param.name)
        if read is None:
            read = self._text_readers[param.name] = compile_text_reader(param.type, self._contract)
        try:
            return read(texts)
        except ValueMappingError as exc:
            raise argument_error(self.wire, index, exc) from None

    def read_value(self, index: int, value: Any) -> Any:
        """One argument out of its JSON value. Raises `ArgumentError`."""
        try:
            return self._params[index][1](value)
        except ValueMappingError as exc:
            raise argument_error(self.wire, index, exc) from None

    def absent(self, index: int, default: Any = MISSING) -> Any:
        """An argument that a query or header does not give: a list that has no elements there is empty."""
        if default is MISSING:
            default = self._params[index][2]
        if default is not MISSING:
            return default
        if self.wire.params[index].type.kind in (Kind.LIST, Kind.SET):
            return self.read_text(index, [])
        raise self._missing(index)

    def write_result(self, value: Any) -> Any:
        """The returned value as `format_json` takes it. Raises ValueMappingError with its place (`result.price`)."""
        try:
            return self._write(value)
        except ValueMappingError as exc:
            raise exc.within("result") from None

    def encode_result(self, value: Any) -> bytes:
        """The returned value as JSON. Raises like `write_result`."""
        try:
            return format_json(self._write(value))
        except ValueMappingError as exc:
            raise exc.within("result") from None

    def unknown(self, names: Collection[str]) -> BadRequest | None:
        """Why arguments of these names cannot be given; None when they can, or are skipped."""
        return None if self._ignore_unknown or self.names.issuperset(names) else self._unknown(names)

    def _missing(self, index: int) -> ArgumentError:
        param = self.wire.params[index]
        return ArgumentError(
            f"{self.wire.name}: the argument {param.name!r} ({param.type}) is missing", f"args[{index}]"
        )

    def _unknown(self, names: Collection[str]) -> BadRequest:
        name = next(name for name in names if name not in self.names)
        known = ", ".join(param.name for param in self.wire.params)
        takes = f"it takes {known}" if known else "it takes none"
        return BadRequest(f"{self.wire.name} has no argument {name[:100]!r}; {takes}")
