from typing import Any

import pytest

from gateway.contracts import I8, I32, I64, contract_of, method, service
from gateway.contracts.binding import bind_arguments, compile_arguments
from gateway.contracts.values import Checker
from gateway.jsonform.reader import compile_reader
from gateway.model.contract import ServiceContract
from gateway.model.errors import BadRequest, ValueMappingError
from gateway.model.typeref import TypeRef


@service("shop.Orders")
class Orders:
    def find(self, order_id: I64) -> str: ...  # type: ignore[empty-body]
    @method(name="find")
    def find_by_name(self, name: str) -> str: ...  # type: ignore[empty-body]
    @method(name="find")
    def find_by_both(self, order_id: I64, name: str) -> str: ...  # type: ignore[empty-body]

    def search(self, text: str, limit: I32 = 10, tags: set[str] | None = None) -> list[str]: ...  # type: ignore[empty-body]

    def put(self, value: I8) -> None: ...
    @method(name="put")
    def put_wide(self, value: I64) -> None: ...

    @method(name="get")
    def get_exact(self, key: str) -> None: ...
    @method(name="get")
    def get_default(self, key: str, fallback: str = "") -> None: ...

    def count(self) -> int: ...  # type: ignore[empty-body]


CONTRACT = contract_of(Orders)


def read_json(value: Any, ref: TypeRef, contract: ServiceContract) -> Any:
    return compile_reader(ref, contract)(value)


def bind(name: str, /, *positional: Any, **named: Any) -> tuple[str, tuple[Any, ...]]:
    found, values = bind_arguments(CONTRACT.overloads(name), positional, named, CONTRACT)
    return found.attribute, values


def test_positions_names_and_defaults() -> None:
    assert bind("search", "lamp") == ("search", ("lamp", 10, None))
    assert bind("search", "lamp", tags={"a"}) == ("search", ("lamp", 10, {"a"}))
    assert bind("search", limit=3, text="lamp") == ("search", ("lamp", 3, None))
    assert bind("count") == ("count", ())


def test_one_method_can_be_given() -> None:
    found, values = bind_arguments(CONTRACT.methods[1], ("lamp",), {}, CONTRACT)
    assert (found.attribute, values) == ("find_by_name", ("lamp",))


def test_the_overload_is_picked_by_count_then_by_type() -> None:
    assert bind("find", 7) == ("find", (7,))
    assert bind("find", "lamp") == ("find_by_name", ("lamp",))
    assert bind("find", 7, "lamp") == ("find_by_both", (7, "lamp"))
    assert bind("find", name="lamp") == ("find_by_name", ("lamp",))
    assert bind("find", name="lamp", order_id=7) == ("find_by_both", (7, "lamp"))


def test_an_overload_without_defaults_wins() -> None:
    assert bind("get", "a") == ("get_exact", ("a",))
    assert bind("get", "a", "b") == ("get_default", ("a", "b"))


def test_the_overload_is_picked_by_json_too() -> None:
    def bind_json(*positional: Any) -> str:
        return bind_arguments(CONTRACT.overloads("find"), positional, {}, CONTRACT, convert=read_json)[0].attribute

    assert bind_json(7) == "find"
    assert bind_json("7") == "find_by_name"


def test_what_fits_several_overloads_names_them() -> None:
    assert bind("put", 1 << 40) == ("put_wide", (1 << 40,))
    with pytest.raises(BadRequest, match=r"fit 2 overloads: put\(i8\) -> null, put\(i64\) -> null; call one of them"):
        bind("put", 1)


def test_what_fits_no_overload_says_why_for_each() -> None:
    with pytest.raises(BadRequest) as caught:
        bind("find", 1.5)
    assert str(caught.value) == (
        "no overload of find takes these arguments: find(i64) -> string: args[0]: expected i64, found float; "
        "find(string) -> string: args[0]: expected string, found float"
    )


@pytest.mark.parametrize(
    ("name", "positional", "named", "message"),
    [
        ("search", (), {}, "search(string, i32, set<string>?) -> list<string> needs its parameter 'text'"),
        ("search", ("a", 1, None, 2), {}, "takes 3 arguments, 4 were given"),
        ("search", ("a",), {"text": "b"}, "got its parameter 'text' twice"),
        ("search", ("a",), {"limt": 1}, "has no parameter 'limt'; did you mean 'limit'?"),
        ("search", ("a",), {"zzz": 1}, "has no parameter 'zzz'"),
        ("find", (1, "a", 2), {}, "no overload of find takes these arguments: "),
        ("nothing", (), {}, "there is no such method"),
    ],
)
def test_what_does_not_fit_the_parameters_is_refused(
    name: str, positional: tuple[Any, ...], named: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        bind(name, *positional, **named)
    assert message in str(caught.value)


def test_a_bad_value_is_found_by_its_path() -> None:
    with pytest.raises(ValueMappingError) as caught:
        bind("search", "lamp", 10, {1})
    assert str(caught.value) == "args[2][0]: expected string, found int"


def test_complete_arguments_are_checked_in_order() -> None:
    check = compile_arguments(CONTRACT.overloads("search")[0], Checker(CONTRACT))
    assert check(("lamp", True + 1, frozenset({"a"}))) == ("lamp", 2, {"a"})
    with pytest.raises(ValueMappingError, match=r"args\[1\]: expected i32, found bool"):
        check(("lamp", True, None))
    with pytest.raises(BadRequest, match="takes 3 arguments, 1 were given"):
        check(("lamp",))
