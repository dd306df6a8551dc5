"""Contracts that somebody else's language described, as the classes which a module of Python would have held.

The module is written (`gateway.contracts.source`), run and kept under a name made of its text, so that the same text
gives the same classes. Everything that takes a contract class takes these.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any, Final

from gateway.contracts.declaration import ServiceNote, note_of
from gateway.contracts.python import contract_of
from gateway.contracts.source import python_source
from gateway.model.contract import ServiceContract
from gateway.model.errors import ContractError

__all__ = ["contract_module", "services_of"]

_PREFIX: Final = "polyport_contract"


def contract_module(contracts: Sequence[ServiceContract], title: str) -> ModuleType:
    """A module with the classes of these contracts, as `importlib.import_module` finds it by its name.

    `title`: where they come from; part of the name.

    Raises:
        ContractError: they cannot be written as Python, or break a rule of contracts; lists what is wrong.
    """
    try:
        source = python_source(contracts, f"Contracts of {title}.")
    except RecursionError:
        raise ContractError(f"the contracts of {title} have types that are nested too deep") from None
    digest = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    stem = "".join(each if each.isascii() and each.isalnum() else "_" for each in title)
    name = f"{_PREFIX}_{stem}_{digest}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    module = ModuleType(name)
    # Type hints of a class are looked up in the module that has its name.
    sys.modules[name] = module
    file = f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    try:
        # All names in it were checked to be identifiers, all else are literals.
        exec(compile(source, file, "exec"), module.__dict__)
        for each in services_of(module).values():
            contract_of(each)
    except ContractError:
        del sys.modules[name]
        raise
    except Exception as exc:
        del sys.modules[name]
        raise ContractError(f"the contracts of {title} cannot be made: {type(exc).__name__}: {exc}") from exc
    return module


def services_of(module: ModuleType) -> Mapping[str, type[Any]]:
    """The contract classes that a module defines, by contract name."""
    found = {}
    for each in vars(module).values():
        note = note_of(each) if isinstance(each, type) and each.__module__ == module.__name__ else None
        if isinstance(note, ServiceNote):
            found[note.name] = each
    return MappingProxyType(found)
