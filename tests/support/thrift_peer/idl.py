"""`demo.thrift` as Python's Thrift libraries want it: parsed by thriftpy2, and with specs for Apache's made of that."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import thriftpy2
from thrift.protocol.TBase import TBase, TExceptionBase
from thrift.TRecursive import fix_spec
from thriftpy2.thrift import TException, TType

__all__ = ["IDL", "ApacheTypes", "parsed"]

IDL: Final = Path(__file__).with_name("demo.thrift")


@cache
def parsed() -> Any:
    """The module that thriftpy2 makes of the IDL."""
    return thriftpy2.load(str(IDL), module_name="demo_thrift")


class ApacheTypes:
    """Classes for Apache's library with the specs of thriftpy2's classes."""

    def __init__(self) -> None:
        self._made: dict[type, Any] = {}

    def of(self, cls: Any) -> Any:
        """The twin of a struct, exception, or struct of arguments or a result."""
        if cls not in self._made:
            base = TExceptionBase if issubclass(cls, TException) else TBase
            names = [spec[1] for spec in cls.thrift_spec.values()]
            self._made[cls] = made = type(
                cls.__name__, (base,), {"__init__": _init(names), "__hash__": object.__hash__}
            )
            top = max(cls.thrift_spec, default=-1)
            specs: list[Any] = [None] * (top + 1)
            for id, spec in cls.thrift_spec.items():
                number, args = self._type(spec[0], spec[2] if len(spec) > 3 else None)
                specs[id] = (id, number, spec[1], args, None)
            made.thrift_spec = tuple(specs)  # type: ignore[attr-defined]
            fix_spec([each for each in self._made.values() if hasattr(each, "thrift_spec")])
        return self._made[cls]

    def _type(self, number: int, args: Any) -> tuple[int, Any]:
        if number == TType.STRUCT:
            # Filled in by fix_spec, because a struct may contain itself.
            return number, [self.of(args) if args not in self._made else self._made[args], None]
        if number == TType.BINARY:
            return TType.STRING, "BINARY"
        if number == TType.STRING:
            return number, "UTF8"
        if number in (TType.LIST, TType.SET):
            return number, (*self._inner(args), False)
        if number == TType.MAP:
            return number, (*self._inner(args[0]), *self._inner(args[1]), False)
        return number, None

    def _inner(self, said: Any) -> tuple[int, Any]:
        return self._type(said[0], said[1]) if isinstance(said, tuple) else self._type(said, None)


def _init(names: list[str]) -> Any:
    def init(self: Any, **values: Any) -> None:
        for name in names:
            setattr(self, name, values.get(name))

    return init
