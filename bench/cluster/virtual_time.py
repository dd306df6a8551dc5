"""Gives the gateway's code the world's clock and reproducible luck, without changing or repeating that code.

The gateway takes clocks and random numbers as parameters whose defaults are the real ones. Those defaults are what is
replaced here, for as long as a simulation runs: whatever is built meanwhile, by the same functions as in a gateway, has
the world's clock.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, Final

from bench.cluster.world import World

__all__ = ["virtual_time"]

_PACKAGES: Final = ("gateway", "adapters", "protocols", "registry")
_CLOCKS: Final = ("monotonic", "perf_counter", "time")

_Swap = Mapping[int, Any]
"""By the identity of what is replaced: what stands there instead. Not by equality, which anything may define."""


@contextmanager
def virtual_time(world: World, seed: int) -> Iterator[None]:
    """Until it is left, clocks show the world's time and the shared random generator follows from `seed`.

    What was built before keeps the clock that it has.
    """
    clocks: dict[str, Callable[[], float]] = {
        "monotonic": world.monotonic,
        "perf_counter": lambda: world.now,
        "time": world.wall,
    }
    real = {name: getattr(time, name) for name in _CLOCKS}
    state = random.getstate()
    for name, clock in clocks.items():
        setattr(time, name, clock)
    _rebind({id(real[name]): clocks[name] for name in _CLOCKS})
    random.seed(seed)
    try:
        yield
    finally:
        for name in _CLOCKS:
            setattr(time, name, real[name])
        # All modules again, not only those of before: some were imported meanwhile.
        _rebind({id(clocks[name]): real[name] for name in _CLOCKS})
        random.setstate(state)


def _rebind(swap: _Swap) -> None:
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] in _PACKAGES and isinstance(module, ModuleType):
            for key, value in tuple(vars(module).items()):
                if id(value) in swap:
                    setattr(module, key, swap[id(value)])
                elif isinstance(value, FunctionType):
                    _rebind_defaults(value, swap)
                elif isinstance(value, type) and value.__module__ == name:
                    _rebind_class(value, swap)


def _rebind_class(found: type, swap: _Swap) -> None:
    for value in tuple(vars(found).values()):
        inner = getattr(value, "__func__", value)
        if isinstance(inner, FunctionType):
            _rebind_defaults(inner, swap)


def _rebind_defaults(function: FunctionType, swap: _Swap) -> None:
    defaults, named = function.__defaults__, function.__kwdefaults__
    if defaults and any(id(each) in swap for each in defaults):
        function.__defaults__ = tuple(swap.get(id(each), each) for each in defaults)
    if named and any(id(each) in swap for each in named.values()):
        function.__kwdefaults__ = {key: swap.get(id(each), each) for key, each in named.items()}
