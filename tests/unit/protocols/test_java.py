"""Java names. Expected values are those of the JVM specification §4.3 and of `Class.getTypeName()`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.contract import EnumType, Param
from gateway.model.typeref import Kind, TypeRef
from protocols.java import (
    canonical_type_name,
    check_contract,
    class_name,
    descriptor,
    descriptor_to_type_name,
    element,
    field_name,
    interface_name,
    is_identifier,
    method_descriptor,
    method_name,
    parameter_name,
    parse_descriptor,
    source_type,
    type_name,
    type_name_to_descriptor,
)
from tests.support.shop_contract import (
    ANY,
    I32,
    I64,
    MAKER,
    NOT_FOUND,
    PRODUCT,
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

# kind -> type name, boxed type name, descriptor
SCALARS = {
    Kind.NULL: ("void", "java.lang.Void", "V"),
    Kind.BOOL: ("boolean", "java.lang.Boolean", "Z"),
    Kind.I8: ("byte", "java.lang.Byte", "B"),
    Kind.I16: ("short", "java.lang.Short", "S"),
    Kind.I32: ("int", "java.lang.Integer", "I"),
    Kind.I64: ("long", "java.lang.Long", "J"),
    Kind.F32: ("float", "java.lang.Float", "F"),
    Kind.F64: ("double", "java.lang.Double", "D"),
    Kind.CHAR: ("char", "java.lang.Character", "C"),
    Kind.BIGINT: ("java.math.BigInteger", "java.math.BigInteger", "Ljava/math/BigInteger;"),
    Kind.DECIMAL: ("java.math.BigDecimal", "java.math.BigDecimal", "Ljava/math/BigDecimal;"),
    Kind.STRING: ("java.lang.String", "java.lang.String", "Ljava/lang/String;"),
    Kind.BYTES: ("byte[]", "byte[]", "[B"),
    Kind.DATE: ("java.time.LocalDate", "java.time.LocalDate", "Ljava/time/LocalDate;"),
    Kind.TIME: ("java.time.LocalTime", "java.time.LocalTime", "Ljava/time/LocalTime;"),
    Kind.DATETIME: ("java.time.Instant", "java.time.Instant", "Ljava/time/Instant;"),
    Kind.LOCAL_DATETIME: ("java.time.LocalDateTime", "java.time.LocalDateTime", "Ljava/time/LocalDateTime;"),
    Kind.DURATION: ("java.time.Duration", "java.time.Duration", "Ljava/time/Duration;"),
    Kind.UUID: ("java.util.UUID", "java.util.UUID", "Ljava/util/UUID;"),
    Kind.ANY: ("java.lang.Object", "java.lang.Object", "Ljava/lang/Object;"),
}


@pytest.mark.parametrize("kind", SCALARS, ids=lambda kind: kind.value)
def test_a_scalar_has_its_java_type_and_a_boxed_one_where_null_is_possible(kind: Kind) -> None:
    plain_name, boxed_name, code = SCALARS[kind]
    scalar = ref(kind)
    assert type_name(scalar, SHOP) == plain_name
    assert type_name(scalar.optional(), SHOP) == boxed_name
    assert type_name(scalar, SHOP, boxed=True) == boxed_name
    assert descriptor(scalar, SHOP) == code
    assert source_type(ref(Kind.LIST, scalar), SHOP) == f"java.util.List<{boxed_name}>"


def test_the_table_of_scalars_is_complete() -> None:
    composed = {Kind.LIST, Kind.SET, Kind.MAP, Kind.ENUM, Kind.STRUCT, Kind.EXCEPTION, Kind.CALLBACK}
    assert set(SCALARS) == set(Kind) - composed


@pytest.mark.parametrize(
    ("type_", "erased", "source", "code"),
    [
        (ref(Kind.LIST, STRING), "java.util.List", "java.util.List<java.lang.String>", "Ljava/util/List;"),
        (ref(Kind.SET, I64), "java.util.Set", "java.util.Set<java.lang.Long>", "Ljava/util/Set;"),
        (
            ref(Kind.MAP, STRING, ref(Kind.LIST, MAKER)),
            "java.util.Map",
            "java.util.Map<java.lang.String, java.util.List<shop.Maker>>",
            "Ljava/util/Map;",
        ),
        (ref(Kind.LIST, I32, java="int[]"), "int[]", "int[]", "[I"),
        (ref(Kind.LIST, MAKER, java="shop.Maker[]"), "shop.Maker[]", "shop.Maker[]", "[Lshop/Maker;"),
        (ref(Kind.LIST, ref(Kind.LIST, I64), java="long[][]"), "long[][]", "long[][]", "[[J"),
        (
            ref(Kind.LIST, ref(Kind.LIST, STRING), java="java.util.List[]"),
            "java.util.List[]",
            "java.util.List<java.lang.String>[]",
            "[Ljava/util/List;",
        ),
        (
            ref(Kind.LIST, STRING, java="java.util.ArrayList"),
            "java.util.ArrayList",
            "java.util.ArrayList<java.lang.String>",
            "Ljava/util/ArrayList;",
        ),
        (ref(Kind.DATETIME, java="java.util.Date"), "java.util.Date", "java.util.Date", "Ljava/util/Date;"),
        (I32.optional(), "java.lang.Integer", "java.lang.Integer", "Ljava/lang/Integer;"),
        (STATUS, "shop.Status", "shop.Status", "Lshop/Status;"),
        (NOT_FOUND, "shop.ProductNotFound", "shop.ProductNotFound", "Lshop/ProductNotFound;"),
    ],
    ids=str,
)
def test_collections_hints_and_classes(type_: TypeRef, erased: str, source: str, code: str) -> None:
    assert type_name(type_, SHOP) == erased
    assert source_type(type_, SHOP) == source
    assert descriptor(type_, SHOP) == code
    assert descriptor_to_type_name(code) == erased
    assert type_name_to_descriptor(erased) == code


def test_an_array_hint_says_what_its_elements_are() -> None:
    nested = ref(Kind.LIST, ref(Kind.LIST, I64), java="long[][]")
    assert element(nested).hint("java") == "long[]"
    assert element(element(nested)).hint("java") == "long"
    assert element(ref(Kind.LIST, I64)) == I64


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("created_at", "createdAt"),
        ("find", "find"),
        ("createdAt", "createdAt"),
        ("echo_boxed_i32", "echoBoxedI32"),
        ("echo_f32", "echoF32"),
        ("id", "id"),
        ("_hidden_thing", "_hiddenThing"),
        ("from_", "from"),
        ("a__b", "aB"),
    ],
)
def test_names_become_camel_case(name: str, expected: str) -> None:
    assert field_name(plain(name, I32)) == expected
    assert method_name(method(name)) == expected


def test_a_declared_java_name_wins() -> None:
    assert field_name(plain("created_at", I32, names={"java": "gmtCreate"})) == "gmtCreate"
    assert method_name(method("price_history", names={"java": "history"})) == "history"
    assert class_name(replace(TYPES["shop.Maker"], names={"java": "com.acme.Brand"})) == "com.acme.Brand"
    assert interface_name(replace(SHOP, names={"java": "com.acme.CatalogService"})) == "com.acme.CatalogService"
    assert interface_name(SHOP) == "shop.Catalog"


def test_a_parameter_may_be_called_as_python_likes() -> None:
    assert parameter_name(Param("max_count", I32)) == "maxCount"
    assert parameter_name(Param("default", I32)) == "default_"


def test_overloads_differ_by_their_descriptors() -> None:
    assert [method_descriptor(m, SHOP) for m in SHOP.methods] == [
        "J",
        "Ljava/lang/String;",
        "Ljava/lang/String;ILjava/util/Set;",
        "J",
        "Lshop/Product;",
        "",
        "[I",
    ]


def test_descriptors_are_split() -> None:
    assert parse_descriptor("") == ()
    assert parse_descriptor("Ljava/lang/String;I[JLjava/util/List;") == (
        "Ljava/lang/String;",
        "I",
        "[J",
        "Ljava/util/List;",
    )
    assert parse_descriptor("[[Lcom/x/Outer$Inner;ZBCDFS") == ("[[Lcom/x/Outer$Inner;", "Z", "B", "C", "D", "F", "S")
    assert parse_descriptor("LUnpackaged;") == ("LUnpackaged;",)
    assert parse_descriptor("IVV") == ("I", "V", "V")


@pytest.mark.parametrize(
    "text",
    [
        "[V",
        "IW",
        "Q",
        "[",
        "I[",
        "L;",
        "Ljava/lang/String",
        "L/java;",
        "Ljava//lang;",
        "Ljava/;",
        "Ljava.lang.String;",
        "L[I;",
        "java.lang.String",
        "I I",
        ";",
        "[" * 256 + "I",
        "I" * 256,
        "I" * 10_000,
        "L" + "a" * 1_000_000,
    ],
    ids=lambda text: text[:20],
)
def test_malformed_descriptors_are_refused_briefly(text: str) -> None:
    with pytest.raises(ValueError, match="descriptor") as caught:
        parse_descriptor(text)
    assert len(str(caught.value)) < 250


def test_the_limits_of_the_jvm_are_allowed() -> None:
    assert len(parse_descriptor("I" * 255)) == 255
    assert parse_descriptor("[" * 255 + "I") == ("[" * 255 + "I",)


@given(st.text(alphabet="VZBCDFIJSL[;/.ab$", max_size=30))
def test_parsing_splits_without_loss_or_refuses(text: str) -> None:
    try:
        parts = parse_descriptor(text)
    except ValueError:
        return
    assert "".join(parts) == text
    for part in parts:
        assert type_name_to_descriptor(descriptor_to_type_name(part)) == part


def test_one_descriptor_becomes_a_type_name() -> None:
    assert descriptor_to_type_name("[Ljava/lang/String;") == "java.lang.String[]"
    assert descriptor_to_type_name("I") == "int"
    assert descriptor_to_type_name("V") == "void"
    for text in ("", "II", "[V", "VV", "Lx", "V["):
        with pytest.raises(ValueError, match="descriptor"):
            descriptor_to_type_name(text)


def test_both_spellings_of_array_types_are_understood() -> None:
    assert canonical_type_name("[Ljava.lang.String;") == "java.lang.String[]"
    assert canonical_type_name("[[I") == "int[][]"
    assert canonical_type_name("java.lang.String[]") == "java.lang.String[]"
    assert canonical_type_name("int") == "int"
    assert canonical_type_name("[nonsense") == "[nonsense"


@pytest.mark.parametrize("word", ["a", "createdAt", "$x", "_x", "\u00e9t\u00e9", "\u4f60", "x1", "\u20acuro", "record"])
def test_java_identifiers(word: str) -> None:
    assert is_identifier(word)


@pytest.mark.parametrize("word", ["", "1a", "a-b", "a b", "class", "true", "null", "_", "a.b", "\u00b2", "a\n"])
def test_words_that_are_no_java_identifiers(word: str) -> None:
    assert not is_identifier(word)


def test_a_contract_that_java_can_carry_has_no_problems() -> None:
    assert check_contract(SHOP) == []


def problems(*methods: Any, name: str = "shop.S", **types: Any) -> list[str]:
    return check_contract(service(name, *methods, types={named.name: named for named in types.values()}))


def test_names_java_does_not_have_are_reported() -> None:
    found = problems(
        method("goto"),
        a=struct("shop.A", Maker, plain("class_", I32), plain("int", I32)),
        b=EnumType("shop.B", Status, ("OK", "default")),
        c=struct("shop.not-java", Maker),
        d=struct("shop.record", Maker),
    )
    assert found == [
        "shop.not-java: 'shop.not-java' is not a Java class name",
        "shop.record: 'shop.record' is not a Java class name",
        "shop.A.class_: 'class' is not a Java identifier",
        "shop.A.int: 'int' is not a Java identifier",
        "shop.B.default: 'default' is not a Java identifier",
        "shop.S.goto: 'goto' is not a Java identifier",
    ]


def test_methods_with_one_name_and_erasure_are_reported() -> None:
    found = problems(
        method("load", ref(Kind.LIST, STRING), attribute="load_names"),
        method("load", ref(Kind.LIST, I64), attribute="load_ids"),
        method("find_all", attribute="find_all"),
        method("findAll", attribute="findAll"),
    )
    assert found == [
        "shop.S.load_ids: load(list<i64>) -> null and load(list<string>) -> null are one method in Java, "
        "load(java.util.List)",
        "shop.S.findAll: findAll() -> null and find_all() -> null are one method in Java, findAll()",
    ]


def test_classes_that_collide_are_reported() -> None:
    assert problems(a=struct("shop.A", Maker), b=struct("x.B", Maker, names={"java": "shop.A"})) == [
        "x.B: shop.A is the Java class shop.A too"
    ]
    assert problems(a=struct("shop.S.Item", Maker)) == ["shop.S: the Java class shop.S has the name of a package"]
    assert problems(a=struct("shop.shop", Maker)) == ["shop.shop: the Java class shop.shop hides the package shop"]
    assert problems(a=struct("Bare", Maker)) == [
        "Bare: the Java class Bare has no package, so classes that have one cannot use it"
    ]
    assert problems(name="S", a=struct("Bare", Maker)) == []


def test_fields_that_collide_are_reported() -> None:
    assert problems(a=struct("shop.A", Maker, plain("item_id", I32), plain("itemId", I32), plain("ItemId", I32))) == [
        "shop.A.itemId: the Java field itemId collides with that of shop.A.item_id",
        "shop.A.ItemId: the Java field ItemId collides with that of shop.A.item_id",
    ]
    assert problems(a=struct("shop.A", Maker, plain("Class", I32))) == [
        "shop.A.Class: Java objects have a getClass() of their own"
    ]


def test_fields_of_throwable_are_reported() -> None:
    fields = (plain("cause", STRING), plain("stack_trace", STRING), plain("message", I32), plain("suppressed", I32))
    assert problems(a=struct("shop.E", Maker, *fields, is_exception=True)) == [
        "shop.E.cause: cause belongs to java.lang.Throwable",
        "shop.E.stack_trace: stackTrace belongs to java.lang.Throwable",
        "shop.E.message: message is text in java.lang.Throwable, not i32",
        "shop.E.suppressed: suppressed belongs to java.lang.Throwable",
    ]
    assert problems(a=struct("shop.E", Maker, plain("message", STRING), is_exception=True)) == []
    assert problems(a=struct("shop.A", Maker, *fields)) == []


@pytest.mark.parametrize(
    "type_",
    [
        ref(Kind.DATETIME, java="java.util.Date"),
        ref(Kind.DATETIME, java="java.time.Instant"),
        ref(Kind.I32, java="int"),
        ref(Kind.I32, java="java.lang.Integer"),
        ref(Kind.LIST, I32, java="int[]"),
        ref(Kind.LIST, I32.optional(), java="java.lang.Integer[]"),
        ref(Kind.LIST, I32, java="java.lang.Integer[]"),
        ref(Kind.LIST, ref(Kind.LIST, I32), java="int[][]"),
        ref(Kind.LIST, ref(Kind.LIST, I32, java="int[]"), java="int[][]"),
        ref(Kind.LIST, ref(Kind.BYTES), java="byte[][]"),
        ref(Kind.LIST, MAKER, java="shop.Maker[]"),
        ref(Kind.LIST, ref(Kind.DATETIME), java="java.util.Date[]"),
        ref(Kind.LIST, STRING, java="java.util.LinkedList"),
        ref(Kind.SET, STRING, java="java.util.HashSet"),
        ref(Kind.MAP, STRING, STRING, java="java.util.LinkedHashMap"),
        ref(Kind.LIST, ref(Kind.DATETIME, java="java.util.Date")),
    ],
    ids=lambda type_: f"{type_} {type_.hint('java')}",
)
def test_hints_that_fit(type_: TypeRef) -> None:
    assert check_contract(service("shop.S", method("m", type_), types=TYPES)) == []


@pytest.mark.parametrize(
    "type_",
    [
        ref(Kind.DATETIME, java="java.time.LocalDate"),
        ref(Kind.DATETIME, java=""),
        ref(Kind.I32, java="long"),
        ref(Kind.I32, java="int", nullable=True),
        ref(Kind.LIST, ref(Kind.I32, java="int")),
        ref(Kind.LIST, I32, java="long[]"),
        ref(Kind.LIST, I32.optional(), java="int[]"),
        ref(Kind.LIST, ref(Kind.I8), java="byte[]"),
        ref(Kind.LIST, ref(Kind.CHAR), java="char[]"),
        ref(Kind.LIST, MAKER, java="shop.Product[]"),
        ref(Kind.LIST, I32, java="int[][]"),
        ref(Kind.LIST, ref(Kind.LIST, I32, java="java.util.ArrayList"), java="java.util.List[]"),
        ref(Kind.LIST, STRING, java="java.util.Set"),
        ref(Kind.SET, STRING, java="java.util.TreeSet"),
        ref(Kind.SET, STRING, java="java.lang.String[]"),
        ref(Kind.MAP, STRING, STRING, java="java.util.TreeMap"),
        ref(Kind.STRUCT, name="shop.Maker", java="shop.Product"),
        ref(Kind.STRING, java="char[]"),
        ref(Kind.MAP, STRING, ref(Kind.I64, java="java.lang.Integer")),
    ],
    ids=lambda type_: f"{type_} {type_.hint('java')}",
)
def test_hints_that_do_not_fit_are_reported_once(type_: TypeRef) -> None:
    (found,) = check_contract(service("shop.S", method("m", type_), types=TYPES))
    assert found.startswith("shop.S.m(p0): the ")
    (found,) = check_contract(service("shop.S", method("m", returns=type_), types=TYPES))
    assert found.startswith("shop.S.m result: the ")
    named = struct("shop.X", Maker, plain("f", type_))
    (found,) = check_contract(service("shop.S", types={**TYPES, "shop.X": named}))
    assert found.startswith("shop.X.f: the ")


def test_a_hint_problem_says_what_would_fit() -> None:
    (found,) = problems(method("m", ref(Kind.DATETIME, java="java.sql.Timestamp")))
    assert found == (
        "shop.S.m(p0): the Java type 'java.sql.Timestamp' does not fit datetime; "
        "expected java.time.Instant or java.util.Date"
    )


def test_null_is_no_type_of_parameters() -> None:
    assert problems(method("m", ref(Kind.NULL))) == ["shop.S.m(p0): null is a type of results only"]
    assert problems(method("m", ref(Kind.LIST, ref(Kind.NULL)))) == []


def test_the_slots_of_a_java_method_are_counted() -> None:
    assert problems(method("m", *[I32] * 254)) == []
    assert problems(method("m", *[I64] * 127)) == []
    assert problems(method("m", *[I64] * 128)) == ["shop.S.m: more parameters than a Java method can have"]


@pytest.mark.parametrize(
    ("name", "types"), [("wait", (I64,)), ("notify", ()), ("hash_code", ()), ("to_string", ()), ("equals", (ANY,))]
)
def test_methods_of_java_objects_are_reported(name: str, types: tuple[TypeRef, ...]) -> None:
    (found,) = problems(method(name, *types))
    assert "java.lang.Object" in found
    assert problems(method(name, PRODUCT, *types), p=TYPES["shop.Product"]) == []
