"""Reads objects of one known class: what structs, enums and Java's value classes have in common.

An object may come with its definition in front of it or refer to an earlier one, may be a reference, or null. How
its fields are read depends on the definition, which lists them in the sender's order: each definition gets a plan
once, which is found again by the definition's bytes, since a peer sends the same one in every message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import HessianError, shorten
from protocols.hessian.reader import Reader
from protocols.hessian.typed_scalars import TypedReader, mismatch

__all__ = ["ClassPlans", "Plan", "class_reader"]

Plan = Callable[[Reader], Any]
"""Reads the fields of one object in the order of one definition, with the reader behind the object's tag."""

_MAX_RAW: Final = 8_192
_NO_DEFINITION: Final = ClassDefinition("", (), b"\xff")  # no class name starts with this byte, so it never fits


class ClassPlans:
    """The plans of one class, and the reader of its objects.

    `title`: how messages call the type. `names`: the Java names of the class. `fits`: whether a value that was read
    before, which a reference leads to, is one of this type; gets the value and the form it was read in.
    `make_plan`: the plan for a definition. `read_map`: reads the entries of a map that stands for an object, None
    where none can.
    """

    __slots__ = ("_fits", "_make_plan", "_names", "_read_map", "title")

    def __init__(
        self,
        title: str,
        names: tuple[str, ...],
        fits: Callable[[Any, Any], bool],
        make_plan: Callable[[ClassDefinition], Plan],
        read_map: Plan | None = None,
    ) -> None:
        self.title = title
        self._names = names
        self._fits = fits
        self._make_plan = make_plan
        self._read_map = read_map

    def read_object(self, reader: Reader, definition: ClassDefinition) -> Any:
        """Reads the fields of an object of that definition; its tag has been read."""
        return self.plan_for(definition)(reader)

    def read_map(self, reader: Reader) -> Any:
        """Reads a map whose tag and type, which is the class's name, have been read."""
        if self._read_map is None:
            raise HessianError(f"expected {self.title}, found a map", reader.pos)
        return self._read_map(reader)

    def plan_for(self, definition: ClassDefinition) -> Plan:
        """The plan for a definition; refuses those of other classes."""
        plan: Plan | None = definition.plans.get(self)
        if plan is None:
            if definition.name not in self._names:
                raise HessianError(f"expected {self.title}, found an object of {shorten(definition.name)}")
            plan = definition.plans[self] = self._make_plan(definition)
        return plan

    def read_other(self, reader: Reader) -> tuple[Any, ClassDefinition | None]:
        """Reads a value in any form; also gives the definition that stood in front of it."""
        data, defined = reader.data, None
        tag = data[reader.pos]
        while tag == 0x43:
            reader.pos += 1
            defined = reader.next_definition()
            tag = data[reader.pos]
        start = reader.pos
        if 0x60 <= tag < 0x70 or tag == 0x4F:
            reader.pos += 1
            definition = reader.class_of(tag)
            try:
                plan = self.plan_for(definition)
            except HessianError as exc:
                exc.offset = start
                raise
            return plan(reader), defined if defined is definition else None
        if tag == 0x51:
            reader.pos += 1
            slot = reader.slot()
            if not self._fits(reader.refs[slot], reader.forms[slot]):
                raise HessianError(f"expected {self.title}, found a reference to a value of another type", start)
            return reader.refs[slot], None
        if (tag == 0x48 or tag == 0x4D) and self._read_map is not None:
            reader.pos += 1
            if tag == 0x4D:
                name = reader.next_type()
                if name not in self._names and not name.startswith("java.util."):
                    raise HessianError(f"expected {self.title}, found a map of type {shorten(name)}", start)
            return self._read_map(reader), None
        raise mismatch(reader, self.title)


def class_reader(plans: ClassPlans) -> TypedReader:
    """The reader of the class's objects; quick when one refers to the definition that came last with it."""
    # One tuple, so that threads that share the reader see a definition and its plan together.
    last: tuple[bytes, int, ClassDefinition, Plan | None] = (_NO_DEFINITION.raw, 0, _NO_DEFINITION, None)

    def read(reader: Reader) -> Any:
        nonlocal last
        data, pos = reader.data, reader.pos
        tag = data[pos]
        if tag == 0x43:
            raw, size, definition, plan = last
            if data.startswith(raw, pos + 1) and plan is not None:
                classes = reader.classes
                classes.append(definition)
                reader.budget -= size
                reader.pos = pos = pos + 1 + len(raw)
                tag = data[pos]
                if tag == 0x5F + len(classes) and tag < 0x70:
                    reader.pos = pos + 1
                    return plan(reader)
        elif 0x60 <= tag < 0x70 and tag - 0x60 < len(reader.classes):
            plan = reader.classes[tag - 0x60].plans.get(plans)
            if plan is not None:
                reader.pos = pos + 1
                return plan(reader)
        value, defined = plans.read_other(reader)
        if defined is not None and len(defined.raw) <= _MAX_RAW:
            last = (defined.raw, defined.price, defined, plans.plan_for(defined))
        return value

    return read
