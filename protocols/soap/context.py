"""What travels beside a call: one header block with the fields that wires over HTTP have in their header.

    <p:context xmlns:p="urn:polyport:soap"><p:field name="Polyport-Attachment-user">ann</p:field></p:context>

Names and values are those of `protocols.http.context`, and so is their encoding. A header block reaches a service
behind whatever takes HTTP apart on the way; the same fields in the header of HTTP are read too, and the block counts
where both say something. Nobody has to understand it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from gateway.model.errors import ValueMappingError
from protocols.http.context import NO_CONTEXT, Context, read_context
from protocols.http.message import Headers
from protocols.soap.document import Document, Frame, shown_name
from protocols.soap.names import CONTEXT, expanded
from protocols.soap.text import BLANKS, escape, escape_attribute

__all__ = ["CONTEXT_BLOCK", "ContextBlock", "merged", "write_header"]

CONTEXT_BLOCK: Final = expanded(CONTEXT, "context")
_FIELD: Final = expanded(CONTEXT, "field")
_MAX_FIELDS: Final = 320


class ContextBlock(Frame):
    """The block while it is read. `fields`: names and values so far."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        super().__init__()
        self.fields: Final[list[tuple[str, str]]] = []

    def open(self, name: str, attributes: Mapping[str, str], document: Document) -> Frame:
        """See `Frame.open`."""
        if name != _FIELD or "name" not in attributes:
            raise ValueMappingError(f"the header block context holds fields with a name, not {shown_name(name)}")
        if len(self.fields) >= _MAX_FIELDS:
            raise ValueMappingError(f"the header block context holds more than {_MAX_FIELDS} fields")
        return _Field(attributes["name"])

    def take(self, slot: Any, value: Any) -> None:
        """See `Frame.take`."""
        self.fields.append((slot, value))


class _Field(Frame):
    __slots__ = ()
    holds_text = True

    def close(self, text: str) -> Any:
        return text.strip(BLANKS)


def merged(headers: Headers, fields: Sequence[tuple[str, str]]) -> Context:
    """What a caller said in the header of HTTP and in the block.

    Raises:
        BadRequest: as `read_context`.
    """
    outer = read_context(headers)
    if not fields:
        return outer
    inner = read_context(Headers(fields))
    if outer is NO_CONTEXT:
        return inner
    return replace(
        inner,
        attachments=MappingProxyType({**outer.attachments, **inner.attachments}),
        timeout_s=outer.timeout_s if inner.timeout_s is None else inner.timeout_s,
        traceparent=inner.traceparent or outer.traceparent,
        consumer=inner.consumer or outer.consumer,
        token=inner.token or outer.token,
    )


def write_header(fields: Sequence[tuple[str, str]], more: str = "") -> str:
    """The header of an envelope with these fields and other blocks; empty where there is nothing to say."""
    if not fields and not more:
        return ""
    block = ""
    if fields:
        written = "".join(
            f'<p:field name="{escape_attribute(name)}">{escape(value)}</p:field>' for name, value in fields
        )
        block = f'<p:context xmlns:p="{CONTEXT}">{written}</p:context>'
    return f"<soap:Header>{more}{block}</soap:Header>"
