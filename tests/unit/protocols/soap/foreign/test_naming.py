"""Packages and names of foreign descriptions."""

from __future__ import annotations

import pytest

from protocols.soap.foreign.naming import TypeNamer, identifier, member_name, package_of


# The first two are the examples of Jakarta XML Binding, appendix D.5.1; the others follow from its steps.
@pytest.mark.parametrize(
    ("namespace", "package"),
    [
        ("http://www.acme.com/go/espeak.xsd", "com.acme.go.espeak"),
        ("urn:hl7-org:v3", "org.hl7.v3"),
        ("http://shop.example:8080/a-b/2003/class", "example.shop.a_b._2003.class_"),
        ("http://tempuri.org/", "org.tempuri"),
        ("urn:Shop", "shop"),
        ("", ""),
    ],
)
def test_packages_are_those_of_jaxb(namespace: str, package: str) -> None:
    assert package_of(namespace) == package


@pytest.mark.parametrize(
    ("text", "name"),
    [("in-stock", "in_stock"), ("1st", "value_1st"), ("größe", "größe"), ("", "empty"), ("+", "value"), ("a.b", "a_b")],
)
def test_any_text_becomes_an_identifier(text: str, name: str) -> None:
    assert identifier(text) == name
    assert name.isidentifier()


def test_members_avoid_keywords_and_each_other() -> None:
    assert [member_name(each, {"id"}) for each in ("class", "id", "_x")] == ["class_", "id_", "x"]


def test_a_type_gets_a_number_where_its_name_is_taken() -> None:
    namer = TypeNamer()

    assert [namer.give("a.b", "Order") for _ in range(3)] == ["a.b.Order", "a.b.Order2", "a.b.Order3"]
    assert namer.give("", "Order") == "Order"
