"""Consistent hashing: calls with the same key go to the same provider, and few keys move when providers change."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import ceil
from typing import Annotated, Final

from pydantic import Field, field_validator

from gateway.balance.hash_key import text_of
from gateway.balance.hash_ring import POINTS_PER_DIGEST, HashRing, key_point, points_of
from gateway.balance.prepared import Prepared
from gateway.balance.weighted_random import WeightedRandom
from gateway.config.scalar import Count, Name, Text, describe
from gateway.config.sections.section import Section
from gateway.model.call import Invocation, Result
from gateway.model.contract import MethodContract
from gateway.spi.cluster import Invoker, Load
from gateway.spi.plugin import BalancerPlugin

__all__ = ["PLUGIN", "ConsistentHash", "ConsistentHashOptions"]

_GENERIC: Final = frozenset({"$invoke", "$invokeAsync"})
_MOST_POINTS: Final = 16
"""So many times the usual number of points at most, however great a weight is."""
_METHODS: Final = 256
_ROUNDING: Final = 1e-9


class ConsistentHashOptions(Section):
    """What is hashed, and how evenly."""

    arguments: tuple[Name, ...] = ("0",)
    """Which arguments make the key: by number from 0, or by the contract's name of the parameter. Methods that have
    none of them are balanced at random."""

    attachment: Text = ""
    """Makes the attachment of this name the key instead; calls without it are balanced at random."""

    nodes: Annotated[Count, Field(ge=4, le=10_000)] = 160
    """Points on the ring for a provider with the usual weight, a multiple of 4."""

    bound: Annotated[float, Field(ge=0, le=1000)] = 1.25
    """A provider that has this times as many calls in progress as the average and one passes further ones on to the
    next on the ring; 0 for no bound."""

    @field_validator("arguments", mode="before")
    @classmethod
    def _as_texts(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            return tuple(str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in value)
        return value

    @field_validator("bound", mode="before")
    @classmethod
    def _as_number(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return float(value)
        except ValueError:
            raise ValueError(f"expected a number such as 1.25, found {describe(value)}") from None

    @field_validator("nodes")
    @classmethod
    def _of_four(cls, value: int) -> int:
        if value % POINTS_PER_DIGEST:
            raise ValueError(f"{value} is not a multiple of {POINTS_PER_DIGEST}")
        return value


class ConsistentHash:
    """Chooses the provider whose point on a ring follows that of the key (`hash_ring`, `hash_key`).

    With equal weights and nobody busy this is the choice of Dubbo's `consistenthash` for the same addresses. Unlike
    there, weights count: a provider has points in proportion to its weight, `nodes` where that is the middle one of
    all. While it warms up it has only the first of its points, so its keys come to it step by step, and none moves
    between others. And no provider has far more calls in progress than its share, however often one key is called:
    consistent hashing with bounded loads (V. Mirrokni, M. Thorup, M. Zadimoghaddam, https://arxiv.org/abs/1608.01350).

    Of a call that is forwarded as bytes only the arguments that are hashed, and those before them, are decoded.

    `uniform`: gives numbers from 0 (inclusive) to 1 (exclusive); for tests.
    """

    __slots__ = ("_bound", "_busy", "_changes", "_keys", "_numbers", "_options", "_prepared", "_random")

    def __init__(
        self, options: ConsistentHashOptions | None = None, uniform: Callable[[], float] = random.random
    ) -> None:
        self._options = options or ConsistentHashOptions()
        self._bound = self._options.bound
        self._random = WeightedRandom(uniform)
        self._changes = 0
        self._busy = _Busy()
        self._prepared = Prepared(self._prepare)
        self._numbers = tuple(int(each) for each in self._options.arguments if each.isdecimal())
        self._keys: dict[str, tuple[int, ...]] = {}

    def select(self, invokers: Sequence[Invoker], invocation: Invocation) -> Invoker:
        """One of `invokers`, which is not empty. Raises `BadRequest` where the arguments cannot be read."""
        key = self._key(invocation)
        if key is None:
            return self._random.draw(invokers)
        table = self._prepared.find(invokers)
        if table is None:
            table = self._prepared.latest
            if table is not None and len(invokers) <= len(table.invokers):
                return self._among(invokers, table, key)
            # Nothing to choose from but a new ring, so it may as well be kept.
            table = self._prepared.find(invokers)
            assert table is not None, "it was prepared when it came a second time"
        if table.made_at != self._changes:
            table.reweigh(self._changes)
        point = key_point(key)
        chosen = table.ring.owner(point)
        # So few are within every bound.
        if not self._bound or not table.weight or chosen.load.active < self._bound:
            return chosen
        share = self._busy.calls / table.weight
        if chosen.load.active < self._capacity(share, chosen.load):
            return chosen
        for each in table.ring.walk(point):
            if each.load.active < self._capacity(share, each.load):
                return each
        return chosen

    def _capacity(self, share: float, load: Load) -> int:
        """How many calls it may have in progress. `share`: of all that are, for each unit of weight."""
        # With one to spare: where there are fewer calls than providers, two that meet must not part from their keys.
        return ceil(self._bound * (share * load.weight + 1.0) - _ROUNDING)

    def explain(self, invokers: Sequence[Invoker], invocation: Invocation, chosen: Invoker) -> str:
        """The key, its point, and how many of the points on the ring are the provider's; its calls in progress."""
        key = self._key(invocation)
        table = self._prepared.find(invokers) or self._prepared.latest
        if key is None or table is None:
            return f"no key, by weight {chosen.load.weight:g}"
        own = table.points_of(chosen)
        first = table.ring.owner(key_point(key))
        passed = "" if first is chosen else f", passed on by {first.endpoint.address} with {first.load.active} calls"
        return (
            f"key at {key_point(key):#010x}, {own} of {len(table.ring)} points, "
            f"{chosen.load.active} calls in progress{passed}"
        )

    def _key(self, invocation: Invocation) -> bytes | None:
        """What is hashed; None when the call has nothing of it."""
        name = self._options.attachment
        if name:
            value = invocation.attachments.get(name)
            return None if value is None else text_of(value).encode("utf-8", "surrogatepass")
        signature = invocation.signature
        if signature is not None:
            chosen = self._keys.get(signature.attribute)
            if chosen is None:
                chosen = self._positions(signature)
            if not chosen:
                return None
            arguments = invocation.leading_arguments(max(chosen) + 1)
        else:
            chosen = self._numbers
            if not chosen:
                return None
            if invocation.method in _GENERIC:
                arguments = invocation.arguments()
                if len(arguments) == 3 and isinstance(arguments[2], list | tuple):
                    # Dubbo's generic call: what counts are the arguments inside.
                    arguments = tuple(arguments[2])
            else:
                arguments = invocation.leading_arguments(max(chosen) + 1)
            chosen = tuple(each for each in chosen if each < len(arguments))
            if not chosen:
                return None
        if len(chosen) == 1:
            return text_of(arguments[chosen[0]]).encode("utf-8", "surrogatepass")
        return "".join(text_of(arguments[each]) for each in chosen).encode("utf-8", "surrogatepass")

    def _positions(self, signature: MethodContract) -> tuple[int, ...]:
        """The chosen arguments of a method by number."""
        names = [param.name for param in signature.params]
        found = []
        for each in self._options.arguments:
            if each in names:
                found.append(names.index(each))
            elif each.isdecimal() and int(each) < len(names):
                found.append(int(each))
        if len(self._keys) >= _METHODS:
            self._keys.clear()
        positions = self._keys[signature.attribute] = tuple(found)
        return positions

    def _among(self, invokers: Sequence[Invoker], table: _Table, key: bytes) -> Invoker:
        """The next on the ring that is one of `invokers`: what is left of the providers after a failed attempt."""
        allowed = {id(each) for each in invokers}
        for each in table.ring.walk(key_point(key)):
            if id(each) in allowed:
                return each
        return self._random.draw(invokers)

    def _prepare(self, invokers: tuple[Invoker, ...], before: _Table | None) -> _Table:
        for each in invokers:
            each.load.on_reweigh(self, self._reweighed)
            each.load.observe(self, self._observer)
        return _Table(invokers, before, self._options.nodes, self._changes)

    def _observer(self) -> _Busy:
        return self._busy

    def _reweighed(self) -> None:
        self._changes += 1


class _Busy:
    """Counts the calls in progress at all providers (`gateway.spi.cluster.LoadObserver`)."""

    __slots__ = ("calls",)

    def __init__(self) -> None:
        self.calls = 0

    def began(self, now: float) -> None:
        self.calls += 1

    def ended(self, began: float, now: float, outcome: Result | BaseException) -> None:
        self.calls -= 1


class _Table:
    """The ring of one tuple of providers. `weight`: of all of them."""

    __slots__ = ("_held", "_nodes", "invokers", "made_at", "ring", "weight")

    def __init__(self, invokers: tuple[Invoker, ...], before: _Table | None, nodes: int, made_at: int) -> None:
        self.invokers = invokers
        self._nodes = nodes
        # Most changes are of one provider: the ring before it, without who left, is nearly the new one.
        self.ring: HashRing[Invoker] = HashRing(_address) if before is None else before.ring.copy()
        self._held: dict[Invoker, _Held] = {} if before is None else dict(before._held)
        present = set(invokers)
        for gone in [each for each in self._held if each not in present]:
            held = self._held.pop(gone)
            self.ring.remove(gone, held.points[: held.count])
        self.reweigh(made_at)

    def points_of(self, invoker: Invoker) -> int:
        """How many of the points are this one's."""
        held = self._held.get(invoker)
        return 0 if held is None else held.count

    def reweigh(self, made_at: int) -> None:
        """Gives everybody the points of their present weight."""
        self.made_at = made_at
        loads = [each.load for each in self.invokers]
        self.weight = sum(load.weight for load in loads)
        usual = _middle(loads)
        fresh: list[tuple[Invoker, _Held]] = []
        for invoker, load in zip(self.invokers, loads, strict=True):
            # Nobody has a weight where that of all is nothing; then everybody counts alike.
            weight = load.weight if self.weight else usual
            count = min(_MOST_POINTS * self._nodes, round(self._nodes * weight / usual)) or int(weight > 0)
            held = self._held.get(invoker, _NOTHING)
            if count == held.count:
                continue
            points = held.points
            if count > len(points):
                points = points_of(invoker.endpoint.address, -(-count // POINTS_PER_DIGEST) * POINTS_PER_DIGEST)
            self._held[invoker] = now = _Held(points, count)
            if not len(self.ring):
                fresh.append((invoker, now))
            elif count > held.count:
                self.ring.add(invoker, points[held.count : count])
            else:
                self.ring.remove(invoker, points[count : held.count])
        if fresh:
            self.ring.fill([each for each, _ in fresh], [held.points[: held.count] for _, held in fresh])


class _Held:
    """The points of an address that were worked out, and how many of them are on the ring. Never changed."""

    __slots__ = ("count", "points")

    def __init__(self, points: tuple[int, ...], count: int) -> None:
        self.points = points
        self.count = count


_NOTHING: Final = _Held((), 0)


def _address(invoker: Invoker) -> str:
    return invoker.endpoint.address


def _middle(loads: Sequence[Load]) -> float:
    """The middle one of the configured weights, of those that have any.

    Not the largest, nor the average: those change for everybody when one with another weight joins, and then keys move
    that need not.
    """
    weights = sorted(load.configured_weight for load in loads if load.configured_weight)
    return weights[(len(weights) - 1) // 2] if weights else 1.0


def _build(options: ConsistentHashOptions) -> ConsistentHash:
    return ConsistentHash(options)


PLUGIN: Final = BalancerPlugin("consistent_hash", ConsistentHashOptions, _build)
