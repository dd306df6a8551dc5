"""What goes beside a call: `WITH <key> <value> … -- <command …>`.

| key | value |
| --- | --- |
| `timeout` | how long the caller still waits: `1.5s`, `250ms`, or milliseconds |
| `traceparent` | W3C Trace Context |
| `consumer` | application name of the caller; without it that of `CLIENT SETNAME`, else of the credential |
| `token` | Dubbo's token of the service that is called |
| `reply` | `json`: the answer as one string of JSON; `typed`: as types of RESP, which is the default |
| `oneway` | `yes`: the caller does not wait; OK is answered at once |
| `null` | positions of arguments that are null, from 0, with commas between; what stands there is not looked at |
| `@<key>` | an attachment |

Attachments of an answer stand in front of it as an attribute (`|`) for who asked for that by `CLIENT CAPA polyport`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.jsonform.scalar_text import parse_duration
from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation
from gateway.model.errors import BadRequest, ValueMappingError

__all__ = ["NO_CONTEXT", "CallContext", "attachment_bytes", "read_context", "words_of_call"]

_END: Final = b"--"
_KEYS: Final = ("timeout", "traceparent", "consumer", "token", "reply", "oneway", "null")
_MAX_TIMEOUT_DIGITS: Final = 12
_MAX_NAME: Final = 1_024
_MAX_POSITIONS: Final = 64
_TRACEPARENT_LENGTH: Final = 55
_SHOWN: Final = 60


class CallContext(NamedTuple):
    """What a caller said beside its call. `timeout_s`: how long it still waits, or None."""

    attachments: Attachments = NO_ATTACHMENTS
    timeout_s: float | None = None
    consumer: str = ""
    token: str = ""
    traceparent: str | None = None
    as_json: bool = False
    oneway: bool = False
    nulls: frozenset[int] = frozenset()


NO_CONTEXT: Final = CallContext()


def read_context(words: Sequence[bytes]) -> tuple[CallContext, int]:
    """What stands behind `WITH`, and where the command begins, counted from there.

    Raises:
        BadRequest: a key that is none, or a value that does not fit; or there is no end.
    """
    found: dict[str, str] = {}
    attachments: dict[str, str] = {}
    at = 0
    while True:
        if at >= len(words) or (at + 1 >= len(words) and words[at] != _END):
            raise BadRequest("WITH ends in -- and the command: WITH timeout 500ms -- demo.Catalog.find 42")
        if words[at] == _END:
            break
        key = _text(words[at])
        value = _text(words[at + 1])
        if key.startswith("@"):
            attachments[key[1:]] = value
        elif key in _KEYS:
            found[key] = value
        else:
            raise BadRequest(
                f"WITH knows no {key[:_SHOWN]!r}; attachments begin with @, and there are {', '.join(_KEYS)}"
            )
        at += 2
    trace = found.get("traceparent", "")
    return (
        CallContext(
            attachments or NO_ATTACHMENTS,
            _timeout(found["timeout"]) if "timeout" in found else None,
            found.get("consumer", "")[:_MAX_NAME],
            found.get("token", "")[:_MAX_NAME],
            trace if len(trace) == _TRACEPARENT_LENGTH else None,
            _choice(found, "reply", "typed", "json"),
            _choice(found, "oneway", "no", "yes"),
            _positions(found.get("null", "")),
        ),
        at + 1,
    )


def words_of_call(
    invocation: Invocation, token: str, application: str, timeout_s: float | None, nulls: Sequence[int]
) -> list[bytes]:
    """`WITH … --`, to stand before a command. Raises `ValueMappingError` for an attachment that has no form."""
    words = [b"WITH", b"consumer", (invocation.consumer or application).encode("utf-8", "surrogatepass")]
    if timeout_s is not None:
        words += (b"timeout", b"%d" % (int(timeout_s * 1000) or 1))
    if invocation.traceparent is not None:
        words += (b"traceparent", invocation.traceparent.encode())
    if token:
        words += (b"token", token.encode())
    if invocation.oneway:
        words += (b"oneway", b"yes")
    if nulls:
        words += (b"null", ",".join(map(str, nulls)).encode())
    for key, value in invocation.attachments.items():
        words += attachment_bytes(f"@{key}", value)
    words.append(_END)
    return words


def attachment_bytes(key: str, value: object) -> tuple[bytes, bytes]:
    """An attachment. Raises `ValueMappingError` for one that is no text."""
    if type(value) is not str:
        place = f"attachments[{key.removeprefix('@')[:_SHOWN]!r}]"
        raise ValueMappingError(f"over redis:// attachments are texts, not {type(value).__name__}", place)
    return key.encode("utf-8", "surrogatepass"), value.encode("utf-8", "surrogatepass")


def _text(word: bytes) -> str:
    try:
        return word.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise BadRequest("what stands behind WITH is text in UTF-8") from None


def _timeout(said: str) -> float:
    if said.isascii() and said.isdecimal() and len(said) <= _MAX_TIMEOUT_DIGITS:
        return int(said) / 1000
    try:
        seconds = parse_duration(said).total_seconds()
    except ValueMappingError as exc:
        raise BadRequest(f"WITH timeout: {exc}") from None
    if seconds < 0:
        raise BadRequest("WITH timeout: a time is not below zero")
    return seconds


def _choice(found: dict[str, str], key: str, usual: str, other: str) -> bool:
    """Whether it is the other one."""
    said = found.get(key, usual)
    if said not in (usual, other):
        raise BadRequest(f"WITH {key}: either {usual} or {other}")
    return said == other


def _positions(said: str) -> frozenset[int]:
    if not said:
        return frozenset()
    parts = said.split(",")
    if len(parts) > _MAX_POSITIONS or not all(each.isascii() and each.isdecimal() and len(each) < 4 for each in parts):
        raise BadRequest("WITH null: positions of arguments, from 0, with commas between")
    return frozenset(map(int, parts))
