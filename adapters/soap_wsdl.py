"""References of webservice:// that name the WSDL of a service: the file, and whether a contract is what it says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from gateway.model.contract import ServiceContract
from gateway.model.errors import ContractError
from gateway.spi.plugin import Misfit, Option, OptionKind

if TYPE_CHECKING:
    from protocols.soap.foreign.reader import Services

__all__ = ["PORT", "WSDL", "WSDL_OPTIONS", "ZONE", "load_wsdl", "wsdl_misfits"]

WSDL: Final = "wsdl"
PORT: Final = "wsdl_port"
ZONE: Final = "zone"
_ZONE: Final = re.compile(r"Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9]")
_KEPT: Final = 32


def load_wsdl(path: str) -> Services:
    """The services of a WSDL in a file; relative paths begin where the process runs.

    A configuration is read before anything is served, so this is not done while calls run. A file that did not change
    is read once, however many references name it.

    Raises:
        ValueError: it cannot be read; says why.
    """
    try:
        known = os.stat(path)
    except OSError as exc:
        raise ValueError(f"{path} cannot be read: {exc.strerror or exc}") from None
    try:
        return _load(os.path.abspath(path), known.st_mtime_ns, known.st_size)
    except ContractError as exc:
        raise ValueError(str(exc)) from None


@lru_cache(maxsize=_KEPT)
def _load(path: str, _changed: int, _size: int) -> Services:
    # Imported when somebody names a WSDL: most references do without.
    from gateway.contracts.document import open_document
    from protocols.soap.wsdl_import import read_foreign_wsdl

    return read_foreign_wsdl(open_document(path, web=False))


def wsdl_misfits(contract: ServiceContract, options: Mapping[str, Any]) -> Sequence[Misfit]:
    """What is wrong with the options here beside a contract."""
    from protocols.soap.foreign.calls import differences
    from protocols.soap.foreign.client import choose_port

    services = options.get(WSDL)
    if services is None:
        return [Misfit((each,), f"without {WSDL} it means nothing") for each in (PORT, ZONE) if each in options]
    try:
        service, _ = choose_port(services, contract.name, options.get(PORT, ""))
    except ContractError as exc:
        return [Misfit((PORT if options.get(PORT) else WSDL,), str(exc))]
    return [Misfit((WSDL,), f"the contract is not what it says: {each}") for each in differences(contract, service)]


def _parse_zone(text: str) -> str:
    if _ZONE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no zone like Z or +01:00")
    return text


WSDL_OPTIONS: Final[Mapping[str, Option]] = MappingProxyType(
    {
        WSDL: Option(
            OptionKind.TEXT,
            "File with the WSDL of a service of any style, for a contract that was imported from it. Version of SOAP, "
            "path and names are those of the WSDL then, and send_context is false by default.",
            parse=load_wsdl,
        ),
        PORT: Option(OptionKind.TEXT, "Name of the port in the WSDL; the first that has the contract by default."),
        ZONE: Option(
            OptionKind.TEXT,
            "Zone of an xs:dateTime without one in answers (Z, +01:00). Such answers are refused by default.",
            parse=_parse_zone,
        ),
    }
)
