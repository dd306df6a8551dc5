"""Guards the keys of a pickle's dicts and sets: what has no hash, and what was made to cost much to hash or to compare.

Python compares keys that have one hash, and its hashes of numbers, tuples and frozensets are no secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from protocols.rmi.reduction import Name, PickleRefused

__all__ = ["Keys"]

Charge = Callable[[int], None]

_MOST_ALIKE: Final = 32
"""Keys of one container with one hash, beyond the first. Python would compare each with each."""
_KEYED: Final = frozenset({str, bytes, bool, float, type(None)})
"""Whose hashes nobody can make alike, see `gateway.model.key_hash`."""
_NARROW: Final = 1 << 63


class Keys:
    """The keys of one pickle. `depth`: tuples and frozensets inside each other.

    `charge`, which counts what they cost, is given each time: kept, it would make a cycle that holds the whole pickle
    until the garbage collector comes by.
    """

    __slots__ = ("_alike", "_depth")

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._alike: dict[int, tuple[Any, dict[int, int]]] = {}
        """By the number of a container, which it keeps: how often it met each hash again."""

    def check(self, container: Any, keys: list[Any], charge: Charge) -> None:
        """Refuses keys that are about to be added. Hashes tuples level by level."""
        hashes: dict[int, int] | None = None
        for key in keys:
            cls = type(key)
            if cls in _KEYED or (cls is int and -_NARROW <= key < _NARROW):
                continue
            cost = self._cost(key, 0, charge)
            if hashes is None:
                _, hashes = self._alike.setdefault(id(container), (container, {}))
            number = hash(key)
            seen = hashes[number] = hashes.get(number, -1) + 1
            if seen > _MOST_ALIKE:
                raise PickleRefused("too many keys of one container have the same hash")
            charge(seen * cost)

    def _cost(self, value: Any, depth: int, charge: Charge) -> int:
        """What it costs at most to compare the value with one that has the same hash."""
        cls = type(value)
        if cls is tuple or cls is frozenset:
            if depth > self._depth:
                raise PickleRefused("a key is nested too deep")
            # Each time it is used: Python hashes a tuple anew as well, and compares everything inside of both, as often
            # as it stands there. What is looked at here takes twice the time of what is read.
            charge(2 * len(value) + 2)
            cost = 1
            for each in value:
                cost += self._cost(each, depth + 1, charge)
            return cost if cls is tuple else cost * (1 + len(value) - len(set(map(hash, value))))
        if cls is int:
            # Comparing it with a Decimal turns it into one.
            words = value.bit_length() >> 6
            charge(words * words >> 1)
        elif cls in (list, dict, set, Name):
            # An instance is told from others by its place in memory, until whoever knows its class reads it.
            raise PickleRefused("a key of the pickle can be changed, or is no value")
        return 1
