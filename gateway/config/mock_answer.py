"""What a mock answers: from what is written to values of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from gateway.config.sections.mock import BareText, MockConfig
from gateway.jsonform import compile_reader, parse_json
from gateway.model.call import Fault, Ok, Result
from gateway.model.contract import MISSING, MethodContract, ServiceContract, StructType
from gateway.model.errors import ProviderFailed, Retry, ValueMappingError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Answer", "mock_answer"]

_EMPTY: Final[Mapping[Kind, Any]] = {
    Kind.LIST: [],
    Kind.SET: [],
    Kind.MAP: {},
    Kind.STRUCT: {},
    Kind.STRING: "",
    Kind.BYTES: "",
}
_QUOTED: Final = re.compile(r"'([^']*)'\Z", re.DOTALL)

Answer = Callable[[], Result]
"""Makes an answer; raises `ProviderFailed` where the mock is that there is none."""


def mock_answer(config: MockConfig, method: MethodContract | None, contract: ServiceContract | None) -> Answer:
    """What makes the answer of a mock, anew each time: a caller in this process may change it.

    `method`: None where nothing says what it returns; then values are taken as JSON. `contract`: None for a service
    without one.

    Raises:
        ValueMappingError: the method cannot return the value, or the exception cannot be made of the fields.
    """
    if config.throw is not None:
        return _thrown(config, contract)
    if method is None or contract is None:
        value = _read(config.value, lambda value: value, {})
        return lambda: Ok(value)
    ref = method.returns
    read = compile_reader(ref, contract)
    try:
        data = _fitting(config.value, read, ref)
    except ValueMappingError as exc:
        raise ValueMappingError(f"{method.signature} cannot return this: {exc}") from None
    return lambda: Ok(read(data))


def _thrown(config: MockConfig, contract: ServiceContract | None) -> Answer:
    name, message = config.throw, config.message
    assert name is not None
    if not name:

        def fail() -> Result:
            # Repeating would only meet the mock again.
            raise ProviderFailed(message, retry=Retry.NEVER, exhausted=True)

        return fail
    struct = _exception(name, contract) if contract is not None else None
    if struct is None or contract is None:
        if config.fields:
            raise ValueMappingError(f"{name} is no exception of the contract, so its fields are not known")
        return lambda: Fault(name, message)
    read = compile_reader(TypeRef(Kind.EXCEPTION, name=struct.name), contract)

    def fault() -> Fault:
        made = read({**config.fields, "message": message})
        return Fault(
            struct.name,
            message,
            {each.name: getattr(made, each.attribute) for each in struct.fields},
            declared=True,
        )

    try:
        fault()
    except ValueMappingError as exc:
        raise ValueMappingError(f"{struct.name} cannot be made of these fields: {exc}") from None
    return fault


def _exception(name: str, contract: ServiceContract) -> StructType | None:
    """The contract's exception of that name; names in other worlds (Java's) count too."""
    for each in contract.types.values():
        if isinstance(each, StructType) and each.is_exception and name in (each.name, *each.names.values()):
            return each
    return None


def _fitting(value: Any, read: Callable[[Any], Any], ref: TypeRef) -> Any:
    """The JSON value that the type takes: a text without quotes may be any of several."""
    if not isinstance(value, BareText):
        read(value)
        return value
    return _read(value, read, _EMPTY.get(ref.kind, MISSING))


def _read(value: Any, check: Callable[[Any], Any], empty: Any) -> Any:
    """What a text without quotes stands for: the first meaning that `check` does not refuse."""
    if not isinstance(value, BareText):
        return value
    refused: ValueMappingError | None = None
    for meaning in _meanings(str(value), empty):
        try:
            check(meaning)
        except ValueMappingError as exc:
            refused = refused or exc
        else:
            return meaning
    assert refused is not None, "every text means itself at least"
    raise refused


def _meanings(text: str, empty: Any) -> Sequence[Any]:
    found: list[Any] = []
    if text == "null":
        return [None]
    if text == "empty":
        found.append(None if empty is MISSING else empty)
    elif quoted := _QUOTED.match(text):
        found.append(quoted[1])
    else:
        with suppress(ValueMappingError):  # then it is a text like any other
            found.append(parse_json(text))
    return [*found, text]
