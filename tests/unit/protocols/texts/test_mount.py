from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.contracts import contract_of
from gateway.demo.catalog import Catalog
from gateway.demo.store import Entry as Stored
from gateway.demo.store import Store
from gateway.model.call import Fault
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import BadRequest, ContractError
from gateway.model.exposure import Exposure
from protocols.texts.mount import Entry, MountTable
from protocols.texts.mount_check import check_mounts
from protocols.texts.mount_entry import VERBS, MountEntry, parse_entry

CATALOG, STORE = contract_of(Catalog), contract_of(Store)
WHOLE = {
    "get": "get", "gets": "entry", "set": "set", "add": "add", "replace": "replace", "cas": "swap", "append": "append",
    "prepend": "prepend", "delete": "delete", "incr": "increment", "expire": "expire", "ttl": "ttl NotStored=miss",
    "keys": "keys", "flush": "clear",
}  # fmt: skip


def parsed(mounts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, MountEntry]]:
    return {prefix: {verb: parse_entry(text) for verb, text in each.items()} for prefix, each in mounts.items()}


def table(mounts: Mapping[str, Mapping[str, str]], contract: Any = STORE) -> MountTable:
    return MountTable([Exposure(ServiceKey(contract.name), contract, options={"mounts": parsed(mounts)})])


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("find", MountEntry("find")),
        (" put ( value ) ", MountEntry("put", ("value",))),
        ("set(key, value,ttl)", MountEntry("set", ("key", "value", "ttl"))),
        ("flush()", MountEntry("flush", ())),
        ("find ProductNotFound=miss shop.Gone=miss", MountEntry("find", None, ("ProductNotFound", "shop.Gone"))),
        ("add(key) A=number B=miss", MountEntry("add", ("key",), ("B",), ("A",))),
    ],
)
def test_entries_are_read(text: str, entry: MountEntry) -> None:
    assert parse_entry(text) == entry


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not written like"),
        ("find(key", "is not written like"),
        ("find ProductNotFound=404", "is not written like"),
        ("find(id)", "there is no argument 'id'; there are key, value, ttl"),
        ("find(key, key)", "the argument 'key' stands twice"),
    ],
)
def test_entries_that_cannot_be_read_say_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_entry(text)


def test_the_longest_prefix_wins() -> None:
    mounts = table({"a:": {"get": "get"}, "a:b:": {"get": "get"}, "": {"get": "get"}})

    assert [mounts.find(key).prefix for key in (b"a:x", b"a:b:x", b"b", b"a:b")] == [b"a:", b"a:b:", b"", b"a:"]  # type: ignore[union-attr]
    assert table({"a:": {"get": "get"}}).find(b"b:x") is None


def test_arguments_are_filled_by_what_the_method_takes() -> None:
    methods = table({"s:": WHOLE}).mounts[b"s:"].methods

    assert methods["get"].read_key is not None
    assert methods["get"].read_key(b"k") == ("k",)
    assert methods["set"].read({"key": b"k", "value": b"v"}) == ("k", b"v", None, 0)
    assert methods["set"].read({"key": b"k", "value": b"v", "ttl": 1.5, "flags": 7}) == (
        "k", b"v", dt.timedelta(seconds=1.5), 7
    )  # fmt: skip
    assert methods["cas"].read({"key": b"k", "value": b"v", "version": 3, "ttl": None}) == ("k", b"v", 3, None, 0)
    assert methods["incr"].read({"key": b"k", "delta": -2}) == ("k", -2)
    assert methods["incr"].read({"key": b"k"}) == ("k", 1)
    with pytest.raises(BadRequest, match="increment takes no initial"):
        methods["incr"].read({"key": b"k", "initial": 5})
    made = table({"s:": {"incr": "count"}}).mounts[b"s:"].methods["incr"]
    assert made.read({"key": b"k", "delta": -2}) == ("k", -2, None, None)
    assert made.read({"key": b"k", "initial": 5, "ttl": 9}) == ("k", 1, 5, dt.timedelta(seconds=9))
    assert methods["keys"].read({"pattern": b"a*"}) == ("a*",)
    assert methods["keys"].read({}) == ("*",)


def test_a_value_may_carry_its_key() -> None:
    methods = table({"p:": {"set": "put(value)", "get": "find ProductNotFound=miss"}}, CATALOG).mounts[b"p:"].methods
    product = b'{"id": 7, "name": "x", "price": "1", "tags": [], "created_at": "2026-01-01T00:00:00Z"}'

    (made,) = methods["set"].read({"key": b"7", "value": product, "flags": 0})
    assert made.id == 7
    with pytest.raises(BadRequest, match="put takes no ttl"):
        methods["set"].read({"key": b"7", "value": product, "ttl": 5})
    with pytest.raises(BadRequest, match="put takes no flags"):
        methods["set"].read({"key": b"7", "value": product, "flags": 1})
    with pytest.raises(BadRequest, match="find: product_id: expected an integer"):
        methods["get"].read({"key": b"x"})
    assert methods["get"].is_miss(Fault("demo.ProductNotFound", None))
    assert not methods["get"].is_miss(Fault("demo.OutOfStock", None))


def test_entries_give_value_version_and_flags() -> None:
    gets = table({"s:": WHOLE}).mounts[b"s:"].methods["gets"]

    assert gets.entry(Stored(b"v", 9, 4)) == Entry(b"v", 9, 4)
    assert gets.entry(None) is None


def test_two_services_cannot_have_one_prefix() -> None:
    mounts = {"mounts": parsed({"s:": {"get": "get"}})}
    exposures = [Exposure(ServiceKey("demo.Store", group), STORE, options=mounts) for group in ("", "b")]

    with pytest.raises(ContractError, match=r"the prefix 's:' is mounted by demo\.Store and by b/demo\.Store"):
        MountTable(exposures)


def test_a_whole_store_and_a_catalog_fit() -> None:
    assert check_mounts(STORE, parsed({"s:": WHOLE}), tuple(VERBS)) == []
    assert (
        check_mounts(
            CATALOG, parsed({"p:": {"get": "find", "set": "put(value)", "delete": "remove"}}), ["get", "set", "delete"]
        )
        == []
    )


@pytest.mark.parametrize(
    ("verb", "text", "message"),
    [
        ("fetch", "find", "there is no verb 'fetch'; there are get, gets"),
        ("get", "nope", "demo.Catalog has no method 'nope'; it has count, find"),
        ("get", "count", "count takes no arguments, so it cannot answer get"),
        ("set", "put", "put: the parameter 'product' is demo.Product, and the key is a scalar; write which arguments"),
        ("get", "find(value)", "get has no value; it has key"),
        ("delete", "touch", "touch is oneway, so there is nothing to answer delete with"),
        ("delete", "find", "find returns demo.Product; delete needs one of"),
        ("get", "find OutOfStock=miss", "find does not declare OutOfStock"),
        ("get", "find ProductNotFound=number", "get has no number that an exception could be about"),
        ("expire", "remove", "remove must take the ttl for expire"),
        ("get", "reserve", "reserve: nothing fills the parameter 'warehouse'"),
        ("gets", "find", "find returns demo.Product, which has not both a field value and a field version"),
        ("keys", "search", "search returns list<demo.Product>, and keys are scalars"),
    ],
)
def test_what_fits_no_contract_is_named(verb: str, text: str, message: str) -> None:
    found = check_mounts(CATALOG, parsed({"p:": {verb: text}}), tuple(VERBS))

    assert any(each.text.startswith(message) and each.path == ("mounts", "p:", verb) for each in found), found


@pytest.mark.parametrize(
    ("prefix", "message"),
    [("a b", "neither spaces nor control"), ("\n", "neither spaces"), ("x" * 201, "at most 200 bytes, this has 201")],
)
def test_prefixes_are_the_beginning_of_keys(prefix: str, message: str) -> None:
    (found,) = check_mounts(STORE, parsed({prefix: {"get": "get"}}), tuple(VERBS))

    assert message in found.text


def test_a_mount_without_methods_is_a_mistake() -> None:
    (found,) = check_mounts(STORE, {"s:": {}}, tuple(VERBS))

    assert found == (("mounts", "s:"), "mounts no method")
