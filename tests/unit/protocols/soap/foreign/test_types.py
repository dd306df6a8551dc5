"""What XML Schema has, as types of a contract, as the tables of `foreign.simple` and `foreign.types` have it."""

from __future__ import annotations

import pytest

from gateway.contracts.module import contract_module, services_of
from gateway.contracts.python import contract_of
from gateway.model.outline import outline_of
from protocols.soap.wsdl_import import read_wsdl
from tests.support.foreign_wsdl import document, lines, one_operation


def read(types: str, request: str, response: str = "") -> list[str]:
    (contract,) = read_wsdl(document(one_operation(types, request, response)))
    # What is read can be written as Python, and is the same then.
    made = services_of(contract_module([contract], "shop.wsdl"))[contract.name]
    assert outline_of(contract_of(made)).methods == contract.methods
    return lines(contract)


def element(name: str, type_name: str, more: str = "") -> str:
    return f'<xs:element name="{name}" type="{type_name}" {more}/>'


def struct(name: str, inside: str, more: str = "") -> str:
    return f'<xs:complexType name="{name}" {more}>{inside}</xs:complexType>'


def sequence(inside: str, more: str = "") -> str:
    return f"<xs:sequence {more}>{inside}</xs:sequence>"


@pytest.mark.parametrize(
    ("built_in", "kind"),
    [
        ("boolean", "bool"),
        ("byte", "i8"),
        ("unsignedByte", "i16"),
        ("short", "i16"),
        ("unsignedShort", "i32"),
        ("int", "i32"),
        ("unsignedInt", "i64"),
        ("long", "i64"),
        ("unsignedLong", "bigint"),
        ("positiveInteger", "bigint"),
        ("decimal", "decimal"),
        ("float", "f32"),
        ("double", "f64"),
        ("base64Binary", "bytes"),
        ("hexBinary", "bytes"),
        ("date", "date"),
        ("time", "time"),
        ("dateTime", "datetime"),
        ("duration", "duration"),
        ("anyURI", "string"),
        ("QName", "string"),
        ("gYearMonth", "string"),
        ("NMTOKENS", "list<string>"),
        ("anyType", "any?"),
    ],
)
def test_built_in_types(built_in: str, kind: str) -> None:
    assert read("", element("a", f"xs:{built_in}")) == [f"Do(a: {kind}) -> null"]


@pytest.mark.parametrize(
    ("more", "ref"),
    [
        ("", "i32"),
        ('minOccurs="0"', "i32?"),
        ('nillable="true"', "i32?"),
        ('minOccurs="0" maxOccurs="unbounded"', "list<i32>"),
        ('maxOccurs="5" nillable="1"', "list<i32?>"),
    ],
)
def test_how_often_an_element_may_be_there(more: str, ref: str) -> None:
    assert read("", element("a", "xs:int", more)) == [f"Do(a: {ref}) -> null"]


@pytest.mark.parametrize(
    ("inside", "ref"),
    [
        ('<xs:restriction base="xs:int"><xs:maxInclusive value="9"/></xs:restriction>', "i32"),
        ('<xs:list itemType="xs:int"/>', "list<i32>"),
        ('<xs:union memberTypes="xs:int xs:int"/>', "i32"),
        ('<xs:union memberTypes="xs:int xs:date"/>', "string"),
        ('<xs:restriction><xs:simpleType><xs:restriction base="xs:date"/></xs:simpleType></xs:restriction>', "date"),
    ],
)
def test_simple_types(inside: str, ref: str) -> None:
    assert read(f'<xs:simpleType name="T">{inside}</xs:simpleType>', element("a", "t:T")) == [f"Do(a: {ref}) -> null"]


def test_enumerations_are_enums_whose_values_are_the_texts() -> None:
    values = "".join(f'<xs:enumeration value="{each}"/>' for each in ("in-stock", "gone", "gone", "mro", "in_stock"))
    inside = f'<xs:restriction base="xs:token">{values}</xs:restriction>'

    assert read(f'<xs:simpleType name="State">{inside}</xs:simpleType>', element("a", "t:State")) == [
        "Do(a: com.acme.shop.v1.State) -> null",
        "enum State in_stock=in-stock, gone=gone, mro_=mro, in_stock_=in_stock",
    ]


def test_fields_of_elements_and_attributes() -> None:
    attributes = (
        '<xs:attribute name="id" type="xs:int" use="required"/><xs:attribute name="size" type="xs:int" default="3"/>'
        '<xs:attribute name="note"/><xs:attribute name="old" type="xs:int" use="prohibited"/>'
    )
    inside = sequence(element("class", "xs:string") + element("id", "xs:string", 'minOccurs="0"')) + attributes

    assert read(struct("T", inside), element("a", "t:T"))[1:] == [
        "struct T id: i32, size: i32 = 3, note: string? = None, class_: string, id_: string? = None"
    ]


def test_a_value_has_the_fields_of_one_branch_of_a_choice() -> None:
    # `a` is in both branches and one field; where it is twice in one branch it is two.
    first = sequence(element("a", "xs:int") + element("b", "xs:int"))
    second = sequence(element("a", "xs:int") + element("c", "xs:int") + element("a", "xs:int"))

    assert read(struct("T", f"<xs:choice>{first}{second}</xs:choice>"), element("x", "t:T"))[1:] == [
        "struct T a: i32? = None, b: i32? = None, c: i32? = None, a_: i32? = None"
    ]


def test_a_group_that_may_be_repeated_is_a_list_of_structs() -> None:
    inside = (
        f'<xs:choice minOccurs="0" maxOccurs="unbounded">{element("a", "xs:int")}{element("b", "xs:date")}</xs:choice>'
    )

    assert read(struct("T", inside), element("x", "t:T")) == [
        "Do(x: com.acme.shop.v1.T) -> null",
        "struct T choice: list<com.acme.shop.v1.TChoice> = ()",
        "struct TChoice a: i32? = None, b: date? = None",
    ]


def test_a_repeated_group_of_one_element_is_a_list_of_it() -> None:
    inside = sequence(element("a", "xs:int"), 'minOccurs="0" maxOccurs="unbounded"')

    assert read(struct("T", inside), element("x", "t:T"))[1:] == ["struct T a: list<i32> = ()"]


def test_extensions_have_the_fields_of_their_base_first() -> None:
    base = struct("Base", sequence(element("a", "xs:int")) + '<xs:attribute name="k" type="xs:int" use="required"/>')
    inside = f'<xs:extension base="t:Base">{sequence(element("b", "xs:int"))}</xs:extension>'
    derived = struct("Derived", f"<xs:complexContent>{inside}</xs:complexContent>")

    assert read(base + derived, element("x", "t:Derived"))[1:] == ["struct Derived k: i32, a: i32, b: i32"]


def test_simple_content_is_a_text_with_attributes() -> None:
    extension = '<xs:extension base="xs:decimal"><xs:attribute name="unit" type="xs:string"/></xs:extension>'
    money = struct("Money", f"<xs:simpleContent>{extension}</xs:simpleContent>")
    plain = struct("Plain", '<xs:simpleContent><xs:extension base="xs:decimal"/></xs:simpleContent>')

    assert read(money + plain, element("x", "t:Money") + element("y", "t:Plain")) == [
        "Do(x: com.acme.shop.v1.Money, y: decimal) -> null",
        "struct Money unit: string? = None, value: decimal",
    ]


def test_groups_are_what_they_stand_for() -> None:
    group = f'<xs:group name="G">{sequence(element("a", "xs:int"))}</xs:group>'
    attributes = '<xs:attributeGroup name="A"><xs:attribute name="k" type="xs:int"/></xs:attributeGroup>'
    inside = '<xs:group ref="t:G" minOccurs="0"/><xs:attributeGroup ref="t:A"/>'

    assert read(group + attributes + struct("T", inside), element("x", "t:T"))[1:] == [
        "struct T k: i32? = None, a: i32? = None"
    ]


def test_a_type_without_a_name_is_called_after_what_it_stands_in() -> None:
    line = f"<xs:complexType>{sequence(element('n', 'xs:int'))}</xs:complexType>"
    inner = f'<xs:element name="line" maxOccurs="unbounded">{line}</xs:element>'

    assert read(struct("Order", sequence(inner)), element("x", "t:Order"))[1:] == [
        "struct Order line: list<com.acme.shop.v1.OrderLine>",
        "struct OrderLine n: i32",
    ]


def test_types_may_lead_back_to_themselves() -> None:
    inside = sequence(element("next", "t:Node", 'minOccurs="0"'))

    assert read(struct("Node", inside), element("x", "t:Node"))[1:] == [
        "struct Node next: com.acme.shop.v1.Node? = None"
    ]


def test_an_element_without_a_type_of_its_own_may_lead_back_to_itself() -> None:
    inner = sequence('<xs:element ref="t:Node" minOccurs="0"/>')

    assert read(
        f'<xs:element name="Node"><xs:complexType>{inner}</xs:complexType></xs:element>', '<xs:element ref="t:Node"/>'
    ) == ["Do(Node: com.acme.shop.v1.Node) -> null", "struct Node Node: com.acme.shop.v1.Node? = None"]


def test_chains_of_types_may_be_long() -> None:
    chain = "".join(struct(f"T{at}", sequence(element("x", f"t:T{at + 1}"))) for at in range(2_000))

    assert len(read(chain + struct("T2000", ""), element("x", "t:T0"))) == 2_002


def test_an_array_of_something_is_a_list() -> None:
    inside = sequence(element("string", "xs:string", 'minOccurs="0" maxOccurs="unbounded" nillable="true"'))

    assert read(struct("ArrayOfString", inside), element("x", "t:ArrayOfString", 'minOccurs="0"')) == [
        "Do(x: list<string?>?) -> null"
    ]


def test_what_is_not_said_is_the_text_of_its_xml() -> None:
    mixed = struct("Mixed", sequence(element("b", "xs:string")), 'mixed="true"')
    marked = struct("Marked", '<xs:attribute name="k" type="xs:int"/>', 'mixed="true"')
    open_one = struct("Open", sequence('<xs:any minOccurs="0"/><xs:any maxOccurs="unbounded"/>'))

    elements = element("x", "t:Mixed") + element("y", "t:Open") + element("z", "t:Marked")
    assert read(mixed + marked + open_one, elements) == [
        "Do(x: string, y: com.acme.shop.v1.Open, z: com.acme.shop.v1.Marked) -> null",
        "struct Open any: string? = None, any_: list<string>",
        "struct Marked k: i32? = None, value: string",
    ]


def test_elements_that_substitute_another_are_a_choice() -> None:
    heads = element("shape", "xs:string", 'abstract="true"') + "".join(
        element(each, "xs:string", 'substitutionGroup="t:shape"') for each in ("circle", "square")
    )
    inside = sequence('<xs:element ref="t:shape"/>')

    assert read(heads + struct("T", inside), element("x", "t:T"))[1:] == [
        "struct T circle: string? = None, square: string? = None"
    ]


def test_several_values_of_a_response_are_a_struct() -> None:
    assert read("", element("a", "xs:int"), element("b", "xs:int") + element("c", "xs:int")) == [
        "Do(a: i32) -> com.acme.shop.v1.DoResult",
        "struct DoResult b: i32, c: i32",
    ]
