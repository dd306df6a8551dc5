"""Uses demo.Catalog and demo.Types with python-hessian: `hessian_client.py BASE_URL VERSION,…`."""

import datetime
import sys
from collections.abc import Callable
from typing import Any

from checks import Checks
from pyhessian.client import HessianProxy
from pyhessian.protocol import Binary, Fault, cls_factory

CHECKS = Checks()


def run(base: str, version: int) -> None:
    def ask(service: str, method: str, *arguments: Any) -> Any:
        # One proxy for each call: its parser keeps the state of the reply before in version 2.
        return getattr(HessianProxy(f"{base}/{service}", version=version), method)(*arguments)

    def catalog(method: str, *arguments: Any) -> Callable[[], Any]:
        return lambda: ask("demo.Catalog", method, *arguments)

    def echo(method: str, sent: Any, expected: Any) -> None:
        CHECKS.same(f"{method} {sent!r:.40}", expected, lambda: ask("demo.Types", method, sent))

    def fault(method: str, *arguments: Any, service: str = "demo.Catalog") -> str:
        try:
            ask(service, method, *arguments)
        except Fault as raised:
            return str(raised.code)
        return "no fault"

    CHECKS.same("count", True, lambda: ask("demo.Catalog", "count") >= 3)
    CHECKS.same("find by id", "Desk lamp", lambda: ask("demo.Catalog", "find", 1).name)
    CHECKS.same("find by name", 1, lambda: int(ask("demo.Catalog", "find", "Desk lamp").id))
    CHECKS.same("its decimal", "49.90", lambda: ask("demo.Catalog", "find", 1).price.value)
    CHECKS.same("its maker", "Lumen", lambda: ask("demo.Catalog", "find", 1).maker.name)
    CHECKS.same("search", ["Desk lamp"], lambda: [each.name for each in ask("demo.Catalog", "search", "lamp", 1, None)])
    CHECKS.same("remove nothing", False, catalog("remove", -5))
    CHECKS.same("slow", "slept 5 ms", catalog("slow", 5))
    CHECKS.same("touch", None, catalog("touch", 1))
    CHECKS.same("an exception is a fault", "ServiceException", lambda: fault("find", -5))
    CHECKS.same("no such method", "NoSuchMethodException", lambda: fault("nothing"))
    CHECKS.same("a declared exception", "ServiceException", lambda: fault("failDeclared", "x", service="demo.Types"))

    for truth in (True, False):
        echo("echoBool", truth, truth)
    for number in (0, -1, 47, 48, -2049, 262144, -(2**31), 2**31 - 1):
        echo("echoI32", number, number)
    for real in (0.5, 0.1, -128.25, 1e300):
        echo("echoF64", real, real)
    for text in ("", "茶 Grüße", "x" * 70_000):
        echo("echoString", text, text)
    echo("echoNullable", None, None)
    CHECKS.same("echoBytes", b"\0\xff", lambda: ask("demo.Types", "echoBytes", Binary(b"\0\xff")).value)
    moment = datetime.datetime(2024, 1, 2, 3, 4, 5)
    echo("echoJavaDate", moment, moment)
    CHECKS.same("echoStringList", ["a", ""], lambda: list(ask("demo.Types", "echoStringList", ["a", ""])))
    CHECKS.same("echoStringMap", {"a": 1}, lambda: dict(ask("demo.Types", "echoStringMap", {"a": 1})))
    maker = cls_factory("demo.Maker")(name="m", country="DE", parent=None)
    CHECKS.same("echoStruct", ("m", "DE"), lambda: _named(ask("demo.Types", "echoStruct", maker)))
    CHECKS.same("a map as struct", ("m", None), lambda: _named(ask("demo.Types", "echoStruct", {"name": "m"})))


def _named(maker: Any) -> tuple[str, str | None]:
    return maker.name, maker.country


for each in sys.argv[2].split(","):
    print(f"version {each}")
    run(sys.argv[1], int(each))
CHECKS.summary()
