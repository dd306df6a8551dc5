"""What a type checker sees: contracts are types, widths are plain numbers, exceptions have constructors."""

from pathlib import Path

import pytest

from tests.support.type_checker import type_check

PROGRAM = """
from collections.abc import Callable
from typing import Protocol, TypeVar, assert_type

from gateway.contracts import BigInt, Call, Char, F32, I32, I64, NO_CALL, ServiceError, contract_of, method, service

T = TypeVar("T")


class Missing(ServiceError):
    product_id: I64
    hint: str = ""


@service("shop.Orders")
class Orders(Protocol):
    @method(throws=(Missing,), idempotent=True)
    async def find(self, order_id: I64, note: str = "") -> Char: ...
    async def weigh(self, factor: F32) -> BigInt: ...


class MemoryOrders:
    async def find(self, order_id: int, note: str = "", *, call: Call = NO_CALL) -> str:
        raise Missing("none", product_id=order_id)

    async def weigh(self, factor: float) -> int:
        return 1


def connect(url: str, contract: Callable[..., T]) -> T:
    raise NotImplementedError


async def use() -> None:
    orders = connect("dubbo://127.0.0.1:20880/shop.Orders", Orders)
    assert_type(orders, Orders)
    assert_type(await orders.find(1), str)
    assert_type(await orders.weigh(0.5), int)
    assert_type(Missing("none", product_id=1).message, str | None)
    contract_of(Orders)


served: Orders = MemoryOrders()
Missing(product_id=1)
Missing("none", product_id=1, hint="none")
"""

MISTAKES = """
from typing import Protocol

from gateway.contracts import I32, ServiceError, method, service


class Missing(ServiceError):
    product_id: I32


@service("shop.Orders")
class Orders(Protocol):
    async def find(self, order_id: I32) -> str: ...


async def use(orders: Orders) -> None:
    await orders.find("1")  # arg-type
    Missing("none")  # call-arg
    Missing("none", 1)  # call-arg
    Missing("none", product_id="1")  # arg-type
    method(throws=(ValueError,))  # arg-type
    service()  # call-arg
"""


def check(program: str, folder: Path) -> list[str]:
    """What `mypy --strict` says about a program, as `line: code`."""
    path = folder / "program.py"
    path.write_text(program, encoding="utf-8")
    options = ["--strict", "--hide-error-context", "--no-error-summary", f"--cache-dir={folder}", "--no-color-output"]
    found, errors, _ = type_check([*options, str(path)])
    assert errors == ""
    own = [line.split(":", 2) for line in found.splitlines() if line.startswith(str(path)) and ": error:" in line]
    return [f"{number}: {rest.rpartition('[')[2].rstrip(']')}" for _, number, rest in own]


@pytest.mark.timeout(300)
def test_a_contract_is_a_type(tmp_path: Path) -> None:
    assert check(PROGRAM, tmp_path) == []
    marked = enumerate(MISTAKES.splitlines(), 1)
    assert check(MISTAKES, tmp_path) == [
        f"{number}: {line.split('  # ')[1]}" for number, line in marked if "  # " in line
    ]
