"""The names of the package `gateway`: all there, loaded late, and what a type checker makes of programs with them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gateway
from tests.support.type_checker import type_check

PROGRAM = """
import asyncio
from dataclasses import dataclass
from typing import Protocol, assert_type

from gateway import (
    I64, NO_CALL, App, Call, ConnectFailed, MethodSettings, Retry, RpcError, ServiceError, StartError, calling, connect,
    connect_sync, method, service,
)


@dataclass
class Order:
    id: I64


class Missing(ServiceError):
    number: I64


@service(name="shop.Orders")
class Orders(Protocol):
    @method(throws=(Missing,), idempotent=True)
    async def find(self, number: I64) -> Order: ...


class MemoryOrders:
    async def find(self, number: int, *, call: Call = NO_CALL) -> Order:
        raise Missing("none", number=number)


async def use(app: App) -> None:
    urls = ["dubbo://127.0.0.1:20880", "dubbo://127.0.0.1:20881"]
    async with connect(urls, Orders, timeout_s=2.0, methods={"find": MethodSettings(retries=0)}) as orders:
        assert_type(orders, Orders)
        try:
            assert_type(await calling(orders, deadline_s=1.0, attachments={"user": "ann"}).find(7), Order)
        except ConnectFailed as error:
            assert_type(error.retry, Retry)
    async with connect("dubbo://127.0.0.1:20880/shop.Orders") as generic:
        await generic.invoke("find", 7, types=["long"])
    assert_type(await app.reference("orders", Orders).find(1), Order)
    try:
        await app.start()
    except (StartError, RpcError):
        raise


def use_blocking() -> int:
    with connect_sync("dubbo://127.0.0.1:20880", Orders) as orders:
        orders.find(7)
        return len(orders.find(7).tags)


served: Orders = MemoryOrders()
asyncio.run(use(App.from_file("gateway.yaml")))
"""

MISTAKES = """
from gateway import calling, connect


async def use() -> None:
    async with connect("dubbo://127.0.0.1:20880/shop.Orders", timeout=5) as orders:
        await calling(orders, timeout=5).invoke("find")
"""


def test_every_name_is_there_and_no_other() -> None:
    assert dir(gateway) == sorted(gateway.__all__)
    with pytest.raises(AttributeError, match="module 'gateway' has no attribute 'conect'"):
        _ = gateway.conect  # type: ignore[attr-defined]


def test_names_are_those_that_a_type_checker_sees() -> None:
    tree = ast.parse(Path(gateway.__file__).read_text())
    imported = {
        alias.name: node.module
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(imported) == sorted(gateway.__all__)
    for name, module in imported.items():
        assert module is not None
        found = getattr(__import__(module, fromlist=[name]), name)
        assert getattr(gateway, name) is found


def test_importing_the_package_loads_nothing_else() -> None:
    program = "import sys, gateway; print([each for each in sys.modules if each.startswith(('gateway.', 'pydantic'))])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def checked(program: str, folder: Path) -> tuple[str, int]:
    path = folder / "program.py"
    path.write_text(program)
    out, _, status = type_check(["--strict", "--no-incremental", "--no-error-summary", str(path)])
    return out, status


def test_programs_with_the_public_names_pass_a_strict_type_check(tmp_path: Path) -> None:
    assert checked(PROGRAM, tmp_path) == ("", 0)


def test_settings_that_do_not_exist_are_found_by_a_type_checker(tmp_path: Path) -> None:
    out, status = checked(MISTAKES, tmp_path)
    assert status == 1
    assert out.count('"timeout"') == 2
