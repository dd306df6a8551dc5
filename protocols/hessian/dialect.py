"""What the Java implementations of Hessian 2 write differently: hessian-lite, which dubbo:// speaks, and Caucho's own.

| value | hessian-lite | Caucho |
| --- | --- | --- |
| UUID | field `value`, its text | fields `mostSigBits` and `leastSigBits` |
| java.time | handles of its own package | nothing: it reads the classes' own fields, and cannot write them |
| `java.lang.Byte`, `Short`, `Float` | int, double | handles of its own package, wherever the type is not declared |

Objects of all these classes are read whatever the dialect; it says which of them are written, and what is read in
their place. Caucho's is in `protocols.hessian.caucho`.

Source: apache/dubbo-hessian-lite: hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from gateway.model.typeref import Kind
from protocols.hessian.java_types import definition_bytes

__all__ = ["LITE", "Dialect", "make_dialect"]

_NONE: Final[Mapping[Kind, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One way to write. The first six are class definitions, their fields in the order in which they are written.

    `uuid_bits`: a UUID is two longs; otherwise a text, behind which readers count references differently.
    `dates`: a datetime is written as a date. `format_text`: the values that are written as text, and how.
    `parse_text`: the values that are read from a text as well, and how; raises ValueMappingError.
    `reads_boxes`: a number may come in the object of a boxed type.
    """

    uuid: bytes
    local_date: bytes
    local_time: bytes
    local_date_time: bytes
    instant: bytes
    duration: bytes
    uuid_bits: bool
    reads_boxes: bool = False
    dates: bool = False
    format_text: Mapping[Kind, Callable[[Any], str]] = field(default_factory=lambda: _NONE)
    parse_text: Mapping[Kind, Callable[[str], Any]] = field(default_factory=lambda: _NONE)


def make_dialect(class_of: Callable[[str], str], uuid: tuple[str, ...], **more: Any) -> Dialect:
    """A dialect by the names of its classes of java.time, and by the fields of a UUID."""

    def define(name: str, *fields: str) -> bytes:
        return definition_bytes(class_of(name), fields)

    # Fields stand in the order in which hessian-lite writes them; readers go by their names.
    return Dialect(
        uuid=definition_bytes("java.util.UUID", uuid),
        local_date=define("LocalDate", "day", "month", "year"),
        local_time=define("LocalTime", "nano", "second", "minute", "hour"),
        local_date_time=define("LocalDateTime", "time", "date"),
        instant=define("Instant", "nanos", "seconds"),
        duration=define("Duration", "nanos", "seconds"),
        uuid_bits=len(uuid) > 1,
        **more,
    )


LITE: Final = make_dialect("com.alibaba.com.caucho.hessian.io.java8.{}Handle".format, ("value",))
"""hessian-lite's."""
