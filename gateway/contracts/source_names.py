"""Names in a module of Python that is written for contracts: what is imported, and what classes are called."""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Iterable, Iterator

__all__ = ["ModuleNames"]


class ModuleNames:
    """The global names of one module.

    Inside a class body the names of its fields and methods stand before those of the module, so a name that is imported
    must not be one of them: it gets an underscore in front. A class that is called like a builtin or like something
    imported gets an underscore behind.

    `members`: the names of all fields and methods.
    """

    def __init__(self, members: Iterable[str]) -> None:
        self._members = frozenset(members)
        self._taken: set[str] = set()
        self._imports: dict[str, dict[str, str]] = {}

    def use(self, module: str, name: str) -> str:
        """How the module calls something that it imports."""
        names = self._imports.setdefault(module, {})
        if name not in names:
            local = name
            while local in self._members or local in self._taken:
                local = f"_{local}"
            self._taken.add(local)
            names[name] = local
        return names[name]

    def define(self, wanted: str) -> str:
        """A name for something of the module's own, as near to the wanted one as can be."""
        # As Python itself will take it: two names that it takes for one are one here.
        plain = unicodedata.normalize("NFKC", wanted)
        name = "".join(each if each == "_" or each.isalnum() else "_" for each in plain)
        if name.startswith("__"):
            # Inside of classes it would be another name.
            name = f"_{name.lstrip('_')}"
        if not name.isidentifier():
            name = f"_{name}"
        while name in self._taken or keyword.iskeyword(name) or hasattr(builtins, name) or name in self._members:
            name = f"{name}_"
        self._taken.add(name)
        return name

    def imports(self) -> Iterator[tuple[str, list[str]]]:
        """Modules, ours last, and what is imported from each, with the names it gets here."""
        for module in sorted(self._imports, key=lambda each: (each.startswith("gateway"), each)):
            names = sorted(self._imports[module].items())
            yield module, [name if name == local else f"{name} as {local}" for name, local in names]
