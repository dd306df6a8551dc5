"""Exported Java sources: javac compiles them, javap reads their descriptors, a Java program uses them as beans."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.demo.types import Types
from gateway.model.contract import EnumType, Field, MethodContract, Param, ServiceContract
from gateway.model.errors import ContractError
from gateway.model.typeref import Kind
from protocols.dubbo.idl import export_java
from protocols.java import class_name, interface_name, method_descriptor
from tests.support.shop_contract import (
    ANY,
    DECIMAL,
    I32,
    I64,
    MAKER,
    NOT_FOUND,
    NULL,
    POINT,
    SHOP,
    STATUS,
    STRING,
    TYPES,
    Maker,
    Status,
    method,
    plain,
    ref,
    service,
    struct,
)

JAVAC = shutil.which("javac")
needs_java = pytest.mark.skipif(JAVAC is None, reason="no javac on this machine")
# Java takes the encoding of file names from the locale; one class has a name beyond ASCII.
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8"}
NASTY = 'ends */ early, \\u000a and \\user, {@code x} <b>&amp;</b> "quoted"\r\n\n@param \x1a \u4f60 \U0001f600 \ud800'


def field(name: str, type_: Any, default: Any) -> Field:
    options = {"default_factory": default} if callable(default) else {"default": default}
    return plain(name, type_, **options)


# name, type, default -> what Java prints for the field of a new bean
DEFAULTS = {
    "bool": (field("f_bool", ref(Kind.BOOL), True), "true"),
    "boxed_bool": (field("f_boxed_bool", ref(Kind.BOOL, nullable=True), False), "false"),
    "i8": (field("f_i8", ref(Kind.I8), -128), "-128"),
    "boxed_i8": (field("f_boxed_i8", ref(Kind.I8, nullable=True), 127), "127"),
    "i16": (field("f_i16", ref(Kind.I16, nullable=True), -32768), "-32768"),
    "i32": (field("f_i32", I32, -(2**31)), "-2147483648"),
    "i64": (field("f_i64", I64.optional(), -(2**63)), "-9223372036854775808"),
    "f32": (field("f_f32", ref(Kind.F32), 1.1), "1.1"),
    "f32_small": (field("f_f32_small", ref(Kind.F32), 1e-45), "1.4E-45"),
    "f32_without": (plain("f_f32_without", ref(Kind.F32)), "0.0"),
    "f32_nullable": (field("f_f32_nullable", ref(Kind.F32, nullable=True), None), "null"),
    "f64": (field("f_f64", ref(Kind.F64), 0.1), "0.1"),
    "f64_whole": (field("f_f64_whole", ref(Kind.F64, nullable=True), 3), "3.0"),
    "f64_large": (field("f_f64_large", ref(Kind.F64), 1e300), "1.0E300"),
    "minus_zero": (field("f_minus_zero", ref(Kind.F64), -0.0), "-0.0"),
    "nan": (field("f_nan", ref(Kind.F64), math.nan), "NaN"),
    "infinity": (field("f_infinity", ref(Kind.F32), -math.inf), "-Infinity"),
    "bigint": (field("f_bigint", ref(Kind.BIGINT), 10**30), "1" + "0" * 30),
    "decimal": (field("f_decimal", DECIMAL, Decimal("1.20")), "1.20"),
    "decimal_exponent": (field("f_decimal_exponent", DECIMAL, Decimal("1E+5")), "1E+5"),
    "char": (field("f_char", ref(Kind.CHAR), "'"), "'"),
    "char_boxed": (field("f_char_boxed", ref(Kind.CHAR, nullable=True), "\u4f60"), "\u4f60"),
    "string": (
        field("f_string", STRING, 'a"b\\u0041\\\u00e9\n\t\0' + "7\U0001f600"),
        'a"b\\u0041\\\u00e9\n\t\0' + "7\U0001f600",
    ),
    "date": (field("f_date", ref(Kind.DATE), date(2024, 2, 29)), "2024-02-29"),
    "time": (field("f_time", ref(Kind.TIME), time(3, 4, 5, 6)), "03:04:05.000006"),
    "datetime": (
        field("f_datetime", ref(Kind.DATETIME), datetime(2024, 1, 2, 5, 4, 5, 6, timezone(timedelta(hours=2)))),
        "2024-01-02T03:04:05.000006Z",
    ),
    "local_datetime": (
        field("f_local_datetime", ref(Kind.LOCAL_DATETIME), datetime(2024, 1, 2, 3, 4, 5)),
        "2024-01-02T03:04:05",
    ),
    "java_date": (
        field("f_java_date", ref(Kind.DATETIME, java="java.util.Date"), datetime(1969, 12, 31, tzinfo=UTC)),
        "Wed Dec 31 00:00:00 UTC 1969",
    ),
    "java_date_too_fine": (
        field("f_java_date_too_fine", ref(Kind.DATETIME, java="java.util.Date"), datetime(1970, 1, 1, 0, 0, 0, 1, UTC)),
        "null",
    ),
    "duration": (field("f_duration", ref(Kind.DURATION), timedelta(days=-1, microseconds=1)), "PT-23H-59M-59.999999S"),
    "uuid": (field("f_uuid", ref(Kind.UUID), UUID(int=1)), "00000000-0000-0000-0000-000000000001"),
    "enum": (field("f_enum", STATUS, Status.PREORDER), "PREORDER"),
    "bytes": (field("f_bytes", ref(Kind.BYTES), b"\x00\x7f\x80\xff"), "[0, 127, -128, -1]"),
    "bytes_factory": (field("f_bytes_factory", ref(Kind.BYTES), bytes), "[]"),
    "list": (field("f_list", ref(Kind.LIST, I64), (1, -2)), "[1, -2]"),
    "list_of_bytes": (field("f_list_i8", ref(Kind.LIST, ref(Kind.I8)), (1,)), "[1]"),
    "list_factory": (field("f_list_factory", ref(Kind.LIST, MAKER), list), "[]"),
    "list_linked": (field("f_list_linked", ref(Kind.LIST, STRING, java="java.util.LinkedList"), ("a",)), "[a]"),
    "list_nested": (field("f_list_nested", ref(Kind.LIST, ref(Kind.LIST, I32)), ((1,), ())), "[[1], []]"),
    "list_with_null": (field("f_list_with_null", ref(Kind.LIST, I32.optional()), (1, None)), "null"),
    "set": (field("f_set", ref(Kind.SET, STRING), frozenset({"x"})), "[x]"),
    "map": (field("f_map", ref(Kind.MAP, STRING, I32), dict), "{}"),
    "map_linked": (field("f_map_linked", ref(Kind.MAP, STRING, I32, java="java.util.LinkedHashMap"), dict), "{}"),
    "map_filled": (field("f_map_filled", ref(Kind.MAP, STRING, I32), lambda: {"a": 1}), "null"),
    "array": (field("f_array", ref(Kind.LIST, I32, java="int[]"), (1, 2)), "[1, 2]"),
    "array_nested": (
        field("f_array_nested", ref(Kind.LIST, ref(Kind.LIST, STRING), java="java.lang.String[][]"), (("a",),)),
        "[[a]]",
    ),
    "array_generic": (
        field("f_array_generic", ref(Kind.LIST, ref(Kind.LIST, STRING), java="java.util.List[]"), (("a",),)),
        "null",
    ),
    "array_single": (
        field("f_array_single", ref(Kind.LIST, ref(Kind.LIST, STRING, java="java.lang.String[]")), (("a",),)),
        "null",
    ),
    "struct": (field("f_struct", POINT.optional(), None), "null"),
    "any": (field("f_any", ANY, 5), "null"),
}

TYPES_OF_FIELDS = service(
    "odd.Types",
    method("echo", ref(Kind.STRUCT, name="odd.Everything"), returns=ref(Kind.STRUCT, name="odd.Everything")),
    method("maps", ref(Kind.MAP, STATUS, ref(Kind.MAP, POINT, ref(Kind.SET, I64))), ref(Kind.LIST, I32, java="int[]")),
    method(
        "arrays",
        ref(Kind.LIST, MAKER, java="shop.Maker[]"),
        returns=ref(Kind.LIST, ref(Kind.LIST, I64), java="long[][]"),
    ),
    MethodContract(
        "reserved", (Param("default", I32), Param("a_b", I32), Param("aB", I32.optional())), NULL, "reserved"
    ),
    types={
        **TYPES,
        "odd.Everything": struct("odd.Everything", Maker, *(each for each, _ in DEFAULTS.values())),
        "odd.Empty": struct("odd.Empty", Maker),
        "odd.NoConstant": EnumType("odd.NoConstant", Status, ()),
        # Fields that hide the packages their own class refers to.
        "odd.Hiding": struct(
            "odd.Hiding",
            Maker,
            plain("java", STRING, default="x"),
            plain("shop", STATUS, default=Status.ACTIVE),
            plain("odd", ref(Kind.BYTES)),
            plain("other", ref(Kind.F64), default=math.nan),
            plain("that", ref(Kind.LIST, I32), default=(1,)),
            plain("result", I32.optional()),
        ),
        "odd.Failure": struct(
            "odd.Failure",
            Maker,
            plain("message", STRING),
            plain("exit_code", I32, default=3, deprecated=True),
            is_exception=True,
            doc=NASTY,
        ),
        "odd.Illegal": struct(
            "odd.Illegal", Maker, is_exception=True, names={"java": "java.lang.IllegalArgumentException"}
        ),
        "odd.\u00c9t\u00e9": struct("odd.\u00c9t\u00e9", Maker, plain("\u4f60", I32, doc=NASTY)),
        "odd.Outer$Inner": struct("odd.Outer$Inner", Maker, plain("x", I32)),
    },
)
TYPES_OF_FIELDS = replace(
    TYPES_OF_FIELDS,
    doc=NASTY,
    methods=(
        *TYPES_OF_FIELDS.methods,
        replace(
            method("old", I32, returns=STRING.optional(), deprecated=f"Use new. {NASTY}", doc="One.\n\nTwo."),
            throws=(ref(Kind.EXCEPTION, name="odd.Failure"), ref(Kind.EXCEPTION, name="odd.Illegal"), NOT_FOUND),
        ),
    ),
)

CONTRACTS = [SHOP, TYPES_OF_FIELDS, contract_of(Catalog), contract_of(Types)]

PROBE = """
public class Probe {
    @SuppressWarnings("deprecation")
    public static void main(String[] args) throws Exception {
        java.io.PrintStream out = new java.io.PrintStream(System.out, true, "UTF-8");
        odd.Everything bean = new odd.Everything();
        for (java.lang.reflect.Field field : odd.Everything.class.getDeclaredFields()) {
            if (field.getName().startsWith("f")) {
                field.setAccessible(true);
                Object value = field.get(bean);
                if (value instanceof byte[]) {
                    value = java.util.Arrays.toString((byte[]) value);
                } else if (value instanceof int[]) {
                    value = java.util.Arrays.toString((int[]) value);
                } else if (value instanceof Object[]) {
                    value = java.util.Arrays.deepToString((Object[]) value);
                }
                out.print(field.getName() + "=" + value + "\\u0001");
            }
        }
        out.print("equal=" + bean.equals(new odd.Everything()) + "\\u0001");
        out.print("same hash=" + (bean.hashCode() == new odd.Everything().hashCode()) + "\\u0001");
        bean.setFI32(5);
        out.print("still equal=" + bean.equals(new odd.Everything()) + "\\u0001");
        shop.Maker maker = new shop.Maker();
        maker.setName("ann");
        out.print("maker=" + maker + "\\u0001");
        out.print("hiding=" + new odd.Hiding() + " " + new odd.Hiding().equals(new odd.Hiding()) + "\\u0001");
        odd.Failure failure = new odd.Failure("text");
        failure.setMessage("own");
        out.print("failure=" + failure.getMessage() + " " + failure.getExitCode() + "\\u0001");
        out.print("declared=" + new shop.ProductNotFound("gone").getMessage() + "\\u0001");
    }
}
"""


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled export of both contracts and of the program that uses them."""
    root = tmp_path_factory.mktemp("java")
    compile_java(export_java(CONTRACTS) | {"Probe.java": PROBE}, root)
    return root / "classes"


def compile_java(files: dict[str, str], root: Path) -> None:
    for path, source in files.items():
        target = root / "src" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source, encoding="utf-8")
    # Warnings count: the sources are compiled in other people's builds.
    lint = ["-Xlint:all,-options", "-Werror", "-encoding", "US-ASCII", "--release", "8"]
    sources = [os.fsencode(root / "src" / path) for path in files]
    assert JAVAC is not None
    done = subprocess.run(
        [JAVAC, *lint, "-d", root / "classes", *sources], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def run_java(program: str, *args: str | Path) -> str:
    return subprocess.run([program, *args], env=ENVIRONMENT, capture_output=True, encoding="utf-8", check=True).stdout


@needs_java
@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_compiled_methods_have_the_descriptors_of_the_contract(contract: ServiceContract, classes: Path) -> None:
    listing = run_java("javap", "-s", "-cp", classes, interface_name(contract)).splitlines()
    found = [line.split("(")[1].split(")")[0] for line in listing if "descriptor: (" in line]
    assert found == [method_descriptor(each, contract) for each in contract.methods]


@needs_java
def test_beans_start_with_the_defaults_of_the_contract(classes: Path) -> None:
    out = run_java("java", "-Duser.timezone=UTC", "-XX:TieredStopAtLevel=1", "-cp", classes, "Probe")
    found = dict(entry.partition("=")[::2] for entry in out.split("\x01")[:-1])
    expected = {java_name(each): printed for each, printed in DEFAULTS.values()}
    assert {name: found.pop(name) for name in expected} == expected
    assert found == {
        "equal": "true",
        "same hash": "true",
        "still equal": "false",
        "maker": "Maker{name=ann, country=null, parent=null}",
        "hiding": "Hiding{java=x, shop=ACTIVE, odd=null, other=NaN, that=[1], result=null} true",
        "failure": "own 3",
        "declared": "gone",
    }


def java_name(each: Field) -> str:
    first, *rest = each.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@needs_java
def test_exceptions_and_structs_are_what_hessian_expects(classes: Path) -> None:
    listing = run_java("javap", "-private", "-cp", classes, "shop.ProductNotFound", "shop.Maker")
    assert "public class shop.ProductNotFound extends java.lang.Exception {" in listing
    assert "public shop.ProductNotFound();" in listing
    assert "public shop.ProductNotFound(java.lang.String);" in listing
    assert "public class shop.Maker implements java.io.Serializable {" in listing
    assert listing.count("private static final long serialVersionUID;") == 2


@needs_java
def test_the_demo_service_is_the_interface_a_java_developer_expects(classes: Path) -> None:
    listing = run_java("javap", "-cp", classes, "demo.Catalog").replace("public abstract ", "")
    assert listing.splitlines()[2:-1] == [
        "  demo.Product find(long) throws demo.ProductNotFound;",
        "  demo.Product find(java.lang.String) throws demo.ProductNotFound;",
        "  java.util.List<demo.Product> search(java.lang.String, int, java.util.Set<java.lang.String>);",
        "  long put(demo.Product);",
        "  boolean remove(long);",
        "  java.util.Map<java.time.LocalDate, java.math.BigDecimal> priceHistory(long) throws demo.ProductNotFound;",
        "  int reserve(long, java.lang.String, int) throws demo.ProductNotFound, demo.OutOfStock;",
        "  java.lang.String slow(long);",
        "  long count();",
        "  void touch(long);",
    ]


def test_the_interface_says_generics_throws_and_docs() -> None:
    contract = replace(
        SHOP,
        doc="All products.",
        methods=(
            MethodContract(
                "price_history",
                (Param("product_id", I64, doc="Of a product."), Param("tags", ref(Kind.SET, STRING, nullable=True))),
                ref(Kind.MAP, ref(Kind.DATE), ref(Kind.LIST, DECIMAL), nullable=True),
                "price_history",
                throws=(NOT_FOUND,),
                deprecated="Ask the till.",
                doc="Prices by day.",
            ),
        ),
    )
    assert export_java([contract])["shop/Catalog.java"] == (
        "// Generated by polyport export java. The next export overwrites changes.\n"
        "package shop;\n"
        "\n"
        "/**\n"
        " * All products.\n"
        " */\n"
        "public interface Catalog {\n"
        "\n"
        "    /**\n"
        "     * Prices by day.\n"
        "     *\n"
        "     * @param productId Of a product.\n"
        "     * @param tags May be null.\n"
        "     * @return May be null.\n"
        "     * @deprecated Ask the till.\n"
        "     */\n"
        "    @java.lang.Deprecated\n"
        "    java.util.Map<java.time.LocalDate, java.util.List<java.math.BigDecimal>> priceHistory("
        "long productId, java.util.Set<java.lang.String> tags) throws shop.ProductNotFound;\n"
        "}\n"
    )


def test_one_file_per_class_and_none_for_the_jdk() -> None:
    assert list(export_java([SHOP])) == [
        "shop/Catalog.java",
        "shop/Maker.java",
        "shop/Point.java",
        "shop/Product.java",
        "shop/ProductNotFound.java",
        "shop/Status.java",
    ]
    exported = export_java([TYPES_OF_FIELDS])
    assert not any(path.startswith("java/") for path in exported)
    expected = {interface_name(TYPES_OF_FIELDS), *map(class_name, TYPES_OF_FIELDS.types.values())}
    assert set(exported) == {
        name.replace(".", "/") + ".java" for name in expected - {"java.lang.IllegalArgumentException"}
    }


def test_sources_are_ascii_and_the_same_every_time() -> None:
    first = export_java([SHOP, TYPES_OF_FIELDS])
    assert first == export_java([TYPES_OF_FIELDS, SHOP])
    assert list(first) == sorted(first)
    assert all(text.isascii() for text in first.values())
    assert all("import " not in text for path, text in first.items() if path != "odd/Hiding.java")


def test_no_bean_has_a_primitive_float() -> None:
    # hessian-lite 4.0.4 fills such a field with a double, and the one behind it with the rest (apache/dubbo#15670).
    shape = struct("s.A", Maker, plain("size", ref(Kind.F32)))
    failure = struct("s.B", Maker, plain("size", ref(Kind.F32)), is_exception=True)
    scale = method("scale", ref(Kind.F32), returns=ref(Kind.F32))
    exported = export_java([service("s.S", scale, types={"s.A": shape, "s.B": failure})])
    for path in ("s/A.java", "s/B.java"):
        assert "private java.lang.Float size = 0.0f;" in exported[path]
        assert "public java.lang.Float getSize()" in exported[path]
        assert "setSize(java.lang.Float size)" in exported[path]
    assert "java.util.Objects.equals(this.size, that.size)" in exported["s/A.java"]
    assert "float scale(float" in exported["s/S.java"]


def test_a_set_keeps_one_order() -> None:
    words = plain("words", ref(Kind.SET, STRING), default=frozenset("edcba"))
    text = export_java([service("s.S", types={"s.A": struct("s.A", Maker, words)})])["s/A.java"]
    assert '.asList("a", "b", "c", "d", "e"))' in text


def test_factories_are_not_called() -> None:
    def factory() -> list[str]:
        raise AssertionError

    made = plain("made", ref(Kind.LIST, STRING), default_factory=factory)
    text = export_java([service("s.S", types={"s.A": struct("s.A", Maker, made)})])["s/A.java"]
    assert "private java.util.List<java.lang.String> made;" in text


def test_what_java_cannot_carry_is_refused_as_a_whole() -> None:
    with pytest.raises(ContractError, match=r"'goto' is not a Java identifier\n.*'new' is not a Java identifier"):
        export_java([service("s.S", method("goto"), method("new"))])


def test_paths_stay_inside_the_target() -> None:
    for name in ("../../etc/x", "/etc/x", "a/b.C", "..x.Y", "a.b..C"):
        with pytest.raises(ContractError, match="is not a Java class name"):
            export_java([service(name)])


def test_contracts_that_disagree_about_a_class_are_refused() -> None:
    one = service("s.One", types={"s.A": struct("s.A", Maker, plain("x", I32))})
    two = service("s.Two", types={"s.A": struct("s.A", Maker, plain("x", I64))})
    with pytest.raises(ContractError, match=r"s\.Two: another contract has a different Java class s\.A"):
        export_java([one, two])
    assert "s/A.java" in export_java([one, replace(one, name="s.Three")])
