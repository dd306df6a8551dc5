"""Plain values as a pickle of protocol 4 without memo: the same value gives the same bytes, but for the order of sets.

CPython's pickler writes; `fast` turns its memo off, so that other implementations meet as few opcodes as possible.
What is shared is written each time, and nothing may contain itself. Values of the gateway are converted to exact
plain classes before they come here, so no code of anybody else runs.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

__all__ = ["pickle_pieces", "write_pickle"]

_PROTOCOL: Final = 4


class _Pieces(list[bytes]):
    """Takes what the pickler writes."""

    __slots__ = ()

    def write(self, data: bytes) -> int:
        """As a file does."""
        # A large bytes object is handed over as it is, and may be a buffer of the pickler's.
        self.append(bytes(data))
        return len(data)


def _uuid_as_text(value: UUID) -> tuple[type[UUID], tuple[str]]:
    # Python's own form sets the attributes of an empty object, which few implementations in other languages can read.
    return UUID, (str(value),)


_REDUCERS: Final[dict[type, Callable[[Any], Any]]] = {UUID: _uuid_as_text}


def write_pickle(value: Any) -> bytes:
    """The pickle. Raises as `pickle_pieces`."""
    return b"".join(pickle_pieces(value))


def pickle_pieces(value: Any) -> Sequence[bytes]:
    """The pickle in pieces, so that what is large need not be copied.

    Raises:
        ValueError: the value contains itself.
        Exception: whatever a class that is not plain raises while it is written.
    """
    pieces = _Pieces()
    pickler = pickle.Pickler(pieces, _PROTOCOL)
    pickler.fast = True
    pickler.dispatch_table = _REDUCERS
    pickler.dump(value)
    return pieces
