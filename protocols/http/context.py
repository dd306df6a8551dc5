"""What travels beside a call in the header fields of every wire over HTTP.

| field | value |
| --- | --- |
| `Polyport-Attachment-<key>` | one attachment, of a request or of a response; the case of the key counts |
| `Polyport-Timeout` | how long the caller still waits, in seconds (`2`, `0.25`) |
| `Polyport-Consumer` | application name of the caller |
| `Polyport-Token` | Dubbo's token of the service that is called, as its registry tells it |
| `traceparent` | W3C Trace Context (https://www.w3.org/TR/trace-context-2/, section 3.2) |

Keys, attachments, names and tokens are percent-encoded UTF-8 (RFC 3986, section 2.1) where they are not visible ASCII;
keys also where a character cannot stand in a field name (RFC 9110, section 5.6.2); `%` always. So no text can end a
field, and every text arrives as it was. Keys that differ in case alone are told apart by encoding all of them but the
first completely, because fields of one name are one list to HTTP. Who writes fields by hand may leave blanks in values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation
from gateway.model.errors import BadRequest, LocalWireError, ProviderFailed, Retry, ValueMappingError
from protocols.http.message import Headers

__all__ = [
    "ATTACHMENT_PREFIX",
    "CONSUMER",
    "MAX_ATTACHMENTS",
    "MAX_ATTACHMENT_BYTES",
    "NO_CONTEXT",
    "TIMEOUT",
    "TOKEN",
    "TRACEPARENT",
    "Context",
    "name_caller",
    "read_context",
    "read_reply_attachments",
    "reply_headers",
    "request_headers",
    "token_headers",
]

ATTACHMENT_PREFIX: Final = "Polyport-Attachment-"
TIMEOUT: Final = "Polyport-Timeout"
CONSUMER: Final = "Polyport-Consumer"
TOKEN: Final = "Polyport-Token"
TRACEPARENT: Final = "traceparent"
MAX_ATTACHMENTS: Final = 256
"""Attachments of one message, in either direction."""
MAX_ATTACHMENT_BYTES: Final = 32_768
"""Keys and values of one message's attachments together, as they are sent; also of a consumer's name."""

_MEMO: Final = "polyport-context"
_PREFIX: Final = ATTACHMENT_PREFIX.lower()
_TOKEN_MARKS: Final = "!#$&'*+-.^_`|~"
"""RFC 9110, section 5.6.2, without the percent sign."""
_VISIBLE_MARKS: Final = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9!#$&'*+\-.^_`|~]*")
_PLAIN_VALUE: Final = re.compile(r"[!-$&-~]*")
_ENCODED: Final = re.compile(r"(?:[\t !-$&-~]|%[0-9A-Fa-f]{2})*")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_LONGEST_S: Final = 999_999_999.0
# Trace Context, section 3.2.2: version ff and ids of zeros are invalid. Section 3.2.4: what a later version adds begins
# with another dash.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-+\--~]{0,200})?"
)
_TRACEPARENT_LENGTH: Final = 55


@dataclass(frozen=True, slots=True)
class Context:
    """What a caller said beside its call.

    `timeout_s`: how long it still waits, from the moment the request arrived; None when it did not say.
    `traceparent`: valid, or None: a malformed one counts as absent (Trace Context, section 4.3). `consumer`: may be
    empty.
    """

    attachments: Attachments = field(default_factory=lambda: NO_ATTACHMENTS)
    timeout_s: float | None = None
    traceparent: str | None = None
    consumer: str = ""
    token: str = field(default="", repr=False)


NO_CONTEXT: Final = Context()


def read_context(headers: Headers) -> Context:
    """What the fields of a request say; read once per `Headers` object.

    Raises:
        BadRequest: a field of ours is malformed, is there twice, or there is too much of them; names the field.
    """
    known: Context | None = headers.memo.get(_MEMO)
    if known is None:
        try:
            known = headers.memo[_MEMO] = _context(headers)
        except ValueError as exc:
            raise BadRequest(str(exc)) from None
    return known


def name_caller(headers: Headers, consumer: str) -> None:
    """Makes `read_context` give `consumer` where the caller itself gave no name.

    Raises:
        BadRequest: as `read_context`.
    """
    known = read_context(headers)
    if not known.consumer:
        headers.memo[_MEMO] = replace(known, consumer=consumer)


def request_headers(invocation: Invocation, timeout_s: float | None, consumer: str) -> tuple[tuple[str, str], ...]:
    """The fields for a call that goes out. `timeout_s`: how long we wait; `consumer`: as whom we call, may be empty.

    Raises:
        ValueMappingError: an attachment, or the consumer's name, is no text that UTF-8 can carry; names it.
        LocalWireError: too many attachments, or too long ones.
    """
    fields: list[tuple[str, str]] = []
    if timeout_s is not None and timeout_s <= _LONGEST_S:
        fields.append((TIMEOUT, f"{max(timeout_s, 0.001):.3f}"))
    if consumer:
        value = _encode(consumer, "consumer", _PLAIN_VALUE, _VISIBLE_MARKS)
        if len(value) > MAX_ATTACHMENT_BYTES:
            raise LocalWireError(f"the consumer's name is longer than {MAX_ATTACHMENT_BYTES} bytes")
        fields.append((CONSUMER, value))
    traceparent = invocation.traceparent
    if traceparent is not None and _is_traceparent(traceparent):
        fields.append((TRACEPARENT, traceparent))
    if invocation.attachments:
        fields += _attachment_fields(invocation.attachments)
    return tuple(fields)


def token_headers(token: str) -> tuple[tuple[str, str], ...]:
    """The field for the token of the service that is called; none for an empty one.

    Raises:
        ValueError: it is no text that UTF-8 can carry, or too long; never says what it is.
    """
    if not token:
        return ()
    try:
        value = _encode(token, "token", _PLAIN_VALUE, _VISIBLE_MARKS)
    except ValueMappingError as exc:
        raise ValueError(str(exc)) from None
    if len(value) > MAX_ATTACHMENT_BYTES:
        raise ValueError(f"the token is longer than {MAX_ATTACHMENT_BYTES} bytes")
    return ((TOKEN, value),)


def reply_headers(attachments: Attachments) -> tuple[tuple[str, str], ...]:
    """The fields for the attachments of an answer. Raises like `request_headers`."""
    return tuple(_attachment_fields(attachments)) if attachments else ()


def read_reply_attachments(headers: Headers) -> Attachments:
    """The attachments that came with an answer.

    Raises:
        ProviderFailed: a field of ours is malformed, is there twice, or there is too much of them; names the field.
    """
    try:
        return _attachments(headers.pairs)
    except ValueError as exc:
        raise ProviderFailed(f"the answer's header {exc}", retry=Retry.NEVER) from None


def _context(headers: Headers) -> Context:
    timeout_s, consumer, token = None, "", ""
    if (text := headers.get("polyport-timeout")) or "polyport-timeout" in headers:
        if _SECONDS.fullmatch(text) is None:
            raise ValueError(f"{TIMEOUT}: expected seconds as a decimal number")
        timeout_s = float(text)
    if text := headers.get("polyport-consumer"):
        if len(text) > MAX_ATTACHMENT_BYTES:
            raise ValueError(f"{CONSUMER}: longer than {MAX_ATTACHMENT_BYTES} bytes")
        consumer = _decode(text, CONSUMER)
    if text := headers.get("polyport-token"):
        if len(text) > MAX_ATTACHMENT_BYTES:
            raise ValueError(f"{TOKEN}: longer than {MAX_ATTACHMENT_BYTES} bytes")
        token = _decode(text, TOKEN)
    traceparent = headers.get(TRACEPARENT) or None
    if traceparent is not None and not _is_traceparent(traceparent):
        traceparent = None
    attachments = _attachments(headers.pairs)
    if timeout_s is None and not consumer and not token and traceparent is None and not attachments:
        return NO_CONTEXT
    return Context(attachments, timeout_s, traceparent, consumer, token)


def _attachments(pairs: Iterable[tuple[str, str]]) -> Attachments:
    """Raises ValueError, which begins with the name of the field."""
    found: dict[str, str] = {}
    size = 0
    for name, value in pairs:
        if name[: len(_PREFIX)].lower() != _PREFIX:
            continue
        size += len(name) - len(_PREFIX) + len(value)
        if size > MAX_ATTACHMENT_BYTES or len(found) >= MAX_ATTACHMENTS:
            raise ValueError(f"{ATTACHMENT_PREFIX}*: more than {MAX_ATTACHMENTS} or {MAX_ATTACHMENT_BYTES} bytes")
        shown = name[: len(_PREFIX) + 64]
        key = _decode(name[len(_PREFIX) :], shown)
        if key in found:
            # A list, to HTTP; which of them was meant nobody can tell.
            raise ValueError(f"{shown}: is there twice")
        found[key] = _decode(value, shown)
    return MappingProxyType(found) if found else NO_ATTACHMENTS


def _attachment_fields(attachments: Attachments) -> list[tuple[str, str]]:
    if len(attachments) > MAX_ATTACHMENTS:
        raise LocalWireError(f"more than {MAX_ATTACHMENTS} attachments do not fit the header of a message")
    fields: list[tuple[str, str]] = []
    names: set[str] = set()
    size = 0
    for key, value in attachments.items():
        place = f"attachments[{key!r}]"
        if not isinstance(value, str):
            raise ValueMappingError(
                f"attachments are text on wires over HTTP, and this is {type(value).__name__}", place
            )
        name, text = _encode(key, place, _PLAIN_KEY, _TOKEN_MARKS), _encode(value, place, _PLAIN_VALUE, _VISIBLE_MARKS)
        if name.lower() in names:
            name = "".join(f"%{byte:02X}" for byte in key.encode())
        names.add(name.lower())
        size += len(name) + len(text)
        if size > MAX_ATTACHMENT_BYTES:
            raise LocalWireError(f"attachments of more than {MAX_ATTACHMENT_BYTES} bytes do not fit a message's header")
        fields.append((ATTACHMENT_PREFIX + name, text))
    return fields


def _encode(text: str, place: str, plain: re.Pattern[str], marks: str) -> str:
    if plain.fullmatch(text) is not None:
        return text
    try:
        return quote(text, safe=marks)
    except UnicodeEncodeError:
        raise ValueMappingError("half of a surrogate pair has no form in UTF-8", place) from None


def _decode(text: str, field: str) -> str:
    if _ENCODED.fullmatch(text) is None:
        raise ValueError(f"{field}: expected visible ASCII, and everything else percent-encoded")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{field}: what is percent-encoded is not UTF-8") from None


def _is_traceparent(text: str) -> bool:
    if _TRACEPARENT.fullmatch(text) is None:
        return False
    return len(text) == _TRACEPARENT_LENGTH or not text.startswith("00")
