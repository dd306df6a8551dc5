"""Why a call got no answer, and exceptions of services: error replies in one line, and back.

| reply | what |
| --- | --- |
| `-RPCERR <code>[/<retry>][/exhausted] <text>` | trouble: a code of `gateway.model.errors`, and what it says about repeating where that is not usual for it |
| `-FAULT <class> <json>` | an exception: an object with its `message` and the fields that the contract declares |

Codes of Redis's own (`ERR`, `NOAUTH`, `WRONGTYPE` …) answer commands that are none of services; `MOVED`, `ASK`, `LOADING`
and the like never come, since clients act on them.
"""  # noqa: E501 - a table

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.jsonform.text import format_json, parse_json
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault
from gateway.model.errors import (
    RPC_ERRORS,
    BadRequest,
    NoSuchMethod,
    ProviderFailed,
    Retry,
    RpcError,
    Unauthenticated,
    ValueMappingError,
)
from protocols.contract import Outcome
from protocols.dubbo.status import shown_text
from protocols.http_json.problem import ExceptionForms

__all__ = ["error_line", "fault_line", "read_error_line"]

_RPC: Final = "RPCERR"
_FAULT: Final = "FAULT"
_RETRIES: Final = {each.value: each for each in Retry}
_CODE: Final = re.compile(rf"([a-z-]{{1,40}})(?:/({'|'.join(_RETRIES)}))?(/exhausted)?")
_NAME: Final = re.compile(r"[!-~]{1,400}")
_UNNAMED: Final = "Exception"
_STRANGERS: Final = ("NOAUTH", "WRONGPASS", "NOPERM")


def error_line(error: RpcError) -> bytes:
    """The reply. An error of a third party goes as what it is a kind of."""
    kind = next((each for each in RPC_ERRORS.values() if isinstance(error, each)), ProviderFailed)
    retry = "" if error.retry is kind.default_retry else f"/{error.retry.value}"
    code = f"{kind.code}{retry}{'/exhausted' if error.exhausted else ''}"
    return _line(f"{_RPC} {code} {shown_text(str(error))}")


def fault_line(fault: Fault, forms: ExceptionForms) -> bytes:
    """The reply. Raises `ValueMappingError` for a field that has no form in JSON."""
    form = forms.write(fault)
    name = form.pop("class")
    if _NAME.fullmatch(name) is None or not fault.declared:
        form = {"class": name, **form}
        name = name if _NAME.fullmatch(name) else _UNNAMED
    # JSON escapes line ends, so it is one line.
    return b"-%b %b %b\r\n" % (_FAULT.encode(), name.encode(), format_json(form))


def read_error_line(line: bytes, forms: ExceptionForms, attachments: Attachments = NO_ATTACHMENTS) -> Outcome:
    """What an error reply means, without its first character and its end."""
    said = line.decode("utf-8", "replace")
    word, _, rest = said.partition(" ")
    if word == _RPC:
        code, _, text = rest.partition(" ")
        found = _CODE.fullmatch(code)
        kind = RPC_ERRORS.get(found[1]) if found is not None else None
        if found is not None and kind is not None:
            return kind(text, retry=_RETRIES.get(found[2]), exhausted=bool(found[3]))
    if word == _FAULT:
        name, _, text = rest.partition(" ")
        return _fault(name, text, forms, attachments)
    if word in _STRANGERS:
        return Unauthenticated(shown_text(said))
    if said.startswith(("ERR unknown command", "ERR unknown subcommand")):
        return NoSuchMethod(shown_text(said))
    if said.startswith(("ERR wrong number of arguments", "ERR syntax error")):
        return BadRequest(shown_text(said))
    return ProviderFailed(shown_text(said), retry=Retry.NEVER)


def _fault(name: str, text: str, forms: ExceptionForms, attachments: Attachments) -> Fault:
    """An exception; one whose fields do not fit the contract is an undeclared one: that it was raised is still true."""
    try:
        form: Any = parse_json(text)
    except ValueMappingError:
        return Fault(name, text or None, attachments=attachments)
    if not isinstance(form, Mapping):
        return Fault(name, text, attachments=attachments)
    if "class" not in form:
        try:
            declared = forms.read(name, form)
        except ValueMappingError:
            declared = None
        if declared is not None:
            return declared.with_attachments(attachments)
    given, message = form.get("class"), form.get("message")
    return Fault(
        given if isinstance(given, str) else name,
        message if isinstance(message, str) else None,
        attachments=attachments,
    )


def _line(text: str) -> bytes:
    data = text.encode("utf-8", "backslashreplace").replace(b"\r", b" ").replace(b"\n", b" ")
    return b"-%b\r\n" % data
