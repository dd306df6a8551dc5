"""Python objects named in a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.sections.service import ServiceConfig
from gateway.config.target import (
    check_implementation_target,
    import_target,
    load_contract,
    load_implementation,
    service_key,
)
from gateway.contracts import contract_of
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import ContractError
from tests.support.greeting import GREETER, Greeter, Greeting

CONTRACT = contract_of(Greeting)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_objects_are_found_by_module_and_attribute() -> None:
    assert import_target("tests.support.greeting:Greeter") is Greeter
    assert import_target("tests.support.greeting:Greeter.greet") is Greeter.greet


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_package_here", "ModuleNotFoundError: No module named 'no_such_package_here'"),
        ("x = 1 / 0", "ZeroDivisionError"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_fails_says_where(module: Path, source: str, message: str) -> None:
    (module / "broken_service.py").write_text(f"\n{source}\n")

    with pytest.raises(ContractError) as caught:
        import_target("broken_service:X")

    assert message in str(caught.value)
    assert "broken_service.py:2" in str(caught.value)


def test_a_missing_module_and_a_missing_parent_are_named() -> None:
    with pytest.raises(ContractError, match="there is no module 'nope'"):
        import_target("nope.inner:X")
    with pytest.raises(ContractError, match=r"there is no module 'tests\.support\.nope'"):
        import_target("tests.support.nope:X")


def test_implementations_are_made_with_their_options() -> None:
    made = load_implementation(
        ServiceConfig(implementation="tests.support.greeting:Greeter", options={"word": "hi", "times": 2}), CONTRACT
    )

    assert isinstance(made, Greeter)
    assert (made.word, made.times) == ("hi", 2)
    assert load_implementation(ServiceConfig(implementation="tests.support.greeting:GREETER"), CONTRACT) is GREETER


def test_an_implementation_that_fails_when_it_is_made_is_named(module: Path) -> None:
    (module / "failing_service.py").write_text(
        "class Impl:\n    def __init__(self):\n        raise OSError('no disk')\n"
    )

    with pytest.raises(ContractError, match="failing_service:Impl failed when it was called: OSError: no disk"):
        load_implementation(ServiceConfig(implementation="failing_service:Impl"), CONTRACT)


def test_checking_an_implementation_does_not_make_it(module: Path) -> None:
    (module / "costly_service.py").write_text(
        "from tests.support.greeting import Greeter\n"
        "class Impl(Greeter):\n    def __init__(self):\n        raise AssertionError('made')\n"
    )

    check_implementation_target(ServiceConfig(implementation="costly_service:Impl"), CONTRACT)


def test_abstract_classes_are_no_implementations(module: Path) -> None:
    (module / "abstract_service.py").write_text(
        "from abc import ABC, abstractmethod\n"
        "class Impl(ABC):\n    @abstractmethod\n    async def greet(self, name): ...\n    async def count(self): ...\n"
    )

    with pytest.raises(ContractError, match="abstract"):
        check_implementation_target(ServiceConfig(implementation="abstract_service:Impl"), CONTRACT)


def test_service_keys_come_from_the_contract_or_the_interface() -> None:
    named = ServiceConfig(contract="tests.support.greeting:Greeting", group="g", version="0.0.0")
    assert service_key(named, load_contract(named)) == ServiceKey("test.Greeting", "g", "")
    other = ServiceConfig(contract="tests.support.greeting:Greeting", interface="com.acme.Greeting")
    assert service_key(other, load_contract(other)) == ServiceKey("com.acme.Greeting")
    assert load_contract(ServiceConfig(generic=True, interface="x")) is None
    with pytest.raises(ContractError, match="needs an interface"):
        service_key(ServiceConfig(generic=True), None)
