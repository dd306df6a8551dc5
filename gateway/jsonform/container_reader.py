"""JSON arrays and objects into lists, sets and maps, by functions compiled once per type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from gateway.jsonform.bare_text import BARE_KINDS, parser_of_bare_text
from gateway.jsonform.form import MAX_DEPTH, key_text
from gateway.jsonform.mismatch import mismatch, too_deep
from gateway.model.errors import ValueMappingError
from gateway.model.key_hash import KeyHashes, has_common_hashes, may_collide
from gateway.model.scalar import INTEGER_RANGES
from gateway.model.typeref import Kind, TypeRef

__all__ = ["Step", "list_reader", "map_reader", "set_reader"]

Step = Callable[[Any, int], Any]
"""From a JSON value, so many levels deep, to the contract value. Raises `ValueMappingError` for what is none."""

_INTEGER: Final = frozenset({int})


def list_reader(ref: TypeRef, element: Step) -> Step:
    """Reads an array as a list, or as the tuple that the contract has for it."""
    elements = _elements(ref, element)
    if ref.hint("python") == "tuple":
        return lambda value, depth: tuple(elements(value, depth))
    return elements


def set_reader(ref: TypeRef, element: Step) -> Step:
    """Reads an array as a set; an element that stands twice is refused, for a set would lose it."""
    elements = _elements(ref, element)
    cls: type[Any] = frozenset if ref.hint("python") == "frozenset" else set
    guarded = may_collide(ref.args[0])

    def read(value: Any, depth: int) -> Any:
        items = elements(value, depth)
        if guarded and has_common_hashes(items):
            raise ValueMappingError(f"too many elements of {ref} have the same hash")
        found = cls(items)
        if len(found) != len(items):
            raise ValueMappingError(f"an element of {ref} stands twice")
        return found

    return read


def map_reader(ref: TypeRef, key_step: Step, value_step: Step) -> Step:
    """Reads an object whose keys are bare texts, or an array of pairs; a key that stands twice is refused."""
    key_kind = ref.args[0].kind
    parse_key = parser_of_bare_text(key_kind)
    guarded = may_collide(ref.args[0])

    def read(value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise too_deep()
        depth += 1
        found: dict[Any, Any] = {}
        if isinstance(value, dict) and key_kind is Kind.STRING:
            for key, item in value.items():
                try:
                    found[key] = value_step(item, depth)
                except ValueMappingError as exc:
                    raise exc.within(f"[{key_text(key, len(found))}]") from None
            return found
        is_object = isinstance(value, dict)
        hashes = KeyHashes() if guarded else None
        for key, item in _pairs(value, ref):
            try:
                converted = key_step(parse_key(key) if is_object else key, depth)
            except ValueMappingError as exc:
                raise exc.within(f"[key {len(found)}]") from None
            if hashes is not None and not hashes.admit(converted):
                raise ValueMappingError(f"too many keys of {ref} have the same hash", f"[key {len(found)}]")
            if converted in found:
                raise ValueMappingError("the key stands twice", f"[key {len(found)}]")
            try:
                found[converted] = value_step(item, depth)
            except ValueMappingError as exc:
                raise exc.within(f"[{key_text(key, len(found))}]") from None
        return found

    return read


def _elements(ref: TypeRef, element: Step) -> Step:
    """Reads an array as a new list, whatever collection it is to become."""
    item = ref.args[0]
    low, high = INTEGER_RANGES.get(item.kind, (0, 0))
    whole = item.kind in INTEGER_RANGES and not item.nullable

    def read(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list):
            raise mismatch(ref, value, "an array")
        if depth > MAX_DEPTH:
            raise too_deep()
        if whole and set(map(type, value)) == _INTEGER and low <= min(value) and max(value) <= high:
            return value.copy()
        depth += 1
        found: list[Any] = []
        append = found.append
        try:
            for each in value:
                append(element(each, depth))
        except ValueMappingError as exc:
            raise exc.within(f"[{len(found)}]") from None
        return found

    return read


def _pairs(value: Any, ref: TypeRef) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        if ref.args[0].kind not in BARE_KINDS and ref.args[0].kind is not Kind.ANY:
            raise ValueMappingError(f"the keys of {ref} are no texts; write [[key, value], …]")
        return value.items()
    if isinstance(value, list) and all(isinstance(each, list | tuple) and len(each) == 2 for each in value):
        return value
    raise mismatch(ref, value, "an object, or an array of pairs [[key, value], …]")
