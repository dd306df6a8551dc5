"""Thrift files that somebody wrote, as contracts. What the words mean: https://thrift.apache.org/docs/idl."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.contracts import contract_of
from gateway.contracts.module import contract_module, services_of
from gateway.model.contract import MISSING, EnumType, Field, ServiceContract, StructType
from gateway.model.errors import ContractError
from gateway.model.outline import StructValue, constants_of
from gateway.model.typeref import Kind, TypeRef
from protocols.thrift import names
from protocols.thrift.idl.reader import read_thrift
from tests.support.memory_document import MemoryDocument


def read(text: str, others: Mapping[str, str] | None = None, location: str = "shop.thrift") -> list[ServiceContract]:
    return list(read_thrift(MemoryDocument(text, location, others or {})))


def one(text: str, others: Mapping[str, str] | None = None) -> ServiceContract:
    (found,) = read(text, others)
    return found


def struct(contract: ServiceContract, name: str) -> StructType:
    found = contract.types[name]
    assert isinstance(found, StructType)
    return found


def fields(contract: ServiceContract, name: str) -> dict[str, Field]:
    return {each.name: each for each in struct(contract, name).fields}


def wrong(text: str, others: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ContractError) as caught:
        read(text, others)
    return str(caught.value)


CALCULATOR = """
/*
 * A licence that is no documentation.
 */

/** The file itself. */
namespace java com.acme.tutorial
namespace py tutorial
include "shared.thrift"

typedef i32 Int
typedef list<shared.Pair> Pairs
const Int LIMIT = 0x20
const map<string, string> WORDS = {"hello": "world", 'good': "bye"}

enum Operation { ADD = 1, SUBTRACT, DIVIDE = 8; }

// What to do,
// in two lines.
struct Work {
  1: i32 num1 = 0,
  2: i32 num2,     // the second
  /** Which way. */
  3: Operation op,
  4: optional string comment,
  5: required binary blob;
  9: optional Int limit = LIMIT
  10: map<string, string> words = WORDS
}

union Shape { 1: double radius; 2: Work work }

exception InvalidOperation { 1: i32 what_op, 2: string why }
exception Busy { 1: string message (deprecated), 2: i64 wait }

service Calculator extends shared.SharedService {
  /** Nothing. */
  void ping(),
  i32 add(1:i32 num1, 2:i32 num2 = 5),
  i32 calculate(1:i32 logid, 3:Work w) throws (1:InvalidOperation ouch, 4: Busy busy),
  Pairs pairs(1: Shape from)
  # Does not wait.
  oneway void zip() (deprecated = "use ping")
}
"""
SHARED = """
namespace * shared
struct Pair { 1: i32 key 2: string value }
service SharedService { Pair getStruct(1: i32 key) }
"""


@pytest.fixture(scope="module")
def calculator() -> ServiceContract:
    return one(CALCULATOR, {"shared.thrift": SHARED})


def test_a_service_has_the_methods_of_the_one_it_extends(calculator: ServiceContract) -> None:
    assert calculator.name == "com.acme.tutorial.Calculator"
    assert [each.signature for each in calculator.methods] == [
        "getStruct(i32) -> shared.Pair",
        "ping() -> null",
        "add(i32, i32) -> i32",
        "calculate(i32, com.acme.tutorial.Work) -> i32",
        "pairs(com.acme.tutorial.Shape) -> list<shared.Pair>",
        "zip() -> null",
    ]
    assert [each.oneway for each in calculator.methods] == [False] * 5 + [True]
    assert calculator.methods[2].params[1].default == 5


def test_fields_are_required_optional_or_as_generated_code_has_them(calculator: ServiceContract) -> None:
    found = fields(calculator, "com.acme.tutorial.Work")

    assert {name: (str(each.type), each.default) for name, each in found.items()} == {
        "num1": ("i32", 0),
        "num2": ("i32", 0),
        "op": ("com.acme.tutorial.Operation?", None),
        "comment": ("string?", None),
        "blob": ("bytes", MISSING),
        "limit": ("i32", 32),
        "words": ("map<string,string>", {"hello": "world", "good": "bye"}),
    }
    assert list(names.field_ids(struct(calculator, "com.acme.tutorial.Work"))) == [1, 2, 3, 4, 5, 9, 10]


def test_comments_are_documentation(calculator: ServiceContract) -> None:
    found = fields(calculator, "com.acme.tutorial.Work")

    assert struct(calculator, "com.acme.tutorial.Work").doc == "What to do,\nin two lines."
    assert (found["num1"].doc, found["num2"].doc, found["op"].doc) == ("", "the second", "Which way.")
    assert [each.doc for each in calculator.methods] == ["", "Nothing.", "", "", "", "Does not wait."]
    assert calculator.methods[5].deprecated == "use ping"


def test_enums_have_their_numbers(calculator: ServiceContract) -> None:
    enum = calculator.types["com.acme.tutorial.Operation"]
    assert isinstance(enum, EnumType)

    assert constants_of(enum) == names.enum_values(enum) == {"ADD": 1, "SUBTRACT": 2, "DIVIDE": 8}


def test_exceptions_have_their_text_where_the_file_says(calculator: ServiceContract) -> None:
    invalid = struct(calculator, "com.acme.tutorial.InvalidOperation")
    busy = struct(calculator, "com.acme.tutorial.Busy")
    method = calculator.methods[3]

    assert (names.message_id(invalid), list(names.field_ids(invalid))) == (0, [1, 2])
    assert (names.message_id(busy), list(names.field_ids(busy))) == (1, [2])
    assert (list(names.param_ids(method)), list(names.throws_ids(method))) == ([1, 3], [1, 4])


def test_a_union_is_a_struct_of_which_one_field_is_there(calculator: ServiceContract) -> None:
    shape = struct(calculator, "com.acme.tutorial.Shape")

    assert names.is_union(shape)
    assert [(str(each.type), each.default) for each in shape.fields] == [
        ("f64?", None),
        ("com.acme.tutorial.Work?", None),
    ]


def test_words_of_python_are_no_hindrance(calculator: ServiceContract) -> None:
    assert calculator.methods[4].params[0].name == "from_"
    made = contract_of(services_of(contract_module([calculator], "a test"))["com.acme.tutorial.Calculator"])

    assert made.methods[4].params[0].name == "from_"


def test_annotations_say_what_thrift_cannot() -> None:
    contract = one("""
        namespace * shop
        struct Product {
          1: string price = "19.90" (polyport.type = "decimal")
          2: i64 at = 1000000 (polyport.type = "datetime", java.name = "createdAt")
          3: list<string (polyport.type = "uuid")> ids
          4: i32 stock = 3 (polyport.name = "in_stock", polyport.attribute = "stock_")
          5: optional string note (polyport.required = "true")
          6: double share (polyport.type = "f32", polyport.default = "0.5")
        } (java.name = "com.acme.Product")
        service Shop {
          Product find(1: i64 id) (
            polyport.idempotent = "true", polyport.type = "shop.Product?", http.route = "GET /p/{id}"
          )
          string findByName(1: string name) (polyport.name = "find")
        } (polyport.name = "com.acme.Shop")
    """)
    found = fields(contract, "shop.Product")

    assert contract.name == "com.acme.Shop"
    assert struct(contract, "shop.Product").names == {"java": "com.acme.Product"}
    assert (found["price"].type, found["price"].default) == (TypeRef(Kind.DECIMAL), Decimal("19.90"))
    assert (found["at"].default, found["at"].names) == (
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        {"java": "createdAt"},
    )
    assert str(found["ids"].type) == "list<uuid>?"
    assert (found["in_stock"].attribute, found["in_stock"].default) == ("stock_", 3)
    assert found["note"].default is MISSING
    assert (found["share"].type.kind, found["share"].default) == (Kind.F32, 0.5)
    first, second = contract.methods
    assert (first.idempotent, str(first.returns), first.routes) == (True, "shop.Product?", {"http": "GET /p/{id}"})
    assert (second.name, second.attribute, names.method_name(contract, second)) == ("find", "findByName", "findByName")


def test_keys_are_hashable_in_python() -> None:
    contract = one("""
        struct Key { 1: required list<i32> parts, 2: required set<string> tags }
        service S { map<Key, set<list<i64>>> f() }
    """)
    made = contract_of(services_of(contract_module([contract], "a test"))["shop.S"])

    assert str(made.methods[0].returns) == "map<shop.Key,set<list<i64>>>"
    assert [each.type.hint("python") for each in fields(contract, "shop.Key").values()] == ["tuple", "frozenset"]


def test_defaults_of_structs_and_enums() -> None:
    contract = one("""
        enum Color { RED, GREEN }
        struct Point { 1: required i32 x, 2: i32 y = 7 }
        const Color BEST = Color.GREEN
        struct All {
          1: Point at = {"x": 1}
          2: list<Color> colors = [Color.RED, 1, BEST]
          3: set<i32> empty = []
          4: bool yes = 1
        }
        service S { All f() }
    """)
    found = fields(contract, "shop.All")
    red, green = contract.types["shop.Color"].python_class

    assert found["at"].default == StructValue("shop.Point", (("x", 1), ("y", 7)))
    assert found["colors"].default == (red, green, green)
    assert (found["empty"].default, found["yes"].default) == (frozenset(), True)


def test_a_file_that_includes_itself_in_a_circle_is_read_once() -> None:
    contract = one('include "b.thrift"\nservice S { b.B f() }', {"b.thrift": 'include "shop.thrift"\nstruct B {}',
                                                                 "shop.thrift": "service S {}"})  # fmt: skip

    assert [each.signature for each in contract.methods] == ["f() -> b.B"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("struct A { string a }", "shop.thrift:1: a has no number"),
        ("struct A { 1: string a, 1: string b }", "shop.thrift:1: shop.A: two fields have one number among 1, 1"),
        ("struct A { 40000: string a }", "40000 is no number for a field; they go from 1 to 32766"),
        ("struct A { 1: Nope a }\nservice S { A f() }", "shop.thrift:1: there is no type Nope"),
        ("\nstruct A { 1: i32 a = 'x' }", "shop.thrift:2: a: the value does not fit i32"),
        ("struct A { 1: i8 a = 300 }", "shop.thrift:1: a: the value does not fit i8: 300 does not fit i8"),
        ("struct A {}\nservice S { void f() throws (1: A a) }", "shop.thrift:2: shop.A is no exception"),
        ("service S extends T { }", "shop.thrift:1: there is no service T that S could extend"),
        ("service S extends S { }", "shop.thrift:1: there is no service S that S could extend"),
        ("typedef A B\ntypedef B A\nstruct C { 1: A a }", "is a typedef of itself"),
        ("struct A {}\nstruct A {}", "shop.thrift:2: A was declared in line 1 already"),
        ("enum E { A = 1, B = 1 }", "shop.thrift:1: B has the number 1 of A"),
        ("enum E { mro }", "shop.thrift:1: E cannot be an enum"),
        ("struct A { 1: map<map<i32,i32>,i32> a }", "shop.thrift:1: map<i32,i32> cannot be a key"),
        ('include "no.thrift"', "shop.thrift:1: no.thrift cannot be read: No such file or directory"),
        ("struct A {\n  1: string a = \"\\q\"\n}", "shop.thrift:2: '\\\\q' is no escape; there are"),
        ("struct A {\n  1: string ?a\n}", "shop.thrift:2: '?a' means nothing here"),
        ("struct A { 1: string", "shop.thrift:1: expected the name of a field, found the end of the file"),
        ("async void f()", "shop.thrift:1: 'async' begins nothing that Thrift knows"),
        ('struct A { 1: string a (polyport.type = "decimall") }', "is no type: there is no decimall"),
        ('struct A { 1: string a (polyport.default = "{") }', "shop.thrift:1: a: "),
        ("struct A { 1: " + "list<" * 100, "shop.thrift:1: types nest deeper than 64 levels"),
        ("const i32 A = " + "[" * 100, "shop.thrift:1: values nest deeper than 64 levels"),
        ("const i32 A = " + "9" * 100, "shop.thrift:1: 99999999999999999999… is no integer of 64 bits"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, expected: str) -> None:
    assert expected in wrong(text)


def test_text_that_is_not_utf8_is_refused() -> None:
    class Latin:
        location = "shop.thrift"
        data = b"struct A {}\n// \xe4\n"

    with pytest.raises(ContractError, match=r"shop\.thrift:2: is not UTF-8"):
        read_thrift(Latin())  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(CALCULATOR)), st.integers(0, 30), st.text("{}()<>,;:=\"'/*#.\\ 0aé\n", max_size=6))
def test_damaged_files_are_refused_or_read(at: int, cut: int, put: str) -> None:
    text = CALCULATOR[:at] + put + CALCULATOR[at + cut :]
    # Nothing but ContractError comes out.
    with suppress(ContractError):
        assert all(isinstance(each, ServiceContract) for each in read(text, {"shared.thrift": SHARED}))


def test_names_that_differ_in_what_python_cannot_have_stay_apart() -> None:
    contract = one(
        "struct A { 1: i64 _1, 2: i64 __x } service S { i64 _f(1: i64 _a, 2: i64 a), i64 f(), void class(), "
        "void class_(), A g() }"
    )

    assert [each.attribute for each in contract.methods] == ["f", "f_", "class_", "class__", "g"]
    assert [each.name for each in contract.methods[0].params] == ["a", "a_"]
    assert [each.attribute for each in struct(contract, "shop.A").fields] == ["value_1", "x"]


def test_what_leads_to_itself_without_end_is_refused() -> None:
    deep = "".join(f"typedef {'list<' * 60}t{each}{'>' * 60} t{each + 1}\n" for each in range(10))
    chain = {f"f{each}.thrift": f'include "f{each + 1}.thrift"' for each in range(1, 990)}

    for text in (
        'struct S { 1: S s }\nconst S a = {"s": a}\nstruct A { 1: S x = a }\nservice T { A f() }',
        f"typedef i64 t0\n{deep}service T {{ t10 f() }}",
    ):
        assert "without end" in wrong(text)
    with pytest.raises(ContractError, match="without end"):
        read('include "f1.thrift"', chain)


def test_constants_in_constants_do_not_multiply() -> None:
    deep = "".join(f"const list<i64> c{each + 1} = [{f'c{each},' * 9}]\n" for each in range(9))
    nested = f"{'list<' * 9}i64{'>' * 9}"

    assert "constants of more than 1000000 values" in wrong(
        f"const i64 c0 = 1\n{deep}struct A {{ 1: {nested} x = c9 }}\nservice T {{ A f() }}"
    )


def test_many_comments_take_time_by_their_length_only() -> None:
    lines, blocks = "#a\n" * 200_000, "/*a*/" * 200_000
    started = time.process_time()

    contract = one(f"{lines}service S {{ i64 f() {blocks}\n}}")

    # Adding each to a text of those before took half a minute.
    assert time.process_time() - started < 6
    assert (len(contract.doc), len(contract.methods[0].doc)) == (399_999, 399_999)
