"""JSON text and plain values: strict about what may stand there, exact about numbers.

Read are `None`, `bool`, `int`, `Decimal` (every number with a fraction or an exponent, and `-0`), `str`, `list` and
`dict`. Refused are a key twice in one object, lone surrogates, `NaN` and `Infinity` without quotes, a byte order mark,
numbers beyond 10,000 characters, and everything RFC 8259 does not allow.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NoReturn

import msgspec

from gateway.jsonform.scalar_text import MAX_DIGITS, parse_integer
from gateway.model.errors import ValueMappingError

__all__ = ["format_json", "parse_json"]

_BLANK: Final = " \t\n\r"
_MAY_BE_LONE: Final = re.compile(r"\\u[dD][89a-fA-F]")

_MAX_COST: Final = 1_000_000
"""Of one text: each comma and colon costs one, each array and object eight, which is what they cost in time and memory.
Dubbo's wire has the same bound (`protocols.reader.Limits.max_elements`)."""
_COST_OF_CONTAINER: Final = 8
_TEXTS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)

# Below this size no number can be too long, so that the fast way need not look.
_FAST_BYTES: Final = 4096


def parse_json(text: bytes | str) -> Any:
    """JSON in UTF-8 as plain values.

    Raises:
        ValueMappingError: not JSON (says where), or JSON that is refused; nested more deeply than Python can follow.
    """
    if isinstance(text, str):
        try:
            text = text.encode()
        except UnicodeEncodeError:
            raise ValueMappingError("not JSON: a lone surrogate is no text") from None
    if len(text) < _FAST_BYTES and b"-0" not in text:
        # msgspec keeps the last of equal keys and makes -0 a 0. An object that holds as many keys as the text has
        # colons lost none, and holds no object that could have; without a colon there is no object at all.
        try:
            value = _FLAT.decode(text)
            if text.count(b":") == (len(value) if type(value) is dict else 0):
                return value
        except (msgspec.MsgspecError, ValueError, InvalidOperation, RecursionError):
            pass  # the other way says what is wrong, and where
    return _parse(text)


def format_json(value: Any) -> bytes:
    """What a writer gave, as compact UTF-8. Floats among the values are finite, as writers give them.

    Raises:
        ValueMappingError: a text holds a lone surrogate, or an integer has too many digits.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ValueMappingError("a lone surrogate has no form in JSON") from None
    except ValueError:
        # Python's own limit for integers, which writers keep with a path.
        raise ValueMappingError(f"an integer of more than {MAX_DIGITS} digits") from None
    except RecursionError:
        raise ValueMappingError("nested too deeply for JSON") from None


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueMappingError(f"the key {_shown(key)} stands twice in one JSON object")
            seen.add(key)
    return found


def _strict_integer(text: str) -> int | Decimal:
    return Decimal(text) if text == "-0" else parse_integer(text)


def _strict_real(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise ValueMappingError(f"a number of {len(text)} characters; at most {MAX_DIGITS} are read")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueMappingError("a number whose exponent is beyond reach") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueMappingError(f"not JSON: {text} is no number; write it as a text")


_FLAT: Final = msgspec.json.Decoder(float_hook=Decimal)
_PLAIN: Final = json.JSONDecoder(
    parse_float=_strict_real, parse_constant=_refuse_constant, object_pairs_hook=_strict_object
)
# A parse_int of our own is called for every integer; the plain decoder makes them at a tenth of the cost.
_EXACT: Final = json.JSONDecoder(
    parse_int=_strict_integer,
    parse_float=_strict_real,
    parse_constant=_refuse_constant,
    object_pairs_hook=_strict_object,
)


def _parse(data: bytes) -> Any:
    # What is inside of texts is counted as well at first, because that is quick.
    if (
        len(data) > _MAX_COST // _COST_OF_CONTAINER
        and _cost(data) > _MAX_COST
        and _cost(_TEXTS.sub(b"", data)) > _MAX_COST
    ):
        raise ValueMappingError("the JSON has too many values for one message")
    try:
        text = data.decode()
    except UnicodeDecodeError as exc:
        raise ValueMappingError(f"not JSON: no UTF-8 at byte {exc.start}") from None
    if text.startswith("\ufeff"):
        raise ValueMappingError("not JSON: it starts with a byte order mark")
    value = _decode(text, _EXACT if "-0" in text else _PLAIN)
    if _MAY_BE_LONE.search(text) is not None:
        _refuse_lone_surrogates(value)
    return value


def _cost(data: bytes) -> int:
    count = data.count
    return count(b",") + count(b":") + _COST_OF_CONTAINER * (count(b"[") + count(b"{"))


def _decode(text: str, decoder: json.JSONDecoder) -> Any:
    body = text.strip(_BLANK)
    try:
        value, end = decoder.raw_decode(body)
        if end == len(body):
            return value
        decoder.decode(text)
    except json.JSONDecodeError:
        _say_where(text, decoder)
    except ValueError:
        # More digits than int() reads; the exact decoder has its own limit.
        if decoder is not _EXACT:
            return _decode(text, _EXACT)
        raise
    except RecursionError:
        raise ValueMappingError("the JSON is nested too deeply") from None
    raise AssertionError("a decoder that found more text refuses it")


def _say_where(text: str, decoder: json.JSONDecoder) -> NoReturn:
    # Positions count in the text as it came, blanks in front included.
    try:
        decoder.decode(text)
    except json.JSONDecodeError as exc:
        # Some of its texts end with the word already.
        what = exc.msg.removesuffix(" at")
        raise ValueMappingError(f"not JSON: {what} at line {exc.lineno}, column {exc.colno}") from None
    raise AssertionError("a decoder refuses the same text twice")


def _refuse_lone_surrogates(value: Any) -> None:
    # Not recursive: the text may be nested as deeply as the decoder could follow.
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            try:
                each.encode()
            except UnicodeEncodeError:
                raise ValueMappingError("not JSON: a lone surrogate is no text") from None
        elif isinstance(each, dict):
            left += each
            left += each.values()
        elif isinstance(each, list):
            left += each


def _shown(key: str) -> str:
    return ascii(key) if len(key) <= 60 else f"of {len(key)} characters"
