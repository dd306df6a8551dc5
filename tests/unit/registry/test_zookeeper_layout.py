"""Paths and names. The expected names were made with java.net.URLEncoder (OpenJDK 17, `jshell`)."""

from __future__ import annotations

import pytest

from registry.entries import MAX_ENTRY
from registry.zookeeper.layout import (
    Ensemble,
    category_path,
    decode_name,
    encode_name,
    parent_of,
    parse_ensemble,
    parse_root,
)

JAVA = {
    "com.acme.Shop": "com.acme.Shop",
    "dubbo://10.0.0.1:20880/com.acme.Shop?application=shop&methods=find,put&timestamp=1": (
        "dubbo%3A%2F%2F10.0.0.1%3A20880%2Fcom.acme.Shop%3Fapplication%3Dshop%26methods%3Dfind%2Cput%26timestamp%3D1"
    ),
    "a b+c~d*e-f_g.h!'()": "a+b%2Bc%7Ed*e-f_g.h%21%27%28%29",
    "x=%26&y=\u00fc\u20ac\U0001f600": "x%3D%2526%26y%3D%C3%BC%E2%82%AC%F0%9F%98%80",
    "consumer://[::1]/com.acme.Shop?group=*": "consumer%3A%2F%2F%5B%3A%3A1%5D%2Fcom.acme.Shop%3Fgroup%3D*",
}


@pytest.mark.parametrize(("text", "name"), JAVA.items())
def test_names_are_those_that_java_makes(text: str, name: str) -> None:
    assert encode_name(text) == name
    assert decode_name(name) == text


@pytest.mark.parametrize("name", ["%FF", "%C3%28", "a" * (3 * MAX_ENTRY + 1)])
def test_names_that_say_nothing_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="its name"):
        decode_name(name)


def test_paths_are_those_of_dubbo() -> None:
    path = category_path("/dubbo", "com.acme.Shop", "providers")
    assert path == "/dubbo/com.acme.Shop/providers"
    assert [parent_of(path), parent_of("/dubbo")] == ["/dubbo/com.acme.Shop", "/"]


@pytest.mark.parametrize(
    ("text", "ensemble"),
    [
        ("zk", Ensemble((("zk", 2181),))),
        ("zk:2182, zk2:2183", Ensemble((("zk", 2182), ("zk2", 2183)))),
        ("[::1]:2181,10.0.0.1/a/b/", Ensemble((("::1", 2181), ("10.0.0.1", 2181)), "/a/b")),
    ],
)
def test_addresses_are_read(text: str, ensemble: Ensemble) -> None:
    assert parse_ensemble(text) == ensemble
    assert parse_ensemble(str(ensemble)) == ensemble


@pytest.mark.parametrize(
    "text", ["", "zk,,zk2", "zk:x", "zk:99999", "user@zk:1", "zk/", "zk/a//b", "zk/../a", "zk?a=b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not|is no|port|Port"):
        parse_ensemble(text)


@pytest.mark.parametrize(("text", "root"), [("dubbo", "/dubbo"), ("/dubbo", "/dubbo"), ("a/b/", "/a/b")])
def test_groups_are_paths(text: str, root: str) -> None:
    assert parse_root(text) == root
