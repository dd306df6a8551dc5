"""The service that is measured, as a user of polyport writes it. The Java floor has the same in `floors/java`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bench.cases import CORPUS_SIZES
from bench.text_frames import stored_text
from gateway import F64, I32, I64, method, service


@dataclass(slots=True)
class Pojo:
    """Ten fields of the kinds that business objects are made of."""

    id: I64
    name: str
    email: str
    age: I32
    score: F64
    active: bool
    visits: I64
    city: str
    tags: list[str]
    note: str


@service("bench.Echo")
class Echo(Protocol):
    """Gives back what it gets."""

    async def echo(self, text: str) -> str: ...

    async def echo_pojo(self, pojo: Pojo) -> Pojo: ...

    async def add(self, a: I64, b: I64) -> I64: ...


@service("bench.Texts")
class Texts(Protocol):
    """Texts by key."""

    @method(idempotent=True)
    async def get(self, key: str) -> str | None: ...


class StoredTexts:
    """Implements `Texts`: under the key `128` there is a text of 128 characters."""

    def __init__(self) -> None:
        self._texts = {str(size): stored_text(size).decode() for size in CORPUS_SIZES}

    async def get(self, key: str) -> str | None:
        return self._texts.get(key)


class EchoService:
    """Implements `Echo`."""

    async def echo(self, text: str) -> str:
        return text

    async def echo_pojo(self, pojo: Pojo) -> Pojo:
        return pojo

    async def add(self, a: int, b: int) -> int:
        return a + b
