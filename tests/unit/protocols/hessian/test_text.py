"""Text: UTF-16 units as CESU-8. Expected bytes are those of the specification and of hessian-lite."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.hessian.errors import HessianError
from protocols.hessian.text import (
    decode_text,
    decode_units,
    encode_text,
    end_of_units,
    join_surrogates,
    split_surrogates,
)

ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=200)


def units_of(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cesu_8(text: str) -> bytes:
    """An independent encoder: each 16-bit unit by itself, by the bit patterns of UTF-8."""
    wide = text.encode("utf-16-be", "surrogatepass")
    data = bytearray()
    for at in range(0, len(wide), 2):
        unit = wide[at] << 8 | wide[at + 1]
        if unit < 0x80:
            data.append(unit)
        elif unit < 0x800:
            data += bytes((0xC0 | unit >> 6, 0x80 | unit & 0x3F))
        else:
            data += bytes((0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F))
    return bytes(data)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", "00"),
        ("a", "0161"),
        ("\u4f60", "01e4bda0"),
        ("\U0001f600", "02eda0bdedb880"),
        ("a\U0001f600b", "0461eda0bdedb88062"),
        ("\0", "0100"),
        ("\ud83d", "01eda0bd"),
        ("\ude00\ud83d", "02edb880eda0bd"),
        ("x" * 31, "1f" + "78" * 31),
        ("x" * 32, "3020" + "78" * 32),
        ("x" * 1023, "33ff" + "78" * 1023),
        ("x" * 1024, "530400" + "78" * 1024),
        ("x" * 0x8000, "538000" + "78" * 0x8000),
        ("x" * 0x8001, "528000" + "78" * 0x8000 + "0178"),
        ("\u00e9" * 0x8001, "528000" + "c3a9" * 0x8000 + "01c3a9"),
        # A pair is not cut: the chunk ends before it.
        ("x" * 0x7FFF + "\U0001f600", "527fff" + "78" * 0x7FFF + "02eda0bdedb880"),
    ],
    ids=lambda value: repr(value[:12]),
)
def test_text_has_the_bytes_of_the_specification(text: str, encoded: str) -> None:
    assert encode_text(text).hex() == encoded
    assert decode_text(bytes.fromhex(encoded), 0) == (text, len(encoded) // 2)


@given(ANY_TEXT)
def test_text_is_cesu_8_with_its_length_in_units(text: str) -> None:
    assert encode_text(text).endswith(cesu_8(text))
    assert decode_units(b"?" + cesu_8(text), 1, units_of(text)) == (
        join_surrogates(text),
        1 + len(cesu_8(text)),
    )


@given(ANY_TEXT, st.binary(max_size=8))
def test_the_end_of_text_does_not_depend_on_what_follows(text: str, rest: bytes) -> None:
    encoded = cesu_8(text)
    assert end_of_units(encoded + rest, 0, units_of(text)) == len(encoded)


@given(ANY_TEXT)
def test_surrogates_are_split_and_joined(text: str) -> None:
    units = split_surrogates(text)
    assert len(units) == units_of(text)
    assert all(unit <= "\uffff" for unit in units)
    assert join_surrogates(units) == join_surrogates(text)


def test_a_small_int_behind_text_is_not_taken_for_a_continuation_byte() -> None:
    assert decode_text(bytes.fromhex("01e4bda090"), 0) == ("\u4f60", 4)


@pytest.mark.parametrize(
    "chunks",
    [
        "520001 61 0162",
        "520001 61 3001 62",
        "520001 61 530001 62",
        "520000 520002 6162 00",
    ],
)
def test_chunks_of_any_size_and_form_are_joined(chunks: str) -> None:
    data = bytes.fromhex(chunks)
    assert decode_text(data, 0) == ("ab", len(data))


def test_a_pair_cut_in_two_by_a_chunk_is_joined() -> None:
    assert decode_text(bytes.fromhex("520001 eda0bd 01 edb880"), 0)[0] == "\U0001f600"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("02f09f988061", "longer one"),  # four bytes for one character: Java refuses them
        ("01c080", "UTF-8"),  # NUL the long way
        ("01e08080", "UTF-8"),
        ("01c361", "UTF-8"),
        ("018061", "UTF-8"),
        ("0180", "end of the data"),
        ("01ff", "end of the data"),
        ("01ffffff", "longer one"),
        ("0561", "end of the data"),
        ("01e4bd", "end of the data"),
        ("5200016190", "chunk"),
        ("52000261c3", "end of the data"),
        ("90", "expected string"),
    ],
)
def test_bad_text_is_refused(data: str, why: str) -> None:
    with pytest.raises(HessianError, match=why):
        decode_text(bytes.fromhex(data), 0)


def test_a_character_cut_by_a_chunk_is_refused() -> None:
    with pytest.raises((HessianError, IndexError)):
        decode_text(bytes.fromhex("520001 e4 01 bda0"), 0)


def test_long_text_is_decoded_in_linear_time() -> None:
    # Three bytes a unit, so the end lies as far from the first guess as it can.
    text = "\u4f60" * 0xFFFF
    assert decode_text(b"S\xff\xff" + text.encode(), 0) == (text, 3 + 3 * 0xFFFF)
