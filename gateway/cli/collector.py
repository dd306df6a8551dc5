"""Python's garbage collector in a process that does nothing but serve.

The collector looks at all young objects after every 700 that were made and not yet freed. A few hundred calls in
progress are more than that, so it looks at the same calls, which wait for their answers, again and again: a fifth of
the CPU time of a busy gateway. Hardly anything is ever found, because calls leave no cycles behind.

A hundred thousand objects that are all alive, as where a registry says what it knows, are looked at in a tenth of a
second, in which no call is answered. So the middle generation is small.
Everything that was made since the start would take half a second where registries have named 50,000 providers. So it is
not looked at before much more has been made.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["tuned_collector"]

_YOUNG_OBJECTS: Final = 10_000
"""Some 25 for each call in progress; what cycles there are hold memory until so many more objects exist."""
_OLDER: Final = (1, 125)
"""Not more than thirty thousand objects are looked at together; all of them when there are 2,500,000 more than at the
last time, which is twice what 50,000 providers are."""


@contextmanager
def tuned_collector() -> Iterator[None]:
    """To be entered when everything that lasts is loaded: that is never looked at again, and young objects seldom."""
    before = gc.get_threshold()
    gc.freeze()
    # Python 3.14 looks at old objects piece by piece, and these numbers mean something else there.
    gc.set_threshold(_YOUNG_OBJECTS, *(_OLDER if sys.version_info < (3, 14) else before[1:]))
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
