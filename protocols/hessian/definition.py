"""Class definitions: what stands before the first object of each class in every message.

They are half of a small message and the same in each, so a codec keeps a `DefinitionCache` for all its messages.

Source: Hessian 2.0 Serialization Protocol, section "object".
"""

from __future__ import annotations

from typing import Any, Final

from protocols.hessian import cost
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.numbers import decode_count
from protocols.hessian.text import decode_text, decode_units
from protocols.reader import Limits

__all__ = ["ClassDefinition", "DefinitionCache", "decode_definition", "decode_name"]


class ClassDefinition:
    """Class and field names of the objects that refer to it. Compared by identity.

    `raw`: its bytes, without the tag. `price`: what it costs in each message. `plans`: what readers of typed objects
    derived from it, by reader.
    """

    __slots__ = ("fields", "name", "plans", "price", "raw")

    def __init__(self, name: str, fields: tuple[str, ...], raw: bytes) -> None:
        self.name: Final = name
        self.fields: Final = fields
        self.raw: Final = raw
        self.price: Final = cost.DEFINITION + cost.DEFINED_FIELD * len(fields)
        self.plans: Final[dict[Any, Any]] = {}


class DefinitionCache:
    """Definitions met before, found again by their bytes.

    `max_definitions`: how many are kept; `max_total_bytes`: how large they are together, on the wire (in memory up to
    20 times that). The next one empties the cache, so a peer that makes up classes costs no memory. `max_bytes`:
    larger definitions are not kept.
    """

    __slots__ = ("_by_name", "_bytes", "_count", "_max_bytes", "_max_definitions", "_max_total_bytes")

    def __init__(self, max_definitions: int = 512, max_bytes: int = 8_192, max_total_bytes: int = 262_144) -> None:
        self._by_name: dict[bytes, list[ClassDefinition]] = {}
        self._count = 0
        self._bytes = 0
        self._max_definitions = max_definitions
        self._max_bytes = max_bytes
        self._max_total_bytes = max_total_bytes

    def decode(self, data: bytes, pos: int, limits: Limits) -> tuple[ClassDefinition, int]:
        """Like `decode_definition`."""
        size = data[pos]
        key = data[pos : pos + 1 + size if size < 0x20 else pos + 2 + (size - 0x30 << 8) + data[pos + 1]]
        for known in self._by_name.get(key, ()):
            if data.startswith(known.raw, pos):
                return known, pos + len(known.raw)
        definition, end = decode_definition(data, pos, limits)
        if end - pos <= self._max_bytes:
            if self._count >= self._max_definitions or self._bytes > self._max_total_bytes:
                self._by_name.clear()
                self._count = self._bytes = 0
            self._by_name.setdefault(key, []).append(definition)
            self._count += 1
            self._bytes += end - pos
        return definition, end


def decode_definition(data: bytes, pos: int, limits: Limits) -> tuple[ClassDefinition, int]:
    """The definition whose tag stands before `pos`, and where it ends.

    Raises:
        HessianError: it is malformed, or a name is longer than `Limits.max_name_bytes`.
        IndexError: the data ends before.
    """
    start = pos
    name, pos = decode_name(data, pos, "class name", limits)
    count, pos = decode_count(data, pos, "fields")
    most = limits.max_elements // cost.DEFINED_FIELD
    if count > most:
        raise HessianError(f"expected at most {most} fields, found {count}", pos)
    fields = []
    for _ in range(count):
        field, pos = decode_name(data, pos, "field name", limits)
        fields.append(field)
    return ClassDefinition(name, tuple(fields), data[start:pos]), pos


def decode_name(data: bytes, pos: int, what: str, limits: Limits) -> tuple[str, int]:
    """A string of no more than `Limits.max_name_bytes`, and where it ends; raises like `decode_definition`."""
    if data[pos] == 0x52:
        # Chunks begin at 32768 characters. Joining them would cost time before the length could be checked.
        beginning, _ = decode_units(data, pos + 3, (data[pos + 1] << 8) + data[pos + 2])
        raise HessianError(
            f"expected a {what} of at most {limits.max_name_bytes} bytes, found chunks ({shorten(beginning)})", pos
        )
    name, end = decode_text(data, pos)
    if end - pos > limits.max_name_bytes:
        raise HessianError(
            f"expected a {what} of at most {limits.max_name_bytes} bytes, found {end - pos} ({shorten(name)})", pos
        )
    return name, end
