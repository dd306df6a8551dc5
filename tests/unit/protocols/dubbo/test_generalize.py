"""What generic callers get, by the rules of Dubbo's PojoUtils.generalize."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.model.errors import ValueMappingError
from gateway.model.generic import BigInt, JavaDate, Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generalize import generalize
from protocols.dubbo.realize import realize
from protocols.hessian.reader import Reader
from protocols.hessian.writer import Writer
from tests.support.shop_contract import (
    ANY,
    I32,
    I64,
    MAKER,
    NOT_FOUND,
    NULL,
    POINT,
    PRODUCT,
    SHOP,
    STATUS,
    STRING,
    Maker,
    Point,
    Product,
    ProductNotFound,
    Status,
    plain,
    ref,
    service,
    struct,
)

LAMP = Product(
    1,
    "lamp",
    Decimal("9.90"),
    datetime(2024, 1, 2, tzinfo=UTC),
    Status.ACTIVE,
    ["a"],
    {"w": 3},
    datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    Maker("ann"),
)


def over_the_wire(value: Any) -> Any:
    writer = Writer()
    writer.write(value)
    return Reader(writer.finish()).read()


def same(found: Any, expected: Any) -> bool:
    return bool(found == expected) and type(found) is type(expected)


def test_a_bean_becomes_a_map_with_its_class() -> None:
    found = generalize(LAMP, PRODUCT, SHOP)
    assert found == {
        "class": "shop.Product",
        "id": Long(1),
        "name": "lamp",
        "price": Decimal("9.90"),
        "createdAt": datetime(2024, 1, 2, tzinfo=UTC),
        "status": "ACTIVE",
        "tags": ["a"],
        "stock": {"w": 3},
        "updatedAt": JavaDate(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        "maker": {"class": "shop.Maker", "name": "ann", "country": None, "parent": None},
    }
    assert type(found) is dict
    assert [type(found[name]) for name in ("id", "updatedAt")] == [Long, JavaDate]
    assert type(found["stock"]["w"]) is int


def test_a_generic_value_survives_the_wire_and_comes_back() -> None:
    assert realize(over_the_wire(generalize(LAMP, PRODUCT, SHOP)), PRODUCT, SHOP) == LAMP


def test_the_value_of_a_subclass_or_another_class_is_refused() -> None:
    class Brand(Maker):
        pass

    for value in (Brand("x"), Point(1, 2), {"name": "ann"}, "ann"):
        with pytest.raises(ValueMappingError, match=r"^expected shop\.Maker, found "):
            generalize(value, MAKER, SHOP)
    with pytest.raises(ValueMappingError):
        generalize("ACTIVE", STATUS, SHOP)


ARRAYS = [
    (ref(Kind.LIST, I32, java="int[]"), [1], TypedList("[int", [1])),
    (ref(Kind.LIST, I64, java="long[]"), [1], TypedList("[long", [Long(1)])),
    (ref(Kind.LIST, I64, java="java.lang.Long[]"), [1], TypedList("[java.lang.Long", [Long(1)])),
    (ref(Kind.LIST, STRING, java="java.lang.String[]"), ["a"], TypedList("[string", ["a"])),
    (
        ref(Kind.LIST, ref(Kind.LIST, I32), java="int[][]"),
        [[1], []],
        TypedList("[[int", [TypedList("[int", [1]), TypedList("[int")]),
    ),
    (
        ref(Kind.LIST, MAKER, java="shop.Maker[]"),
        [Maker("a")],
        TypedList("[object", [{"class": "shop.Maker", "name": "a", "country": None, "parent": None}]),
    ),
    (ref(Kind.LIST, STATUS, java="shop.Status[]"), [Status.ACTIVE], TypedList("[string", ["ACTIVE"])),
    (
        ref(Kind.LIST, ref(Kind.DATE), java="java.time.LocalDate[]"),
        [date(2024, 1, 2)],
        TypedList("[object", ["2024-01-02"]),
    ),
    (
        ref(Kind.LIST, ref(Kind.DATETIME), java="java.util.Date[]"),
        [datetime(2024, 1, 2, tzinfo=UTC)],
        TypedList("[date", [JavaDate(2024, 1, 2, tzinfo=UTC)]),
    ),
    (ref(Kind.LIST, ref(Kind.BYTES), java="byte[][]"), [b"a"], TypedList("[[byte", [b"a"])),
]


@pytest.mark.parametrize(("type_", "value", "expected"), ARRAYS, ids=lambda each: str(each)[:30])
def test_arrays_of_plain_values_keep_their_type(type_: TypeRef, value: Any, expected: TypedList) -> None:
    found = generalize(value, type_, SHOP)
    assert same(found, expected)
    assert found.type_name == expected.type_name
    assert [type(each) for each in found] == [type(each) for each in expected]
    assert realize(over_the_wire(found), type_, SHOP) == value


def test_lists_are_lists_and_other_collections_hash_sets() -> None:
    assert same(generalize([1], ref(Kind.LIST, I32), SHOP), [1])
    assert same(generalize((1,), ref(Kind.LIST, I32, java="java.util.LinkedList"), SHOP), [1])
    found = generalize({Point(1, 2)}, ref(Kind.SET, POINT), SHOP)
    assert (found.type_name, found) == ("java.util.HashSet", [{"class": "shop.Point", "x": 1, "y": 2}])
    assert generalize(frozenset({"a"}), ref(Kind.SET, STRING), SHOP) == ["a"]
    for value in ("abc", b"abc", {"a": 1}, 5):
        with pytest.raises(ValueMappingError):
            generalize(value, ref(Kind.LIST, STRING), SHOP)
        with pytest.raises(ValueMappingError):
            generalize(value, ref(Kind.SET, STRING), SHOP)


def test_maps_keep_their_kind() -> None:
    assert same(generalize({"a": 1}, ref(Kind.MAP, STRING, I64), SHOP), {"a": Long(1)})
    linked = generalize({"a": 1}, ref(Kind.MAP, STRING, I32, java="java.util.LinkedHashMap"), SHOP)
    assert (type(linked), linked.type_name) == (TypedMap, "java.util.LinkedHashMap")
    assert generalize({Status.ACTIVE: "x"}, ref(Kind.MAP, STATUS, STRING), SHOP) == {"ACTIVE": "x"}
    assert generalize({date(2024, 1, 2): 1}, ref(Kind.MAP, ref(Kind.DATE), I32), SHOP) == {"2024-01-02": 1}
    with pytest.raises(ValueMappingError):
        generalize([("a", 1)], ref(Kind.MAP, STRING, I32), SHOP)


def test_keys_that_become_maps_are_kept_as_pairs() -> None:
    points = ref(Kind.MAP, POINT, STRING)
    found = generalize({Point(1, 2): "a"}, points, SHOP)
    assert same(found, Pairs([({"class": "shop.Point", "x": 1, "y": 2}, "a")]))
    assert realize(over_the_wire(found), points, SHOP) == {Point(1, 2): "a"}


def test_keys_that_become_one_are_kept_apart() -> None:
    found = generalize({Status.ACTIVE: 1, "ACTIVE": 2}, ANY, SHOP)
    assert same(found, Pairs([("ACTIVE", 1), ("ACTIVE", 2)]))


def test_exceptions_show_their_text_as_a_property() -> None:
    assert generalize(ProductNotFound("no 7", product_id=7), NOT_FOUND, SHOP) == {
        "class": "shop.ProductNotFound",
        "message": "no 7",
        "productId": 7,
        "hint": None,
    }
    assert generalize(ProductNotFound(product_id=7), NOT_FOUND, SHOP)["message"] is None


def test_null_goes_where_the_contract_allows_it() -> None:
    assert generalize(None, MAKER.optional(), SHOP) is None
    assert generalize(None, ANY, SHOP) is None
    assert generalize(None, NULL, SHOP) is None
    for type_ in (MAKER, I32, STATUS, ref(Kind.LIST, I32)):
        with pytest.raises(ValueMappingError, match=r"found null$"):
            generalize(None, type_, SHOP)
    with pytest.raises(ValueMappingError):
        generalize(5, NULL, SHOP)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (Long(5), Long(5)),
        (BigInt(5), BigInt(5)),
        (True, True),
        (1.5, 1.5),
        ("x", "x"),
        (b"x", b"x"),
        (Decimal("1.0"), Decimal("1.0")),
        (UUID(int=1), UUID(int=1)),
        (timedelta(1), timedelta(1)),
        (datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)),
        (JavaDate(2024, 1, 2, tzinfo=UTC), JavaDate(2024, 1, 2, tzinfo=UTC)),
        (datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04"),
        (date(2024, 1, 2), "2024-01-02"),
        (time(3, 4), "03:04"),
        (Status.ACTIVE, "ACTIVE"),
        (Point(1, 2), {"class": "shop.Point", "x": 1, "y": 2}),
        (Record("x.Y", {"a": Point(1, 2)}), {"class": "x.Y", "a": {"class": "shop.Point", "x": 1, "y": 2}}),
        ({"a": [Status.ACTIVE]}, {"a": ["ACTIVE"]}),
        ((1, 2), [1, 2]),
        (TypedList("[int", [1]), TypedList("[int", [1])),
        (TypedList("[x.Y", [Record("x.Y")]), TypedList("[object", [{"class": "x.Y"}])),
        (TypedList("java.util.LinkedList", [1]), [1]),
        (TypedList("java.util.TreeSet", [1]), TypedList("java.util.HashSet", [1])),
        ({1}, TypedList("java.util.HashSet", [1])),
        (TypedMap("java.util.TreeMap", {"a": 1}), TypedMap("java.util.TreeMap", {"a": 1})),
        (Pairs([([1], Point(1, 2))]), Pairs([([1], {"class": "shop.Point", "x": 1, "y": 2})])),
    ],
    ids=str,
)
def test_values_of_any_type(value: Any, expected: Any) -> None:
    found = generalize(value, ANY, SHOP)
    assert same(found, expected)
    assert getattr(found, "type_name", "") == getattr(expected, "type_name", "")


def test_what_has_no_generic_form_is_refused() -> None:
    with pytest.raises(ValueMappingError, match=r"^a\[0\]: object has no generic form$"):
        generalize(Record("x.Y", {"a": [object()]}), ANY, SHOP)


def test_errors_say_where() -> None:
    with pytest.raises(ValueMappingError) as caught:
        generalize(Maker("a", parent=Maker("b", country=5)), MAKER, SHOP)  # type: ignore[arg-type]
    assert caught.value.path == "parent.country"
    with pytest.raises(ValueMappingError) as caught:
        generalize({"a": [1, "x"]}, ref(Kind.MAP, STRING, ref(Kind.LIST, I32)), SHOP)
    assert caught.value.path == "[value 0][1]"
    half = Maker.__new__(Maker)
    with pytest.raises(ValueMappingError, match=r"^name: expected string, found nothing$"):
        generalize(half, MAKER, SHOP)


def test_shared_objects_and_cycles_are_kept() -> None:
    ann = Maker("ann")
    ann.parent = ann
    found = generalize([ann, ann], ref(Kind.LIST, MAKER), SHOP)
    assert found[0] is found[1]
    assert found[0]["parent"] is found[0]
    again = realize(over_the_wire(found), ref(Kind.LIST, MAKER), SHOP)
    assert again[0] is again[1]
    assert again[0].parent is again[0]
    looped: dict[Any, Any] = {}
    looped["self"] = looped
    again = generalize(looped, ANY, SHOP)
    assert again["self"] is again


def test_a_list_of_two_types_becomes_two() -> None:
    both = struct(
        "s.Both", Maker, plain("name", ref(Kind.LIST, I32)), plain("country", ref(Kind.LIST, I32, java="int[]"))
    )
    numbers = [1]
    contract = service("s.S", types={"s.Both": both})
    found = generalize(Maker(numbers, numbers), ref(Kind.STRUCT, name="s.Both"), contract)  # type: ignore[arg-type]
    assert (type(found["name"]), type(found["country"])) == (list, TypedList)


def test_depth_is_bounded() -> None:
    chain = Maker("end")
    for _ in range(100_000):
        chain = Maker("n", parent=chain)
    for type_ in (MAKER, ANY):
        with pytest.raises(ValueMappingError, match=r"nested too deep$"):
            generalize(chain, type_, SHOP)
    while chain.parent is not None:  # deallocating a long chain at once would be deep as well
        chain = chain.parent


def test_properties_are_spelled_as_java_accessors_spell_them() -> None:
    odd = struct("s.A", Maker, plain("name", STRING, names={"java": "URL"}))
    contract = service("s.S", types={"s.A": odd})
    assert generalize(Maker("x"), ref(Kind.STRUCT, name="s.A"), contract) == {"class": "s.A", "uRL": "x"}
