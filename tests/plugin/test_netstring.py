"""A wire that somebody else wrote, packaged and installed: found, listed, served, called, tested and guarded."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.installation import Installation
from tests.support.program import Server

pytestmark = pytest.mark.timeout(300)

CONTRACT = "gateway.demo.catalog:Catalog"
TYPES = "gateway.demo.types:Types"

HOSTING = """
application: {name: hosting}
credentials: {door: {file: door}}
listeners:
  open: {protocol: netstring, port: 0}
  locked: {protocol: netstring, port: 0, options: {token: door}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [open, locked]
  demo.Types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [open]
"""

BRIDGING = """
application: {{name: bridging}}
credentials: {{door: {{file: door}}}}
ports:
  one: {{port: 0, listeners: [dubbo, net]}}
listeners:
  dubbo: {{protocol: dubbo}}
  net: {{protocol: netstring}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    listeners: [dubbo, net]
    remote: {{addresses: ["{locked}"], token: door, options: {{heartbeat: 5s}}, timeout: 5s}}
  demo.Types:
    contract: gateway.demo.types:Types
    listeners: [dubbo, net]
    remote: {{addresses: ["{open}"], timeout: 5s}}
"""


@pytest.fixture(scope="module")
def installed(polyport: Installation, netstring: Path) -> Installation:
    """The installation once the third party's distribution is in it."""
    before = polyport.run("polyport", "plugins", "--json")
    assert before.code == 0, before.err
    assert "netstring" not in {row["name"] for row in json.loads(before.out)}
    polyport.install(netstring)
    return polyport


@pytest.fixture(scope="module")
def hosting(installed: Installation) -> Iterator[Server]:
    (installed.work / "door").write_text("open sesame")
    file = installed.work / "hosting.yaml"
    file.write_text(HOSTING)
    with installed.serving(file) as server:
        yield server


@pytest.fixture(scope="module")
def bridging(installed: Installation, hosting: Server) -> Iterator[Server]:
    file = installed.work / "bridging.yaml"
    file.write_text(BRIDGING.format(open=hosting.url("open"), locked=hosting.url("locked")))
    with installed.serving(file) as server:
        yield server


def test_it_is_listed_with_its_owner(installed: Installation) -> None:
    done = installed.run("polyport", "plugins", "--json")
    (row,) = [row for row in json.loads(done.out) if row["name"] == "netstring"]

    assert (done.code, done.err) == (0, "")
    assert row == {
        "kind": "protocol",
        "name": "netstring",
        "owner": "polyport-netstring",
        "version": "1.4.0",
        "object": "netstring_adapter:PLUGIN",
        "offers": {
            "directions": ["in", "out"],
            "default_port": 9021,
            "exports": [],
            "imports": [],
            "mounts": False,
            "listener_options": ["token"],
            "reference_options": ["heartbeat"],
            "service_options": [],
        },
        "problem": None,
    }


def test_its_own_tests_pass_with_the_tools_it_is_given(installed: Installation, netstring: Path) -> None:
    copy = installed.work / "own-tests"
    subprocess.run(["cp", "-r", str(netstring / "tests"), str(copy)], check=True)
    (copy / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    done = installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=copy)

    assert done.code == 0, done.out + done.err
    (passed,) = re.findall(r"^(\d+) passed in", done.out, re.MULTILINE)
    assert int(passed) > 500


def test_a_configuration_that_names_it_is_checked_with_its_options(installed: Installation) -> None:
    (installed.work / "wrong.yaml").write_text(
        "listeners: {a: {protocol: netstring, options: {tokn: x}}}\n"
        "services:\n"
        "  s: {contract: 'gateway.demo.catalog:Catalog', remote: {addresses: ['netstring://h:1'],\n"
        "      options: {heartbeat: 2h}}}\n"
    )
    done = installed.run("polyport", "check", "wrong.yaml")

    assert done.code == 2
    assert "listeners.a.options.tokn: unknown option, did you mean 'token'?" in done.out
    assert "heartbeat: '2h' must be at most 1h" in done.out


def test_a_service_without_a_contract_is_refused_before_anything_starts(installed: Installation) -> None:
    (installed.work / "generic.yaml").write_text(
        "listeners: {a: {protocol: netstring}}\n"
        "services:\n"
        "  x.Y: {generic: true, interface: x.Y, listeners: [a], remote: {addresses: ['dubbo://127.0.0.1:1']}}\n"
    )
    checked = installed.run("polyport", "check", "generic.yaml")
    called = installed.run("polyport", "call", "netstring://127.0.0.1:1/x.Y", "z")

    assert checked.code == 2
    assert "generic.yaml:3:52: services[x.Y].listeners[0]: protocol 'netstring' carries no service" in checked.out
    assert called.err == "error: netstring:// carries no service without a contract\n"


def test_it_is_in_the_schema_for_editors(installed: Installation) -> None:
    done = installed.run("polyport", "schema")

    assert "netstring" in json.loads(done.out)["$defs"]["ListenerConfig"]["properties"]["protocol"]["examples"]


def test_it_is_served_on_the_addresses_it_is_given(hosting: Server) -> None:
    assert re.fullmatch(r"netstring://127\.0\.0\.1:[1-9]\d*", hosting.url("open"))
    assert hosting.url("locked") != hosting.url("open")


def test_it_is_called_from_the_command_line(installed: Installation, hosting: Server) -> None:
    url = hosting.url("open")
    found = installed.run("polyport", "call", f"{url}/demo.Catalog", "find", "1", "--contract", CONTRACT)
    missing = installed.run("polyport", "call", f"{url}/demo.Catalog", "find", "99", "--contract", CONTRACT, "--json")
    attached = installed.run(
        "polyport", "call", f"{url}/demo.Types", "echo_attachments", "User", "-a", "User=ann", "--contract", TYPES
    )

    assert (found.code, json.loads(found.out)["id"]) == (0, 1)
    assert missing.code == 3
    assert json.loads(missing.out)["fault"]["fields"] == {"product_id": 99}
    assert attached.out == '"ann"\n'


def test_its_credentials_are_asked_for(installed: Installation, hosting: Server) -> None:
    done = installed.run("polyport", "call", f"{hosting.url('locked')}/demo.Catalog", "count", "--contract", CONTRACT)

    assert done.code == 1
    assert done.err.startswith("unauthenticated: ")


@pytest.mark.parametrize("listener", ["dubbo", "net"])
def test_it_is_bridged_to_and_from(installed: Installation, bridging: Server, listener: str) -> None:
    url = bridging.url(listener)
    found = installed.run("polyport", "call", f"{url}/demo.Catalog", "find", "1", "--contract", CONTRACT)
    missing = installed.run("polyport", "call", f"{url}/demo.Catalog", "find", "99", "--contract", CONTRACT)
    late = installed.run(
        "polyport", "call", f"{url}/demo.Catalog", "slow", "60000", "--contract", CONTRACT, "--timeout", "500ms"
    )

    assert json.loads(found.out)["id"] == 1
    assert missing.code == 3
    assert missing.err.startswith("demo.ProductNotFound: ")
    assert late.err.startswith("deadline-exceeded: ")


PROGRAM = """
import asyncio, sys
from datetime import timedelta
from gateway import calling, connect, connect_sync
from gateway.demo.catalog import Catalog, ProductNotFound
from gateway.demo.types import Types

url = sys.argv[1]

async def main() -> None:
    async with connect(url, Catalog, timeout_s=5) as catalog:
        try:
            await catalog.find(99)
        except ProductNotFound as exc:
            print("missing", exc.product_id)
        answers = await asyncio.gather(*(catalog.find(1) for _ in range(100)))
        print("answers", len(answers), {answer.id for answer in answers})
    async with connect(url, Types, timeout_s=5) as types:
        print(await types.echo_duration(timedelta.max), await types.echo_any({1: b"bytes"}))
        print(await calling(types, attachments={"Key": "value"}).echo_attachments("Key"))

asyncio.run(main())
with connect_sync(url, Catalog, timeout_s=5) as catalog:
    print("count", catalog.count())
"""


@pytest.mark.parametrize("listener", ["open", "net"])
def test_it_is_called_from_python(installed: Installation, hosting: Server, bridging: Server, listener: str) -> None:
    url = (hosting if listener == "open" else bridging).url(listener)
    done = installed.run("python", "-W", "error", "-c", PROGRAM, url)

    assert done.err == ""
    assert done.out.splitlines() == [
        "missing 99",
        "answers 100 {1}",
        "999999999 days, 23:59:59.999999 {1: b'bytes'}",
        "value",
        "count 3",
    ]


# A name that exists twice.


@pytest.fixture(scope="module", params=["dubbo", "netstring"])
def rival(request: pytest.FixtureRequest, installed: Installation) -> tuple[str, dict[str, str]]:
    """The name of a protocol, and the environment in which a second distribution claims it."""
    name: str = request.param
    project = installed.work / f"rival-of-{name}"
    project.mkdir()
    (project / "rival.py").write_text("raise AssertionError('nobody may import this')\n")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "rival-of-{name}"\nversion = "0.9"\n'
        f'[project.entry-points."gateway.protocols"]\n{name} = "rival:PLUGIN"\n'
        '[tool.setuptools]\npy-modules = ["rival"]\n'
    )
    return name, installed.install_beside(project)


def owners(name: str, installed: Installation) -> str:
    version = json.loads(installed.run("polyport", "plugins", "--json").out)[0]["version"]
    first = {
        "dubbo": f"adapters.dubbo:PLUGIN of polyport {version}",
        "netstring": "netstring_adapter:PLUGIN of polyport-netstring 1.4.0",
    }[name]
    return f"{first} and rival:PLUGIN of rival-of-{name} 0.9"


def test_a_name_that_exists_twice_is_refused_with_both_owners(
    installed: Installation, rival: tuple[str, dict[str, str]]
) -> None:
    name, environ = rival
    (installed.work / "plain.yaml").write_text("listeners: {a: {protocol: netstring}}\n")
    expected = f"protocol '{name}' exists twice: {{}}; uninstall one of the two"
    listed = installed.run("polyport", "plugins", environ=environ)
    checked = installed.run("polyport", "check", "plain.yaml", environ=environ)
    served = installed.run("polyport", "serve", "plain.yaml", environ=environ)
    called = installed.run("polyport", "call", "netstring://127.0.0.1:1/a.B", "c", environ=environ)

    # Which of two distributions is found first is for the path to say.
    first, second = owners(name, installed).split(" and ")
    either = [expected.format(f"{first} and {second}"), expected.format(f"{second} and {first}")]
    assert (listed.code, checked.code, served.code, called.code) == (1, 2, 1, 1)
    assert listed.err in [f"problem: {each}\n" for each in either]
    assert checked.out in [f"installation: {each}\n" for each in either]
    for done in (served, called):
        assert done.err in [f"error: {each}\n" for each in either]
    assert [line.split()[-1] for line in listed.out.splitlines() if f" {name} " in line] == ["unusable", "unusable"]
