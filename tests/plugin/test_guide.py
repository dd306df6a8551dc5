"""The guide for authors of plug-ins, followed to the letter: its files, its commands and what they print.

Blocks carry a file name behind their language and are written to one folder, which is built and installed. `console`
blocks are run in order: a line with `$` is a command, the lines behind it are its output, in which `…` stands for any
text. A command that ends in `&` stays until the end. Ports are replaced by free ones.
"""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from bench.ports import free_port
from tests.plugin.installation import Installation
from tests.support.program import ROOT

pytestmark = pytest.mark.timeout(300)

GUIDE: Final = ROOT / "docs/plugins.md"
_BLOCK: Final = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT: Final = re.compile(r"\b208\d\d\b")
BLOCKS: Final = _BLOCK.findall(GUIDE.read_text("utf-8"))


class Ports:
    """A free port for each that is written, always the same one."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def in_text(self, text: str) -> str:
        return _PORT.sub(lambda found: self._free(found[0]), text)

    def _free(self, written: str) -> str:
        if written not in self._given:
            self._given[written] = str(free_port())
        return self._given[written]


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Path:
    """All files of the guide."""
    project = tmp_path_factory.mktemp("guide")
    for language, name, text in BLOCKS:
        if language != "console":
            assert name, f"a block of {language} without a file name"
            (project / name).write_text(ports.in_text(text), "utf-8")
    return project


@pytest.fixture(scope="module")
def environ(polyport: Installation, folder: Path) -> dict[str, str]:
    """The environment in which the distribution of the guide is installed, and no other test's."""
    environ = polyport.install_beside(folder)
    shutil.rmtree(folder / "build", ignore_errors=True)
    return environ


def test_its_commands_print_what_it_says(
    polyport: Installation, folder: Path, environ: dict[str, str], ports: Ports
) -> None:
    consoles = [ports.in_text(text) for language, _, text in BLOCKS if language == "console"]
    commands = [part.partition("\n") for text in consoles for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]]
    assert len(commands) > 5
    with ExitStack() as stack:
        for command, _, expected in commands:
            if command.endswith("&"):
                server = stack.enter_context(polyport.serving(folder / "hello.yaml", environ=environ, cwd=folder))
                printed = "".join(server.lines)
            else:
                done = polyport.run(*command.split(), environ=environ, cwd=folder)
                assert done.code == 0, f"{command}\n{done.out}{done.err}"
                printed = done.out + done.err
            pattern = ".*?".join(map(re.escape, expected.rstrip("\n").split("…")))
            assert re.fullmatch(pattern + r"\n?", printed, re.DOTALL), f"{command}\n{printed}"


def test_its_filter_lets_through_what_it_says(polyport: Installation, folder: Path, environ: dict[str, str]) -> None:
    text = (folder / "hello.yaml").read_text("utf-8")
    (folder / "quota.yaml").write_text(
        re.sub(r"port: \d+", "port: 0", text) + "filters: {quota: {type: quota, options: {calls: 2}}}\n"
    )
    with polyport.serving(folder / "quota.yaml", environ=environ, cwd=folder) as server:
        call = ("polyport", "call", server.url("lines"), "greet", "Ann", "--contract", "hello:Greeter")
        codes = [polyport.run(*call, environ=environ, cwd=folder) for _ in range(3)]
    assert [done.code for done in codes] == [0, 0, 1]
    assert codes[-1].err == "overloaded: polyport has made 2 calls\n"


def test_its_contract_check_refuses_what_the_wire_cannot_carry(
    polyport: Installation, folder: Path, environ: dict[str, str]
) -> None:
    (folder / "wrong.yaml").write_text(
        "listeners: {plain: {protocol: plain}}\n"
        "services:\n"
        "  demo.Catalog:\n"
        "    contract: gateway.demo.catalog:Catalog\n"
        "    implementation: gateway.demo.catalog:DemoCatalog\n"
        "    listeners: [plain]\n"
    )
    done = polyport.run("polyport", "check", "wrong.yaml", environ=environ, cwd=folder)

    assert done.code == 2
    assert "demo.Catalog.find: plain:// carries methods that take a text and give a text" in done.out
