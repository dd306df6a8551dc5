"""Keys out of arguments.

A key is the prefix of the reference and the text of one argument, as Dubbo's `String.valueOf` gives it for texts,
integers, booleans, enums and UUIDs; bytes are taken as they are. A template puts several together: what stands in its
braces is percent-encoded unless it is a letter, a digit or one of `-._~`, so that no two calls mean one key by chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote_from_bytes

from gateway.jsonform.bare_text import BARE_KINDS
from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import TypeRef
from protocols.texts.value import TextWriters

__all__ = [
    "KeyCheck",
    "check_memcached_key",
    "encode_memcached_key",
    "filled",
    "is_key",
    "key_writer",
    "split_template",
]

KeyCheck = Callable[[bytes], bytes]
"""What a server makes of a key: the key as it is sent. Raises `ValueMappingError` where it takes none such."""

_PLACE: Final = re.compile(r"\{([^\W\d]\w*)\}")
_MAX_MEMCACHED: Final = 250
_NO_KEY: Final = re.compile(rb"[\x00-\x20\x7f]")
"""Blanks and control characters, which end a key or a line (memcached: doc/protocol.txt, "Keys")."""
_ENCODED: Final = re.compile(rb"[\x00-\x20%\x7f-\xff]")


def is_key(ref: TypeRef) -> bool:
    """Whether values of the type can be keys or names of fields: scalars, and no nulls."""
    return ref.kind in BARE_KINDS and not ref.nullable


def key_writer(ref: TypeRef, contract: ServiceContract) -> Callable[[Any], bytes]:
    """The bytes of an argument in a key."""
    write = TextWriters(contract).compile(ref)

    def write_key(value: Any) -> bytes:
        data = write(value)
        if data is None:
            raise ValueMappingError("null is no key")
        return data

    return write_key


def split_template(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts between the places of a template, one more than these, and the parameters in them.

    Raises:
        ValueError: a brace that belongs to no place.
    """
    parts = _PLACE.split(text)
    if any(brace in part for part in parts[::2] for brace in "{}"):
        raise ValueError(f"{text!r} has a brace that is no parameter in braces")
    return tuple(parts[::2]), tuple(parts[1::2])


def filled(texts: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    """A template with its places filled."""
    made = [texts[0]]
    for text, value in zip(texts[1:], values, strict=True):
        made += [quote_from_bytes(value, safe="").encode(), text]
    return b"".join(made)


def check_memcached_key(key: bytes) -> bytes:
    """Refuses what memcached takes for the end of a key or a line, and what is too long for it."""
    found = _NO_KEY.search(key)
    if found is not None:
        raise ValueMappingError(
            f"a key of memcached has no blanks and no control characters; there is one at byte {found.start()} "
            "(`keys: encode` encodes them)"
        )
    return _short_enough(key)


def encode_memcached_key(key: bytes) -> bytes:
    """Percent-encodes blanks, control characters, `%` and what is not ASCII."""
    return _short_enough(_ENCODED.sub(lambda each: b"%%%02X" % each[0][0], key))


def _short_enough(key: bytes) -> bytes:
    if not key:
        raise ValueMappingError("memcached has no empty key")
    if len(key) > _MAX_MEMCACHED:
        raise ValueMappingError(f"a key of memcached has at most {_MAX_MEMCACHED} bytes, and this one {len(key)}")
    return key
