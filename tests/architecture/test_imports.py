"""The direction of imports, read from the import statements. Nothing is imported here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "protocols", "adapters", "registry")

MODEL = {"gateway.model"}
JSONFORM = MODEL | {"gateway.jsonform"}
SPI = JSONFORM | {"gateway.spi"}
MIDDLE = {
    f"gateway.{name}"
    for name in ("contracts", "filters", "cluster", "balance", "routing", "config", "telemetry", "failback", "demo")
}
PLUGINS = SPI | MIDDLE | {"gateway.plugins"}
RUNTIME = PLUGINS | {"gateway.runtime"}

# Who may import what of ours; the first entry that fits a module's name counts.
ALLOWED: tuple[tuple[str, set[str]], ...] = (
    ("gateway.model", MODEL),
    ("gateway.jsonform", JSONFORM),
    ("gateway.spi", SPI),
    *((name, SPI | MIDDLE) for name in sorted(MIDDLE)),
    ("gateway.plugins", PLUGINS),
    ("gateway.runtime", RUNTIME),
    ("gateway.cli", RUNTIME | {"gateway.cli"}),
    ("gateway.admin", RUNTIME | {"gateway.admin"}),
    ("gateway", RUNTIME),
    ("protocols", {"protocols", *JSONFORM}),
    ("registry", {"registry", "gateway.contracts", "gateway.telemetry", *SPI}),
    ("adapters", {"adapters", "protocols", "gateway.contracts", *SPI}),
)

# Packages of others; what is not listed uses the standard library alone.
THIRD_PARTY: dict[str, set[str]] = {
    "gateway.balance": {"pydantic"},
    "gateway.cluster": {"pydantic"},
    "gateway.config": {"pydantic", "pydantic_core", "yaml"},
    "gateway.failback": {"redis"},
    "gateway.filters": {"pydantic"},
    "gateway.jsonform": {"msgspec"},
    "gateway.cli": {"typer", "uvloop", "rich", "yaml"},
    "protocols.http": {"httptools"},
    "registry.redis": {"redis"},
    "adapters.data": {"pymemcache", "redis"},
    "adapters.http": {"aiohttp", "yarl"},
    "registry.zookeeper": {"kazoo"},
}

# A codec knows neither sockets nor loops, threads, clocks, files or logs.
IMPURE = {
    "asyncio", "concurrent", "ctypes", "io", "logging", "multiprocessing", "os", "pathlib", "queue", "random",
    "sched", "select", "selectors", "shutil", "signal", "socket", "socketserver", "ssl", "subprocess", "tempfile",
    "threading", "time",
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    module: str
    """Who imports."""
    target: str
    """What is imported, a module or a name in one."""
    where: str


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports() -> Iterator[Import]:
    for module, path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(module, alias.name, where)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{where}: imports are absolute"
                assert node.module is not None
                for alias in node.names:
                    assert alias.name != "*", f"{where}: imports are by name"
                    yield Import(module, f"{node.module}.{alias.name}", where)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def allowed_for(module: str) -> set[str]:
    for prefix, allowed in ALLOWED:
        if within(module, {prefix}):
            return allowed
    raise AssertionError(f"{module} is in no layer; add it to the table")


@pytest.fixture(scope="module")
def found() -> list[Import]:
    return list(imports())


def test_every_folder_of_gateway_has_its_place_in_the_table() -> None:
    known = {prefix for prefix, _ in ALLOWED}
    folders = {path.name for path in (ROOT / "gateway").iterdir() if (path / "__init__.py").is_file()}

    assert {f"gateway.{name}" for name in folders} <= known


def test_imports_point_downwards(found: list[Import]) -> None:
    wrong = [
        f"{each.where}: {each.module} imports {each.target}"
        for each in found
        if within(each.target, set(PACKAGES)) and not within(each.target, allowed_for(each.module))
    ]

    assert wrong == []


def test_third_parties_are_imported_only_where_they_belong(found: list[Import]) -> None:
    wrong = []
    for each in found:
        top = each.target.partition(".")[0]
        if top in sys.stdlib_module_names or top in PACKAGES:
            continue
        listed = next((names for prefix, names in THIRD_PARTY.items() if within(each.module, {prefix})), set())
        if top not in listed:
            wrong.append(f"{each.where}: {each.module} imports {top}")

    assert wrong == []


def test_codecs_do_no_io(found: list[Import]) -> None:
    wrong = [
        f"{each.where}: {each.target}"
        for each in found
        if within(each.module, {"protocols"}) and each.target.partition(".")[0] in IMPURE
    ]

    assert wrong == []


def test_codecs_do_not_ask_what_time_it_is() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for module, path in modules()
        if within(module, {"protocols"})
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}
    ]

    assert wrong == []


def test_packages_of_one_layer_do_not_import_each_other_in_circles(found: list[Import]) -> None:
    edges: dict[str, set[str]] = {name: set() for name in MIDDLE}
    for each in found:
        owner = next((name for name in MIDDLE if within(each.module, {name})), None)
        target = next((name for name in MIDDLE if within(each.target, {name})), None)
        if owner and target and owner != target:
            edges[owner].add(target)

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        return any(step == goal or (step not in seen and reaches(step, goal, seen | {step})) for step in edges[start])

    assert [name for name in sorted(MIDDLE) if reaches(name, name, set())] == []
