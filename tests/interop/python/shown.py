"""What a peer was answered, a line of JSON for each check: `{"check": name, "value": …}`, or `"error": …` in its place.

Values are told as every language can: bytes are text where they are UTF-8 and `hex:…` elsewhere.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

_HEX = "hex:"


def shown(value: Any) -> Any:
    """The same in types of JSON."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return _HEX + value.hex()
    if isinstance(value, Mapping):
        return {str(shown(key)): shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(shown(each) for each in value)
    if isinstance(value, Exception):
        return f"error: {value}"
    return value


class Shown:
    """Prints checks as they are made. `told`: what to say of an error of the library."""

    def __init__(self, told: Callable[[Exception], str] = str) -> None:
        self._told = told

    def check(self, name: str, step: Callable[[], Any]) -> None:
        try:
            line = {"check": name, "value": shown(step())}
        except Exception as error:
            line = {"check": name, "error": self._told(error)}
        print(json.dumps(line), flush=True)


def run_all(runs: Mapping[str, Callable[[int, Shown], None]]) -> None:
    """Runs what the arguments say, `NAME:PORT`, after a line that names it."""
    for argument in sys.argv[1:]:
        name, _, port = argument.rpartition(":")
        print(json.dumps({"run": name}), flush=True)
        runs[name](int(port), Shown())
