"""The README, run as it is written: every file it shows, every command, every output.

Blocks carry a file name behind their language (`python shop.py`); they are written to one folder. `console` blocks are
run in order: a line with `$` is a command, the lines behind it are its output, in which `…` stands for any text. A
command that ends in `&` stays until the end. `console java` blocks need the Java peers. Ports are replaced by free
ones.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

import gateway
from gateway.config import examine
from gateway.config.sections.listener import LimitsConfig
from gateway.config.units import format_bytes, format_seconds
from gateway.contracts.hint import HintReader
from gateway.model.contract import ServiceContract
from gateway.model.errors import Retry, RpcError
from gateway.plugins.catalog import Catalog
from protocols.java import type_name
from tests.support.java_peer import BUILD_TIMEOUT, JAVA, require_java
from tests.support.program import ROOT, until

README: Final = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "DECISIONS.md",
    "SECURITY.md",
    "docs/data.md",
    "docs/plugins.md",
)

_WAIT_S: Final = 60.0
_BLOCK: Final = re.compile(r"^```(\w+)[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT: Final = re.compile(r"\b(?:208\d\d|808[012]|1099|9090|11211|6380)\b")
_ANY: Final = "…"


@dataclass(frozen=True)
class Block:
    """`name`: what stands behind the language; `line`: where the block begins."""

    language: str
    name: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    text: str
    output: str

    @property
    def stays(self) -> bool:
        return self.text.endswith("&")


def _blocks(text: str) -> list[Block]:
    return [
        Block(found[1], found[2], found[3], text.count("\n", 0, found.start()) + 1) for found in _BLOCK.finditer(text)
    ]


def _commands(block: Block) -> list[Command]:
    assert block.text.startswith("$ "), f"README.md:{block.line}: a console block begins with a command"
    return [
        Command(text, output)
        for text, _, output in (part.partition("\n") for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:])
    ]


BLOCKS: Final = _blocks(README)
CONSOLES: Final = [block for block in BLOCKS if block.language == "console"]
FILES: Final = [block for block in BLOCKS if block.language != "console"]


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, expected.rstrip("\n").split(_ANY))) + r"\n?\Z", re.DOTALL)


class Reader:
    """Somebody who follows the README in a folder of their own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._ports: dict[str, str] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._environ = self._prepare()
        for block in FILES:
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._translate(block.text), "utf-8")

    def _prepare(self) -> dict[str, str]:
        (self._folder / "conf").symlink_to(ROOT / "conf")
        tools = self._folder / ".bin"
        tools.mkdir()
        for name, command in (
            ("polyport", f'"{sys.executable}" -m gateway.cli.main'),
            ("python", f'"{sys.executable}"'),
        ):
            tool = tools / name
            tool.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
            tool.chmod(0o755)
        return {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "POLYPORT_DUBBO_PORT": self._free_port("20880"),
            "POLYPORT_HTTP_PORT": self._free_port("8080"),
            "POLYPORT_HESSIAN_PORT": self._free_port("8081"),
            "POLYPORT_RMI_PORT": self._free_port("1099"),
            "POLYPORT_WEBSERVICE_PORT": self._free_port("8082"),
            "POLYPORT_MEMCACHED_PORT": self._free_port("11211"),
            "POLYPORT_THRIFT_PORT": self._free_port("9090"),
            "POLYPORT_REDIS_PORT": self._free_port("6380"),
            "POLYPORT_PORT": self._free_port("7000"),
        }

    def need_java(self) -> None:
        """Puts a JDK on the path, and Dubbo's class path where the README says."""
        require_java()
        home = subprocess.check_output(["bash", "-c", '. "$0" && echo "$JAVA_HOME"', JAVA / "jdk.sh"], text=True)
        self._environ["PATH"] = f"{home.strip()}/bin{os.pathsep}{self._environ['PATH']}"
        self._environ["DUBBO"] = (ROOT / ".cache/interop-java/dubbo-33.classpath").read_text("utf-8").strip()

    def run(self, block: Block) -> None:
        """Runs what a block shows, with the servers of the blocks before it."""
        for earlier in CONSOLES:
            if earlier.line < block.line and not earlier.name:
                for command in _commands(earlier):
                    if command.stays:
                        self._stay(command)
        for command in _commands(block):
            if command.stays:
                self._stay(command)
            else:
                self._finish(command)

    def close(self) -> None:
        """Ends what stays, all of it at the same time."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(_WAIT_S)

    def _finish(self, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", self._translate(command.text)],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_WAIT_S,
            check=False,
        )
        self._compare(command, done.stdout)

    def _stay(self, command: Command) -> None:
        if command.text in self._running:
            return
        output = self._folder / f".output-{len(self._running)}"
        with output.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {self._translate(command.text.removesuffix('&'))}"],
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self._running[command.text] = process
        last = _pattern(command.output.splitlines()[-1] + "\n")

        def is_there() -> bool:
            return any(map(last.match, output.read_text("utf-8").splitlines(keepends=True)))

        until(lambda: is_there() or process.poll() is not None, command.text)
        self._compare(command, output.read_text("utf-8"))

    def _compare(self, command: Command, output: str) -> None:
        shown = self._translate_back(output)
        if not _pattern(command.output).match(shown):
            pytest.fail(f"$ {command.text}\nexpected:\n{command.output}\nfound:\n{shown}", pytrace=False)

    def _translate(self, text: str) -> str:
        return _PORT.sub(lambda found: self._free_port(found[0]), text)

    def _translate_back(self, text: str) -> str:
        for written, real in self._ports.items():
            text = re.sub(rf"\b{real}\b", written, text)
        return text

    def _free_port(self, written: str) -> str:
        """A port for the one that is written. It stays bound here, without listening, so that nobody else gets it."""
        if written not in self._ports:
            holder = self._stack.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            holder.bind(("127.0.0.1", 0))
            self._ports[written] = str(holder.getsockname()[1])
        return self._ports[written]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    with ExitStack() as stack:
        made = Reader(tmp_path_factory.mktemp("readme"), stack)
        stack.callback(made.close)
        yield made


def _id(block: Block) -> str:
    return f"line {block.line}"


@pytest.mark.parametrize("block", [each for each in CONSOLES if each.name == ""], ids=_id)
def test_commands_print_what_the_readme_says(reader: Reader, block: Block) -> None:
    reader.run(block)


@pytest.mark.interop
@BUILD_TIMEOUT
@pytest.mark.parametrize("block", [each for each in CONSOLES if each.name == "java"], ids=_id)
def test_java_commands_print_what_the_readme_says(reader: Reader, block: Block) -> None:
    reader.need_java()
    reader.run(block)


def test_every_file_has_a_name_and_is_used() -> None:
    commands = "".join(block.text for block in CONSOLES)
    programs = "".join(block.text for block in FILES)
    for block in FILES:
        assert block.name, f"README.md:{block.line}: a block without a file name is not run"
        path = Path(block.name)
        assert (
            path.name in commands + programs or f"from {path.stem} import" in programs or f"{path.stem}:" in programs
        ), path


@pytest.mark.parametrize("block", [each for each in FILES if each.language == "yaml"], ids=_id)
def test_configurations_have_neither_problems_nor_warnings(
    reader: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: Block
) -> None:
    for each in FILES:
        if each.language in ("python", "yaml", "thrift", "xml"):
            (tmp_path / each.name).write_text(each.text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = examine(tmp_path / block.name, Catalog([]), {"PARTNER_SECRET": "s3cret"})

    assert [*map(str, found.problems), *map(str, found.warnings)] == []


# Tables.


def _table(heading: str) -> list[list[str]]:
    """The cells of the first table of a section, without its two head lines."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in rows[2:]]


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


_NAMES: Final[Mapping[str, Any]] = {
    **{name: getattr(gateway, name) for name in gateway.__all__},
    "Any": Any,
    "Decimal": Decimal,
    "Mapping": Mapping,
    "Sequence": Sequence,
    "UUID": UUID,
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
}


def test_types_are_called_in_java_as_the_table_says() -> None:
    problems: list[tuple[str, str]] = []
    hints = HintReader(lambda cls, where: cls.__name__, lambda where, text: problems.append((where, text)))
    contract = ServiceContract("readme.Types", ())
    rows = _table("Types")
    for python, plain, nullable in rows:
        for text in _code(python):
            ref, _ = hints.read(eval(text, dict(_NAMES)), text)
            (java,) = _code(plain)
            assert type_name(ref.required(), contract) == java, text
            (boxed,) = _code(nullable) or [java]
            assert type_name(ref.optional(), contract) == boxed, text

    assert problems == []
    assert len(rows) > 20


def test_errors_are_all_in_the_table() -> None:
    repeated = {Retry.SAFE: "yes", Retry.IF_IDEMPOTENT: "if idempotent", Retry.NEVER: "no"}

    assert {(_code(name)[0], _code(code)[0], last) for name, code, _, last in _table("Errors")} == {
        (each.__name__, each.code, repeated[each.default_retry]) for each in RpcError.__subclasses__()
        if each.__module__ == RpcError.__module__
    }  # fmt: skip


def test_limits_are_all_in_the_table_with_their_defaults() -> None:
    def shown(value: int | float) -> str:
        if isinstance(value, float):
            return format_seconds(value)
        return format_bytes(value) if value >= 1024 * 1024 else str(value)

    defaults = LimitsConfig()
    assert [(_code(key)[0], default) for key, default, _ in _table("Limits")] == [
        (name, shown(getattr(defaults, name))) for name in LimitsConfig.model_fields
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).strip().lower().replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (ROOT / document).parent.joinpath(target.partition("#")[0]).exists(), target
