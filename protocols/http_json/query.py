"""The query of a request, taken apart."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.model.errors import BadRequest

__all__ = ["read_query"]

_MAX_FIELDS: Final = 1_000


def read_query(query: str) -> dict[str, list[str]]:
    """The texts under each name, in their order (https://url.spec.whatwg.org/#concept-urlencoded-parser).

    Raises:
        BadRequest: it has too many parts, or is not UTF-8.
    """
    texts: dict[str, list[str]] = {}
    if not query:
        return texts
    if query.count("&") >= _MAX_FIELDS:
        raise BadRequest(f"the query has more than {_MAX_FIELDS} parts")
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            texts.setdefault(_query_text(name), []).append(_query_text(value))
    return texts


def _query_text(text: str) -> str:
    if text.isascii() and "%" not in text:
        return text.replace("+", " ")
    try:
        # What is not ASCII came as bytes, which ISO 8859-1 shows one by one.
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError:
        raise BadRequest("the query is not UTF-8") from None
