"""Arguments of a call that nobody has read yet.

Whatever refuses a call by its head (lists, limits, a passed deadline) comes before its body is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gateway.model.contract import MethodContract
from gateway.model.errors import BadRequest, NoSuchMethod
from protocols.dubbo.service import MethodBinding
from protocols.hessian.definition import ClassDefinition
from protocols.hessian.errors import HessianError
from protocols.hessian.reader import Reader
from protocols.hessian_http.from_hessian1 import Layouts, translate
from protocols.hessian_http.service import takes
from protocols.reader import Limits

__all__ = ["WIRE", "ArgumentBytes", "GenericArguments", "TypedArguments", "choose", "read_arguments"]

WIRE: Final = "hessian"


class ArgumentBytes:
    """Where arguments stand, and how they are read: `count` of them from `pos`, or those of a call in Hessian 1."""

    __slots__ = ("_classes", "_count", "_data", "_layouts", "_limits", "_pos")

    def __init__(self, data: bytes, pos: int, count: int | None, limits: Limits, layouts: Layouts) -> None:
        self._data = data
        self._pos = pos
        self._count = count
        self._limits = limits
        self._layouts = layouts
        self._classes: Sequence[ClassDefinition] = ()

    def counted(self) -> tuple[ArgumentBytes, int]:
        """The same arguments and how many they are, which Hessian 1 shows behind the last of them. Raises HessianError.

        They are translated now, and not once more for each method that they may be meant for.
        """
        if self._count is not None:
            return self, self._count
        translated = translate(self._data, self._pos, self._limits, self._layouts)
        counted = ArgumentBytes(translated.data, 0, translated.values, self._limits, self._layouts)
        counted._classes = translated.classes
        return counted, translated.values

    def open(self, method: MethodBinding | None) -> tuple[Reader, int]:
        """A reader in front of the first argument, and how many there are. Raises HessianError."""
        definitions = None if method is None else method.definitions
        counted, count = self.counted()
        reader = Reader(counted._data, counted._pos, None, self._limits, definitions)
        reader.classes.extend(counted._classes)
        return reader, count


class TypedArguments:
    """Those of a method with a contract (`gateway.model.call.RawArguments`)."""

    __slots__ = ("_bytes", "_method", "_values", "wire")

    def __init__(self, method: MethodBinding, read: ArgumentBytes, values: tuple[Any, ...] | None = None) -> None:
        """`values`: where they had to be read to know which method is meant."""
        self.wire = WIRE
        self._method = method
        self._bytes = read
        self._values = values

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`; raises also `NoSuchMethod`, where Hessian 1 shows late how many there are."""
        values = self._values
        if values is None:
            values = self._values = read_arguments(self._method, self._bytes)
        return values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`. Kept whole: most methods have few."""
        return self.decode()[:count]


class GenericArguments:
    """Those of a service without a contract: values that say themselves what they are."""

    __slots__ = ("_bytes", "_values", "wire")

    def __init__(self, read: ArgumentBytes) -> None:
        self.wire = WIRE
        self._bytes = read
        self._values: tuple[Any, ...] | None = None

    def decode(self) -> tuple[Any, ...]:
        """See `RawArguments.decode`."""
        if self._values is None:
            values: list[Any] = []
            try:
                reader, count = self._bytes.open(None)
                for _ in range(count):
                    values.append(reader.read())  # noqa: PERF401 - how many there are says which one failed
            except HessianError as exc:
                raise BadRequest(str(exc.within(f"args[{len(values)}]"))) from exc
            self._values = tuple(values)
        return self._values

    def decode_leading(self, count: int) -> tuple[Any, ...]:
        """See `RawArguments.decode_leading`."""
        return self.decode()[:count]


def read_arguments(method: MethodBinding, read: ArgumentBytes) -> tuple[Any, ...]:
    """The arguments, defaults filled in.

    Raises:
        BadRequest: they do not fit the contract.
        NoSuchMethod: there are too many or too few.
    """
    signature = method.signature
    params = signature.params
    try:
        reader, count = read.open(method)
    except HessianError as exc:
        raise BadRequest(f"{method.java_name}: {exc}") from exc
    if count == len(params):
        return method.read_arguments(reader)
    if not takes(signature, count):
        raise NoSuchMethod(f"{signature.signature} does not take {count} arguments")
    return method.read_leading_arguments(reader, count) + _defaults(signature, count)


def choose(
    name: str, fitting: Sequence[MethodBinding], read: ArgumentBytes
) -> tuple[MethodBinding, tuple[Any, ...] | None]:
    """The one overload whose types the arguments have, and the arguments where they had to be read to know that.

    Filters see a call only when it is known which method it means, as they see a `$invoke`. Who sends mangled names or
    numbers of arguments that tell overloads apart is not read before.

    Raises:
        BadRequest: there is none, or several; says how to call one of them.
    """
    if len(fitting) == 1:
        return fitting[0], None
    readable: list[MethodBinding] = []
    values: tuple[Any, ...] = ()
    for method in fitting:
        try:
            values = read_arguments(method, read)
        except BadRequest:
            continue
        readable.append(method)
    if len(readable) == 1:
        return readable[0], values
    listed = "; ".join(each.signature.signature for each in readable or fitting)
    if readable:
        raise BadRequest(f"{name}: several overloads take these arguments, call one by its mangled name: {listed}")
    raise BadRequest(f"{name}: no overload takes these arguments: {listed}")


def _defaults(signature: MethodContract, count: int) -> tuple[Any, ...]:
    return tuple(param.default for param in signature.params[count:])
