"""Names of header fields: which texts are one, and which of them are HTTP's own business."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["FRAMING_FIELDS", "OWN_FIELDS", "TCHAR", "is_field_name"]

FRAMING_FIELDS: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Fields about one message on one connection, which bindings neither see nor write."""
OWN_FIELDS: Final = FRAMING_FIELDS | {"accept", "accept-encoding", "content-type", "host"}
"""Those, and the ones by which a wire over HTTP says what bodies are and where they go: free for nobody else."""

TCHAR: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
"""The pattern of one character of a token: RFC 9110, section 5.6.2."""
_TOKEN: Final = re.compile(TCHAR + "+")


def is_field_name(text: str) -> bool:
    """Whether a field can have this name (RFC 9110, section 5.1)."""
    return _TOKEN.fullmatch(text) is not None
