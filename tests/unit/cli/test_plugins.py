"""The list of plug-ins, and what is wrong with it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway.plugins.builtin import BUILTIN
from tests.support.program import inside


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path, where distributions can be laid down."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


FLOCK = """
from gateway.config.sections.section import NoOptions
from gateway.spi.plugin import BalancerPlugin

FLOCK = BalancerPlugin("flock", NoOptions, print)
"""


def lay_down(site: Path, name: str, entry_points: str) -> None:
    info = site / f"{name.replace('-', '_')}-2.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\n")
    (info / "entry_points.txt").write_text(entry_points)


def test_everything_that_ships_is_listed_and_usable() -> None:
    done = inside("plugins", "--json")
    rows = {(row["kind"], row["name"]): row for row in json.loads(done.out)}

    assert (done.code, done.err) == (0, "")
    assert set(rows) == {(kind, name) for kind, targets in BUILTIN.items() for name in targets}
    assert {(row["owner"], row["version"]) for row in rows.values()} == {("polyport", version("polyport"))}
    assert {row["problem"] for row in rows.values()} == {None}
    dubbo = rows["protocol", "dubbo"]
    assert dubbo["object"] == "adapters.dubbo:PLUGIN"
    assert (dubbo["offers"]["default_port"], dubbo["offers"]["exports"]) == (20880, ["java"])
    assert "heartbeat" in dubbo["offers"]["listener_options"]
    assert rows["filter", "access_log"]["offers"] == {"options": ["calls", "interval"]}


def test_the_table_has_a_line_for_each() -> None:
    lines = inside("plugins").out.splitlines()

    assert lines[0].split() == ["KIND", "NAME", "OWNER", "OBJECT", "OFFERS"]
    assert len(lines) == 1 + sum(map(len, BUILTIN.values()))
    (dubbo,) = [line for line in lines if line.startswith("protocol  dubbo ")]
    assert dubbo.endswith("in, out, port 20880; exports java")


def test_a_foreign_plugin_is_listed_with_its_owner(site: Path) -> None:
    (site / "flock_here.py").write_text(FLOCK)
    lay_down(site, "pigeon-post", "[gateway.balancers]\nflock = flock_here:FLOCK\n")
    done = inside("plugins")

    assert done.code == 0
    (line,) = [line for line in done.out.splitlines() if " flock " in line]
    assert line.split() == ["balance", "flock", "pigeon-post", "2.1", "flock_here:FLOCK"]


def test_a_plugin_that_cannot_be_imported_is_a_problem_and_the_rest_is_listed(site: Path) -> None:
    lay_down(site, "pigeon-post", "[gateway.protocols]\npigeon = no_such_pigeon:PLUGIN\n")
    done = inside("plugins")

    assert done.code == 1
    assert done.err == (
        "problem: protocol 'pigeon' (no_such_pigeon:PLUGIN of pigeon-post 2.1) cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_pigeon'\n"
    )
    (line,) = [line for line in done.out.splitlines() if " pigeon " in line]
    assert line.endswith("unusable")
    assert len(done.out.splitlines()) == 2 + sum(map(len, BUILTIN.values()))


def test_a_name_that_exists_twice_is_one_problem_that_names_both_owners(site: Path) -> None:
    lay_down(site, "pigeon-post", "[gateway.protocols]\ndubbo = pigeon:PLUGIN\n")
    done = inside("plugins", "--json")
    rows = [row for row in json.loads(done.out) if row["name"] == "dubbo"]
    expected = (
        f"protocol 'dubbo' exists twice: adapters.dubbo:PLUGIN of polyport {version('polyport')} "
        "and pigeon:PLUGIN of pigeon-post 2.1; uninstall one of the two"
    )

    assert done.code == 1
    assert done.err == f"problem: {expected}\n"
    assert [row["problem"] for row in rows] == [expected, expected]
    assert [row["owner"] for row in rows] == ["polyport", "pigeon-post"]


def test_check_and_serve_refuse_a_name_that_exists_twice(site: Path) -> None:
    lay_down(site, "pigeon-post", "[gateway.protocols]\ndubbo = pigeon:PLUGIN\n")
    check = inside("check", "conf/minimal.yaml")
    serve = inside("serve", "conf/minimal.yaml")

    assert check.code == 2
    assert check.out.startswith("installation: protocol 'dubbo' exists twice: adapters.dubbo:PLUGIN of polyport ")
    assert check.err == "1 problem in 1 file\n"
    assert serve.code == 1
    assert serve.err.startswith("error: protocol 'dubbo' exists twice: ")
