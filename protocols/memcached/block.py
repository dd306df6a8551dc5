"""The data blocks of calls: what `set <service>.<method>#<id>` runs, and what `get` of that key gives with a head.

A block is JSON, for clients that have nothing else at hand:

    {"args": [42], "attachments": {"user": "ann"}, "timeout": 2000}

or a line of JSON and behind it the bytes of the arguments, which loses nothing and takes no quoting:

    {"sizes": [2, null, 5], "timeout": 2000}\\n42hello

| member of the head | value |
| --- | --- |
| `args` | an array with the arguments by position, or an object with them by name; default: none |
| `sizes` | instead: the bytes of each argument behind the line (`protocols.texts.value`), null for null |
| `attachments` | an object of texts |
| `timeout` | how long the caller waits, milliseconds |
| `consumer`, `token`, `traceparent` | who calls; what the service wants to be shown; W3C Trace Context |
| `oneway` | true: nothing will be fetched |
| `head` | true: the answer may have a head as well, where there is something to say in it |

The head of an answer is an object with `flags`, those of the bytes behind the line, and where there are any
`attachments`; `drain` is true when the listener stops and wants no more calls on this connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import NO_ATTACHMENTS, Attachments, Invocation
from gateway.model.errors import BadRequest, ValueMappingError
from protocols.memcached.form import BYTES, JSON, TEXT

__all__ = [
    "NO_BLOCK",
    "AnswerHead",
    "Block",
    "read_answer",
    "read_block",
    "write_answer",
    "write_block",
]

_TEXTS: Final = ("consumer", "token", "traceparent")
_MEMBERS: Final = frozenset({"args", "sizes", "attachments", "timeout", "oneway", "head", *_TEXTS})
_SOLID: Final = re.compile(rb"\S").search
_MAX_ATTACHMENTS: Final = 1_024
_MAX_TEXT: Final = 1_024
_MAX_ARGUMENTS: Final = 255
_MAX_TIMEOUT_MS: Final = 10**12
_TRACEPARENT_LENGTH: Final = 55
_SHOWN: Final = 60


class Block(NamedTuple):
    """A call's block. `args`: a list, an object, or None where `parts` holds the bytes of the arguments."""

    args: Any
    parts: Sequence[bytes | None]
    attachments: Attachments
    timeout_s: float | None
    consumer: str
    token: str
    traceparent: str | None
    oneway: bool
    head: bool


NO_BLOCK: Final = Block([], (), NO_ATTACHMENTS, None, "", "", None, oneway=False, head=False)
"""What is known of one that cannot be read."""


def read_block(data: bytes) -> Block:
    """Reads what came with a `set`.

    Raises:
        BadRequest: it is no such block.
    """
    # What is behind the line may be large, and is not copied as a whole.
    end = data.find(b"\n")
    line = data if end < 0 else data[:end]
    is_split = end >= 0 and line.rstrip().endswith(b"}")
    is_split = is_split and (b'"sizes"' in line or _SOLID(data, end + 1) is not None)
    try:
        head = parse_json(line if is_split else data)
    except ValueMappingError as exc:
        raise BadRequest(f"the block of a call is JSON, or a line of JSON with bytes behind it; {exc}") from None
    if type(head) is not dict:
        raise BadRequest("the block of a call is a JSON object")
    unknown = next((each for each in head if each not in _MEMBERS), None)
    if unknown is not None:
        raise BadRequest(
            f"the block of a call has no member {unknown[:_SHOWN]!r}; it has {', '.join(sorted(_MEMBERS))}"
        )
    parts: Sequence[bytes | None] = ()
    args = head.get("args", [])
    if "sizes" in head:
        if "args" in head:
            raise BadRequest("the block of a call has args or sizes, not both")
        parts, args = _cut(head["sizes"], data, end + 1 if is_split else len(data)), None
    elif is_split:
        raise BadRequest("bytes behind the block's first line, and no sizes in it")
    elif type(args) not in (list, dict):
        raise BadRequest("args are an array or an object")
    texts = [_text(head, name) for name in _TEXTS]
    trace = texts[2] if len(texts[2]) == _TRACEPARENT_LENGTH else None
    return Block(
        args, parts, _attachments(head), _timeout(head), texts[0], texts[1], trace,
        _flag(head, "oneway"), _flag(head, "head"),
    )  # fmt: skip


def _cut(sizes: Any, data: bytes, at: int) -> Sequence[bytes | None]:
    if type(sizes) is not list or len(sizes) > _MAX_ARGUMENTS:
        raise BadRequest(f"sizes are an array of at most {_MAX_ARGUMENTS} numbers")
    parts: list[bytes | None] = []
    for size in sizes:
        if size is None:
            parts.append(None)
            continue
        if type(size) is not int or not 0 <= size <= len(data) - at:
            raise BadRequest(f"the size of argument {len(parts)} does not fit the block")
        parts.append(data[at : at + size])
        at += size
    if at != len(data):
        raise BadRequest(f"{len(data) - at} bytes behind the last argument")
    return parts


def _attachments(head: Mapping[str, Any]) -> Attachments:
    found = head.get("attachments")
    if not found:
        return NO_ATTACHMENTS
    if (
        type(found) is not dict
        or len(found) > _MAX_ATTACHMENTS
        or not all(type(each) is str for each in found.values())
    ):
        raise BadRequest(f"attachments are an object of at most {_MAX_ATTACHMENTS} texts")
    return found


def _timeout(head: Mapping[str, Any]) -> float | None:
    found = head.get("timeout")
    if found is None:
        return None
    if type(found) is not int or not 0 <= found <= _MAX_TIMEOUT_MS:
        raise BadRequest("timeout is a number of milliseconds")
    return found / 1000


def _text(head: Mapping[str, Any], name: str) -> str:
    found = head.get(name)
    if found is None:
        return ""
    if type(found) is not str or len(found) > _MAX_TEXT:
        raise BadRequest(f"{name} is a text of at most {_MAX_TEXT} characters")
    return found


def _flag(head: Mapping[str, Any], name: str) -> bool:
    found = head.get(name, False)
    if type(found) is not bool:
        raise BadRequest(f"{name} is true or false")
    return found


def write_block(
    parts: Sequence[bytes | None], invocation: Invocation, token: str, application: str, timeout_s: float | None
) -> bytes:
    """A call as another gateway takes it. Raises `ValueMappingError` for an attachment that has no form."""
    head: dict[str, Any] = {"sizes": [None if each is None else len(each) for each in parts], "head": True}
    if invocation.attachments:
        head["attachments"] = _written(invocation.attachments)
    if timeout_s is not None:
        head["timeout"] = int(timeout_s * 1000) or 1
    consumer = invocation.consumer or application
    if consumer:
        head["consumer"] = consumer
    if token:
        head["token"] = token
    if invocation.traceparent is not None:
        head["traceparent"] = invocation.traceparent
    if invocation.oneway:
        head["oneway"] = True
    return b"".join((format_json(head), b"\n", *(each for each in parts if each is not None)))


def _written(attachments: Attachments) -> dict[str, str]:
    for key, value in attachments.items():
        place = f"attachments[{key[:_SHOWN]!r}]"
        if type(value) is not str:
            raise ValueMappingError(f"over memcached:// attachments are texts, not {type(value).__name__}", place)
        try:
            key.encode()
            value.encode()
        except UnicodeEncodeError:
            raise ValueMappingError("a lone surrogate has no form in JSON", place) from None
    if len(attachments) > _MAX_ATTACHMENTS:
        raise ValueMappingError(f"there are more than {_MAX_ATTACHMENTS}", "attachments")
    return dict(attachments)


class AnswerHead(NamedTuple):
    """The head of an answer."""

    flags: int
    attachments: Attachments
    drain: bool


def write_answer(head: AnswerHead, data: bytes) -> bytes:
    """An answer with a head. Raises `ValueMappingError` for an attachment that has no form."""
    said: dict[str, Any] = {"flags": head.flags}
    if head.attachments:
        said["attachments"] = _written(head.attachments)
    if head.drain:
        said["drain"] = True
    return b"%b\n%b" % (format_json(said), data)


def read_answer(data: bytes) -> tuple[AnswerHead, bytes]:
    """The inverse. Raises `ValueMappingError`."""
    line, _, rest = data.partition(b"\n")
    said = parse_json(line)
    if type(said) is not dict or said.get("flags") not in (TEXT, JSON, BYTES):
        raise ValueMappingError("the answer's head does not say its flags")
    try:
        attachments = _attachments(said)
    except BadRequest as exc:
        raise ValueMappingError(str(exc)) from None
    return AnswerHead(said["flags"], attachments, said.get("drain") is True), rest
