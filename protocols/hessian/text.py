"""Text as Hessian writes it: lengths in UTF-16 units, each unit as its own UTF-8 sequence (CESU-8).

A character outside the basic plane is two surrogates of three bytes each and counts as two; U+0000 is a plain zero
byte; a lone surrogate is three bytes like any other unit. Java refuses four-byte UTF-8, and so does this module.

Source: Hessian 2.0 Serialization Protocol, section "string"; apache/dubbo-hessian-lite:
hessian-lite/src/main/java/com/alibaba/com/caucho/hessian/io/Hessian2Output.java (chunk sizes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from protocols.hessian import cost
from protocols.hessian.errors import HessianError, tag_name

__all__ = [
    "STRING_HEADS",
    "STRING_TAGS",
    "decode_text",
    "decode_units",
    "encode_text",
    "end_of_units",
    "join_surrogates",
    "split_surrogates",
]

_CHUNK_UNITS: Final = 0x8000
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_BELOW_FOUR_BYTE_LEADS: Final = bytes(range(0xF0))

STRING_HEADS: Final = tuple(bytes((n,)) if n < 32 else bytes((0x30 + (n >> 8), n & 0xFF)) for n in range(1024))
"""Tag and length of a string of 0 to 1023 units, by length."""


STRING_TAGS: Final = frozenset((*range(0x20), *range(0x30, 0x34), 0x52, 0x53))
"""What a string may start with."""


def encode_text(text: str) -> bytes:
    """A whole string value: tag, length and characters, in chunks of 32768 units when it is longer than that."""
    if text.isascii():
        count = len(text)
        if count < 1024:
            return STRING_HEADS[count] + text.encode("ascii")
        if count <= _CHUNK_UNITS:
            return b"S" + count.to_bytes(2, "big") + text.encode("ascii")
        units = text
    else:
        units = split_surrogates(text)
    return b"".join(_chunks(units))


def _chunks(units: str) -> list[bytes]:
    pieces = []
    start, count = 0, len(units)
    while count - start > _CHUNK_UNITS:
        end = start + _CHUNK_UNITS
        if "\ud800" <= units[end - 1] <= "\udbff":  # the other half of the pair stays with this one
            end -= 1
        pieces.append(b"R" + (end - start).to_bytes(2, "big"))
        pieces.append(units[start:end].encode("utf-8", "surrogatepass"))
        start = end
    rest = count - start
    pieces.append(STRING_HEADS[rest] if rest < 1024 else b"S" + rest.to_bytes(2, "big"))
    pieces.append(units[start:].encode("utf-8", "surrogatepass"))
    return pieces


def split_surrogates(text: str) -> str:
    """The same text with one character per UTF-16 unit: those outside the basic plane become two surrogates."""
    wide = text.encode("utf-16-le", "surrogatepass")
    if len(wide) == 2 * len(text):
        return text
    # Each 16-bit unit becomes one 32-bit character; slices keep the loop in C.
    padded = bytearray(2 * len(wide))
    padded[0::4] = wide[0::2]
    padded[1::4] = wide[1::2]
    return padded.decode("utf-32-le", "surrogatepass")


def join_surrogates(units: str) -> str:
    """The inverse of `split_surrogates`; a surrogate without its other half stays as it is."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def decode_text(data: bytes, pos: int, charge: Callable[[int], None] | None = None) -> tuple[str, int]:
    """The string value that starts at `pos`, in any of its forms, and where it ends. Surrogate pairs are joined.

    `charge`: called with the cost of each chunk that others follow; may raise when they are too many.

    Raises:
        HessianError: it is no string, no CESU-8, or the data ends before.
        IndexError: the data ends inside the length.
    """
    tag = data[pos]
    if tag < 0x20:
        return decode_units(data, pos + 1, tag)
    if 0x30 <= tag < 0x34:
        return decode_units(data, pos + 2, (tag - 0x30 << 8) + data[pos + 1])
    if tag == 0x53:
        return decode_units(data, pos + 3, (data[pos + 1] << 8) + data[pos + 2])
    if tag == 0x52:
        return _decode_chunks(data, pos, charge)
    raise HessianError(f"expected string, found {tag_name(tag)}", pos)


def _decode_chunks(data: bytes, pos: int, charge: Callable[[int], None] | None) -> tuple[str, int]:
    """A string of several chunks. Pairs are joined at the end: one may be cut in two by a chunk's end."""
    pieces: list[str] = []
    while data[pos] == 0x52:
        if charge is not None:
            charge(cost.CHUNK)
        piece, pos = _decode_apart(data, pos + 3, (data[pos + 1] << 8) + data[pos + 2])
        pieces.append(piece)
    tag = data[pos]
    if tag < 0x20:
        units, pos = tag, pos + 1
    elif 0x30 <= tag < 0x34:
        units, pos = (tag - 0x30 << 8) + data[pos + 1], pos + 2
    elif tag == 0x53:
        units, pos = (data[pos + 1] << 8) + data[pos + 2], pos + 3
    else:
        raise HessianError(f"expected the next chunk of a string, found {tag_name(tag)}", pos)
    piece, pos = _decode_apart(data, pos, units)
    pieces.append(piece)
    text = "".join(pieces)
    return (text if text.isascii() else join_surrogates(text)), pos


def decode_units(data: bytes, pos: int, units: int) -> tuple[str, int]:
    """The text of `units` UTF-16 units that starts at `pos`, and where it ends. Surrogate pairs are joined.

    Raises:
        HessianError: the data ends before, or is no CESU-8.
    """
    text, end = _decode_apart(data, pos, units)
    if not text.isascii() and b"\xed" in data[pos:end]:
        text = join_surrogates(text)
    return text, end


def _decode_apart(data: bytes, pos: int, units: int) -> tuple[str, int]:
    """Like `decode_units`, but the halves of surrogate pairs stay apart."""
    end = pos + units
    raw = data[pos:end]
    if len(raw) < units:
        raise HessianError(f"expected {units} characters, found the end of the data", pos)
    if raw.isascii():
        return raw.decode("ascii"), end
    end = end_of_units(data, pos, units)
    raw = data[pos:end]
    if raw.translate(None, _BELOW_FOUR_BYTE_LEADS):
        raise HessianError("expected characters of one to three bytes, found a longer one", pos)
    try:
        return raw.decode("utf-8", "surrogatepass"), end
    except UnicodeDecodeError as exc:
        raise HessianError("expected UTF-8 text, found other bytes", pos + exc.start) from None


def end_of_units(data: bytes, pos: int, units: int) -> int:
    """Where `units` UTF-16 units that start at `pos` end, without checking that they are good UTF-8.

    Each unit has one byte that is no continuation byte, so counting those in ever smaller slices finds the last one
    in time linear to the text and without a loop over characters.

    Raises:
        HessianError: the data ends before.
    """
    end, missing = pos, units
    while missing:
        piece = data[end : end + missing]
        if len(piece) < missing:
            raise HessianError(f"expected {units} characters, found the end of the data", pos)
        end += missing
        missing -= len(piece) if piece.isascii() else len(piece.translate(None, _CONTINUATION))
    if units and data[end - 1] >= 0x80:
        # The loop ends on the last unit's first byte, which says how many follow; what stands behind them may look
        # like continuation bytes, too (0x80 to 0xBF are small ints).
        end += 1 if data[end - 1] < 0xE0 else 2
        if end > len(data):
            raise HessianError(f"expected {units} characters, found the end of the data", pos)
    return end
