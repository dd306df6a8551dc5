from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.load import load_text
from gateway.model.errors import ConfigError
from gateway.plugins.catalog import Catalog
from gateway.runtime.app import App, StartError
from registry.multicast.card import Card, choose
from registry.multicast.plugin import PLUGIN
from registry.multicast.registry import MulticastRegistry

ETH, WLAN, LO = Card("eth0", 2, "10.0.0.5"), Card("wlan0", 3, "192.168.1.5"), Card("lo", 1, "127.0.0.1")


def configured(options: str) -> dict[str, object]:
    text = f"application: {{name: t}}\nregistries:\n  lan: {{type: multicast, options: {options}}}\n"
    return dict(load_text(text, "t.yaml", Catalog()).registries["lan"].options)


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("224.5.6.7:1234", ("224.5.6.7", 1234)),
        ("239.1.2.3", ("239.1.2.3", 1234)),
        ("[ff15::1234]:4321", ("ff15::1234", 4321)),
        ("[ff15::1234]", ("ff15::1234", 1234)),
    ],
)
def test_a_group_has_an_address_and_a_port(address: str, read: tuple[str, int]) -> None:
    assert configured(f'{{address: "{address}"}}') == {"address": read}


def test_all_options() -> None:
    assert configured('{interfaces: [10.0.0.5, "fd00::5"], ttl: 2, session: 30s}') == {
        "interfaces": ("10.0.0.5", "fd00::5"),
        "ttl": 2,
        "session": 30.0,
    }
    assert isinstance(PLUGIN.build({}), MulticastRegistry)
    assert PLUGIN.names == "java"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ('{address: "10.0.0.5:1234"}', "10.0.0.5 is no multicast address"),
        ('{address: "lan.example:1234"}', "is a name"),
        ('{address: "224.5.6.7:0"}', "cannot be 0"),
        ('{address: "224.5.6.7:x"}', "224.5.6.7:x"),
        ("{interfaces: [eth0]}", "'eth0' is no address of a network card"),
        ("{ttl: 256}", "255"),
        ("{session: 10ms}", "1s"),
        ("{port: 1}", "port"),
    ],
)
def test_wrong_options_are_found_in_the_file(options: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        configured(options)


def test_cards_are_all_but_the_loopback_unless_it_is_named_or_alone() -> None:
    assert choose(4, (), [LO, ETH, WLAN]) == [ETH, WLAN]
    assert choose(4, (), [LO]) == [LO]
    assert choose(4, ["127.0.0.1", "10.0.0.5"], [LO, ETH, WLAN]) == [LO, ETH]
    assert choose(4, ["10.0.0.99"], [LO, ETH]) == [Card("", 0, "10.0.0.99")]
    assert choose(4, (), []) == [Card("", 0, "0.0.0.0")]
    with pytest.raises(ValueError, match="no network card has the address fd00::9"):
        choose(6, ["fd00::9"], [])


async def test_an_app_that_cannot_join_says_which_registry_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text(
        "application: {name: t}\n"
        "registries:\n"
        "  lan: {type: multicast, options: {interfaces: [192.0.2.77]}}\n"
        "services:\n"
        "  demo.Catalog:\n"
        "    contract: gateway.demo.catalog:Catalog\n"
        "    remote: {registries: [lan]}\n"
    )
    with pytest.raises(
        StartError, match=r"^registry lan \(multicast\): the multicast group .* or use another registry"
    ):
        await App.from_file(file).start()
