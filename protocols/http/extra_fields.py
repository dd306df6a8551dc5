"""What a reference may add to all of its requests: header fields of its own, and a path in front of all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from protocols.http.field import OWN_FIELDS, is_field_name

__all__ = ["announced_path", "parse_base_path", "read_extra_fields"]

_IN_PATHS: Final = "/%!$&'()*+,;=:@"
_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_PATH: Final = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})+)*/?")


def parse_base_path(text: str) -> str:
    """A path in front of all others, without a slash at its end; empty where there is none.

    Raises:
        ValueError: it is no path (RFC 3986, section 3.3), or has dots for segments.
    """
    if _PATH.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no path; expected /one/or/more, everything else as %XX")
    path = text.removesuffix("/")
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise ValueError(f"{text!r}: dots are no segments of a path")
    return path


def announced_path(path: str) -> str:
    """`Endpoint.path` as a request has it, percent-encoded where no request can have it.

    Raises:
        ValueError: as `parse_base_path`.
    """
    return parse_base_path("/" + quote(path, safe=_IN_PATHS))


def read_extra_fields(fields: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Header fields as they are sent.

    Raises:
        ValueError: a name or value that no field can have, or a field that belongs to HTTP or to this gateway itself.
    """
    for name, value in fields.items():
        if not is_field_name(name):
            raise ValueError(f"{name!r} is no name of a header field")
        if name.lower() in OWN_FIELDS or name.lower().startswith("polyport-"):
            raise ValueError(f"the header field {name} is not free")
        if _VALUE.fullmatch(value) is None:
            raise ValueError(f"the header field {name} needs a value of visible ASCII")
    return tuple(fields.items())
