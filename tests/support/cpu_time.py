"""Bounds on the CPU that something takes."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from time import process_time

__all__ = ["cpu_within"]


@contextmanager
def cpu_within(limit_s: float) -> Iterator[None]:
    """Fails where the block takes more CPU of this process.

    The garbage collector rests meanwhile: it looks at what all tests of the process have made, for half a second.
    """
    gc.disable()
    began = process_time()
    try:
        yield
        took_s = process_time() - began
    finally:
        gc.enable()
    assert took_s < limit_s, f"it took {took_s:.3f} s of CPU, {limit_s:g} s are allowed"
