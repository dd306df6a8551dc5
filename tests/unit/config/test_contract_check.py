"""Contracts and implementations named in a file."""

from __future__ import annotations

import pytest

from gateway.model.contract import ServiceContract
from tests.support.config_text import BASE, examined, problems, usable
from tests.support.fake_plugins import FakePlugins

GREETING = "contract: tests.support.greeting:Greeting"


def service(text: str) -> list[str]:
    return problems(BASE + f"services:\n  s: {{{text}}}\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contract: tests.support.nope:X, implementation: tests.support.greeting:Greeter",
         "services.s.contract: there is no module 'tests.support.nope'"),
        ("contract: tests.support.greeting:Greating, implementation: tests.support.greeting:Greeter",
         "services.s.contract: tests.support.greeting has no 'Greating', did you mean 'Greeting'?"),
        ("contract: tests.support.greeting:GREETER, implementation: tests.support.greeting:Greeter",
         "services.s.contract: tests.support.greeting:GREETER is not a class"),
        (f"{GREETING}, implementation: tests.support.greeting:Nope",
         "services.s.implementation: tests.support.greeting has no 'Nope'"),
        (f"{GREETING}, implementation: tests.support.greeting:DeafGreeter",
         "services.s.implementation: "),
        (f"{GREETING}, implementation: tests.support.greeting:not_callable",
         "services.s.implementation: "),
        (f"{GREETING}, implementation: tests.support.greeting:Greeter, options: {{wrd: x}}",
         "services.s.implementation: tests.support.greeting:Greeter does not take these options"),
        (f"{GREETING}, implementation: tests.support.greeting:make_greeter",
         "services.s.implementation: tests.support.greeting:make_greeter does not take these options"),
        (f"{GREETING}, implementation: tests.support.greeting:GREETER, options: {{word: x}}",
         "services.s.implementation: tests.support.greeting:GREETER is an object"),
    ],
)  # fmt: skip
def test_contract_and_implementation_can_be_imported_and_fit(text: str, expected: str) -> None:
    found = service(text + ", listeners: [pipe]")

    assert found
    assert expected in found[0]


@pytest.mark.parametrize(
    "implementation",
    [
        "Greeter",
        "Greeter, options: {word: hi, times: 2}",
        "make_greeter, options: {word: hi}",
        "GREETER",
    ],
)
def test_implementations_are_classes_functions_and_objects(implementation: str) -> None:
    usable(
        BASE
        + f"services: {{s: {{{GREETING}, implementation: tests.support.greeting:{implementation}, listeners: [pipe]}}}}"
    )


def test_mistakes_of_a_contract_are_reported_at_the_service() -> None:
    found = service("contract: tests.support.greeting:Mistaken, remote: {addresses: ['pipe://h:1']}")

    assert found
    assert all("services.s.contract: " in each for each in found)
    assert "name" in found[0]


def test_what_a_wire_cannot_carry_is_reported_at_the_listener() -> None:
    def check(contract: ServiceContract) -> list[str]:
        return [f"greet: no {contract.name}", "count: no"]

    found = problems(
        BASE + f"services: {{s: {{{GREETING}, implementation: tests.support.greeting:GREETER, listeners: [pipe]}}}}",
        plugins=FakePlugins(check),
    )

    assert [each.split(": ", 1)[1] for each in found] == [
        "services.s.listeners[0]: protocol 'pipe' cannot carry test.Greeting: greet: no test.Greeting",
        "services.s.listeners[0]: protocol 'pipe' cannot carry test.Greeting: count: no",
    ]


def test_methods_of_a_reference_exist() -> None:
    found = service(
        f"{GREETING}, remote: {{addresses: ['pipe://h:1'], methods: {{great: {{timeout: 3s}}, count: {{}}}}}}"
    )

    assert len(found) == 1
    assert "services.s.remote.methods.great: test.Greeting has no method 'great', did you mean 'greet'?" in found[0]


def test_one_listener_shows_a_service_once() -> None:
    hosted = f"{GREETING}, implementation: tests.support.greeting:GREETER, listeners: [pipe]"
    found = problems(BASE + f"services:\n  a: {{{hosted}}}\n  b: {{{hosted}}}\n  c: {{{hosted}, version: 1.0.0}}\n")

    assert len(found) == 1
    assert "services.b.listeners[0]: listener 'pipe' shows test.Greeting already, as service 'a'" in found[0]


@pytest.mark.parametrize(
    ("remote", "loop"),
    [
        ("addresses: ['pipe://127.0.0.1:7000']", True),
        ("addresses: ['pipe://localhost:7000/test.Greeting']", True),
        ("addresses: ['pipe://127.0.0.1:7000'], group: other", False),
        ("addresses: ['pipe://127.0.0.1:7000?version=2']", False),
        ("addresses: ['pipe://127.0.0.1:7001']", False),
        ("addresses: ['drum://127.0.0.1:7000']", False),
        ("addresses: ['pipe://10.0.0.1:7000']", False),
    ],
)
def test_a_service_must_not_reach_itself_by_address(remote: str, loop: bool) -> None:
    found = service(f"{GREETING}, remote: {{{remote}}}, listeners: [pipe]")

    assert bool(found) is loop
    if loop:
        assert "it would call itself" in found[0]


def test_a_service_must_not_reach_itself_through_a_registry() -> None:
    text = f"{GREETING}, remote: {{registries: [local]}}, listeners: [pipe], announce: [local]"

    assert "services.s.announce: test.Greeting is announced in registry 'local' and looked up there" in service(text)[0]
    assert service(text.replace("[local]}", "[local], version: 2}")) == []


def test_an_address_of_another_service_is_probably_not_meant() -> None:
    found = examined(
        BASE + f"services:\n  s: {{{GREETING}, group: g, listeners: [pipe], remote: {{group: '',\n"
        "    addresses: ['pipe://h:1', 'pipe://h:2/v1', 'pipe://h:3/test.Greeting?group=g']}}\n"
    )

    assert found.problems == ()
    assert [str(each) for each in found.warnings if "address" in each.message] == [
        "f.yaml:7:31: services.s.remote.addresses[1]: is an address of v1, not of test.Greeting: no call goes there",
        "f.yaml:7:48: services.s.remote.addresses[2]: "
        "is an address of g/test.Greeting, not of test.Greeting: no call goes there",
    ]


def test_a_wire_may_carry_no_service_without_a_contract() -> None:
    plugins = FakePlugins()
    plugins.change("protocol", "pipe", generic=False)
    service = "generic: true, interface: a.B, remote: {addresses: ['drum://h:1', 'pipe://h:1']}"

    assert problems(BASE + f"services:\n  s: {{{service}}}\n", plugins=plugins) == [
        "6:38: services.s.remote: protocol 'pipe' carries no service without a contract"
    ]
    assert problems(BASE + f"services:\n  s: {{{service}}}\n") == []
