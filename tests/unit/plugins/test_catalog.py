"""Plug-ins by name."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, version
from pathlib import Path

import pytest

from gateway.model.errors import GatewayError
from gateway.plugins.catalog import GROUPS, Catalog, PluginError


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


FLOCK = """
from gateway.config.sections.section import NoOptions
from gateway.spi.plugin import KIND

FLOCK = KIND("flock", NoOptions, print)
"""


def entry(name: str, value: str, group: str = "gateway.clusters") -> EntryPoint:
    return EntryPoint(name, value, group)


def test_what_ships_is_there_without_importing_it() -> None:
    catalog = Catalog([])

    assert "dubbo" in catalog.names("protocol")
    assert "embedded" in catalog.names("registry")
    assert {"failover", "failfast"} <= set(catalog.names("cluster"))
    assert "random" in catalog.names("balance")
    assert {"access_log", "concurrency", "deadline", "tracing"} <= set(catalog.names("filter"))


def test_making_a_catalog_imports_no_adapter() -> None:
    before = set(sys.modules)
    Catalog()

    assert not [name for name in set(sys.modules) - before if name.startswith(("adapters", "protocols", "registry"))]


def test_other_distributions_add_names(module: Path) -> None:
    (module / "pigeon.py").write_text(FLOCK.replace("KIND", "ClusterPlugin"))
    catalog = Catalog([entry("flock", "pigeon:FLOCK")])

    assert "flock" in catalog.names("cluster")
    assert catalog.load("cluster", "flock").name == "flock"
    assert catalog.load("cluster", "flock") is catalog.load("cluster", "flock")


def test_entry_points_of_installed_distributions_are_found(module: Path) -> None:
    (module / "pigeon2.py").write_text(FLOCK.replace("KIND", "BalancerPlugin"))
    info = module / "pigeon_post-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gateway.balancers]\nflock = pigeon2:FLOCK\n")

    assert Catalog().balancer("flock").name == "flock"


def test_a_name_that_ships_cannot_be_taken(module: Path) -> None:
    info = module / "pigeon_post-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gateway.protocols]\ndubbo = pigeon:PLUGIN\n")

    with pytest.raises(PluginError) as caught:
        Catalog()
    assert str(caught.value) == (
        f"protocol 'dubbo' exists twice: adapters.dubbo:PLUGIN of polyport {version('polyport')} "
        "and pigeon:PLUGIN of pigeon-post 1.0; uninstall one of the two"
    )


def test_all_names_that_exist_twice_are_reported_at_once() -> None:
    entries = [entry(name, f"{name}:{owner}") for name in "xy" for owner in "ABC"]

    with pytest.raises(PluginError) as caught:
        Catalog(entries)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["cluster 'x' exists 3 times", "cluster 'y' exists 3 times"]
    assert lines[0].endswith("; uninstall all but one")


def test_a_name_that_two_distributions_add_is_refused() -> None:
    with pytest.raises(PluginError, match=r"cluster 'x' exists twice: a:A of .* and b:B of "):
        Catalog([entry("x", "a:A"), entry("x", "b:B")])


def test_the_same_name_in_two_groups_is_fine() -> None:
    catalog = Catalog([entry("x", "a:A"), entry("x", "b:B", GROUPS["filter"]), entry("x", "c:C", "console_scripts")])

    assert "x" in catalog.names("cluster")
    assert "x" in catalog.names("filter")
    assert "x" not in catalog.names("protocol")


def test_an_unknown_name_says_what_was_meant() -> None:
    with pytest.raises(PluginError, match="there is no protocol 'dubo', did you mean 'dubbo'"):
        Catalog([]).protocol("dubo")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module_here:X", "ModuleNotFoundError"),
        ("pigeon3:Nope", "AttributeError"),
        ("pigeon3_broken:X", "ZeroDivisionError"),
        ("pigeon3_exits:X", "SystemExit: 3"),
        ("pigeon3", "AttributeError"),
        ("pigeon3:thing", "is not a ClusterPlugin but of type int"),
    ],
)
def test_a_plugin_that_cannot_be_used_names_its_owner(module: Path, value: str, message: str) -> None:
    (module / "pigeon3.py").write_text("thing = 5\n")
    (module / "pigeon3_broken.py").write_text("1 / 0\n")
    (module / "pigeon3_exits.py").write_text("raise SystemExit(3)\n")

    with pytest.raises(PluginError) as caught:
        Catalog([entry("x", value)]).load("cluster", "x")
    assert message in str(caught.value)
    assert f"cluster 'x' ({value} of " in str(caught.value)


def test_a_protocol_must_be_a_protocol_plugin(module: Path) -> None:
    (module / "pigeon4.py").write_text("PLUGIN = object()\n")

    with pytest.raises(PluginError, match="is not a ProtocolPlugin but of type object"):
        Catalog([entry("x", "pigeon4:PLUGIN", GROUPS["protocol"])]).protocol("x")


def test_a_plugin_must_bear_the_name_it_is_registered_under(module: Path) -> None:
    (module / "pigeon5.py").write_text("from adapters.dubbo import PLUGIN\n")

    with pytest.raises(PluginError, match=r"protocol 'x' \(pigeon5:PLUGIN of .*\) calls itself 'dubbo'"):
        Catalog([entry("x", "pigeon5:PLUGIN", GROUPS["protocol"])]).protocol("x")


def test_errors_belong_to_the_tree_and_are_lookups() -> None:
    assert issubclass(PluginError, GatewayError)
    assert issubclass(PluginError, LookupError)
