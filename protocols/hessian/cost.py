"""What a value costs of `Limits.max_elements`, beside the one that each element, entry and field costs.

One byte can ask for a whole object, so objects are charged by the memory and time they take: the limit then bounds
both, whatever a message consists of. Reading and skipping charge alike, so that what one accepts the other does.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CHUNK", "CONTAINER", "DEFINED_FIELD", "DEFINITION", "SET"]

CONTAINER: Final = 4
"""A list, map or object. One of a contract's class is also charged for the fields that the sender left out."""

SET: Final = 12
"""What a Python set takes more than a list."""

DEFINITION: Final = 64
"""A class definition, beside its fields."""

DEFINED_FIELD: Final = 12
"""Each field of a class definition."""

CHUNK: Final = 16
"""Each chunk but the last of a string or binary. Writers make them of some thousand characters, so few have many."""
