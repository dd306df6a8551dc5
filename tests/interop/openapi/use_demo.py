"""Uses demo.Catalog and demo.Types through the client that was generated from our own document: `use_demo.py BASE_URL`.

The folder with the generated package `demo_client` is on the path.
"""

import datetime as dt
import sys
import time
from types import ModuleType
from typing import Any

from checks import Checks
from demo_client import Client, models
from demo_client.api.demo_catalog import (
    catalog_count,
    catalog_count_get,
    catalog_find,
    catalog_find_by_name,
    catalog_find_get,
    catalog_price_history,
    catalog_put,
    catalog_remove,
    catalog_reserve,
    catalog_search,
    catalog_search_get,
    catalog_slow,
    catalog_touch,
)
from demo_client.api.demo_types import (
    types_echo_bytes,
    types_echo_date,
    types_echo_decimal,
    types_echo_f_64,
    types_echo_i_64,
    types_echo_nothing,
    types_echo_nullable,
    types_echo_string,
    types_fail_declared,
    types_fail_undeclared,
)

CREATED = dt.datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


def new_product() -> models.DemoProduct:
    stock = models.DemoProductStock()
    stock["north"], stock["south"] = 7, 0
    owner = models.DemoMaker("Owner", "DE", None)
    maker = models.DemoMaker("Maker", None, owner)
    name = f"Teekanne 茶 😀 {time.time_ns()}"
    tags = ["interop", "茶"]
    return models.DemoProduct(0, name, "12.3400", tags, CREATED, None, stock, models.DemoStatus.PREORDER, maker)


def main() -> None:
    checks = Checks()
    client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)

    def call(method: ModuleType, body: type[Any] | None = None, /, **arguments: Any) -> Any:
        """The parsed answer, with arguments as a body of this class or, without one, in the query."""
        if body is None:
            return method.sync(client=client, **arguments)
        return method.sync(client=client, body=body(**arguments))

    def refused(answer: Any) -> tuple[str, int, dict[str, Any]]:
        """The class of the problem, its status, and the exception's fields without its class and message."""
        fields = answer.exception.to_dict()
        return (
            type(answer).__name__,
            answer.status,
            {key: fields[key] for key in fields if key not in ("class", "message")},
        )

    before = checks.same("count", 3, lambda: call(catalog_count_get))
    product = new_product()
    product.id = checks.same("put", before + 1, lambda: call(catalog_put, models.CatalogPutBody, product=product))
    find = {"product_id": product.id}
    checks.same("count has grown", before + 1, lambda: catalog_count.sync(client=client))
    checks.same("find", product, lambda: call(catalog_find, models.CatalogFindBody, **find))
    checks.same("find by a query", product, lambda: call(catalog_find_get, **find))
    by_name = models.CatalogFindByNameBody
    checks.same("find by name", product, lambda: call(catalog_find_by_name, by_name, name=product.name))
    search = models.CatalogSearchBody
    checks.same("search", [product], lambda: call(catalog_search, search, text=product.name, limit=5, tags=["茶"]))
    checks.same(
        "search by a query", [product], lambda: call(catalog_search_get, text=product.name, tags=["interop", "茶"])
    )
    history = {"2024-01-02": "12.3400"}
    priced = models.CatalogPriceHistoryBody
    checks.same("price history", history, lambda: call(catalog_price_history, priced, **find).to_dict())
    reserve = models.CatalogReserveBody
    checks.same("reserve", 5, lambda: call(catalog_reserve, reserve, **find, warehouse="north", quantity=2))
    lacks = ("DemoOutOfStockProblem", 422, {"warehouse": "north", "missing": 95})
    too_many = {**find, "warehouse": "north", "quantity": 100}
    checks.same("reserve too many", lacks, lambda: refused(call(catalog_reserve, reserve, **too_many)))
    missing = ("DemoProductNotFoundProblem", 422, {"product_id": -5})
    checks.same("find nothing", missing, lambda: refused(call(catalog_find, models.CatalogFindBody, product_id=-5)))
    touch = models.CatalogTouchBody(**find)
    checks.same("touch", None, lambda: catalog_touch.sync_detailed(client=client, body=touch).parsed)

    def touched() -> bool:
        while call(catalog_find_get, **find).updated_at is None:
            continue
        return True

    checks.same("touch had an effect", True, touched)
    checks.same("remove", True, lambda: call(catalog_remove, models.CatalogRemoveBody, **find))
    checks.same("remove again", False, lambda: call(catalog_remove, models.CatalogRemoveBody, **find))
    checks.same("slow", "slept 10 ms", lambda: call(catalog_slow, models.CatalogSlowBody, millis=10))

    def echo(name: str, method: ModuleType, body: type[Any], *values: Any) -> None:
        for value in values:
            checks.same(f"{name} {value!r}", value, lambda: call(method, body, value=value))  # noqa: B023 - called at once

    echo("i64", types_echo_i_64, models.TypesEchoI64Body, 2**53 + 1, -(2**63), 2**63 - 1)
    echo("decimal", types_echo_decimal, models.TypesEchoDecimalBody, "1.20", "-0.000")
    echo("f64", types_echo_f_64, models.TypesEchoF64Body, 0.1)
    echo("text", types_echo_string, models.TypesEchoStringBody, '茶 😀 \t\n\0"', "")
    echo("bytes", types_echo_bytes, models.TypesEchoBytesBody, "AP8Q")
    echo("date", types_echo_date, models.TypesEchoDateBody, dt.date(2024, 2, 29))
    echo("nullable", types_echo_nullable, models.TypesEchoNullableBody, None, "there")
    checks.same("nothing", 204, lambda: types_echo_nothing.sync_detailed(client=client).status_code.value)

    def failed(method: ModuleType, body: Any) -> Any:
        answer = method.sync(client=client, body=body)
        return answer.status, answer.detail

    declared, undeclared = models.TypesFailDeclaredBody("why 茶"), models.TypesFailUndeclaredBody("because")
    checks.same("declared exception", (422, "why 茶"), lambda: failed(types_fail_declared, declared))
    checks.same("undeclared exception", (500, "because"), lambda: failed(types_fail_undeclared, undeclared))
    checks.summary()


if __name__ == "__main__":
    main()
