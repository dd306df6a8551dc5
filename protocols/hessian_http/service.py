"""A contract compiled for hessian://, and which of its methods a call means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from gateway.model.contract import MISSING, MethodContract, ServiceContract
from gateway.model.errors import ContractError, NoSuchMethod
from gateway.model.typeref import Kind
from protocols import java
from protocols.dubbo.service import MethodBinding
from protocols.hessian.caucho import CAUCHO, caucho_dialect
from protocols.hessian.definition import DefinitionCache
from protocols.hessian.dialect import Dialect
from protocols.hessian.errors import shorten
from protocols.hessian.numbers import encode_int
from protocols.hessian.text import encode_text
from protocols.hessian.typed import TypedCompiler
from protocols.hessian_http.call import old_text
from protocols.hessian_http.mangling import counted_name, mangled_name, split_count
from protocols.hessian_http.mapping import check_contract

__all__ = ["ServiceMethods", "compile_methods", "java_types", "takes"]

_INTERFACES: Final = tuple(
    caucho_dialect(plain_time=plain, decimal_text=text) for plain in (False, True) for text in (False, True)
)
"""What the parameters of callers may be called, whatever is written to them."""


def compile_methods(contract: ServiceContract, dialect: Dialect) -> tuple[MethodBinding, ...]:
    """The methods of a contract, ready for both directions.

    Raises:
        ContractError: hessian:// cannot carry it; lists everything that is wrong.
    """
    if problems := check_contract(contract):
        raise ContractError(f"{contract.name} cannot be carried by hessian://: " + "; ".join(problems))
    compiler, definitions = TypedCompiler(contract, dialect), DefinitionCache()
    return tuple(MethodBinding(method, contract, compiler, definitions) for method in contract.methods)


def java_types(method: MethodContract, contract: ServiceContract, dialect: Dialect = CAUCHO) -> list[str]:
    """The Java types of the parameters, where a peer's interface follows the dialect."""
    types: list[str] = []
    for param in method.params:
        ref = param.type
        if ref.kind in dialect.format_text:
            types.append("java.lang.String")
        elif ref.kind is Kind.DATETIME and dialect.dates:
            types.append("java.util.Date")
        else:
            types.append(java.type_name(ref, contract))
    return types


def takes(method: MethodContract, count: int) -> bool:
    """Whether a call with so many arguments can mean it: what is missing at the end has defaults."""
    params = method.params
    return count <= len(params) and all(param.default is not MISSING for param in params[count:])


class ServiceMethods:
    """The methods of a service by the names that callers use: the Java name, that of the contract, the unique one of
    Python, and those of `protocols.hessian_http.mangling`.

    Attributes:
        by_head: Methods by how a call in Hessian 2 begins, name and number of arguments as they stand there.
        by_old_head: Methods by how one in Hessian 1 does, its name with tag and length, where it means one method.
    """

    def __init__(self, contract: ServiceContract, dialect: Dialect) -> None:
        self.contract: Final = contract
        self.dialect: Final = dialect
        self.methods: Final = compile_methods(contract, dialect)
        self._by_attribute: Final = {each.signature.attribute: each for each in self.methods}
        named: dict[str, dict[MethodBinding, None]] = {}
        for method in self.methods:
            for name in _names(method.signature, contract):
                named.setdefault(name, {})[method] = None
        self._named: Final = {name: tuple(found) for name, found in named.items()}
        self.by_head: Final[Mapping[bytes, MethodBinding]] = dict(self._heads())
        self.by_old_head: Final[Mapping[bytes, MethodBinding]] = {
            old_text(b"m", name): found[0] for name, found in self._named.items() if len(found) == 1
        }

    def _heads(self) -> Iterator[tuple[bytes, MethodBinding]]:
        for name, found in self._named.items():
            for count in {len(each.signature.params) for each in found}:
                fitting = [each for each in found if takes(each.signature, count)]
                if len(fitting) == 1:
                    yield encode_text(name) + encode_int(count), fitting[0]

    def of(self, signature: MethodContract) -> MethodBinding:
        """The binding of one of the contract's methods."""
        return self._by_attribute[signature.attribute]

    def named(self, name: str) -> Sequence[MethodBinding]:
        """What a name may mean.

        Raises:
            NoSuchMethod: nothing.
        """
        found = self._named.get(name)
        if found is None and (counted := split_count(name)) is not None:
            # With defaults, a method has more counts than parameters.
            plain, count = counted
            found = tuple(each for each in self._named.get(plain, ()) if takes(each.signature, count))
        if not found:
            raise NoSuchMethod(f"{self.contract.name} has no method {shorten(name)}")
        return found

    def fitting(self, name: str, count: int) -> Sequence[MethodBinding]:
        """What a call by this name with so many arguments may mean.

        Raises:
            NoSuchMethod: nothing; lists what there is.
        """
        named = self.named(name)
        fitting = [each for each in named if takes(each.signature, count)]
        if not fitting:
            listed = "; ".join(each.signature.signature for each in named)
            raise NoSuchMethod(f"{self.contract.name}: no {shorten(name)} takes {count} arguments, only {listed}")
        return fitting


def _names(method: MethodContract, contract: ServiceContract) -> Iterable[str]:
    plain = (java.method_name(method), method.name, method.attribute)
    yield from plain
    for name in plain[:2]:
        yield counted_name(name, len(method.params))
    for name in plain[:2] if method.params else ():
        for dialect in _INTERFACES:
            types = java_types(method, contract, dialect)
            yield mangled_name(name, types)
            yield mangled_name(name, types, full=True)
