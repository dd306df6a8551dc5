"""One method for every type of the model, each giving back what it was given."""

# ruff: noqa: D102 - the contract documents what the implementation does and each echo says its type

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Protocol
from uuid import UUID

from gateway.contracts import (
    F32,
    I8,
    I16,
    I32,
    I64,
    NO_CALL,
    BigInt,
    Call,
    Char,
    JavaType,
    LocalDateTime,
    ServiceError,
    method,
    service,
)
from gateway.demo.catalog import Maker, Status

__all__ = ["DemoTypes", "Everything", "Point", "Types", "TypesFailure"]

JavaDate = Annotated[dt.datetime, JavaType("java.util.Date")]
IntArray = Annotated[list[I32], JavaType("int[]")]
LongArray = Annotated[list[I64], JavaType("long[]")]
DoubleArray = Annotated[list[float], JavaType("double[]")]
StringArray = Annotated[list[str], JavaType("java.lang.String[]")]
MakerArray = Annotated[list[Maker], JavaType("demo.Maker[]")]


@dataclass(frozen=True, slots=True)
class Point:
    """A struct that can be a map key."""

    x: I32
    y: I32


@dataclass(slots=True)
class Everything:
    """One field of every type, each of which may be left out.

    Two attributes end in an underscore, which their contract names lack: inside the class body the plain names
    would hide the types `bool` and `bytes`.
    """

    bool_: bool = field(default=False, metadata={"name": "bool"})
    boxed_bool: bool | None = None
    i8: I8 = 0
    i16: I16 = 0
    i32: I32 = 0
    i64: I64 = 0
    boxed_i8: I8 | None = None
    boxed_i16: I16 | None = None
    boxed_i32: I32 | None = None
    boxed_i64: I64 | None = None
    f32: F32 = 0.0
    f64: float = 0.0
    boxed_f32: F32 | None = None
    boxed_f64: float | None = None
    bigint: BigInt | None = None
    decimal: Decimal | None = None
    character: Char = "\0"
    boxed_char: Char | None = None
    string: str | None = None
    bytes_: bytes | None = field(default=None, metadata={"name": "bytes"})
    date: dt.date | None = None
    time: dt.time | None = None
    datetime: dt.datetime | None = None
    java_date: JavaDate | None = None
    local_datetime: LocalDateTime | None = None
    duration: dt.timedelta | None = None
    uuid: UUID | None = None
    int_list: list[I32] | None = None
    long_list: list[I64] | None = None
    string_list: list[str] | None = None
    nested_list: list[list[str]] | None = None
    string_set: set[str] | None = None
    long_set: set[I64] | None = None
    string_map: dict[str, I64] | None = None
    int_map: dict[I32, str] | None = None
    enum_map: dict[Status, str] | None = None
    struct_map: dict[Point, str] | None = None
    nested_map: dict[str, list[Maker]] | None = None
    int_array: IntArray | None = None
    long_array: LongArray | None = None
    double_array: DoubleArray | None = None
    string_array: StringArray | None = None
    maker_array: MakerArray | None = None
    enumeration: Status | None = None
    struct: Maker | None = None
    any: Any = None


class TypesFailure(ServiceError):
    """What `fail_declared` raises."""

    code: I32
    culprit: Maker | None = None


@service("demo.Types")
class Types(Protocol):
    """Every type of the model, there and back."""

    @method(idempotent=True)
    async def echo_bool(self, value: bool) -> bool: ...
    @method(idempotent=True)
    async def echo_boxed_bool(self, value: bool | None) -> bool | None: ...
    @method(idempotent=True)
    async def echo_i8(self, value: I8) -> I8: ...
    @method(idempotent=True)
    async def echo_i16(self, value: I16) -> I16: ...
    @method(idempotent=True)
    async def echo_i32(self, value: I32) -> I32: ...
    @method(idempotent=True)
    async def echo_i64(self, value: I64) -> I64: ...
    @method(idempotent=True)
    async def echo_boxed_i8(self, value: I8 | None) -> I8 | None: ...
    @method(idempotent=True)
    async def echo_boxed_i16(self, value: I16 | None) -> I16 | None: ...
    @method(idempotent=True)
    async def echo_boxed_i32(self, value: I32 | None) -> I32 | None: ...
    @method(idempotent=True)
    async def echo_boxed_i64(self, value: I64 | None) -> I64 | None: ...
    @method(idempotent=True)
    async def echo_f32(self, value: F32) -> F32: ...
    @method(idempotent=True)
    async def echo_f64(self, value: float) -> float: ...
    @method(idempotent=True)
    async def echo_boxed_f32(self, value: F32 | None) -> F32 | None: ...
    @method(idempotent=True)
    async def echo_boxed_f64(self, value: float | None) -> float | None: ...
    @method(idempotent=True)
    async def echo_bigint(self, value: BigInt) -> BigInt: ...
    @method(idempotent=True)
    async def echo_decimal(self, value: Decimal) -> Decimal: ...
    @method(idempotent=True)
    async def echo_char(self, value: Char) -> Char: ...
    @method(idempotent=True)
    async def echo_boxed_char(self, value: Char | None) -> Char | None: ...
    @method(idempotent=True)
    async def echo_string(self, value: str) -> str: ...
    @method(idempotent=True)
    async def echo_bytes(self, value: bytes) -> bytes: ...
    @method(idempotent=True)
    async def echo_date(self, value: dt.date) -> dt.date: ...
    @method(idempotent=True)
    async def echo_time(self, value: dt.time) -> dt.time: ...
    @method(idempotent=True)
    async def echo_datetime(self, value: dt.datetime) -> dt.datetime: ...
    @method(idempotent=True)
    async def echo_java_date(self, value: JavaDate) -> JavaDate: ...
    @method(idempotent=True)
    async def echo_local_datetime(self, value: LocalDateTime) -> LocalDateTime: ...
    @method(idempotent=True)
    async def echo_duration(self, value: dt.timedelta) -> dt.timedelta: ...
    @method(idempotent=True)
    async def echo_uuid(self, value: UUID) -> UUID: ...
    @method(idempotent=True)
    async def echo_int_list(self, value: list[I32]) -> list[I32]: ...
    @method(idempotent=True)
    async def echo_long_list(self, value: list[I64]) -> list[I64]: ...
    @method(idempotent=True)
    async def echo_string_list(self, value: list[str]) -> list[str]: ...
    @method(idempotent=True)
    async def echo_nested_list(self, value: list[list[str]]) -> list[list[str]]: ...
    @method(idempotent=True)
    async def echo_string_set(self, value: set[str]) -> set[str]: ...
    @method(idempotent=True)
    async def echo_long_set(self, value: set[I64]) -> set[I64]: ...
    @method(idempotent=True)
    async def echo_string_map(self, value: dict[str, I64]) -> dict[str, I64]: ...
    @method(idempotent=True)
    async def echo_int_map(self, value: dict[I32, str]) -> dict[I32, str]: ...
    @method(idempotent=True)
    async def echo_enum_map(self, value: dict[Status, str]) -> dict[Status, str]: ...
    @method(idempotent=True)
    async def echo_struct_map(self, value: dict[Point, str]) -> dict[Point, str]: ...
    @method(idempotent=True)
    async def echo_nested_map(self, value: dict[str, list[Maker]]) -> dict[str, list[Maker]]: ...
    @method(idempotent=True)
    async def echo_int_array(self, value: IntArray) -> IntArray: ...
    @method(idempotent=True)
    async def echo_long_array(self, value: LongArray) -> LongArray: ...
    @method(idempotent=True)
    async def echo_double_array(self, value: DoubleArray) -> DoubleArray: ...
    @method(idempotent=True)
    async def echo_string_array(self, value: StringArray) -> StringArray: ...
    @method(idempotent=True)
    async def echo_maker_array(self, value: MakerArray) -> MakerArray: ...
    @method(idempotent=True)
    async def echo_enum(self, value: Status) -> Status: ...
    @method(idempotent=True)
    async def echo_struct(self, value: Maker) -> Maker: ...
    @method(idempotent=True)
    async def echo_everything(self, value: Everything) -> Everything: ...
    @method(idempotent=True)
    async def echo_any(self, value: Any) -> Any: ...
    @method(idempotent=True)
    async def echo_nothing(self) -> None: ...
    @method(idempotent=True)
    async def echo_nullable(self, value: str | None) -> str | None: ...

    @method(idempotent=True)
    async def echo_attachments(self, key: str) -> str | None:
        """The text of the attachment with this key, null when the call has none."""
        ...

    @method(throws=(TypesFailure,))
    async def fail_declared(self, message: str) -> str:
        """Raises `TypesFailure` with this text, code 42 and a culprit called `Acme`."""
        ...

    @method()
    async def fail_undeclared(self, message: str) -> str:
        """Raises an exception with this text that the contract does not declare."""
        ...


class DemoTypes(Types):
    """Gives back what it is given. `echo_attachments` also sends the attachment back, beside the answer."""

    async def echo_bool(self, value: bool) -> bool:
        return value

    async def echo_boxed_bool(self, value: bool | None) -> bool | None:
        return value

    async def echo_i8(self, value: I8) -> I8:
        return value

    async def echo_i16(self, value: I16) -> I16:
        return value

    async def echo_i32(self, value: I32) -> I32:
        return value

    async def echo_i64(self, value: I64) -> I64:
        return value

    async def echo_boxed_i8(self, value: I8 | None) -> I8 | None:
        return value

    async def echo_boxed_i16(self, value: I16 | None) -> I16 | None:
        return value

    async def echo_boxed_i32(self, value: I32 | None) -> I32 | None:
        return value

    async def echo_boxed_i64(self, value: I64 | None) -> I64 | None:
        return value

    async def echo_f32(self, value: F32) -> F32:
        return value

    async def echo_f64(self, value: float) -> float:
        return value

    async def echo_boxed_f32(self, value: F32 | None) -> F32 | None:
        return value

    async def echo_boxed_f64(self, value: float | None) -> float | None:
        return value

    async def echo_bigint(self, value: BigInt) -> BigInt:
        return value

    async def echo_decimal(self, value: Decimal) -> Decimal:
        return value

    async def echo_char(self, value: Char) -> Char:
        return value

    async def echo_boxed_char(self, value: Char | None) -> Char | None:
        return value

    async def echo_string(self, value: str) -> str:
        return value

    async def echo_bytes(self, value: bytes) -> bytes:
        return value

    async def echo_date(self, value: dt.date) -> dt.date:
        return value

    async def echo_time(self, value: dt.time) -> dt.time:
        return value

    async def echo_datetime(self, value: dt.datetime) -> dt.datetime:
        return value

    async def echo_java_date(self, value: JavaDate) -> JavaDate:
        return value

    async def echo_local_datetime(self, value: LocalDateTime) -> LocalDateTime:
        return value

    async def echo_duration(self, value: dt.timedelta) -> dt.timedelta:
        return value

    async def echo_uuid(self, value: UUID) -> UUID:
        return value

    async def echo_int_list(self, value: list[I32]) -> list[I32]:
        return value

    async def echo_long_list(self, value: list[I64]) -> list[I64]:
        return value

    async def echo_string_list(self, value: list[str]) -> list[str]:
        return value

    async def echo_nested_list(self, value: list[list[str]]) -> list[list[str]]:
        return value

    async def echo_string_set(self, value: set[str]) -> set[str]:
        return value

    async def echo_long_set(self, value: set[I64]) -> set[I64]:
        return value

    async def echo_string_map(self, value: dict[str, I64]) -> dict[str, I64]:
        return value

    async def echo_int_map(self, value: dict[I32, str]) -> dict[I32, str]:
        return value

    async def echo_enum_map(self, value: dict[Status, str]) -> dict[Status, str]:
        return value

    async def echo_struct_map(self, value: dict[Point, str]) -> dict[Point, str]:
        return value

    async def echo_nested_map(self, value: dict[str, list[Maker]]) -> dict[str, list[Maker]]:
        return value

    async def echo_int_array(self, value: IntArray) -> IntArray:
        return value

    async def echo_long_array(self, value: LongArray) -> LongArray:
        return value

    async def echo_double_array(self, value: DoubleArray) -> DoubleArray:
        return value

    async def echo_string_array(self, value: StringArray) -> StringArray:
        return value

    async def echo_maker_array(self, value: MakerArray) -> MakerArray:
        return value

    async def echo_enum(self, value: Status) -> Status:
        return value

    async def echo_struct(self, value: Maker) -> Maker:
        return value

    async def echo_everything(self, value: Everything) -> Everything:
        return value

    async def echo_any(self, value: Any) -> Any:
        return value

    async def echo_nothing(self) -> None:
        return None

    async def echo_nullable(self, value: str | None) -> str | None:
        return value

    async def echo_attachments(self, key: str, *, call: Call = NO_CALL) -> str | None:
        value: str | None = call.attachments.get(key)
        if value is not None:
            call.reply_attachments[key] = value
        return value

    async def fail_declared(self, message: str) -> str:
        raise TypesFailure(message, code=42, culprit=Maker("Acme", "US"))

    async def fail_undeclared(self, message: str) -> str:
        raise ValueError(message)
