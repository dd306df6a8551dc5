"""Which service and method a caller means.

| name in the call | meaning |
| --- | --- |
| `Service:method` | a method of that service |
| `method` | a method of the only service, or of the default one |

A service is called `[group/]interface[:version]`, where the interface is the contract's name, its name in Thrift
(`protocols.thrift.names`) or its Java name; the last two each with `$Iface` behind it as well, as Dubbo 2.7 names it.
A short name that fits several services means none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError, NoSuchMethod, NoSuchService
from gateway.model.exposure import Exposure
from protocols import java
from protocols.thrift.service import MethodForm, ServiceForm
from protocols.thrift.strict import call_head

__all__ = ["Directory", "Target"]

_SHOWN: Final = 80
_JAVA_SUFFIX: Final = "$Iface"


class Target:
    """A method of an exposed service."""

    __slots__ = ("method", "service")

    def __init__(self, service: ServiceKey, method: MethodForm) -> None:
        self.service: Final = service
        self.method: Final = method


class Directory:
    """All methods of a listener by the names they have in calls.

    `default`: the service of methods without a service's name; the only one where None.

    Raises:
        ContractError: a contract cannot be carried, or the default service is not there.
    """

    def __init__(self, exposures: Sequence[Exposure], default: ServiceKey | None) -> None:
        forms: dict[int, ServiceForm] = {}
        self._methods: dict[bytes, Target] = {}
        self.heads: Final[dict[bytes, Target]] = {}
        """The methods by how their calls begin in the binary encoding with a version (`protocols.thrift.strict`)."""
        self._services: dict[str, str] = {}
        for each in exposures:
            if each.contract is None:
                raise ContractError(f"{each.service}: thrift:// carries no service without a contract")
            if id(each.contract) not in forms:
                forms[id(each.contract)] = ServiceForm(each.contract)
        called = Counter(name for each in exposures for name in _names(each, forms[id(each.contract)]))
        for each in exposures:
            form = forms[id(each.contract)]
            for name in _names(each, form):
                if called[name] == 1 or name == str(each.service):
                    self._add(f"{name}:", each, form)
                    self._services[name] = str(each.service)
        if default is not None and all(each.service != default for each in exposures):
            raise ContractError(f"the default service {default} is not shown on this listener")
        for each in exposures:
            if len(exposures) == 1 or each.service == default:
                self._add("", each, forms[id(each.contract)])
                self._services[""] = str(each.service)
        self.longest_head: Final = max(map(len, self.heads), default=0)

    def _add(self, prefix: str, exposure: Exposure, form: ServiceForm) -> None:
        for method in form.methods.values():
            name, target = prefix.encode() + method.name, Target(exposure.service, method)
            self._methods[name] = self.heads[call_head(name)] = target

    def find(self, name: bytes, service: bytes = b"") -> Target:
        """The method of a call. `service`: the name of its service, where it stands apart.

        Raises:
            NoSuchService, NoSuchMethod: there is none.
        """
        found = self._methods.get(service + b":" + name if service else name)
        if found is not None:
            return found
        prefix, _, method = (service + b":" + name if service else name).decode("utf-8", "replace").rpartition(":")
        key = self._services.get(prefix)
        if key is None:
            if prefix:
                raise NoSuchService(f"there is no service {_shown(prefix)} here")
            raise NoSuchService(f"the method {_shown(method)} does not say of which service; call it Service:method")
        raise NoSuchMethod(f"{key} has no method {_shown(method)}")


def _names(exposure: Exposure, form: ServiceForm) -> Sequence[str]:
    key, contract = exposure.service, form.contract
    interfaces = [key.interface]
    if key.interface == contract.name:
        for name in (form.name, java.interface_name(contract)):
            interfaces += [name, name + _JAVA_SUFFIX]
    return tuple(dict.fromkeys(str(ServiceKey(each, key.group, key.version)) for each in interfaces))


def _shown(name: str) -> str:
    return repr(name) if len(name) <= _SHOWN else f"of {len(name)} characters"
