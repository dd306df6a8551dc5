"""How a mount is written: which method answers a verb for keys with a prefix.

    mounts:
      "store:":
        get: get
        set: set(key, value, ttl)
        delete: remove ProductNotFound=miss

The text behind a verb names a method by its attribute, or by its name where no overload shares it. In parentheses stand
the arguments that the verb fills, in the order of the method's parameters; without them the verb's own order is taken,
as far as the method has parameters. Behind it stand exceptions that mean there is nothing under that key, and for
`incr` those that mean that what is there is no number (`incr: count NoNumber=number`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["ARGUMENTS", "MOUNTS_OPTION", "VERBS", "MountEntry", "Verb", "parse_entry"]

MOUNTS_OPTION: Final = "mounts"
"""The option of a service (`Exposure.options`) that holds its mounts: verb to entry, by prefix."""

ARGUMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "key": "the key without the prefix",
        "value": "the value that is stored",
        "ttl": "seconds until it expires, null for never",
        "delta": "what is added",
        "initial": "what is stored where there was nothing to add to, null for nothing",
        "flags": "the flags of memcached",
        "version": "of the entry that is replaced",
        "pattern": "a glob for keys",
    }
)
"""What a verb can fill into a parameter."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a wire can ask of a mount. `order`: of the arguments; the first `needed` of them the method must take."""

    order: tuple[str, ...]
    needed: int
    doc: str


VERBS: Final[Mapping[str, Verb]] = MappingProxyType(
    {
        "get": Verb(("key",), 1, "the value; null is a miss"),
        "gets": Verb(("key",), 1, "a struct with the fields value, version and perhaps flags; null is a miss"),
        "set": Verb(("key", "value", "ttl", "flags"), 1, "stores whatever was there"),
        "add": Verb(("key", "value", "ttl", "flags"), 1, "stores unless something is there; says whether it did"),
        "replace": Verb(("key", "value", "ttl", "flags"), 1, "stores where something is there; says whether it did"),
        "cas": Verb(
            ("key", "value", "version", "ttl", "flags"),
            3,
            "stores where the version is the same; null where nothing is there",
        ),
        "append": Verb(("key", "value"), 2, "behind the value that is there; says whether one was, or the new length"),
        "prepend": Verb(("key", "value"), 2, "before it"),
        "getset": Verb(("key", "value"), 2, "stores, and gives the value that was there"),
        "getdel": Verb(("key",), 1, "removes, and gives the value that was there"),
        "delete": Verb(("key",), 1, "removes; says whether it was there"),
        "exists": Verb(("key",), 1, "whether it is there"),
        "incr": Verb(
            ("key", "delta", "initial", "ttl"),
            1,
            "adds, also what is negative, and gives the sum, or what was stored where nothing was; null is a miss",
        ),
        "expire": Verb(("key", "ttl"), 2, "sets the time to live; says whether it is there"),
        "ttl": Verb(("key",), 1, "the time to live, null for ever"),
        "keys": Verb(("pattern",), 0, "the keys, without the prefix"),
        "flush": Verb((), 0, "removes everything"),
    }
)
"""Every verb of a mount; wires have several commands for some of them, and none for others."""

_ENTRY: Final = re.compile(
    r"(?P<method>[^\W\d]\w*)\s*(?:\((?P<arguments>[^()]*)\))?(?P<meanings>(?:\s+[^\W\d][\w.]*=(?:miss|number))*)\s*"
)


@dataclass(frozen=True, slots=True)
class MountEntry:
    """One line, read. `arguments`: None where none are written.

    `misses`: exceptions that mean there is nothing. `no_numbers`: those that mean that what is there is no number.
    """

    method: str
    arguments: tuple[str, ...] | None = None
    misses: tuple[str, ...] = ()
    no_numbers: tuple[str, ...] = ()


def parse_entry(text: str) -> MountEntry:
    """Reads `method(key, value) Exception=miss`.

    Raises:
        ValueError: it is not written like that, or has an argument that no verb can fill; says which.
    """
    found = _ENTRY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not written like 'method', 'method(key, value)' or 'method NotFound=miss'")
    meanings = found["meanings"].split()
    misses = tuple(each.removesuffix("=miss") for each in meanings if each.endswith("=miss"))
    no_numbers = tuple(each.removesuffix("=number") for each in meanings if each.endswith("=number"))
    if found["arguments"] is None:
        return MountEntry(found["method"], None, misses, no_numbers)
    arguments = tuple(each.strip() for each in found["arguments"].split(",")) if found["arguments"].strip() else ()
    for each in arguments:
        if each not in ARGUMENTS:
            raise ValueError(f"{text!r}: there is no argument {each!r}; there are {', '.join(ARGUMENTS)}")
        if arguments.count(each) > 1:
            raise ValueError(f"{text!r}: the argument {each!r} stands twice")
    return MountEntry(found["method"], arguments, misses, no_numbers)
