"""Contracts of files for programs that have no configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway.config.contract_file import file_services
from gateway.plugins.catalog import Catalog

__all__ = ["read_contracts"]


def read_contracts(path: str | Path) -> Mapping[str, type[Any]]:
    """The contract classes of all services in a file of another language (`shop.thrift`), by contract name.

    What takes a contract class takes these, and the classes of their types stand in the same module: `contract_of`
    names them. Reading a file again gives the same classes as long as it says the same.

    Raises:
        ContractError: no installed protocol reads files with this suffix, the file cannot be read, or it says what no
            contract can say.
        PluginError: two plug-ins have one name.
    """
    return file_services(str(path), Catalog(), Path())
