"""What every encoding of Thrift offers: a reader and a writer of values, one step at a time.

A reader checks what it reads before it allocates anything: lengths against the bytes that are there, counts of elements
against the bytes they need at least and against a budget, depth against a limit. It raises `ThriftError`. A writer
raises `ValueMappingError` for what its encoding has no form for.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from protocols.reader import Limits

__all__ = ["CONTAINER_COST", "Encoding", "Reader", "Writer"]

CONTAINER_COST: Final = 5
"""What a container takes from the budget beside its elements; see `Limits.max_elements`."""


class Reader(Protocol):
    """Reads one message. Every container that is begun is ended with `end`, a struct when `field` gave STOP."""

    pos: int
    """Where the next step begins."""

    def message(self) -> tuple[bytes, int, int]:
        """Name, kind and sequence id of the message, whose struct follows."""
        ...

    def struct(self) -> None:
        """Begins a struct."""
        ...

    def field(self) -> tuple[int, int]:
        """Type and id of the next field; STOP when there is none."""
        ...

    def list(self) -> tuple[int, int]:
        """Begins a list or set: type of its elements (0 for an empty one, perhaps), and how many there are."""
        ...

    def map(self) -> tuple[int, int, int]:
        """Begins a map: type of its keys and values, and how many there are."""
        ...

    def end(self) -> None:
        """Ends the innermost container."""
        ...

    def bool(self) -> bool: ...  # noqa: D102
    def i8(self) -> int: ...  # noqa: D102
    def i16(self) -> int: ...  # noqa: D102
    def i32(self) -> int: ...  # noqa: D102
    def i64(self) -> int: ...  # noqa: D102
    def double(self) -> float: ...  # noqa: D102
    def binary(self) -> bytes: ...  # noqa: D102
    def uuid(self) -> bytes:
        """The 16 bytes of a UUID."""
        ...

    def text(self) -> str:
        """A string. Raises `ValueMappingError` when it is not UTF-8."""
        ...

    def skip(self, number: int) -> None:
        """Passes over a value of this type, within the same limits."""
        ...

    def fork(self) -> Reader:
        """Another reader of the same message, at the same place. Only between `message` and `struct`."""
        ...

    def earliest(self, number: int, id: int) -> int:
        """Where a field of this type and id may stand at the earliest; -1 when there is certainly none to come."""
        ...


class Writer(Protocol):
    """Writes one message."""

    def message(self, name: bytes, kind: int, seqid: int) -> None:
        """Begins the message, whose struct follows."""
        ...

    def struct(self) -> None:
        """Begins a struct."""
        ...

    def field(self, number: int, id: int) -> None:
        """Begins a field of this type and id; its value follows."""
        ...

    def list(self, element: int, count: int) -> None:
        """Begins a list or set of elements of this type."""
        ...

    def map(self, key: int, value: int, count: int) -> None:
        """Begins a map."""
        ...

    def stop(self) -> None:
        """Ends a struct."""
        ...

    def end(self) -> None:
        """Ends a list, set or map."""
        ...

    def bool(self, value: bool) -> None: ...  # noqa: D102
    def i8(self, value: int) -> None: ...  # noqa: D102
    def i16(self, value: int) -> None: ...  # noqa: D102
    def i32(self, value: int) -> None: ...  # noqa: D102
    def i64(self, value: int) -> None: ...  # noqa: D102
    def double(self, value: float) -> None: ...  # noqa: D102
    def binary(self, value: bytes) -> None: ...  # noqa: D102
    def uuid(self, value: bytes) -> None: ...  # noqa: D102
    def text(self, value: str) -> None:
        """A string. Raises `ValueMappingError` for a lone surrogate."""
        ...

    def done(self) -> bytes:
        """The whole message."""
        ...


class Encoding(Protocol):
    """One of Thrift's protocols."""

    @property
    def name(self) -> str:
        """As options call it."""
        ...

    def reader(self, data: bytes | bytearray, pos: int, limits: Limits, end: int | None = None) -> Any:
        """A reader from `pos` on. `end`: where the message ends at the latest, where not all of it may be there."""
        ...

    def writer(self, limits: Limits) -> Any:
        """A writer of a new message."""
        ...
