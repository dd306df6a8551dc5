"""What one HTTP message may weigh. Every limit is checked before anything of that size is allocated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "HttpLimits"]


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Bounds of requests and of what waits on one connection. Sizes in bytes; the status says how excess is refused.

    `max_body_bytes`: of a body as it travels, and so of what is kept of it (413).
    `max_inflated_bytes`: of a body without its content coding, and of all such bodies on one connection whose requests
    wait for their answers; inflating stops there (413).
    `max_header_bytes`: of all field lines of a message, and again of all its trailer lines (431).
    `max_headers`: field lines of a message (431). Both leave room for all attachments `protocols.http.context` reads.
    `max_target_bytes`: of the request target (414); RFC 9112, section 3, asks for 8000 at least.
    `max_chunk_line_bytes`: of the line before a chunk, its extensions included (400).
    `max_chunk_extension_bytes`: of all chunk extensions of a message (400).
    `max_chunks`: of one message (400). Each costs time, whatever is in it.
    `max_pipelined`: requests of one connection that wait for their answers (503, and the connection ends).
    """

    max_body_bytes: int = 8_388_608
    max_inflated_bytes: int = 8_388_608
    max_header_bytes: int = 65_536
    max_headers: int = 320
    max_target_bytes: int = 8_192
    max_chunk_line_bytes: int = 256
    max_chunk_extension_bytes: int = 4_096
    max_chunks: int = 32_768
    max_pipelined: int = 128


DEFAULT_LIMITS: Final = HttpLimits()
