"""Python objects named in a configuration: contracts and implementations."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Mapping
from typing import Any

from gateway.config.sections.service import ServiceConfig
from gateway.config.suggestion import suggestion
from gateway.contracts import check_implementation, contract_of
from gateway.model.contract import ServiceContract
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError

__all__ = [
    "check_implementation_target",
    "import_target",
    "load_contract",
    "load_implementation",
    "service_key",
]


def import_target(target: str) -> Any:
    """The object behind `package.module:Name`.

    Raises:
        ContractError: there is no such module or name, or importing the module failed; says where.
    """
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        # Either this module or one of its parents is missing, or an import inside it fails: not the same mistake.
        if exc.name is not None and (module_name == exc.name or module_name.startswith(f"{exc.name}.")):
            raise ContractError(f"there is no module {exc.name!r}") from None
        raise ContractError(_import_failure(module_name, exc)) from exc
    except (Exception, SystemExit) as exc:
        raise ContractError(_import_failure(module_name, exc)) from exc
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            known = [each for each in dir(found) if not each.startswith("_")]
            owner = module_name if inspect.ismodule(found) else f"{module_name}:{getattr(found, '__qualname__', found)}"
            raise ContractError(f"{owner} has no {name!r}{suggestion(name, known)}") from None
    return found


def load_contract(service: ServiceConfig) -> ServiceContract | None:
    """The contract of a service; None for a generic one.

    Raises:
        ContractError: it cannot be imported, or does not describe a contract.
    """
    if service.contract is None:
        return None
    found = import_target(service.contract)
    if not inspect.isclass(found):
        raise ContractError(f"{service.contract} is not a class")
    return contract_of(found)


def service_key(service: ServiceConfig, contract: ServiceContract | None) -> ServiceKey:
    """What callers ask for. Raises ContractError when neither contract nor `interface` names it."""
    interface = service.interface or (contract.name if contract is not None else "")
    if not interface:
        raise ContractError("a service without a contract needs an interface")
    return ServiceKey(interface, service.group, service.version)


def load_implementation(service: ServiceConfig, contract: ServiceContract) -> object:
    """The object that answers the calls of a hosted service; classes and functions are called to make it.

    Raises:
        ContractError: it cannot be imported or made, or it does not implement the contract.
    """
    assert service.implementation is not None, "only hosted services have an implementation"
    found = import_target(service.implementation)
    if _is_factory(found):
        try:
            found = found(**service.options)
        except Exception as exc:
            shown = f"{type(exc).__name__}: {exc}"
            raise ContractError(f"{service.implementation} failed when it was called: {shown}") from exc
    check_implementation(contract, found)
    return found


def check_implementation_target(service: ServiceConfig, contract: ServiceContract | None) -> None:
    """What can be said about an implementation without making it.

    `contract`: None when it is broken itself.

    Raises:
        ContractError: it cannot be imported, does not take the options, or does not implement the contract.
    """
    assert service.implementation is not None, "only hosted services have an implementation"
    found = import_target(service.implementation)
    if _is_factory(found):
        _check_options(service.implementation, found, service.options)
    elif service.options:
        raise ContractError(f"{service.implementation} is an object, not a class or function, and takes no options")
    if contract is None:
        return
    if inspect.isclass(found):
        try:
            # An instance that was never initialised has all methods bound and has run none of its code.
            found = object.__new__(found)
        except TypeError as exc:
            raise ContractError(f"{service.implementation}: {exc}") from None
    elif _is_factory(found):
        return
    check_implementation(contract, found)


def _is_factory(found: Any) -> bool:
    return inspect.isclass(found) or inspect.isroutine(found)


def _check_options(target: str, factory: Any, options: Mapping[str, Any]) -> None:
    try:
        signature = inspect.signature(factory)
    except ValueError:
        return
    try:
        signature.bind(**options)
    except TypeError as exc:
        raise ContractError(f"{target} does not take these options: {exc}") from None


def _import_failure(module_name: str, exc: BaseException) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    inside = [frame for frame in frames if "importlib" not in frame.filename and frame.filename != __file__]
    where = f" ({inside[-1].filename}:{inside[-1].lineno})" if inside else ""
    if isinstance(exc, SyntaxError) and exc.filename:
        where = f" ({exc.filename}:{exc.lineno})"
    return f"importing {module_name} failed: {type(exc).__name__}: {exc}{where}"
