"""What a row of the table is: a fault, what is owed meanwhile, and the program that brings it about and counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.chaos.ground import Ground

__all__ = ["WIRES", "Outcome", "Row", "Verdict"]

WIRES: Final = ("dubbo", "http")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was counted, in a few words, and everything in it that should not be so."""

    counted: str
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `id`: as the catalogue of faults numbers it. `expected`: what is owed, in a few words.

    `run` is called once for each of `wires`. It injects the fault while calls run; raising is a result like any other.
    `cuts_network`: it drops packets, where it may have a network of its own for that.
    """

    id: str
    title: str
    expected: str
    run: Callable[[Ground], Awaitable[Outcome]]
    wires: Sequence[str] = WIRES
    cuts_network: bool = False
    in_quick: bool = True
    """Whether the short form runs it without being asked: of many faults of one thing one will do there."""

    def elsewhere(self, *wires: str) -> Row:
        """The same on further wires, in the long form alone."""
        return replace(self, wires=wires, in_quick=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a row went on one wire."""

    row: Row
    wire: str
    outcome: Outcome
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether everything was as it should be."""
        return not self.outcome.problems
