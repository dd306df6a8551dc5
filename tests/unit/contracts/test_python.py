"""Contracts read from classes. Hints are real objects here; `test_hint.py` has those written as text."""

import abc
import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import InitVar, dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, Optional, Protocol, TypedDict, TypeVar
from uuid import UUID

import pytest

from gateway.contracts import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    NO_CALL,
    BigInt,
    Call,
    Char,
    Doc,
    Hint,
    JavaType,
    LocalDateTime,
    RemoteError,
    ServiceError,
    contract_of,
    enum,
    method,
    service,
    struct,
)
from gateway.contracts.annotation import Width
from gateway.model.contract import MISSING, EnumType, StructType
from gateway.model.errors import ContractError
from gateway.model.typeref import Kind, TypeRef

T = TypeVar("T")
ProductId = NewType("ProductId", int)


class Color(Enum):
    """Colours of the house."""

    RED = "r"
    GREEN = "g"


@dataclass
class Line:
    """One line.

    Attributes:
        quantity: Pieces, at least one.
    """

    product: str
    quantity: I32 = 1


@dataclass(frozen=True)
class Key:
    a: int
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class KeyWithList:
    items: tuple[list[int], ...]


@dataclass(frozen=True, eq=False)
class KeyByIdentity:
    a: int


class Missing(ServiceError):
    """Not there."""

    product_id: I64
    line: Line | None = None


def contract_with(hint: Any) -> TypeRef:
    """The type a parameter with this hint gets."""

    @service("shop.Orders")
    class Orders:
        def call(self, value: hint) -> None: ...

    return contract_of(Orders).methods[0].params[0].type


def problems_of(cls: type[Any]) -> list[str]:
    with pytest.raises(ContractError) as caught:
        contract_of(cls)
    first, *rest = str(caught.value).splitlines()
    assert first.endswith("does not describe a service:")
    return [re.sub(r"\S*<locals>\.", "", line.strip()) for line in rest]


def problem_with(hint: Any) -> str:
    """What is wrong with a parameter of this hint."""

    @service("shop.Orders")
    class Orders:
        def call(self, value: hint) -> None: ...

    (problem,) = problems_of(Orders)
    where, _, message = problem.partition(": ")
    assert where.startswith("Orders.call(value)")
    return message


def scalar(kind: Kind, **more: Any) -> TypeRef:
    return TypeRef(kind, **more)


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (bool, scalar(Kind.BOOL)),
        (int, scalar(Kind.I64)),
        (I8, scalar(Kind.I8)),
        (I16, scalar(Kind.I16)),
        (I32, scalar(Kind.I32)),
        (I64, scalar(Kind.I64)),
        (BigInt, scalar(Kind.BIGINT)),
        (float, scalar(Kind.F64)),
        (F32, scalar(Kind.F32)),
        (F64, scalar(Kind.F64)),
        (Decimal, scalar(Kind.DECIMAL)),
        (Char, scalar(Kind.CHAR)),
        (str, scalar(Kind.STRING)),
        (bytes, scalar(Kind.BYTES)),
        (date, scalar(Kind.DATE)),
        (time, scalar(Kind.TIME)),
        (datetime, scalar(Kind.DATETIME)),
        (LocalDateTime, scalar(Kind.LOCAL_DATETIME)),
        (timedelta, scalar(Kind.DURATION)),
        (UUID, scalar(Kind.UUID)),
        (Any, scalar(Kind.ANY, nullable=True)),
        (Any | None, scalar(Kind.ANY, nullable=True)),
        (str | None, scalar(Kind.STRING, nullable=True)),
        (None | str, scalar(Kind.STRING, nullable=True)),
        (Optional[I32], scalar(Kind.I32, nullable=True)),  # noqa: UP045 - the old spelling is what is tested
        (I32 | None, scalar(Kind.I32, nullable=True)),
        (ProductId, scalar(Kind.I64)),
        (list[I32], scalar(Kind.LIST, args=(scalar(Kind.I32),))),
        (Sequence[str], scalar(Kind.LIST, args=(scalar(Kind.STRING),))),
        (tuple[str, ...], scalar(Kind.LIST, args=(scalar(Kind.STRING),), hints=(("python", "tuple"),))),
        (set[str], scalar(Kind.SET, args=(scalar(Kind.STRING),))),
        (AbstractSet[str], scalar(Kind.SET, args=(scalar(Kind.STRING),))),
        (frozenset[str], scalar(Kind.SET, args=(scalar(Kind.STRING),), hints=(("python", "frozenset"),))),
        (dict[str, I32], scalar(Kind.MAP, args=(scalar(Kind.STRING), scalar(Kind.I32)))),
        (Mapping[date, Decimal], scalar(Kind.MAP, args=(scalar(Kind.DATE), scalar(Kind.DECIMAL)))),
        (list[int | None], scalar(Kind.LIST, args=(scalar(Kind.I64, nullable=True),))),
        (Color, scalar(Kind.ENUM, name="shop.Color")),
        (Line | None, scalar(Kind.STRUCT, name="shop.Line", nullable=True)),
        (
            Annotated[datetime, JavaType("java.util.Date")],
            scalar(Kind.DATETIME, hints=(("java", "java.util.Date"),)),
        ),
        (
            Annotated[list[I32] | None, JavaType("int[]"), Hint("soap", "array")],
            scalar(Kind.LIST, args=(scalar(Kind.I32),), nullable=True, hints=(("java", "int[]"), ("soap", "array"))),
        ),
        (
            Annotated[tuple[I32, ...], JavaType("int[]"), "somebody else's"],
            scalar(Kind.LIST, args=(scalar(Kind.I32),), hints=(("java", "int[]"), ("python", "tuple"))),
        ),
        (
            Annotated[datetime, JavaType("java.util.Date")] | None,
            scalar(Kind.DATETIME, nullable=True, hints=(("java", "java.util.Date"),)),
        ),
    ],
    ids=str,
)
def test_a_hint_becomes_a_contract_type(hint: Any, expected: TypeRef) -> None:
    assert contract_with(hint) == expected


@pytest.mark.parametrize(
    ("hint", "message"),
    [
        (None, "None alone is no type of a value; use T | None"),
        (list, "list is no type of a contract; say what it holds: list[T]"),
        (dict, "dict is no type of a contract; say what it maps: dict[K, V]"),
        (tuple, "tuple is no type of a contract; use tuple[T, ...] for a list that may be a key, a dataclass"),
        (tuple[int, str], "tuple[int, str] has a fixed length; use tuple[T, ...] or a dataclass"),
        (object, "object is no type of a contract; use Any"),
        (bytearray, "bytearray is no type of a contract; use bytes"),
        (complex, "complex is no type of a contract; use a dataclass of two floats"),
        (int | str, "a union (int | str) is no type of a contract; use a dataclass or Any"),
        (int | str | None, "a union (int | str) is no type of a contract"),
        (Literal["a"], "Literal['a'] is no type of a contract; use an Enum"),
        (T, "~T is a type variable; name the type itself"),
        (Callable[[], int], "is no type of a contract; functions do not travel"),
        (Iterator[int], "there are no streams; use list[T]"),
        (AsyncIterator[int], "there are no streams; use list[T]"),
        (Exception, "Exception is an exception, not a value; derive it from ServiceError"),
        (Missing, "Missing is an exception, not a value; name it in throws="),
        (Annotated[str, Width(Kind.I32)], "i32 is no width of string"),
        (Annotated[I32, Width(Kind.I8)], "two widths, "),
        (Annotated[Annotated[int, JavaType("int")], JavaType("long")], "two hints for java, "),
        (Annotated[int, Doc], "Doc needs a text: Doc('…')"),
        (type("Text", (str,), {}), "Text is a subclass of str; use str"),
        (type("Plain", (), {}), "Plain is no type of a contract; make it a dataclass"),
        (dict[list[int], str], "the keys of map<list<i64>,string> must be hashable: a list is not hashable; use tuple"),
        (set[tuple[list[int], ...]], "the elements of set<list<list<i64>>> must be hashable: a list is not"),
        (dict[set[int], str], "a set is not hashable; use frozenset[T]"),
        (set[Line], "must be hashable: Line is not hashable; make it @dataclass(frozen=True)"),
        (dict[KeyWithList, str], "must be hashable: KeyWithList.items: a list is not hashable"),
        (set[KeyByIdentity], "KeyByIdentity is hashed by identity, so an equal key is not found"),
        (dict[Any, str], "any may hold lists and maps; name the type"),
        (list[dict[dict[str, str], int]], "a map is not hashable"),
    ],
    ids=str,
)
def test_a_hint_that_is_no_type_says_what_to_use(hint: Any, message: str) -> None:
    assert message in problem_with(hint)


def test_classes_that_are_no_dataclasses_are_refused_by_name() -> None:
    class Pair(NamedTuple):
        a: int

    class Record(TypedDict):
        a: int

    class Mode(Flag):
        A = 1

    @dataclass
    class Page(Generic[T]):
        items: list[T]

    @dataclass
    class Base:
        a: int

    class Derived(Base):
        b: int = 0

    assert problem_with(Pair) == "Pair is no dataclass; make it one (frozen, where it is a key)"
    assert problem_with(Record) == "Record is no dataclass; make it one (frozen, where it is a key)"
    assert "Mode is a Flag" in problem_with(Mode)
    generic = "Page is generic; define one dataclass for each type it is used with"
    assert problem_with(Page[int]) == generic
    assert problem_with(Page) == generic

    @service("shop.Orders")
    class Orders:
        def call(self, value: Derived) -> None: ...

    assert problems_of(Orders) == [
        "Derived: it inherits from a dataclass and is none itself; decorate it with @dataclass"
    ]


def test_keys_may_be_anything_hashable() -> None:
    hints = [Key, tuple[Key, ...], frozenset[str], Color, date, str | None, bool]
    for hint in hints:
        assert contract_with(dict[hint, int]).kind is Kind.MAP


def test_everything_that_can_be_said_about_a_service() -> None:
    @service("shop.Orders", names={"java": "com.acme.Orders"})
    class Orders(Protocol):
        """Orders of the shop."""

        @method(idempotent=True, throws=(Missing,), deprecated="use find_all", names={"java": "getOrder"})
        async def find(self, order_id: I64, color: Color = Color.RED, note: str | None = None) -> Line | None:
            """Finds one.

            Args:
                order_id: The number
                    on the paper.
                color (optional): Which colour.

            Returns:
                It, or null.
            """

        @method(oneway=True)
        async def forget(self, order_id: Annotated[I64, Doc("By hand.")]) -> None:
            """Forgets one.

            Args:
                order_id: Overruled.
            """

        def plain(self) -> bool: ...

    contract = contract_of(Orders)
    assert (contract.name, contract.doc, contract.names) == (
        "shop.Orders",
        "Orders of the shop.",
        {"java": "com.acme.Orders"},
    )
    find, forget, plain = contract.methods
    assert find.signature == "find(i64, shop.Color, string?) -> shop.Line?"
    assert find.doc == "Finds one.\n\nReturns:\n    It, or null."
    assert [param.doc for param in find.params] == ["The number on the paper.", "Which colour.", ""]
    assert [param.default for param in find.params] == [MISSING, Color.RED, None]
    assert find.throws == (TypeRef(Kind.EXCEPTION, name="shop.Missing"),)
    assert (find.idempotent, find.oneway, find.deprecated, find.names) == (
        True,
        False,
        "use find_all",
        {"java": "getOrder"},
    )
    assert (forget.oneway, forget.returns, forget.params[0].doc) == (True, TypeRef(Kind.NULL), "By hand.")
    assert (plain.idempotent, plain.deprecated, plain.throws, plain.attribute) == (False, None, (), "plain")
    assert list(contract.types) == ["shop.Color", "shop.Line", "shop.Missing"]


def test_structs_enums_and_exceptions_are_defined_once() -> None:
    @service("shop.Orders")
    class Orders:
        @method(throws=(Missing,))
        def put(self, lines: list[Line], color: Color) -> dict[Key, Color]: ...

    types = contract_of(Orders).types
    assert list(types) == ["shop.Line", "shop.Color", "shop.Key", "shop.Missing"]
    line, color, missing = types["shop.Line"], types["shop.Color"], types["shop.Missing"]
    assert isinstance(line, StructType)
    assert (line.python_class, line.doc, line.is_exception) == (Line, "One line.", False)
    assert [(each.name, str(each.type), each.default, each.doc) for each in line.fields] == [
        ("product", "string", MISSING, ""),
        ("quantity", "i32", 1, "Pieces, at least one."),
    ]
    assert color == EnumType("shop.Color", Color, ("RED", "GREEN"), {}, "Colours of the house.")
    assert isinstance(missing, StructType)
    assert (missing.python_class, missing.is_exception) == (Missing, True)
    assert [(each.name, str(each.type)) for each in missing.fields] == [("product_id", "i64"), ("line", "shop.Line?")]


def test_types_can_be_named_and_fields_described() -> None:
    @enum(name="acme.Colour", names={"java": "com.acme.Colour"})
    class Tint(Enum):
        A = 1

    @struct(name="acme.Entry", names={"java": "com.acme.Entry"}, doc="An entry.")
    @dataclass(slots=True)
    class Row:
        class_: str = field(metadata={"name": "class", "names": {"java": "clazz"}, "doc": "Which.", "deprecated": True})
        tint: Tint | None = None
        tags: list[str] = field(default_factory=list)

    @struct(name="acme.Lost")
    class Gone(ServiceError):
        row: Row

    @service("shop.Orders")
    class Orders:
        @method(throws=[Gone])
        def put(self, row: Row) -> None: ...

    types = contract_of(Orders).types
    row = types["acme.Entry"]
    assert isinstance(row, StructType)
    assert (row.names, row.doc) == ({"java": "com.acme.Entry"}, "An entry.")
    first, second, third = row.fields
    assert (first.name, first.attribute, first.names, first.doc, first.deprecated) == (
        "class",
        "class_",
        {"java": "clazz"},
        "Which.",
        True,
    )
    assert (second.absent(), third.absent(), first.absent()) == (None, [], MISSING)
    assert types["acme.Colour"].names == {"java": "com.acme.Colour"}
    assert "acme.Lost" in types


def test_overloads_share_a_name_and_keep_their_attributes() -> None:
    @service("shop.Orders")
    class Orders:
        def find(self, order_id: int) -> Line: ...
        @method(name="find")
        def find_by_name(self, name: str) -> Line: ...

    found = contract_of(Orders).overloads("find")
    assert [(each.attribute, str(each.params[0].type)) for each in found] == [
        ("find", "i64"),
        ("find_by_name", "string"),
    ]


def test_methods_are_inherited_and_replaced() -> None:
    class Readable(abc.ABC):
        @abc.abstractmethod
        def get(self, key: str) -> str: ...

        @abc.abstractmethod
        def size(self) -> int: ...

        LIMIT = 3

        class Nested:
            pass

    @service("shop.Store")
    class Store(Readable):
        def put(self, key: str) -> None: ...
        def get(self, key: bytes) -> str: ...  # type: ignore[override]
        def _internal(self, anything) -> None: ...  # type: ignore[no-untyped-def]

    assert [each.signature for each in contract_of(Store).methods] == [
        "get(bytes) -> string",
        "size() -> i64",
        "put(string) -> null",
    ]


def test_a_contract_is_read_once_and_found_through_implementations() -> None:
    @service("shop.Orders")
    class Orders:
        def count(self) -> int: ...

    class SqlOrders(Orders):
        def helper(self) -> None: ...

    assert contract_of(Orders) is contract_of(Orders)
    assert contract_of(SqlOrders) is contract_of(Orders)


def test_a_protocol_stays_usable_as_a_runtime_check() -> None:
    from typing import runtime_checkable

    @service("shop.Orders")
    @runtime_checkable
    class Orders(Protocol):
        def count(self) -> int: ...

    class SqlOrders:
        def count(self) -> int:
            return 1

    contract_of(Orders)
    assert isinstance(SqlOrders(), Orders)


def test_awaitables_are_what_they_give() -> None:
    @service("shop.Orders")
    class Orders(Protocol):
        def a(self) -> Awaitable[I32]: ...
        def b(self) -> Coroutine[Any, Any, None]: ...

    assert [str(each.returns) for each in contract_of(Orders).methods] == ["i32", "null"]


def test_the_call_is_not_part_of_the_contract() -> None:
    @service("shop.Orders")
    class Orders:
        def a(self, key: str, *, call: Call = NO_CALL) -> str: ...
        def b(self, call: Call) -> str: ...

    assert [each.signature for each in contract_of(Orders).methods] == ["a(string) -> string", "b() -> string"]


def test_recursive_types_end() -> None:
    @service("shop.Trees")
    class Trees:
        def grow(self, tree: "Tree") -> "dict[str, list[Tree]]": ...

    contract = contract_of(Trees)
    assert list(contract.types) == ["shop.Tree"]
    assert str(contract.methods[0].returns) == "map<string,list<shop.Tree>>"


@dataclass
class Tree:
    children: "list[Tree]"
    parent: "Tree | None" = None


def test_extra_types_are_part_of_the_closed_set() -> None:
    @service("shop.Orders", types=(Line, Color, Missing))
    class Orders:
        def any(self, value: Any) -> Any: ...

    assert list(contract_of(Orders).types) == ["shop.Line", "shop.Color", "shop.Missing"]


def test_extra_types_must_be_named_types() -> None:
    @service("shop.Orders", types=(int,))
    class Orders:
        def any(self, value: Any) -> Any: ...

    assert "needs no naming" in problems_of(Orders)[0]


def test_defaults_become_values_of_their_type() -> None:
    @dataclass
    class Box:
        weight: float = 1
        price: Decimal = 3  # type: ignore[assignment]

    @service("shop.Orders")
    class Orders:
        def put(self, box: Box, factor: float = 2, tags: Sequence[str] = ()) -> None: ...

    contract = contract_of(Orders)
    box = contract.types["shop.Box"]
    assert isinstance(box, StructType)
    assert [repr(each.default) for each in box.fields] == ["1.0", "Decimal('3')"]
    assert [repr(each.default) for each in contract.methods[0].params] == ["MISSING", "2.0", "()"]


def test_all_mistakes_are_reported_together() -> None:
    class Twice(Enum):
        A = 1
        B = 1  # noqa: PIE796

    class Nothing(Enum):
        pass

    @dataclass
    class Bad:
        amount: I8 = 300
        note: str = None  # type: ignore[assignment]
        other: str = field(default="", metadata={"name": "note"})
        made: list[int] = field(default_factory=lambda: ["x"])  # type: ignore[list-item]
        failing: list[int] = field(default_factory=lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        spaced: int = field(default=0, metadata={"name": "two words", "names": {"java": ""}})
        hidden: InitVar[int] = 0

    class Odd(ServiceError):
        message: str  # type: ignore[misc]
        args: int  # type: ignore[assignment]

    class NotOne(Exception):
        pass

    @service("shop.Orders", names={"java": 3})  # type: ignore[dict-item]
    class Orders:
        def a(self, untyped, twice: Twice) -> None: ...  # type: ignore[no-untyped-def]
        def b(self, *values: int, **more: int): ...  # type: ignore[no-untyped-def]
        def c(self, bad: Bad, *, late: int) -> Nothing: ...

        @method(throws=(Odd, NotOne, ServiceError, RemoteError, 3))  # type: ignore[arg-type]
        def d(self, limit: I32 = 1 << 40, word: str = None, tags: list[str] = []) -> None: ...  # type: ignore[assignment]  # noqa: B006,RUF013

        @method(oneway=True, throws=(Missing,))
        def e(self) -> int: ...

        def f(self) -> Iterator[int]:
            yield 1

        @method(name="a b", deprecated=True)  # type: ignore[arg-type]
        def g(self) -> None: ...

        @staticmethod
        def h(value: int) -> None: ...

        @property
        def i(self) -> int: ...  # type: ignore[empty-body]

        def j() -> None: ...  # type: ignore[misc]

        k = functools.partial(print)

        def l(self, a: "Unknown", b: "list[") -> None: ...  # type: ignore  # noqa: E743,F821,F722

        @method(name="find")
        def m(self, key: str) -> None: ...
        @method(name="find")
        def n(self, name: str | None) -> None: ...

    expected = [
        "Orders.a(untyped): the type hint is missing",
        "Twice.B: B is an alias of A, so it has no name of its own; give it another value",
        "Orders.b(values): *values has no fixed parameters; name them, or take a list or map",
        "Orders.b(more): **more has no fixed parameters; name them, or take a list or map",
        "Orders.b result: the type hint is missing; write -> None when there is no result",
        "Orders.c(late): arguments have a position on the wire; take it out from behind the *",
        "Nothing: an enum without constants has no values",
        "Bad.amount: the default 300 does not fit: 300 does not fit i8, which goes from -128 to 127",
        "Bad.note: the default None is no string; write T | None",
        "Bad.other: note has the contract name 'note' too",
        "Bad.made: the default ['x'] does not fit at [0]: expected i64, found str",
        "Bad.failing: its default_factory raises ZeroDivisionError: division by zero",
        "Bad.spaced: 'two words' is no name for a field; use an identifier",
        "Bad.spaced: names= maps protocols to names, like {\"java\": \"com.acme.Order\"}; found {'java': ''}",
        "Bad.hidden: an InitVar is no data; make it a field",
        "Odd.message: every exception has this already; rename it",
        "Odd.args: every exception has this already; rename it",
        "Orders.d throws: NotOne is no ServiceError; derive it from ServiceError",
        "Orders.d throws: ServiceError stands for all exceptions; declare a subclass of ServiceError",
        "Orders.d throws: RemoteError stands for all exceptions; declare a subclass of ServiceError",
        "Orders.d throws: 3 is no ServiceError; derive it from ServiceError",
        "Orders.d(limit): the default 1099511627776 does not fit: 1099511627776 does not fit i32, which goes from"
        " -2147483648 to 2147483647",
        "Orders.d(word): the default None is no string; write T | None",
        "Orders.d(tags): all calls would share the default []; use None or ()",
        "Orders.e result: a oneway method returns None, not i64",
        "Orders.e throws: nobody waits for what a oneway method raises",
        "Orders.f: there are no streams; return a list",
        "Orders.f result: Iterator[int]: there are no streams; use list[T]",
        "Orders.g: 'a b' is no name for a method; use an identifier",
        "Orders.g: deprecated= says why, as text",
        "Orders.h: a staticmethod is no method of a service; take self, or start with _",
        "Orders.i: a property cannot be called; make it a method, or let its name start with _",
        "Orders.j: it takes no self",
        "Orders.k: it is no plain method; write a def, or let its name start with _",
        "Orders.l(a): the hint 'Unknown' cannot be read: name 'Unknown' is not defined",
        "Orders.n: m is the same overload, find(string)",
    ]
    found = problems_of(Orders)
    normal = [line.replace("collections.abc.", "") for line in found]
    for line in expected:
        assert line in normal
    others = [line for line in normal if line not in expected]
    assert len(others) == 2
    assert others[0].startswith("Orders.l(b): the hint 'list[' cannot be read: ")
    assert others[1].startswith("Orders: names= maps protocols to names")
    assert len(found) == len(set(found))


def test_two_classes_with_one_name_are_told_apart() -> None:
    def other_line() -> type[Any]:
        @dataclass
        class Line:
            a: int

        return Line

    other = other_line()

    @service("shop.Orders")
    class Orders:
        def put(self, a: Line, b: other) -> None: ...  # type: ignore[valid-type]

    (problem,) = problems_of(Orders)
    assert problem.endswith("give it another one with name=")
    assert "has the contract name 'shop.Line' of " in problem
    assert problem.count("Line") == 3


def test_a_type_cannot_have_the_name_of_the_service() -> None:
    @dataclass
    class Orders:
        a: int

    @service("shop.Orders")
    class Service:
        def put(self, a: Orders) -> None: ...

    assert "has the contract name 'shop.Orders' of the service" in problems_of(Service)[0]


@pytest.mark.parametrize("name", ["", "shop.", ".Orders", "shop/Orders", "shop.Or ders", "shop.1"])
def test_a_service_name_is_made_of_identifiers(name: str) -> None:
    @service(name)
    class Orders:
        def put(self) -> None: ...

    assert "is no name for a service; use identifiers joined by dots" in problems_of(Orders)[0]


def test_a_service_without_a_package_has_types_without_one() -> None:
    @service("Orders")
    class Orders:
        def put(self, line: Line) -> None: ...

    assert list(contract_of(Orders).types) == ["Line"]


def test_a_service_needs_methods_and_no_type_variables() -> None:
    @service("shop.Empty")
    class Empty:
        def _private(self) -> None: ...

    @service("shop.Any")
    class AnyOf(Generic[T]):
        def get(self) -> int: ...

    assert problems_of(Empty) == ["Empty: a service needs at least one public method"]
    assert problems_of(AnyOf) == ["AnyOf: a service cannot be generic; name the types"]


def test_only_decorated_classes_are_contracts() -> None:
    class Plain:
        pass

    with pytest.raises(ContractError, match="Plain describes no service; decorate it with @service"):
        contract_of(Plain)
    with pytest.raises(ContractError, match="3 is no class"):
        contract_of(3)


def test_code_of_a_class_never_runs_when_values_are_built() -> None:
    @dataclass
    class Sneaky:
        a: int

        def __new__(cls) -> "Sneaky": ...  # type: ignore[empty-body]

    @service("shop.Orders")
    class Orders:
        def put(self, value: Sneaky) -> None: ...

    assert problems_of(Orders) == ["Sneaky: values are built without its code running, so it cannot define __new__"]


def test_an_exception_is_no_second_dataclass() -> None:
    @dataclass
    class Double(ServiceError):
        code: int

    @service("shop.Orders")
    class Orders:
        @method(throws=(Double,))
        def put(self) -> None: ...

    assert problems_of(Orders) == ["Double: a ServiceError is a dataclass already; remove @dataclass"]


def test_enums_of_any_base_are_enums() -> None:
    class Number(IntEnum):
        ONE = 1

    class Word(StrEnum):
        A = "a"

    assert contract_with(Number) == TypeRef(Kind.ENUM, name="shop.Number")
    assert contract_with(Word) == TypeRef(Kind.ENUM, name="shop.Word")


def test_a_failed_contract_is_read_again() -> None:
    @service("shop.Orders")
    class Orders:
        def put(self, line: "LateLine") -> None: ...  # noqa: F821

    with pytest.raises(ContractError):
        contract_of(Orders)
    globals()["LateLine"] = Line
    try:
        assert list(contract_of(Orders).types) == ["shop.Line"]
    finally:
        del globals()["LateLine"]
