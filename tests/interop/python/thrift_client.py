"""Uses demo.Catalog and demo.Types with Apache's library and generated code: `thrift_client.py PORT GENERATED`."""

import itertools
import math
import sys
from types import ModuleType
from typing import Any

from checks import Checks

sys.path.insert(0, sys.argv[2])

from demo import Catalog, Types, ttypes
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

CHECKS = Checks()
PIPELINED = 20
OPENING = 1_767_342_600_000_000
DAY = 86_400_000_000


def run(port: int, name: str, transport: type, protocol: type, multiplexed: bool) -> None:
    """Everything over one connection."""
    trans = transport(TSocket("127.0.0.1", port))
    trans.open()
    wire = protocol(trans)

    def client(module: ModuleType, service: str) -> Any:
        return module.Client(TMultiplexedProtocol(wire, service) if multiplexed else wire)

    catalog = client(Catalog, "demo.Catalog")
    products(name, catalog)
    faults(name, catalog)
    pipelining(name, catalog)
    if multiplexed:
        types = client(Types, "Types")
        values(name, types)
        undeclared(name, types)
        other = client(Catalog, "Nothing")
        CHECKS.same(f"{name} no such service", TApplicationException.UNKNOWN_METHOD, lambda: kind(other.count))
    CHECKS.same(f"{name} the connection stays", 3, catalog.count)
    trans.close()


def products(name: str, catalog: Any) -> None:
    def same(what: str, expected: Any, step: Any) -> Any:
        return CHECKS.same(f"{name} {what}", expected, step)

    lamp = ttypes.Product(
        id=1,
        name="Desk lamp",
        price="49.90",
        tags=["light", "office"],
        created_at=OPENING,
        updated_at=OPENING + 30 * DAY + 250_000,
        stock={"berlin": 12, "oslo": 0},
        status=ttypes.Status.ACTIVE,
        maker=ttypes.Maker("Lumen", "DE", ttypes.Maker("Northwind Group", "SE")),
    )
    same("find", lamp, lambda: catalog.find(1))
    plain = ttypes.Product(
        id=3,
        name="Wandleuchte „Grün“ 🌿",
        price="19.5",
        tags=[],
        created_at=OPENING + DAY,
        stock={},
        status=ttypes.Status.DISCONTINUED,
    )
    same("absent fields", plain, lambda: catalog.find(3))
    same("find_by_name", lamp, lambda: catalog.find_by_name("Desk lamp"))
    same("search", [1, 2], lambda: [each.id for each in catalog.search("desk", 10, None)])
    same("search with a set", [1], lambda: [each.id for each in catalog.search("", 1, {"office"})])
    same("a default that the caller leaves out", 3, lambda: len(catalog.search("", None, None)))
    same("a map", {"2025-10-04": "54.90", "2026-01-02": "49.90"}, lambda: catalog.price_history(1))
    new = ttypes.Product(id=0, name="n", price="1.0", tags=["t"], created_at=OPENING)
    same("put", 4, lambda: catalog.put(new))
    same("oneway", None, lambda: catalog.touch(4))
    same("what oneway did", OPENING + 1000, lambda: catalog.find(4).updated_at)
    same("the default status", ttypes.Status.ACTIVE, lambda: catalog.find(4).status)
    same("remove", True, lambda: catalog.remove(4))
    same("remove nothing", False, lambda: catalog.remove(4))
    same("slow", "slept 5 ms", lambda: catalog.slow(5))


def faults(name: str, catalog: Any) -> None:
    def raised(step: Any) -> Any:
        try:
            return step()
        except Exception as exc:
            return exc

    missing = ttypes.ProductNotFound(message="no product 99", product_id=99)
    CHECKS.same(f"{name} a declared exception", missing, lambda: raised(lambda: catalog.find(99)))
    short = ttypes.OutOfStock(message="5 of 'Desk lamp' missing", warehouse="oslo", missing=5)
    CHECKS.same(f"{name} the second one", short, lambda: raised(lambda: catalog.reserve(1, "oslo", 5)))
    other = ttypes.ProductNotFound(message="no product -1", product_id=-1)
    CHECKS.same(f"{name} the first one", other, lambda: raised(lambda: catalog.reserve(-1, "oslo", 5)))


def undeclared(name: str, types: Any) -> None:
    culprit = ttypes.Maker("Acme", "US")
    try:
        types.fail_declared("why")
    except ttypes.TypesFailure as exc:
        failure: Any = exc
    else:
        failure = None
    expected = ttypes.TypesFailure(message="why", code=42, culprit=culprit)
    CHECKS.same(f"{name} an exception with a struct", expected, lambda: failure)
    CHECKS.same(
        f"{name} an undeclared exception",
        TApplicationException.INTERNAL_ERROR,
        lambda: kind(lambda: types.fail_undeclared("because")),
    )
    CHECKS.same(f"{name} and its text", True, lambda: "because" in text(lambda: types.fail_undeclared("because")))
    CHECKS.same(
        f"{name} a value that does not fit",
        TApplicationException.PROTOCOL_ERROR,
        lambda: kind(lambda: types.echo_decimal("x")),
    )
    CHECKS.same(f"{name} null", TApplicationException.MISSING_RESULT, lambda: kind(lambda: types.echo_nullable(None)))
    CHECKS.same(f"{name} and then a call", 1, lambda: types.echo_i32(1))


def pipelining(name: str, catalog: Any) -> None:
    """Calls that are all sent before the first answer is read; the first ones are answered last."""
    for number in range(PIPELINED):
        catalog.send_slow(PIPELINED - number)
    for number in range(PIPELINED):
        CHECKS.same(f"{name} pipelined {number}", f"slept {PIPELINED - number} ms", catalog.recv_slow)


def values(name: str, types: Any) -> None:
    maker = ttypes.Maker("m", None, ttypes.Maker("p", "DE"))
    sent: dict[str, tuple[Any, ...]] = {
        "echo_bool": (True, False),
        "echo_i8": (-(1 << 7), 127),
        "echo_i16": (-(1 << 15), (1 << 15) - 1),
        "echo_i32": (-(1 << 31), (1 << 31) - 1),
        "echo_i64": (-(1 << 63), (1 << 63) - 1),
        "echo_f32": (0.5, -2.25),
        "echo_f64": (0.1, 1.7976931348623157e308, math.inf),
        "echo_bigint": (str(1 << 200),),
        "echo_decimal": ("1.10", "-1E-20"),
        "echo_char": ("茶",),
        "echo_string": ("", "Grüße 茶 😀\0", "x" * 70_000),
        "echo_bytes": (b"", bytes(range(256))),
        "echo_date": ("2024-02-29",),
        "echo_time": ("23:59:59.999999",),
        "echo_datetime": (-1, OPENING),
        "echo_local_datetime": ("2026-03-29T02:30:00",),
        "echo_uuid": ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6",),
        "echo_int_list": ([], [1, -1] * 100),
        "echo_nested_list": ([[], ["x", ""]],),
        "echo_string_set": ({"a", "b"},),
        "echo_long_set": (set(), {1 << 62}),
        "echo_string_map": ({}, {"a": -1}),
        "echo_int_map": ({-1: "x"},),
        "echo_enum_map": ({ttypes.Status.PREORDER: "p"},),
        "echo_struct_map": ({ttypes.Point(1, -1): "p"},),
        "echo_nested_map": ({"k": [maker, maker], "e": []},),
        "echo_double_array": ([0.1, -0.0],),
        "echo_maker_array": ([maker],),
        "echo_enum": (ttypes.Status.DISCONTINUED,),
        "echo_struct": (maker,),
        "echo_everything": (
            ttypes.Everything(
                boxed_bool=False,
                boxed_f64=0.1,
                decimal="1.10",
                character="\0",
                bytes=b"\xff",
                string_set={"s"},
                enum_map={ttypes.Status.ACTIVE: "a"},
                nested_map={"k": [maker]},
                enumeration=ttypes.Status.PREORDER,
                struct_=maker,
            ),
        ),
        "echo_any": ('{"a":[1,null]}',),
        "echo_nullable": ("x",),
    }
    for method, each in sent.items():
        for number, value in enumerate(each):
            CHECKS.same(f"{name} {method} {number}", value, lambda m=method, v=value: getattr(types, m)(v))
    CHECKS.same(f"{name} void", None, types.echo_nothing)


def kind(step: Any) -> int:
    try:
        step()
    except TApplicationException as exc:
        return int(exc.type)
    return -1


def text(step: Any) -> str:
    try:
        step()
    except TApplicationException as exc:
        return str(exc.message)
    return ""


if __name__ == "__main__":
    transports = {"buffered": TBufferedTransport, "framed": TFramedTransport}
    protocols = {"binary": TBinaryProtocolAccelerated, "compact": TCompactProtocol}
    for transport, protocol, multiplexed in itertools.product(transports, protocols, (True, False)):
        title = f"{protocol} {transport}{' multiplexed' if multiplexed else ''}"
        run(int(sys.argv[1]), title, transports[transport], protocols[protocol], multiplexed)
    CHECKS.summary()
