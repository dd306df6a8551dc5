"""Contract values as the texts of a URL's query or path, or of a header.

| type | texts |
| --- | --- |
| bool | `true`, `false` |
| numbers | exact, as in JSON; `NaN`, `Infinity`, `-Infinity` for floats |
| char, string, enum, bytes, dates, durations, uuid | what stands between the quotes in JSON |
| list, set | one text per element; elements that may be null, or are none of the above, as JSON |
| map, struct, exception, any | one text holding JSON |
| null | no text at all |

A nullable list without elements cannot be told from null and is refused by the writer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.jsonform.bare_text import BARE_KINDS, bare_text_of, parser_of_bare_text
from gateway.jsonform.reader import compile_reader
from gateway.jsonform.text import format_json, parse_json
from gateway.jsonform.writer import compile_writer
from gateway.model.contract import ServiceContract
from gateway.model.errors import ValueMappingError
from gateway.model.typeref import Kind, TypeRef

__all__ = ["compile_text_reader", "compile_text_writer"]


def compile_text_reader(ref: TypeRef, contract: ServiceContract) -> Callable[[list[str]], Any]:
    """A function from the texts of one parameter, in their order, to its value.

    It raises `ValueMappingError` when they stand for no value of this type; `path` is the place inside the value.
    """
    read = compile_reader(ref, contract)
    if ref.kind in (Kind.LIST, Kind.SET):
        json_value = _json_value(ref.args[0])

        def read_repeated(texts: list[str]) -> Any:
            if not texts and ref.nullable:
                return None
            values: list[Any] = []
            append = values.append
            try:
                for text in texts:
                    append(json_value(text))
            except ValueMappingError as exc:
                raise exc.within(f"[{len(values)}]") from None
            return read(values)

        return read_repeated
    single = _json_value(ref.required())

    def read_single(texts: list[str]) -> Any:
        if len(texts) == 1:
            return read(single(texts[0]))
        if texts:
            raise ValueMappingError(f"expected one value, found {len(texts)}")
        return read(None)

    return read_single


def compile_text_writer(ref: TypeRef, contract: ServiceContract) -> Callable[[Any], list[str]]:
    """The inverse of `compile_text_reader`: a function from a value to the texts of one parameter.

    It raises `ValueMappingError` as `compile_writer` tells.
    """
    write = compile_writer(ref, contract)
    if ref.kind in (Kind.LIST, Kind.SET):
        text = _text(ref.args[0])

        def write_repeated(value: Any) -> list[str]:
            if value is None and ref.nullable:
                return []
            written = [text(each) for each in write(value)]
            if not written and ref.nullable:
                raise ValueMappingError(f"an empty {ref.kind.value} cannot be told from null here")
            return written

        return write_repeated
    single = _text(ref.required())

    def write_single(value: Any) -> list[str]:
        written = write(value)
        return [] if written is None and (ref.nullable or ref.kind is Kind.NULL) else [single(written)]

    return write_single


def _json_value(ref: TypeRef) -> Callable[[str], Any]:
    """From a text to the JSON value that a reader of the type takes."""
    return parse_json if ref.nullable or ref.kind not in BARE_KINDS else parser_of_bare_text(ref.kind)


def _text(ref: TypeRef) -> Callable[[Any], str]:
    """From the JSON value that a writer of the type gives to its text."""
    if ref.nullable or ref.kind not in BARE_KINDS:
        return lambda value: format_json(value).decode()
    return bare_text_of
