"""Writes the Java sources of the demo services, as `polyport export java` does; the peers are compiled against them."""

import sys
from pathlib import Path

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from protocols.dubbo.idl import export_java


def main(target: Path) -> None:
    for name, source in export_java([contract_of(Catalog), contract_of(Types)]).items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
