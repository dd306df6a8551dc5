"""Counts checks and prints a line for each: `ok <name>` or `FAIL <name>: why`, and in the end `N of M checks`."""

from collections.abc import Callable
from typing import Any


class Checks:
    def __init__(self) -> None:
        self._passed = 0
        self._total = 0

    def same(self, name: str, expected: object, step: Callable[[], Any]) -> Any:
        """Passes when the step gives an equal value of the same class; gives it back."""
        self._total += 1
        value = None
        try:
            value = step()
        except Exception as trouble:  # whatever a generated client raises is its report
            print(f"FAIL {name}: {trouble!r}")
            return value
        if type(value) is type(expected) and value == expected:
            self._passed += 1
            print(f"ok {name}")
        else:
            print(f"FAIL {name}: expected {expected!r}, got {value!r}")
        return value

    def summary(self) -> None:
        print(f"{self._passed} of {self._total} checks")
