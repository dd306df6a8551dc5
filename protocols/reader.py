"""Limits every decoder obeys. They are checked against declared lengths before anything is allocated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one message.

    `max_frame_bytes`: the whole message (Dubbo's `payload`, 8 MiB by default there and here).
    `max_depth`: containers inside each other (Thrift implementations use 64).
    `max_elements`: elements, map entries and fields of all containers of a message together; containers are
    charged five so that a stream of empty lists cannot cost 60 times its size in memory.
    `max_name_bytes`: class, type, method and service names.
    """

    max_frame_bytes: int = 8_388_608
    max_depth: int = 64
    max_elements: int = 1_000_000
    max_name_bytes: int = 1_024


DEFAULT_LIMITS: Final = Limits()
