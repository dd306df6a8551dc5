"""Checks between the sections of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.config_text import BASE, examined, problems, usable

HOSTED = "contract: tests.support.greeting:Greeting, implementation: tests.support.greeting:Greeter"
REMOTE = "contract: tests.support.greeting:Greeting, remote: {addresses: ['pipe://127.0.0.1:9']}"


def test_a_complete_file_has_neither_problems_nor_warnings() -> None:
    found = examined(
        BASE
        + f"""
services:
  here: {{{HOSTED}, listeners: [pipe], announce: [local]}}
  there: {{{REMOTE}, group: other, listeners: [pipe]}}
consumers:
  billing: {{protocol: pipe, services: {{there: {{protocol: pipe}}}}}}
"""
    )

    assert found.problems == ()
    assert found.warnings == ()
    assert found.config is not None
    assert found.config.consumers["billing"].services["there"].protocol == "pipe"


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("{}", ["6:3: services.s: needs an implementation (hosted here) or remote (reached elsewhere)",
                "6:3: services.s: needs a contract, or generic: true with an interface"]),
        (f"{{{HOSTED}, remote: {{addresses: ['pipe://h:1']}}, listeners: [pipe]}}",
         [": services.s.remote: a service is hosted or remote, not both"]),
        (f"{{{REMOTE}, options: {{a: 1}}, listeners: [pipe]}}",
         [": services.s.options: options are for an implementation"]),
        ("{contract: tests.support.greeting:Greeting, remote: {timeout: 1s}, listeners: [pipe]}",
         [": services.s.remote: needs addresses or registries"]),
        ("{generic: true, remote: {addresses: ['pipe://h:1']}}",
         [": services.s: a generic service needs an interface"]),
        (f"{{{REMOTE}, generic: true, interface: a.B}}", [": services.s.generic: a generic service has no contract"]),
        ("{generic: true, interface: a.B, implementation: tests.support.greeting:Greeter}",
         [": services.s.generic: only remote services can be generic"]),
        (f"{{{HOSTED}, announce: [local]}}", [": services.s.announce: nothing to announce"]),
        (f"{{{HOSTED}, listeners: [pip]}}",
         [": services.s.listeners[0]: there is no listener 'pip', did you mean 'pipe'?"]),
        (f"{{{HOSTED}, listeners: [pipe, pipe]}}", [": services.s.listeners[1]: 'pipe' is listed twice"]),
        (f"{{{HOSTED}, listeners: [pipe], announce: [loca]}}",
         [": services.s.announce[0]: there is no registry 'loca', did you mean 'local'?"]),
        ("{contract: tests.support.greeting:Greeting, remote: {registries: [x]}}",
         [": services.s.remote.registries[0]: there is no registry 'x' (there are: local)"]),
        ("{contract: tests.support.greeting:Greeting, remote: {addresses: ['pipe://h:1'], token: t}}",
         [": services.s.remote.token: there is no credential 't' (there are none)"]),
    ],
)  # fmt: skip
def test_services_are_complete_and_consistent(service: str, expected: list[str]) -> None:
    found = problems(BASE + f"services:\n  s: {service}\n")

    assert len(found) == len(expected)
    for message, part in zip(found, expected, strict=True):
        assert part in message


def test_names_that_are_wrong_themselves_are_still_known() -> None:
    found = problems(
        "listeners:\n  pipe: {protocol: pipe, port: x}\n  drum: {prot: 1}\n"
        f"services:\n  s: {{{HOSTED}, listeners: [pipe, drum]}}\n"
    )

    assert [each.split(": ")[1] for each in found] == [
        "listeners.pipe.port",
        "listeners.drum.protocol",
        "listeners.drum.prot",
    ]


def test_items_keep_their_index_when_an_earlier_one_is_wrong() -> None:
    found = problems(BASE + f"services:\n  s: {{{HOSTED}, listeners: ['a b', nope]}}\n")

    assert [each.split(": ")[1] for each in found] == ["services.s.listeners[0]", "services.s.listeners[1]"]


def test_unknown_names_from_the_environment_are_not_shown() -> None:
    found = problems(BASE + f"services:\n  s: {{{HOSTED}, listeners: ['${{env:X}}']}}\n", {"X": "hunter2"})

    assert [each.split(": ", 1)[1] for each in found] == [
        "services.s.listeners[0]: there is no listener '${env:X}' (there are: pipe)"
    ]


def test_consumers_name_services_and_protocols_that_exist() -> None:
    found = problems(
        BASE + f"services:\n  orders: {{{HOSTED}, listeners: [pipe]}}\n"
        "consumers:\n  a: {protocol: pip, services: {order: {protocol: dram}}}\n"
    )

    assert [each.split(": ", 1)[1] for each in found] == [
        "consumers.a.protocol: there is no protocol 'pip', did you mean 'pipe'?",
        "consumers.a.services.order: there is no service 'order', did you mean 'orders'?",
        "consumers.a.services.order.protocol: there is no protocol 'dram', did you mean 'drum'?",
    ]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("host: 127.0.0.1, port: 5000", "host: 127.0.0.1, port: 5000", True),
        ("host: 0.0.0.0, port: 5000", "host: 127.0.0.1, port: 5000", True),
        ("host: '::', port: 5000", "host: 127.0.0.1, port: 5000", True),
        ("host: 0.0.0.0, port: 5000", "host: '::1', port: 5000", False),
        ("host: 127.0.0.1, port: 5000", "host: 127.0.0.2, port: 5000", False),
        ("port: 5000", "port: 5001", False),
        ("port: 0", "port: 0", False),
        ("port: 7001", "host: 127.0.0.1", False),
        ("port: 7000", "host: 127.0.0.1", True),
    ],
)
def test_two_listeners_do_not_share_a_port(one: str, other: str, clash: bool) -> None:
    # The protocol `pipe` expects port 7000 where none is written.
    found = problems(f"listeners:\n  a: {{protocol: pipe, {one}}}\n  b: {{protocol: pipe, {other}}}\n")

    assert bool(found) is clash
    if clash:
        assert "is taken by listener 'a'" in found[0]


def test_credentials_are_read_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_bytes(b"from-file\r\n")
    found = examined(
        """
        services:
          s: {contract: tests.support.greeting:Greeting, remote: {addresses: ['pipe://h:1'], token: a}}
          t: {contract: tests.support.greeting:Greeting, remote: {addresses: ['pipe://h:2'], token: b}}
        credentials: {a: {env: TOKEN}, b: {file: token.txt}}
        """,
        {"TOKEN": "from-env"},
        folder=tmp_path,
    )

    assert found.problems == ()
    assert found.warnings == ()
    assert found.config is not None
    assert found.config.credentials["a"].secret.reveal() == "from-env"
    assert found.config.credentials["b"].secret.reveal() == "from-file"
    assert "from-" not in repr(found.config)


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        ("{env: NOPE}", "environment variable NOPE is not set"),
        ("{env: EMPTY}", "the secret is empty"),
        ("{file: nope.txt}", "cannot read"),
        ("{file: .}", "cannot read"),
        ("{}", "needs either env or file"),
        ("{env: A, file: b}", "needs either env or file"),
        ("{env: 'A B'}", "is not the name of an environment variable"),
        ("{secret: hunter2}", "unknown key"),
    ],
)
def test_credentials_that_cannot_be_read_are_problems(credential: str, message: str) -> None:
    found = problems(f"credentials:\n  c: {credential}\n", {"EMPTY": "", "A": "x"})

    assert len(found) == 1
    assert message in found[0]
    assert "hunter2" not in found[0]


def test_large_and_binary_secret_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 65_537)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    found = examined("credentials: {a: {file: large}, b: {file: binary}}", folder=tmp_path).problems

    assert ["larger than 64 KiB" in found[0].message, "not UTF-8" in found[1].message] == [True, True]


def test_what_nothing_refers_to_is_a_warning() -> None:
    found = examined(
        "listeners: {l: {protocol: pipe}}\nregistries: {r: {type: list}}\n"
        "credentials: {c: {env: TOKEN}}\nfilters: {f: {type: note}}\n",
        {"TOKEN": "x"},
    )

    assert found.problems == ()
    assert [(each.path, each.line) for each in found.warnings] == [
        ("services", 1),
        ("listeners.l", 1),
        ("registries.r", 2),
        ("credentials.c", 3),
        ("filters.f", 4),
    ]


def test_a_hosted_service_without_listener_is_a_warning() -> None:
    found = examined(f"services: {{s: {{{HOSTED}}}}}")

    assert [each.message for each in found.warnings] == ["shown on no listener; only this process can call it"]


def test_the_defaults_of_a_listener() -> None:
    config = usable(BASE)

    assert config.listeners["pipe"].host == "127.0.0.1"
    assert config.listeners["pipe"].limits.frame == 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("service", "more", "expected"),
    [
        ("token: secret", "credentials: {secret: {env: TOKEN}}", []),
        ("token: random, announce: [local]", "", []),
        (
            "token: sekret",
            "credentials: {secret: {env: TOKEN}}",
            ["there is no credential 'sekret', did you mean 'secret'?"],
        ),
        ("token: random", "", ["a random token is known to nobody unless the service is announced"]),
        (
            "token: random, announce: [local]",
            "credentials: {random: {env: TOKEN}}",
            ["a credential is called random too; give it another name"],
        ),
    ],
)
def test_a_token_is_a_credential_or_random(service: str, more: str, expected: list[str]) -> None:
    text = f"{BASE}\nservices: {{s: {{{HOSTED}, listeners: [pipe], {service}}}}}\n{more}\n"
    found = examined(text, {"TOKEN": "x"})
    assert [each.message for each in found.problems] == expected
    assert not [each for each in found.warnings if "credential" in each.message]
