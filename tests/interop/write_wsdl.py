"""Writes the WSDL of each demo service as a file: `python -m tests.interop.write_wsdl FOLDER`.

For generators that want their input when they are built; the addresses in it are nobody's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from protocols.soap.names import target_namespace
from protocols.soap.wsdl import ADDRESS, write_wsdl


def main(folder: Path) -> None:
    """Replaces what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in (Catalog, Types):
        contract = contract_of(each)
        document = write_wsdl(contract, target_namespace(contract.name))
        text = document.replace(ADDRESS, f"http://127.0.0.1:1/{contract.name}")
        (folder / f"{contract.name}.wsdl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
