"""What a command of a server looks like from a method: the places of its arguments, and the kind of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["Answer", "Role", "Verb"]


class Role(Enum):
    """What stands in a place."""

    KEY = "key"
    """One key: a scalar."""
    KEYS = "keys"
    """Keys: a list or set of scalars, or one."""
    FIELD = "field"
    """The name of a field: a scalar."""
    FIELDS = "fields"
    """Names of fields, like keys."""
    VALUE = "value"
    """A value, in the encoding."""
    VALUES = "values"
    """Values: a list or set, each in the encoding."""
    ENTRIES = "entries"
    """Values by key or field: a map, or for fields a struct."""
    TTL = "ttl"
    """A time to live: whole or broken seconds, or a duration; null for ever."""
    DELTA = "delta"
    """A whole number that is added."""
    AMOUNT = "amount"
    """A number that is added, broken ones too."""
    INDEX = "index"
    """A place in a list."""
    VERSION = "version"
    """What `gets` gave with a value."""


class Answer(Enum):
    """What a command answers, and so what the method may return."""

    VALUE = "the value"
    VALUES = "the values, in the order of the keys: a list, or a map without those that are not there"
    ITEMS = "values: a list or set"
    TEXTS = "texts: a list or set of scalars"
    ENTRIES = "values by field: a map or struct"
    ENTRY = "a struct with the fields value and version"
    DONE = "whether it was done: a bool, or nothing"
    COUNT = "a number: an integer, a bool (whether it is more than 0), or nothing"
    NUMBER = "a number: an integer"
    FLOAT = "a number: f64 or decimal"
    TTL = "the time to live: a duration or seconds; null for ever, or where nothing is there"


@dataclass(frozen=True, slots=True)
class Verb:
    """`places`: name and role of each argument, in order; the first `needed` of them must be filled.

    `misses`: whether it can find nothing, so that `Exception=miss` has a meaning.
    """

    places: tuple[tuple[str, Role], ...]
    answer: Answer
    needed: int = 1
    misses: bool = False
    expires: bool = False
    """Whether the expiry of the reference counts where the method has no time to live."""

    def role_of(self, name: str) -> Role | None:
        """The role of a place by its name."""
        return next((role for each, role in self.places if each == name), None)
