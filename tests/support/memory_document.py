"""Documents of an IDL that exist only in a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.errors import ContractError

__all__ = ["MemoryDocument"]


@dataclass(frozen=True)
class MemoryDocument:
    """`others`: what it may refer to, by reference. `referred`: what it and those it led to asked for, in order."""

    text: str | bytes
    location: str = "shop.thrift"
    others: Mapping[str, str] = field(default_factory=dict)
    referred: list[str] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return self.text if isinstance(self.text, bytes) else self.text.encode()

    def refer(self, reference: str) -> MemoryDocument:
        self.referred.append(reference)
        if reference not in self.others:
            raise ContractError(f"{reference} cannot be read: No such file or directory")
        return MemoryDocument(self.others[reference], reference, self.others, self.referred)
