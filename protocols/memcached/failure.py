"""What a call that has no value is answered with, in one line, and back.

    SERVER_ERROR RPCERR no-such-method demo.Catalog has no method 'finde'
    SERVER_ERROR FAULT demo.ProductNotFound {"message":"no product 99","product_id":99}
    SERVER_ERROR RAISED ValueError {"message":"broken"}

`RPCERR`: the call got no answer. Its code is one of `gateway.model.errors`; behind it stands, after a slash, whether
repeating is safe where that is not usual for the code, and `exhausted` where others repeated it already
(`no-provider/never/exhausted`). `FAULT`: an exception that the contract declares, with its text and its fields in
JSON. `RAISED`: any other exception of the service's code. Names are percent-encoded where they are no printable ASCII;
JSON is ASCII. What an exception has beside it, for callers that ask for it, is a second JSON object.
"""

from __future__ import annotations

import json
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final
from urllib.parse import quote, unquote

from gateway.jsonform.text import parse_json
from gateway.model.call import NO_ATTACHMENTS, Attachments, Fault
from gateway.model.errors import RPC_ERRORS, ProviderFailed, Retry, RpcError, ValueMappingError
from protocols.dubbo.status import shown_text
from protocols.http_json.problem import ExceptionForms

__all__ = ["SERVER_ERROR", "error_line", "fault_line", "read_trouble"]

SERVER_ERROR: Final = b"SERVER_ERROR "
_ERROR: Final = "RPCERR"
_FAULT: Final = "FAULT"
_RAISED: Final = "RAISED"
_EXHAUSTED: Final = "exhausted"
_RETRIES: Final = {each.value: each for each in Retry}
_PRINTABLE: Final = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}~"
_CONTROLS: Final = dict.fromkeys((*range(32), 127, 133, 8232, 8233), " ")
_DECODER: Final = JSONDecoder()


def error_line(error: RpcError) -> bytes:
    """The line for a call that got no answer. An error of a third party goes as what it is a kind of."""
    kind = next((each for each in RPC_ERRORS.values() if isinstance(error, each)), ProviderFailed)
    code = kind.code
    if error.retry is not kind.default_retry:
        code += f"/{error.retry.value}"
    if error.exhausted:
        code += f"/{_EXHAUSTED}"
    text = shown_text(str(error)).translate(_CONTROLS)
    return f"SERVER_ERROR {_ERROR} {code} {text}\r\n".encode("utf-8", "backslashreplace")


def fault_line(fault: Fault, forms: ExceptionForms, *, beside: bool = False) -> bytes:
    """The line for an exception of the service. `beside`: also what it has beside it.

    Raises:
        ValueMappingError: a field does not fit the contract.
    """
    form = forms.write(fault)
    struct = forms.struct(fault.type_name) if fault.declared else None
    if struct is None or all(field.name != "class" for field in struct.fields):
        # It stands before the JSON.
        del form["class"]
    word = _RAISED if struct is None else _FAULT
    text = json.dumps(form, separators=(",", ":"))
    if beside and fault.attachments:
        text += " " + json.dumps(dict(fault.attachments), separators=(",", ":"))
    name = quote(fault.type_name, safe=_PRINTABLE, errors="backslashreplace")
    return f"SERVER_ERROR {word} {name} {text}\r\n".encode()


def read_trouble(line: bytes, forms: ExceptionForms) -> Fault | RpcError:
    """What a line without CRLF says that is no answer, also one of a server of another make."""
    text = line.decode("utf-8", "backslashreplace")
    head, _, rest = text.partition(" ")
    word, _, rest = rest.partition(" ")
    name, _, rest = rest.partition(" ")
    if head == "SERVER_ERROR" and word == _ERROR:
        return _read_error(name, rest, text)
    if head == "SERVER_ERROR" and word in (_FAULT, _RAISED):
        try:
            return _read_fault(word, unquote(name), rest, forms)
        except ValueMappingError as exc:
            return ProviderFailed(f"an exception that cannot be read: {exc}", retry=Retry.NEVER)
    return ProviderFailed(f"the server answered {shown_text(text)!r}")


def _read_error(code: str, text: str, line: str) -> RpcError:
    kind, *said = code.split("/")
    named = RPC_ERRORS.get(kind)
    if named is None:
        return ProviderFailed(f"the server answered {shown_text(line)!r}")
    retry = next((_RETRIES[each] for each in said if each in _RETRIES), None)
    return named(shown_text(text), retry=retry, exhausted=_EXHAUSTED in said)


def _read_fault(word: str, name: str, text: str, forms: ExceptionForms) -> Fault:
    try:
        _, end = _DECODER.raw_decode(text)
    except (JSONDecodeError, RecursionError):
        raise ValueMappingError("no JSON behind its name") from None
    form = parse_json(text[:end])
    if type(form) is not dict:
        raise ValueMappingError("no JSON object behind its name")
    attachments: Attachments = NO_ATTACHMENTS
    if text[end:].strip():
        attachments = _read_beside(parse_json(text[end:]))
    fault = forms.read(name, form) if word == _FAULT else None
    if fault is None:
        message = form.get("message")
        fault = Fault(name, message if type(message) is str else None)
    return fault.with_attachments(attachments)


def _read_beside(value: Any) -> Attachments:
    if type(value) is not dict or not all(type(each) is str for each in value.values()):
        raise ValueMappingError("what stands beside it are no texts")
    return value
