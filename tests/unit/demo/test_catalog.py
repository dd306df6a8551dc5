from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from gateway.contracts import check_implementation, contract_of
from gateway.contracts.values import Checker
from gateway.demo.catalog import Catalog, DemoCatalog, Maker, OutOfStock, Product, ProductNotFound, Status
from gateway.model.typeref import Kind, TypeRef

CONTRACT = contract_of(Catalog)


def test_the_contract_is_what_java_sees() -> None:
    assert [(each.signature, each.attribute) for each in CONTRACT.methods] == [
        ("find(i64) -> demo.Product", "find"),
        ("find(string) -> demo.Product", "find_by_name"),
        ("search(string, i32, set<string>?) -> list<demo.Product>", "search"),
        ("put(demo.Product) -> i64", "put"),
        ("remove(i64) -> bool", "remove"),
        ("price_history(i64) -> map<date,decimal>", "price_history"),
        ("reserve(i64, string, i32) -> i32", "reserve"),
        ("slow(i64) -> string", "slow"),
        ("count() -> i64", "count"),
        ("touch(i64) -> null", "touch"),
    ]
    oneway = [each.attribute for each in CONTRACT.methods if each.oneway]
    repeatable = [each.attribute for each in CONTRACT.methods if not each.idempotent]
    assert (oneway, repeatable) == (["touch"], ["put", "reserve", "touch"])
    throws = {each.attribute: [error.name for error in each.throws] for each in CONTRACT.methods if each.throws}
    assert throws == {
        "find": ["demo.ProductNotFound"],
        "find_by_name": ["demo.ProductNotFound"],
        "price_history": ["demo.ProductNotFound"],
        "reserve": ["demo.ProductNotFound", "demo.OutOfStock"],
    }


def test_the_implementation_fits() -> None:
    check_implementation(CONTRACT, DemoCatalog())


async def test_what_it_answers_fits_the_contract() -> None:
    checker = Checker(CONTRACT)
    check = checker.compile(TypeRef(Kind.STRUCT, name="demo.Product"))
    for product in await DemoCatalog().search("", 100):
        assert check(product) is product


async def test_two_catalogs_begin_the_same_and_share_nothing() -> None:
    first, second = DemoCatalog(), DemoCatalog()
    assert await first.search("") == await second.search("")
    await first.remove(1)
    assert (await first.count(), await second.count()) == (2, 3)


async def test_products_are_found_by_id_and_by_name() -> None:
    catalog = DemoCatalog()
    lamp = await catalog.find(1)
    assert (lamp.name, lamp.price, lamp.status) == ("Desk lamp", Decimal("49.90"), Status.ACTIVE)
    assert lamp.maker is not None
    assert lamp.maker.parent == Maker("Northwind Group", "SE")
    assert await catalog.find_by_name("Desk lamp") == lamp
    with pytest.raises(ProductNotFound, match="no product 99") as caught:
        await catalog.find(99)
    assert caught.value.product_id == 99
    with pytest.raises(ProductNotFound, match="no product called 'Sofa'") as caught:
        await catalog.find_by_name("Sofa")
    assert caught.value.product_id == 0


async def test_search_looks_at_text_tags_and_limit() -> None:
    catalog = DemoCatalog()

    async def ids(text: str, limit: int = 10, tags: set[str] | None = None) -> list[int]:
        return [each.id for each in await catalog.search(text, limit, tags)]

    assert await ids("") == [1, 2, 3]
    assert await ids("DESK") == [1, 2]
    assert await ids("grün") == [3]
    assert await ids("", 1) == [1]
    assert await ids("", 0) == []
    assert await ids("", -1) == []
    assert await ids("", tags={"office"}) == [1, 2]
    assert await ids("", tags={"office", "light"}) == [1]
    assert await ids("", tags=set()) == [1, 2, 3]


async def test_products_are_added_replaced_and_removed() -> None:
    catalog = DemoCatalog()
    sofa = Product(0, "Sofa", Decimal("99"), [], datetime(2026, 5, 1, tzinfo=UTC))
    assert await catalog.put(sofa) == 4
    assert await catalog.find(4) == replace(sofa, id=4)
    cheaper = replace(sofa, id=4, price=Decimal("89"), created_at=datetime(2026, 6, 1, tzinfo=UTC))
    assert await catalog.put(cheaper) == 4
    assert await catalog.price_history(4) == {date(2026, 5, 1): Decimal("99"), date(2026, 6, 1): Decimal("89")}
    assert await catalog.count() == 4
    assert [await catalog.remove(4), await catalog.remove(4)] == [True, False]
    with pytest.raises(ProductNotFound):
        await catalog.price_history(4)


async def test_the_first_product_of_an_empty_catalog_gets_1() -> None:
    catalog = DemoCatalog()
    for product_id in (1, 2, 3):
        await catalog.remove(product_id)
    assert await catalog.put(Product(0, "Sofa", Decimal(1), [], datetime(2026, 5, 1, tzinfo=UTC))) == 1


async def test_prices_have_days() -> None:
    assert await DemoCatalog().price_history(1) == {
        date(2025, 10, 4): Decimal("54.90"),
        date(2026, 1, 2): Decimal("49.90"),
    }


async def test_pieces_are_reserved_until_they_are_gone() -> None:
    catalog = DemoCatalog()
    assert await catalog.reserve(1, "berlin", 10) == 2
    assert await catalog.reserve(1, "berlin", 0) == 2
    with pytest.raises(OutOfStock, match="3 of 'Desk lamp' missing") as caught:
        await catalog.reserve(1, "berlin", 5)
    assert (caught.value.warehouse, caught.value.missing) == ("berlin", 3)
    with pytest.raises(OutOfStock) as caught:
        await catalog.reserve(1, "nowhere", 1)
    assert caught.value.missing == 1
    with pytest.raises(ProductNotFound):
        await catalog.reserve(9, "berlin", 1)
    with pytest.raises(ValueError, match="quantity is negative"):
        await catalog.reserve(1, "berlin", -1)
    assert (await catalog.find(1)).stock == {"berlin": 2, "oslo": 0}


async def test_slow_says_how_long_it_slept() -> None:
    assert await DemoCatalog().slow(0) == "slept 0 ms"


async def test_touch_is_noted_and_never_fails() -> None:
    catalog = DemoCatalog()
    await catalog.touch(2)
    await catalog.touch(99)
    touched = (await catalog.find(2)).updated_at
    assert touched == datetime(2026, 1, 2, 9, 30, 0, 124_000, UTC)
