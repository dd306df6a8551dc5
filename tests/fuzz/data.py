"""What must hold for any bytes that are found in a Redis or memcached, and values to start from."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.contract import StructType
from gateway.model.errors import LocalWireError, ValueMappingError, WireError
from gateway.model.typeref import Kind, TypeRef
from protocols.data.encoding import EncodingOptions, Values, values_of
from protocols.data.transcoder import Transcoder
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS, difference

__all__ = ["check_java", "check_transcoded", "java_seeds", "transcoded_seeds"]

_UIDS = {name: 1 for name, each in CONTRACT.types.items() if isinstance(each, StructType)}
# Small, so that limits are met often and no input takes long.
_OPTIONS = EncodingOptions("java", _UIDS, Limits(max_frame_bytes=1 << 16, max_depth=16, max_elements=2_000))
_JAVA = values_of(CONTRACT, _OPTIONS)
_TRANSCODER = Transcoder(CONTRACT, _OPTIONS)
_ANY = TypeRef(Kind.ANY, nullable=True)
_TYPES = list(dict.fromkeys(case.type for case in CORPUS))
_LARGEST_SEED = 2_000
_FLAGS = 2
"""Bytes in front of a value that are its flags."""


def _check(values: Values, data: bytes, flags: int, ref: TypeRef) -> None:
    """What is read is a value of the type: it can be written, and is read again as the same."""
    try:
        value = values.reader(ref)(data, flags)
    except (ValueMappingError, WireError):
        return
    try:
        stored = values.writer(ref)(value)
    except (ValueMappingError, LocalWireError):
        return  # a null for memcached, a BigDecimal of zero with a sign, what has become too long
    found = difference(value, values.reader(ref)(*stored))
    assert found is None, f"{ref}: {found}"


def _ref(data: bytes) -> TypeRef:
    return _TYPES[data[-1] % len(_TYPES)] if data and data[-1] % 3 else _ANY


def check_java(data: bytes) -> None:
    """A value as Dubbo's redis:// stores it."""
    _check(_JAVA, data, 0, _ANY)
    _check(_JAVA, data, 0, _ref(data))


def check_transcoded(data: bytes) -> None:
    """Two bytes of flags, and a value as xmemcached stores it."""
    flags, value = int.from_bytes(data[:_FLAGS], "big"), data[_FLAGS:]
    _check(_TRANSCODER, value, flags, _ANY)
    _check(_TRANSCODER, value, flags, _ref(data))


def _seeds(values: Values) -> Iterator[tuple[int, bytes]]:
    for case in CORPUS:
        try:
            data, flags = values.writer(case.type)(case.value)
        except (ValueMappingError, LocalWireError):
            continue
        if len(data) <= _LARGEST_SEED:
            yield flags, data


def java_seeds() -> Iterator[bytes]:
    """The values of the corpus."""
    return (data for _, data in _seeds(_JAVA))


def transcoded_seeds() -> Iterator[bytes]:
    """The same with their flags."""
    return (flags.to_bytes(_FLAGS, "big") + data for flags, data in _seeds(_TRANSCODER))
