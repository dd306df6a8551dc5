"""Structured logs: every line has a message for people and fields for machines.

Modules log to children of the logger `polyport` with `extra={...}`; nobody else formats anything. `configure` is for
the program that owns the process (the command line does it): a program that embeds the gateway configures the
logger `polyport` as it likes, and sees the fields as attributes of the records.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO

from gateway.model.call import Invocation
from gateway.telemetry.background import BackgroundHandler

__all__ = ["ROOT", "JsonFormatter", "TextFormatter", "call_fields", "configure", "shorten"]

ROOT: Final = "polyport"
"""Name of the logger all others are children of."""

_SHOWN_CHARACTERS: Final = 200
_STANDARD_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def configure(
    style: Literal["text", "json"] = "text", level: int | str = logging.INFO, stream: TextIO | None = None
) -> BackgroundHandler:
    """Sends all logs of the gateway to `stream` (standard error unless given), replacing what an earlier call set up.

    Lines are written by a thread of their own: a reader that is stuck or a full disk stops no call. Close the
    handler given back to write what is left.
    """
    logger = logging.getLogger(ROOT)
    for each in list(logger.handlers):
        if isinstance(each, BackgroundHandler):
            logger.removeHandler(each)
            each.close()
    handler = BackgroundHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logger.addHandler(handler)
    logger.setLevel(level.upper() if isinstance(level, str) else level)
    logger.propagate = False
    return handler


def call_fields(invocation: Invocation) -> dict[str, Any]:
    """The fields that say which call a log line is about: `call` (its number), `service`, `method`, and where known
    `peer`, `consumer` and `trace` (the W3C trace id)."""
    fields: dict[str, Any] = {
        "call": invocation.call_id,
        "service": shorten(str(invocation.service)),
        "method": shorten(invocation.method),
    }
    if invocation.peer is not None:
        fields["peer"] = f"{invocation.peer.protocol} {invocation.peer.address}"
    if invocation.consumer:
        fields["consumer"] = shorten(invocation.consumer)
    if invocation.traceparent is not None:
        fields["trace"] = shorten(invocation.traceparent[3:35])
    return fields


def shorten(text: str) -> str:
    """Text of a peer as it may stand in messages and logs: at most 200 characters, control characters escaped."""
    return _printable(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, the fields, `traceback`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, in ASCII, without its end."""
        line: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _fields(record).items():
            line.setdefault(name, value)
        if record.exc_info and record.exc_info[1] is not None:
            line["traceback"] = _traceback(record.exc_info[1])
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """One line for people: time, level, logger, message, then `name=value` fields; a traceback follows, indented.

    Control characters are escaped, so no text of a peer can pass for a line of ours.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, or several with a traceback, without the last line's end."""
        parts = [_rfc3339(record.created), f"{record.levelname:<7}", record.name, _printable(record.getMessage())]
        parts += [f"{name}={_text_value(value)}" for name, value in _fields(record).items()]
        if record.exc_info and record.exc_info[1] is not None:
            parts[-1] += "".join(f"\n    {_printable(each)}" for each in _traceback(record.exc_info[1]).splitlines())
        return " ".join(parts)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip("\n")


def _rfc3339(created: float) -> str:
    millis = int(created * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(millis // 1000))}.{millis % 1000:03d}Z"


def _text_value(value: Any) -> str:
    text = str(value)
    if text and not any(each.isspace() or each in '"=' for each in text):
        return _printable(text)
    return '"' + _printable(text.replace('"', '\\"')) + '"'


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
