"""A document that describes services in another language, as readers of that language get it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.model.contract import ServiceContract

__all__ = ["Document", "Importer"]


class Document(Protocol):
    """One document, read, which may refer to others.

    `location`: path or URL, for messages and to know documents apart. `data`: its bytes.
    """

    @property
    def location(self) -> str:
        """See above."""
        ...

    @property
    def data(self) -> bytes:
        """See above."""
        ...

    def refer(self, reference: str) -> Document:
        """The document that this one means by a relative or absolute reference.

        Raises:
            ContractError: it cannot be read, or this document may not refer to it.
        """
        ...


Importer = Callable[[Document], Sequence[ServiceContract]]
"""Reads the services of a document as outlines (`gateway.model.outline`).

It raises `ContractError` with the line where the document has one, for what it cannot read and for what no contract
can say.
"""
