"""Java's modified UTF-8: U+0000 takes two bytes, and what lies beyond U+FFFF six, one half of a surrogate pair each.

Source: java.io.DataInput, "Modified UTF-8".
"""

from __future__ import annotations

__all__ = ["decode_text", "encode_text"]


def encode_text(text: str) -> bytes:
    """Any text; lone surrogates as they are."""
    if not text.isascii() and max(text) > "\uffff":
        units = text.encode("utf-16-be", "surrogatepass")
        text = "".join(chr(int.from_bytes(units[at : at + 2], "big")) for at in range(0, len(units), 2))
    return text.encode("utf-8", "surrogatepass").replace(b"\x00", b"\xc0\x80")


def decode_text(data: bytes) -> str:
    """The text of the bytes. Raises ValueError (`UnicodeDecodeError` is one) where they are none."""
    if b"\x00" in data:
        raise ValueError("a zero byte in modified UTF-8")
    text = data.replace(b"\xc0\x80", b"\x00").decode("utf-8", "surrogatepass")
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        text = text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")
    return text
