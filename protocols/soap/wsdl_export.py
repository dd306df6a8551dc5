"""`polyport export wsdl`: one file per service, with what says where it would be on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from gateway.model.exposure import Exposure
from protocols.soap.names import target_namespace
from protocols.soap.text import escape_attribute
from protocols.soap.wsdl import ADDRESS, write_wsdl

__all__ = ["export_wsdl"]


def export_wsdl(exposures: Sequence[Exposure], port: int) -> Mapping[str, str]:
    """The text of the files by name. `port`: in the addresses, where whoever uses them writes their own."""
    files: dict[str, str] = {}
    for each in exposures:
        contract = each.contract
        # Services without one are left out before.
        assert contract is not None
        namespace = each.options.get("namespace", "") or target_namespace(contract.name)
        address = f"http://127.0.0.1:{port}/{quote(str(each.service), safe='/:$')}"
        name = str(each.service).replace("/", "_").replace(":", "_")
        files[f"{name}.wsdl"] = write_wsdl(contract, namespace).replace(ADDRESS, escape_attribute(address))
    return files
