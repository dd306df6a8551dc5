"""Values in every encoding: the whole corpus there and back, or refused when it is written."""

from __future__ import annotations

import zlib
from typing import Any, Final

import pytest

from gateway.model.contract import StructType
from gateway.model.errors import LocalWireError, ValueMappingError, WireError
from gateway.model.typeref import Kind, TypeRef
from protocols.data.encoding import Bounded, EncodingOptions, Values, values_of
from protocols.data.transcoder import Transcoder
from protocols.reader import Limits
from protocols.testing import CONTRACT, CORPUS, difference

UIDS: Final = {name: 1 for name, each in CONTRACT.types.items() if isinstance(each, StructType)}
LIMITS: Final = Limits(max_frame_bytes=64 << 20, max_elements=10_000_000)
FORMS: Final[dict[str, Values]] = {
    **{
        name: values_of(CONTRACT, EncodingOptions(name, UIDS, LIMITS)) for name in ("plain", "json", "java", "hessian2")
    },
    "memcached java": Transcoder(CONTRACT, EncodingOptions("java", UIDS, LIMITS)),
}
I32: Final = TypeRef(Kind.I32)
STRING: Final = TypeRef(Kind.STRING)


LONE: Final = {
    f"string/{name}" for name in ("lone-high-surrogate", "lone-low-surrogate", "reversed-surrogates", "surrogate-last")
}
BOXES: Final = {f"boxed_{name}/null" for name in ("bool", "char", "f32", "f64", "i16", "i32", "i64", "i8")}
REFUSED: Final = {
    # Every text is one there, so that a null has no bytes.
    "plain": {"boxed_char/null", "nullable/null"},
    "json": {"char/surrogate", *LONE},
    # BigDecimal has no negative zero.
    "java": {"decimal/-0"},
    "hessian2": {"decimal/-0"},
    # xmemcached takes no null, and its texts are UTF-8.
    "memcached java": {"any/null", "nothing/null", "nullable/null", "decimal/-0", *BOXES, *LONE},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_value_comes_back_or_is_refused_when_it_is_written(form: str) -> None:
    values, refused = FORMS[form], set()
    for case in CORPUS:
        try:
            stored = values.writer(case.type)(case.value)
        except (ValueMappingError, LocalWireError):
            refused.add(case.name)
            continue
        assert difference(case.value, values.reader(case.type)(*stored)) is None, case.name

    assert refused == REFUSED[form]


@pytest.mark.parametrize(
    ("kind", "value", "data", "flags"),
    [
        # killme2008/xmemcached: SerializingTranscoder.encode and TranscoderUtils, worked out by hand.
        (Kind.STRING, "h\u00e9", b"h\xc3\xa9", 0),
        (Kind.BOOL, True, b"1", 0x100),
        (Kind.BOOL, False, b"0", 0x100),
        (Kind.I32, 0, b"", 0x200),
        (Kind.I32, -1, b"\xff\xff\xff\xff", 0x200),
        (Kind.I32, 258, b"\1\2", 0x200),
        (Kind.I64, -2, b"\xff" * 7 + b"\xfe", 0x300),
        (Kind.I8, 0, b"\0", 0x500),
        (Kind.F32, 1.0, b"\x3f\x80\0\0", 0x600),
        (Kind.F64, 0.0, b"", 0x700),
        (Kind.F64, -0.0, b"\x80" + bytes(7), 0x700),
        (Kind.BYTES, b"\0", b"\0", 0x800),
    ],
)
def test_scalars_have_flags_of_their_own_on_memcached(kind: Kind, value: Any, data: bytes, flags: int) -> None:
    ref, transcoder = TypeRef(kind), FORMS["memcached java"]

    assert transcoder.writer(ref)(value) == (data, flags)
    assert difference(value, transcoder.reader(ref)(data, flags)) is None


def test_what_is_long_is_compressed_where_that_helps() -> None:
    transcoder = FORMS["memcached java"]
    write, read = transcoder.writer(STRING), transcoder.reader(STRING)

    assert write("a" * 16_384).flags == 0
    data, flags = write("a" * 16_385)
    assert flags == 2
    assert zlib.decompress(data, 31) == b"a" * 16_385
    assert read(data, flags) == "a" * 16_385


@pytest.mark.parametrize(
    ("ref", "data", "flags", "told"),
    [
        (STRING, b"1", 0x200, "expected string, found a value with the flags 0x200"),
        (I32, b"1", 0, "expected i32, found a value with the flags 0x0"),
        (I32, bytes(5), 0x200, "5 bytes where 4 are the most"),
        (I32, b"\1" * 5, 0x300, "beyond i32"),
        (STRING, b"\xff", 0, "no UTF-8 at byte 0"),
        (STRING, b"x", 0x10000, "flags are 0x10000"),
        (STRING, b"x", 0x201, "flags are 0x201"),
        (STRING, b"x" * 20, 2, "is no gzip"),
        (STRING, b"x", 1, "no serialization stream"),
        (TypeRef(Kind.BOOL), b"t", 0x100, "neither 0 nor 1"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(ref: TypeRef, data: bytes, flags: int, told: str) -> None:
    with pytest.raises((ValueMappingError, WireError), match=told):
        FORMS["memcached java"].reader(ref)(data, flags)


def test_what_is_compressed_is_bounded() -> None:
    transcoder = Transcoder(CONTRACT, EncodingOptions("java", UIDS, Limits(max_frame_bytes=1_000)))
    pack = zlib.compressobj(wbits=31)
    bomb = pack.compress(bytes(1_001)) + pack.flush()

    with pytest.raises(ValueMappingError, match="more than 1000 bytes"):
        transcoder.reader(TypeRef(Kind.BYTES))(bomb, 0x802)
    with pytest.raises(ValueMappingError, match="ends early, or goes on"):
        transcoder.reader(TypeRef(Kind.BYTES))(zlib.compressobj(wbits=31).flush() + b"x", 0x802)


@pytest.mark.parametrize("form", ["plain", "json", "hessian2"])
def test_other_flags_of_memcached_name_a_format_that_is_not_read(form: str) -> None:
    with pytest.raises(ValueMappingError, match="flags are 1, which name a format"):
        FORMS[form].reader(STRING)(b"1", 1)


def test_dubbo_says_in_front_whether_there_is_an_object() -> None:
    # JavaObjectOutput.writeObject: a byte in block data; that of a null is never flushed by Dubbo 2.7's RedisProtocol.
    values = FORMS["java"]
    ref = STRING.optional()

    assert values.writer(ref)("a").data.hex() == "aced00057701017400" + "0161"
    assert values.writer(ref)(None).data.hex() == "aced0005770100"
    assert values.reader(ref)(bytes.fromhex("aced0005"), 0) is None
    assert values.reader(ref)(bytes.fromhex("aced0005770100"), 0) is None
    for text in ("aced000574000161", "aced0005770102", "aced00057701007400016100", "aced0005770101", ""):
        with pytest.raises((ValueMappingError, WireError)):
            values.reader(ref)(bytes.fromhex(text), 0)


def test_values_have_the_size_that_the_reference_allows() -> None:
    values = Bounded(FORMS["plain"], 4)

    assert values.reader(STRING)(b"1234", 0) == "1234"
    for use in (lambda: values.reader(STRING)(b"12345", 0), lambda: values.writer(STRING)("12345")):
        with pytest.raises(ValueMappingError, match=r"5 bytes, and a value has at most 4"):
            use()
