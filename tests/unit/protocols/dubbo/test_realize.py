"""What arrives in generic calls, by the rules of Dubbo's PojoUtils.realize."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.contract import Field
from gateway.model.errors import ValueMappingError
from gateway.model.generic import Long, Pairs, Record, TypedList, TypedMap
from gateway.model.typeref import SCALARS as MODEL_SCALARS
from gateway.model.typeref import Kind, TypeRef
from protocols.dubbo.generalize import generalize
from protocols.dubbo.realize import realize
from protocols.hessian.reader import Reader
from tests.support.shop_contract import (
    ANY,
    DECIMAL,
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
    TYPES,
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

MAPS = [dict, lambda items: TypedMap("java.util.LinkedHashMap", items), lambda items: TypedMap("shop.Maker", items)]


def product(**changes: Any) -> dict[str, Any]:
    return {
        "class": "shop.Product",
        "id": 1,
        "name": "lamp",
        "price": "9.90",
        "createdAt": datetime(2024, 1, 2, tzinfo=UTC),
        "status": "ACTIVE",
        "tags": ["a"],
        "stock": {"w": Long(3)},
        "updatedAt": Long(1000),
        "maker": {"name": "ann"},
        **changes,
    }


def test_a_bean_arrives_as_a_map_with_its_class() -> None:
    assert realize(product(), PRODUCT, SHOP) == Product(
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


@pytest.mark.parametrize("make", MAPS)
def test_every_map_may_be_a_bean(make: Any) -> None:
    values = {"name": "ann", "country": "NO", "unknown": object(), 5: "x", "created_at": 1}
    assert realize(make(values), MAKER, SHOP) == Maker("ann", "NO")
    assert realize(Record("shop.Maker", {"name": "ann"}), MAKER, SHOP) == Maker("ann")
    assert realize(Maker("ann"), MAKER, SHOP) == Maker("ann")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"class": "shop.Point", "name": "x"}, "shop.Point"),
        ({"class": "javax.management.BadAttributeValueExpException"}, "javax.management.BadAttributeValueExpException"),
        (Record("shop.Point", {"name": "x"}), "shop.Point"),
        (TypedMap("shop.Point", {"name": "x"}), "shop.Point"),
        (TypedMap("shop.Maker", {"class": "shop.Point"}), "shop.Point"),
        ({"class": "x\n" * 1000}, "x\\nx"),
    ],
)
def test_another_class_is_refused_naming_both(value: Any, found: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        realize(value, MAKER, SHOP)
    assert str(caught.value).startswith(f"expected shop.Maker, found {found}")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("value", ["ann", 5, ["ann"], b"x", Pairs([("name", "ann")])])
def test_what_is_no_map_is_no_bean(value: Any) -> None:
    with pytest.raises(ValueMappingError, match=r"^expected shop\.Maker, found "):
        realize(value, MAKER, SHOP)


def test_missing_properties_get_their_defaults() -> None:
    short = product()
    for name in ("tags", "stock", "updatedAt", "maker"):
        del short[name]
    found = realize(short, PRODUCT, SHOP)
    assert (found.tags, found.stock, found.updated_at, found.maker) == ([], {}, None, None)
    with pytest.raises(ValueMappingError, match=r"^price: expected decimal, found nothing$"):
        realize({key: value for key, value in product().items() if key != "price"}, PRODUCT, SHOP)


def test_null_leaves_a_default_alone_as_in_java() -> None:
    assert realize(product(tags=None), PRODUCT, SHOP).tags == []
    assert realize(product(updatedAt=None), PRODUCT, SHOP).updated_at is None
    with pytest.raises(ValueMappingError, match=r"^name: expected string, found null$"):
        realize(product(name=None), PRODUCT, SHOP)


def test_properties_are_found_as_java_accessors_spell_them() -> None:
    odd = struct("s.A", Maker, plain("Name", STRING, names={"java": "Name"}))
    contract = service("s.S", types={"s.A": odd})
    for key in ("Name", "name"):
        assert realize({key: "x"}, ref(Kind.STRUCT, name="s.A"), contract).Name == "x"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"price": "cheap"}, "price"),
        ({"tags": ["a", 5]}, "tags[1]"),
        ({"stock": {"w": 1.5}}, "stock[value 0]"),
        ({"stock": {"v": 1, 5: 1}}, "stock[key 1]"),
        ({"maker": {"name": "a", "parent": {"name": 5}}}, "maker.parent.name"),
        ({"createdAt": "yesterday"}, "created_at"),
    ],
)
def test_errors_say_where(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        realize(product(**changes), PRODUCT, SHOP)
    assert caught.value.path == path


def test_enums_come_as_names_maps_and_objects() -> None:
    for value in (
        "PREORDER",
        {"class": "shop.Status", "name": "PREORDER"},
        {"name": "PREORDER"},
        Record("shop.Status", {"name": "PREORDER"}),
        Status.PREORDER,
    ):
        assert realize(value, STATUS, SHOP) is Status.PREORDER


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("SOLD", "expected a constant of shop.Status, found SOLD"),
        ("__class__", "expected a constant of shop.Status, found __class__"),
        ("active", "expected a constant of shop.Status, found active"),
        (1, "expected shop.Status, found int"),
        ({}, "expected shop.Status, found map"),
        (Record("shop.Color", {"name": "ACTIVE"}), "expected shop.Status, found shop.Color"),
        ({"class": "shop.Color", "name": "ACTIVE"}, "expected shop.Status, found shop.Color"),
    ],
)
def test_unknown_constants_are_refused_by_name(value: Any, message: str) -> None:
    with pytest.raises(ValueMappingError) as caught:
        realize(value, STATUS, SHOP)
    assert str(caught.value) == message


def test_collections_take_any_list() -> None:
    numbers = [1, Long(2), "3"]
    for value in (numbers, tuple(numbers), TypedList("[object", numbers), TypedList("java.util.HashSet", numbers)):
        assert realize(value, ref(Kind.LIST, I64), SHOP) == [1, 2, 3]
        assert realize(value, ref(Kind.SET, I64), SHOP) == {1, 2, 3}
        assert realize(value, ref(Kind.LIST, I64, java="long[]"), SHOP) == [1, 2, 3]
    assert realize(b"\x01\xff", ref(Kind.LIST, ref(Kind.I8)), SHOP) == [1, -1]
    others: list[Any] = [{}, "abc", b"abc", 5, Pairs(), Record("x.Y")]
    for other in others:
        with pytest.raises(ValueMappingError):
            realize(other, ref(Kind.LIST, STRING), SHOP)


def test_hashable_collections_are_made_where_the_contract_says_so() -> None:
    as_tuple = TypeRef(Kind.LIST, (I32,), hints=(("python", "tuple"),))
    as_frozenset = TypeRef(Kind.SET, (I32,), hints=(("python", "frozenset"),))
    assert realize([1], as_tuple, SHOP) == (1,)
    assert realize([1], as_frozenset, SHOP) == frozenset({1})
    assert realize(Pairs([([1], "a")]), TypeRef(Kind.MAP, (as_tuple, STRING)), SHOP) == {(1,): "a"}


def test_maps_convert_keys_and_values() -> None:
    prices = ref(Kind.MAP, ref(Kind.DATE), DECIMAL)
    assert realize({"2024-01-02": 5}, prices, SHOP) == {date(2024, 1, 2): Decimal(5)}
    assert realize(TypedMap("java.util.TreeMap", {"2024-01-02": "1.50"}), prices, SHOP) == {
        date(2024, 1, 2): Decimal("1.50")
    }
    points = ref(Kind.MAP, POINT, STATUS)
    assert realize(Pairs([({"x": 1, "y": 2}, "ACTIVE")]), points, SHOP) == {Point(1, 2): Status.ACTIVE}
    others: list[Any] = [[], "x", Record("java.util.HashMap")]
    for other in others:
        with pytest.raises(ValueMappingError):
            realize(other, prices, SHOP)


def test_a_class_key_in_a_declared_map_is_an_entry() -> None:
    texts = ref(Kind.MAP, STRING, STRING)
    assert realize({"class": "economy"}, texts, SHOP) == {"class": "economy"}
    assert realize({"class": "shop.Maker"}, texts, SHOP) == {"class": "shop.Maker"}


def test_keys_that_become_one_are_refused() -> None:
    with pytest.raises(ValueMappingError, match=r"^\[key 1\]: expected distinct keys"):
        realize(Pairs([(1, "a"), ("1", "b")]), ref(Kind.MAP, I64, STRING), SHOP)


def test_unhashable_keys_and_elements_are_refused() -> None:
    with pytest.raises(ValueMappingError, match="hashable"):
        realize(Pairs([({"name": "ann"}, 1)]), ref(Kind.MAP, MAKER, I32), SHOP)
    with pytest.raises(ValueMappingError, match="hashable"):
        realize([[1]], ref(Kind.SET, ref(Kind.LIST, I32)), SHOP)


def test_null_goes_where_the_contract_allows_it() -> None:
    assert realize(None, MAKER.optional(), SHOP) is None
    assert realize([None], ref(Kind.LIST, I32.optional()), SHOP) == [None]
    assert realize(None, ANY, SHOP) is None
    assert realize(None, NULL, SHOP) is None
    for type_ in (MAKER, I32, STATUS, ref(Kind.LIST, I32)):
        with pytest.raises(ValueMappingError, match=r"found null$"):
            realize(None, type_, SHOP)
    with pytest.raises(ValueMappingError, match=r"^expected null, found int$"):
        realize(5, NULL, SHOP)


def test_an_empty_text_is_no_date_as_in_java() -> None:
    assert realize("", ref(Kind.DATE, nullable=True), SHOP) is None
    with pytest.raises(ValueMappingError):
        realize("", ref(Kind.DATE), SHOP)
    assert realize("", STRING.optional(), SHOP) == ""


def test_exceptions_take_their_text_from_message_or_the_field_of_throwable() -> None:
    for key in ("message", "detailMessage"):
        found = realize({"class": "shop.ProductNotFound", key: "no 7", "productId": 7}, NOT_FOUND, SHOP)
        assert type(found) is ProductNotFound
        assert (str(found), found.product_id) == ("no 7", 7)
    assert realize({"productId": 7}, NOT_FOUND, SHOP).message is None


def test_any_recognises_the_classes_of_the_contract_and_no_others() -> None:
    assert realize({"class": "shop.Maker", "name": "ann"}, ANY, SHOP) == Maker("ann")
    assert realize([Record("shop.Point", {"x": 1, "y": 2})], ANY, SHOP) == [Point(1, 2)]
    assert realize({"k": {"class": "shop.Status", "name": "ACTIVE"}}, ANY, SHOP) == {"k": Status.ACTIVE}
    assert isinstance(realize({"class": "shop.ProductNotFound", "productId": 1}, ANY, SHOP), ProductNotFound)
    unknown = {"class": "java.lang.ProcessBuilder", "command": ["rm"]}
    assert realize(unknown, ANY, SHOP) == unknown
    assert realize(Record("x.Y", {"a": [Long(1)]}), ANY, SHOP) == Record("x.Y", {"a": [Long(1)]})
    with pytest.raises(ValueMappingError) as caught:
        realize([{"class": "shop.Maker", "name": 5}], ANY, SHOP)
    assert caught.value.path == "[0].name"


def test_any_keeps_the_wrappers_of_what_it_does_not_know() -> None:
    found = realize([Long(1), TypedList("[int", [1]), TypedMap("java.util.TreeMap", {1: Long(2)})], ANY, SHOP)
    assert [type(each) for each in found] == [Long, TypedList, TypedMap]
    assert (found[1].type_name, found[2].type_name, type(found[2][1])) == ("[int", "java.util.TreeMap", Long)
    pairs = realize(Pairs([([1], {"class": "shop.Point", "x": 1, "y": 2})], "java.util.TreeMap"), ANY, SHOP)
    assert (type(pairs), pairs.type_name, pairs) == (Pairs, "java.util.TreeMap", [([1], Point(1, 2))])


def test_shared_objects_stay_one() -> None:
    ann = {"name": "ann"}
    first, second = realize([ann, ann], ref(Kind.LIST, MAKER), SHOP)
    assert first is second
    tags = ["x"]
    one, two = realize([product(tags=tags, maker=ann), product(tags=tags, maker=ann)], ref(Kind.LIST, PRODUCT), SHOP)
    assert one.tags is two.tags
    assert one.maker is two.maker


def test_one_map_under_two_types_becomes_two_values() -> None:
    @dataclass
    class Both:
        maker: Maker
        words: dict[str, str]

    both = struct("s.Both", Both, plain("maker", MAKER), plain("words", ref(Kind.MAP, STRING, STRING)))
    shared = {"name": "ann"}
    contract = service("s.S", types={**TYPES, "s.Both": both})
    found = realize({"maker": shared, "words": shared}, ref(Kind.STRUCT, name="s.Both"), contract)
    assert found == Both(Maker("ann"), {"name": "ann"})


def test_cycles_are_kept() -> None:
    ann: dict[str, Any] = {"name": "ann"}
    ann["parent"] = ann
    found = realize(ann, MAKER, SHOP)
    assert found.parent is found
    items: list[Any] = []
    items.append(items)
    again = realize(items, ANY, SHOP)
    assert again[0] is again
    record = Record("x.Y")
    record["self"] = [record]
    again = realize(record, ANY, SHOP)
    assert again["self"][0] is again


def test_a_frozen_struct_in_a_cycle_of_keys_is_refused() -> None:
    @dataclass(frozen=True)
    class Node:
        names: Any

    node_type = ref(Kind.STRUCT, name="s.Node")
    node = struct("s.Node", Node, Field("names", TypeRef(Kind.SET, (node_type,)), "names"))
    value: dict[str, Any] = {}
    value["names"] = [value]
    with pytest.raises(ValueMappingError, match="hashable"):
        realize(value, node_type, service("s.S", types={"s.Node": node}))


def test_depth_is_bounded_even_where_references_make_it() -> None:
    chain: dict[str, Any] = {"name": "end"}
    for _ in range(100_000):
        chain = {"name": "n", "parent": chain}
    for type_ in (MAKER, ANY):
        with pytest.raises(ValueMappingError, match=r"nested too deep$"):
            realize(chain, type_, SHOP)
    nested: list[Any] = []
    nested = [nested]
    assert realize(nested, ANY, SHOP, max_depth=2) == [[]]
    with pytest.raises(ValueMappingError):
        realize(nested, ANY, SHOP, max_depth=1)


def test_siblings_do_not_add_to_depth() -> None:
    assert len(realize([[{"name": "a"}]] * 1000, ref(Kind.LIST, ref(Kind.LIST, MAKER)), SHOP, max_depth=3)) == 1000
    assert len(realize([{"class": "shop.Maker", "name": "a"} for _ in range(1000)], ANY, SHOP, max_depth=2)) == 1000


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers().map(Long)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.sampled_from(["ACTIVE", "shop.Maker", "shop.Status", "java.time.Instant", "2024-01-02T03:04", "NaN"])
)
KEYS = st.sampled_from(["class", "name", "parent", "x", "y", "id", "tags", "stock", "maker", "productId", 5])
CLASSES = st.sampled_from(["shop.Maker", "shop.Point", "shop.Status", "shop.ProductNotFound", "x.Y", "[int"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(TypedList, CLASSES, st.lists(inner, max_size=3))
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(TypedMap, CLASSES, st.dictionaries(KEYS, inner, max_size=4))
        | st.builds(Record, CLASSES, st.dictionaries(KEYS, inner, max_size=4))
        | st.builds(Pairs, st.lists(st.tuples(inner, inner), max_size=3))
    ),
    max_leaves=12,
)
TARGETS = [
    ANY,
    PRODUCT,
    MAKER,
    STATUS,
    NOT_FOUND,
    ref(Kind.LIST, ANY),
    ref(Kind.SET, POINT),
    ref(Kind.SET, ANY),
    ref(Kind.MAP, POINT, MAKER),
    ref(Kind.MAP, ANY, ANY),
    *map(ref, sorted(MODEL_SCALARS, key=str)),
]


@given(VALUES, st.sampled_from(TARGETS))
def test_every_value_is_realized_or_refused(value: Any, type_: TypeRef) -> None:
    try:
        found = realize(value, type_, SHOP)
    except ValueMappingError:
        return
    # What was accepted is a value of the contract, so it has a generic form again, unless Java has none for it.
    with suppress(ValueMappingError):
        generalize(found, type_, SHOP)


def test_the_arguments_of_a_recorded_invoke() -> None:
    # $invoke args "sayHello", String[]{"java.lang.String"}, Object[]{"dubbo"}, as hessian-lite writes them
    data = bytes.fromhex("0873617948656c6c6f7107") + b"[string" + b"\x10java.lang.String" + b"q\x07[object\x05dubbo"
    reader = Reader(data)
    assert (reader.read(), reader.read()) == ("sayHello", ["java.lang.String"])
    assert realize(reader.read()[0], STRING, SHOP) == "dubbo"
