"""A small service for tests of configurations: right and wrong implementations beside its contract."""

from __future__ import annotations

from typing import Protocol

from gateway.contracts import service

__all__ = ["GREETER", "DeafGreeter", "Greeter", "Greeting", "Mistaken", "make_greeter", "not_callable"]


@service(name="test.Greeting")
class Greeting(Protocol):
    async def greet(self, name: str) -> str: ...

    async def count(self) -> int: ...


class Greeter:
    def __init__(self, word: str = "hello", times: int = 1) -> None:
        self.word = word
        self.times = times

    async def greet(self, name: str) -> str:
        return " ".join([self.word] * self.times) + f" {name}"

    async def count(self) -> int:
        return self.times


class DeafGreeter:
    async def greet(self, name: str) -> str:
        return name


def make_greeter(word: str) -> Greeter:
    return Greeter(word)


GREETER = Greeter("hi")

not_callable = 5


@service(name="test.Mistaken")
class Mistaken(Protocol):
    async def greet(self, name) -> str: ...  # type: ignore[no-untyped-def]
