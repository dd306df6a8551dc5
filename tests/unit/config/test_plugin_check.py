"""Checks against the plug-ins, and their options converted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.config.secret import Secret
from gateway.spi.plugin import Misfit, Option, OptionKind
from tests.support.config_text import examined, problems, usable
from tests.support.fake_plugins import FakePlugins

REMOTE = "contract: tests.support.greeting:Greeting, remote: "


def test_options_of_a_listener_are_converted_as_the_plugin_asks() -> None:
    config = usable(
        """
        listeners:
          a:
            protocol: pipe
            options: {heartbeat: 90s, chunk: 64KiB, threads: 8, strict: true, mode: lazy, token: secret}
        credentials: {secret: {env: TOKEN}}
        """,
        {"TOKEN": "hunter2"},
    )

    assert config.listeners["a"].options == {
        "heartbeat": 90.0,
        "chunk": 65_536,
        "threads": 8,
        "strict": True,
        "mode": "lazy",
        "token": Secret("hunter2"),
    }
    assert "hunter2" not in repr(config)
    assert config.listeners["a"].listener_options("a", "me", 7000).options["token"] == "hunter2"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("heartbeat: 60", "'60' has no unit, write 60ms or 60s"),
        ("heartbeat: 500ms", "'500ms' must be at least 1s"),
        ("heartbeat: 2h", "'2h' must be at most 1h"),
        ("chunk: 2MiB", "'2MiB' must be at most 1MiB"),
        ("threads: 0", "'0' must be at least 1"),
        ("threads: four", "expected a whole number"),
        ("strict: yes", "expected true or false"),
        ("mode: laxy", "'laxy' is not one of eager, lazy, did you mean 'lazy'?"),
        ("mode: [a]", "expected text, found a list"),
        ("token: sekret", "there is no credential 'sekret', did you mean 'secret'?"),
        ("hartbeat: 60s", "unknown option, did you mean 'heartbeat'?"),
    ],
)
def test_wrong_options_are_reported_where_they_stand(option: str, message: str) -> None:
    text = (
        f"listeners:\n  a:\n    protocol: pipe\n    options:\n      {option}\ncredentials: {{secret: {{env: TOKEN}}}}\n"
    )
    found = problems(text, {"TOKEN": "x"})

    assert len(found) == 1
    assert found[0].startswith("5:")
    assert message in found[0]


def test_names_of_plugins_exist() -> None:
    found = problems(
        """
        listeners: {a: {protocol: pip}}
        registries: {r: {type: lst}}
        filters: {f: {type: limt}}
        services:
          s:
            contract: tests.support.greeting:Greeting
            remote:
              addresses: ["pipe://h:1", "dram://h:2"]
              cluster: failovr
              balance: randm
              methods: {greet: {cluster: failfst, balance: robin}}
        """
    )

    assert [each.split(": ", 1)[1] for each in found] == [
        "listeners.a.protocol: there is no protocol 'pip', did you mean 'pipe'?",
        "registries.r.type: there is no registry type 'lst', did you mean 'list'?",
        "filters.f.type: there is no filter type 'limt', did you mean 'limit'?",
        "services.s.remote.addresses[1]: there is no protocol 'dram', did you mean 'drum'?",
        "services.s.remote.cluster: there is no cluster mode 'failovr', did you mean 'failover'?",
        "services.s.remote.balance: there is no load balancer 'randm', did you mean 'random'?",
        "services.s.remote.methods.greet.cluster: there is no cluster mode 'failfst', did you mean 'failfast'?",
        "services.s.remote.methods.greet.balance: there is no load balancer 'robin' (there are: noted, random)",
    ]


NEEDY = {
    "address": Option(OptionKind.TEXT, "x", required=True),
    "key": Option(OptionKind.TEXT, "x", required=True),
    "ttl": Option(OptionKind.DURATION, "x"),
}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{type: list}", ["2:3: registries.r.options: 'address' is required",
                          "2:3: registries.r.options: 'key' is required"]),
        ("{type: list, options: {}}", ["2:28: registries.r.options: 'address' is required",
                                       "2:28: registries.r.options: 'key' is required"]),
        ("{type: list, options: {ttl: 3s, key: a}}", ["2:19: registries.r.options.address: is required"]),
        ("{type: list, options: {adress: a, key: b}}", ["2:19: registries.r.options.address: is required",
                                                        "2:29: registries.r.options.adress: unknown option, did you "
                                                        "mean 'address'?"]),
        ("{type: list, options: {address: [a], key: b}}", ["2:38: registries.r.options.address: expected text, found a "
                                                           "list"]),
        ("{type: list, options: 5}", ["2:28: registries.r.options: expected a mapping, found '5'"]),
        ("{type: list, options: {address: a, key: b}}", []),
    ],
)  # fmt: skip
def test_what_a_registry_cannot_do_without_is_missed(entry: str, expected: list[str]) -> None:
    plugins = FakePlugins()
    plugins.change("registry", "list", options=NEEDY)

    assert problems(f"registries:\n  r: {entry}\n", plugins=plugins) == expected


def test_a_listener_is_missed_what_its_protocol_needs() -> None:
    plugins = FakePlugins()
    plugins.change("protocol", "pipe", listener_options=NEEDY)

    assert problems("listeners: {a: {protocol: pipe, options: {key: b}}}", plugins=plugins) == [
        "1:33: listeners.a.options.address: is required"
    ]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{type: list}", ["2:3: registries.r.options: needs this or that"]),
        ("{type: list, options: {ttl: 3s}}", ["2:19: registries.r.options: needs this or that"]),
        ("{type: list, options: {this: x}}", ["2:35: registries.r.options.this: is not that"]),
        # Where one is wrong, nothing can be said of all of them.
        ("{type: list, options: {thus: x}}", ["2:29: registries.r.options.thus: unknown option, did you mean 'this'?"]),
        ("{type: list, options: {that: x}}", []),
    ],
)  # fmt: skip
def test_options_of_a_registry_are_checked_together(entry: str, expected: list[str]) -> None:
    def check(options: Mapping[str, Any]) -> list[Misfit]:
        if "this" in options:
            return [Misfit(("this",), "is not that")]
        return [] if "that" in options else [Misfit((), "needs this or that")]

    plugins = FakePlugins()
    text = Option(OptionKind.TEXT, "x")
    known = {"this": text, "that": text, "ttl": Option(OptionKind.DURATION, "x")}
    plugins.change("registry", "list", options=known, check=check)

    assert problems(f"registries:\n  r: {entry}\n", plugins=plugins) == expected


def test_options_of_modes_and_balancers_are_converted() -> None:
    remote = (
        usable(
            """
        services:
          s:
            contract: tests.support.greeting:Greeting
            remote:
              addresses: ["pipe://h:1"]
              cluster: {type: limited, options: {limit: 3}}
              balance: noted
              methods: {greet: {balance: {type: noted, options: {wait: 500ms}}}}
        """
        )
        .services["s"]
        .remote
    )

    assert remote is not None
    assert (remote.cluster.type, remote.cluster.options) == ("limited", {"limit": 3})
    assert (remote.balance.type, remote.balance.options) == ("noted", {})
    balance = remote.methods["greet"].balance
    assert balance is not None
    assert (balance.type, balance.options) == ("noted", {"wait": 0.5})
    assert remote.methods["greet"].cluster is None


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("cluster: limited", "cluster.options: 'limit' is required"),
        ("cluster: {type: limited}", "cluster.options: 'limit' is required"),
        ("cluster: {type: limited, options: {limit: 0}}", "cluster.options.limit: '0' must be at least 1"),
        (
            "cluster: {type: limted, options: {limit: 3}}",
            "cluster.type: there is no cluster mode 'limted', did you mean",
        ),
        ("cluster: {options: {limit: 3}}", "cluster.type: is required"),
        ("balance: {type: noted, optoins: {}}", "balance.optoins: unknown key, did you mean 'options'?"),
        ("balance: {type: noted, options: {wait: 3}}", "balance.options.wait: '3' has no unit"),
        ("balance: [noted]", "balance: expected a mapping, found a list"),
        ("ejection: {share: 150%}", "ejection.share: '150%' must be at most 100%"),
        ("ejection: {share: 0.5}", "ejection.share: '0.5' has no unit"),
        ("ejection: {window: 0s}", "ejection.window: '0s' must be more than 0s"),
    ],
)
def test_wrong_choices_are_reported_where_they_stand(choice: str, message: str) -> None:
    text = f"services:\n  s:\n    {REMOTE}{{addresses: ['pipe://h:1'], {choice}}}\n".replace(
        ", remote:", "\n    remote:"
    )
    found = problems(text)

    assert len(found) == 1
    assert message in found[0]


def test_options_of_a_reference_belong_to_its_protocols() -> None:
    assert usable(f"services: {{s: {{{REMOTE}{{addresses: ['pipe://h:1'], options: {{compress: true}}}}}}}}").services[
        "s"
    ].remote.options == {"compress": True}  # type: ignore[union-attr]
    assert (
        "unknown option"
        in problems(
            f"services: {{s: {{{REMOTE}{{protocol: drum, addresses: ['drum://h:1'], options: {{compres: true}}}}}}}}"
        )[0]
    )
    assert (
        "options need a protocol"
        in problems(
            "registries: {r: {type: list}}\n"
            f"services: {{s: {{{REMOTE}{{registries: [r], options: {{compress: true}}}}}}}}"
        )[0]
    )


def test_addresses_fit_the_protocol_that_was_chosen() -> None:
    found = problems(f"services: {{s: {{{REMOTE}{{protocol: drum, addresses: ['drum://h:1', 'pipe://h:1']}}}}}}")

    assert len(found) == 1
    assert "services.s.remote.addresses[1]: is not an address of protocol 'drum'" in found[0]


def test_options_of_a_registry_are_converted() -> None:
    assert usable("registries: {r: {type: list, options: {ttl: 2m}}}").registries["r"].options == {"ttl": 120.0}


def test_options_of_a_filter_are_read_by_its_own_model() -> None:
    config = usable("filters: {f: {type: limit, options: {limit: 5, wait: 500ms}}, g: {type: note}}")

    assert config.filters["f"].options == {"limit": 5, "wait": 0.5}
    assert config.filters["g"].options == {}


def test_wrong_options_of_a_filter_are_reported_where_they_stand() -> None:
    found = problems("filters:\n  f: {type: limit, options: {limt: 5, wait: 1}}\n  g: {type: limit, options: 5}\n")

    assert [each.split(": ", 1) for each in found] == [
        ["2:20", "filters.f.options.limit: is required"],
        ["2:30", "filters.f.options.limt: unknown key, did you mean 'limit'?"],
        ["2:45", "filters.f.options.wait: '1' has no unit, write 1ms or 1s (units: ms, s, m, h, d)"],
        ["3:29", "filters.g.options: expected a mapping, found '5'"],
    ]


def test_filters_are_named_by_entry_or_by_type() -> None:
    usable("filters: {f: {type: limit, options: {limit: 5}}}\nlisteners: {a: {protocol: pipe, filters: [f, note]}}")

    found = problems("listeners: {a: {protocol: pipe, filters: [nte, limit, note, note]}}")

    assert [each.split(": ", 1)[1] for each in found] == [
        "listeners.a.filters[0]: there is no filter 'nte', did you mean 'note'?",
        "listeners.a.filters[1]: filter 'limit' needs options: name it under filters, with its type",
        "listeners.a.filters[3]: 'note' is listed twice",
    ]


def test_a_filter_that_must_know_the_provider_stands_around_attempts_only() -> None:
    found = problems(
        """
        filters: {f: {type: limit, options: {limit: 5, per_provider: true}}, broken: {type: limt}}
        listeners: {a: {protocol: pipe, filters: [f, broken]}}
        services:
          s:
            contract: tests.support.greeting:Greeting
            filters: [f]
            remote: {addresses: ["pipe://a:1"], filters: [f]}
        """
    )

    assert sorted(each.split(": ", 1)[1] for each in found) == [
        "filters.broken.type: there is no filter type 'limt', did you mean 'limit'?",
        "listeners.a.filters[0]: 'f' is per provider: name it in the filters of a remote",
        "services.s.filters[0]: 'f' is per provider: name it in the filters of a remote",
    ]


def test_a_credential_named_by_an_option_is_used() -> None:
    found = examined("listeners: {a: {protocol: pipe, options: {token: t}}}\ncredentials: {t: {env: T}}", {"T": "x"})

    assert "credentials.t" not in [each.path for each in found.warnings]
