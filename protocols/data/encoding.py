"""How values stand in the server.

| encoding | what it is |
| --- | --- |
| plain | texts and bytes as they are, other scalars as text, the rest as JSON (`protocols.texts.value`) |
| json | JSON in UTF-8, texts with their quotes (`gateway.jsonform`) |
| java | what Dubbo's redis:// and memcached:// of 2.7 write unless told otherwise |
| hessian2 | one value of Hessian 2, with the class names of Dubbo |

`java` on Redis is a serialization stream in which a byte says whether an object follows (apache/dubbo 2.7:
dubbo-serialization/dubbo-serialization-jdk/.../java/JavaObjectOutput.java). Dubbo's redis:// never flushes the
byte of a null, so that a stream with nothing in it is one too. On memcached it is what xmemcached's transcoder does
(`protocols.data.transcoder`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from gateway.jsonform.reader import Readers
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import Writers
from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef
from protocols.hessian.reader import Reader
from protocols.hessian.typed import TypedCompiler
from protocols.hessian.writer import Writer
from protocols.java_stream.from_stream import FromStream
from protocols.java_stream.grammar import StreamError
from protocols.java_stream.reader import StreamReader
from protocols.java_stream.to_stream import ToStream
from protocols.java_stream.writer import StreamWriter
from protocols.reader import DEFAULT_LIMITS, Limits
from protocols.texts.value import TextReaders, TextWriters

__all__ = [
    "ENCODINGS",
    "Bounded",
    "EncodingOptions",
    "Stored",
    "ValueReader",
    "ValueWriter",
    "Values",
    "plain_flags",
    "values_of",
]

ENCODINGS: Final = ("plain", "json", "java", "hessian2")


class Stored(NamedTuple):
    """A value as it is stored. `flags`: what memcached keeps beside it; Redis has none."""

    data: bytes
    flags: int = 0


ValueWriter = Callable[[Any], Stored]
"""From a value to what is stored. Raises `ValueMappingError` (with the place inside), `LocalWireError`."""
ValueReader = Callable[[bytes, int], Any]
"""From data and flags to the value. Raises `ValueMappingError`, `WireError`."""


@dataclass(frozen=True, slots=True)
class EncodingOptions:
    """`name`: one of `ENCODINGS`. `uids`: of classes that `java` writes, by contract name."""

    name: str = "plain"
    uids: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    limits: Limits = DEFAULT_LIMITS


class Values(Protocol):
    """The encoding of one contract's values."""

    def writer(self, ref: TypeRef) -> ValueWriter:
        """Writes values of the type."""
        ...

    def reader(self, ref: TypeRef) -> ValueReader:
        """Reads values of the type."""
        ...


class Bounded:
    """An encoding whose values have so many bytes at most; a `Values`."""

    def __init__(self, values: Values, max_bytes: int) -> None:
        self._values = values
        self._max_bytes = max_bytes

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        write = self._values.writer(ref)

        def write_bounded(value: Any) -> Stored:
            stored = write(value)
            self._check(stored.data)
            return stored

        return write_bounded

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._values.reader(ref)

        def read_bounded(data: bytes, flags: int) -> Any:
            self._check(data)
            return read(data, flags)

        return read_bounded

    def _check(self, data: bytes) -> None:
        if len(data) > self._max_bytes:
            raise ValueMappingError(f"{len(data)} bytes, and a value has at most {self._max_bytes} (`payload`)")


def values_of(contract: ServiceContract, options: EncodingOptions) -> Values:
    """The encoding by its name, as Redis has it."""
    return _BY_NAME[options.name](contract, options)


def plain_flags(flags: int) -> None:
    """Raises `ValueMappingError` for flags of memcached that say the value is something else than its bytes."""
    if flags:
        raise ValueMappingError(f"its flags are {flags}, which name a format that is not read here")


class _Plain:
    def __init__(self, contract: ServiceContract, _: EncodingOptions) -> None:
        self._readers = TextReaders(contract)
        self._writers = TextWriters(contract)

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        write = self._writers.compile(ref)

        def write_plain(value: Any) -> Stored:
            data = write(value)
            if data is None:
                raise ValueMappingError(f"a null has no form among the values of {ref} in the encoding plain")
            return Stored(data)

        return write_plain

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._readers.compile(ref)

        def read_plain(data: bytes, flags: int) -> Any:
            plain_flags(flags)
            return read(data)

        return read_plain


class _Json:
    def __init__(self, contract: ServiceContract, _: EncodingOptions) -> None:
        self._readers = Readers(contract)
        self._writers = Writers(contract)

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        write = self._writers.compile(ref)
        return lambda value: Stored(format_json(write(value)))

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._readers.compile(ref)

        def read_json(data: bytes, flags: int) -> Any:
            plain_flags(flags)
            return read(parse_json(data))

        return read_json


class _Hessian:
    def __init__(self, contract: ServiceContract, options: EncodingOptions) -> None:
        self._compiler = TypedCompiler(contract)
        self._limits = options.limits

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        write = self._compiler.compile_writer(ref)

        def write_hessian(value: Any) -> Stored:
            out = Writer(self._limits)
            write(out, value)
            return Stored(bytes(out.out))

        return write_hessian

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._compiler.compile_reader(ref)

        def read_hessian(data: bytes, flags: int) -> Any:
            plain_flags(flags)
            reader = Reader(data, 0, None, self._limits)
            value = read(reader)
            if reader.pos != len(data):
                raise ValueMappingError(f"{len(data) - reader.pos} bytes more than one value")
            return value

        return read_hessian


_NO_OBJECT: Final = b"\x00"
_AN_OBJECT: Final = b"\x01"


class _Java:
    def __init__(self, contract: ServiceContract, options: EncodingOptions) -> None:
        self._from = FromStream(contract, options.limits.max_elements)
        self._to = ToStream(contract, options.uids)
        self._limits = options.limits

    def writer(self, ref: TypeRef) -> ValueWriter:
        """See `Values`."""
        write = self._to.compile(ref)

        def write_java(value: Any) -> Stored:
            out = StreamWriter(self._limits.max_frame_bytes)
            if value is None and (ref.nullable or ref.kind in (Kind.NULL, Kind.ANY)):
                out.block(_NO_OBJECT)
            else:
                out.block(_AN_OBJECT)
                write(value, out)
            return Stored(out.data)

        return write_java

    def reader(self, ref: TypeRef) -> ValueReader:
        """See `Values`."""
        read = self._from.compile(ref)

        def read_java(data: bytes, flags: int) -> Any:
            stream = StreamReader(data, self._limits)
            node = None
            if not stream.is_at_end:
                mark = stream.read()
                if mark not in (_NO_OBJECT, _AN_OBJECT):
                    raise StreamError(
                        "no value of Dubbo: it does not begin with the byte that says whether there is one"
                    )
                node = stream.read() if mark == _AN_OBJECT else None
                stream.expect_end()
            if node is None and not ref.nullable and ref.kind not in (Kind.NULL, Kind.ANY):
                raise ValueMappingError(f"null where {ref} is required")
            return None if node is None else read(node)

        return read_java


_BY_NAME: Final[Mapping[str, Callable[[ServiceContract, EncodingOptions], Values]]] = MappingProxyType(
    {"plain": _Plain, "json": _Json, "java": _Java, "hessian2": _Hessian}
)
