"""webservice:// towards a service with a WSDL of its own: `SoapClientBinding` with other messages."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError
from protocols.contract import Outcome
from protocols.soap.client import ClientOptions, SoapClientBinding
from protocols.soap.document import DEFAULT_XML_LIMITS, XmlLimits
from protocols.soap.envelope import Version
from protocols.soap.foreign.binding import Port
from protocols.soap.foreign.calls import ForeignCalls
from protocols.soap.foreign.reader import ForeignService, Services

__all__ = ["ForeignClientBinding", "choose_port"]


class ForeignClientBinding(SoapClientBinding):
    """Calls what a WSDL describes.

    `services`: of the WSDL. `port`: name of the one to call, empty for the first that has the contract. `zone`: of
    instants without one. The version of SOAP is that of the port, and the path that of its address, unless options or
    the provider's URL say another.
    """

    def __init__(
        self,
        options: ClientOptions,
        services: Services,
        port: str = "",
        zone: str = "",
        limits: XmlLimits = DEFAULT_XML_LIMITS,
    ) -> None:
        super().__init__(options, limits)
        self._described: Final = services
        self._port = port
        self._zone = zone

    def _compile(self, contract: ServiceContract) -> Any:
        service, _ = choose_port(self._described, contract.name, self._port)
        return ForeignCalls(contract, service, self._zone)

    def _version_for(self, contract: ServiceContract) -> Version:
        return choose_port(self._described, contract.name, self._port)[1].binding.version

    def _own_path(self, service: ServiceKey, contract: ServiceContract) -> str:
        _, port = choose_port(self._described, contract.name, self._port)
        address = urlsplit(port.address)
        path = address.path + (f"?{address.query}" if address.query else "")
        return path if path.startswith("/") else super()._own_path(service, contract)

    def _read(self, service: Any, operation: Any, body: bytes, charset: str) -> Outcome:
        outcome: Outcome = operation.read_answer(body, charset, self._limits.max_elements)
        return outcome


def choose_port(services: Services, contract: str, port: str) -> tuple[ForeignService, Port]:
    """The service with a contract's name, and its port.

    Raises:
        ContractError: there is none.
    """
    found = next((each for each in services.services if each.contract.name == contract), None)
    if found is None:
        known = ", ".join(each.contract.name for each in services.services)
        raise ContractError(f"the WSDL has no {contract}; it has {known}")
    chosen = next((each for each in found.ports if not port or each.name == port), None)
    if chosen is None:
        raise ContractError(f"{contract} has no port {port!r}; it has {', '.join(each.name for each in found.ports)}")
    return found, chosen
