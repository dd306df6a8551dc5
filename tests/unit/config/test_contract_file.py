"""Contracts that a configuration names by a file of another language."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import examine_text
from gateway.config.target import load_contract
from gateway.contracts import contract_of
from tests.support.config_text import BASE
from tests.support.fake_plugins import FakePlugins
from tests.support.toy_idl import read_toy


@pytest.fixture
def plugins() -> FakePlugins:
    made = FakePlugins()
    made.change("protocol", "pipe", imports={"toy": read_toy})
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "idl").mkdir()
    (tmp_path / "idl" / "one.toy").write_text("service demo.One count\n")
    (tmp_path / "idl" / "two.toy").write_text("service demo.Two count\nuse one.toy\n")
    (tmp_path / "wrong.toy").write_text("service demo.One count\nservise demo.Two\n")
    (tmp_path / "rule.toy").write_text("service 1.2 count\n")
    (tmp_path / "web.toy").write_text("use http://127.0.0.1:9/x.toy\n")
    (tmp_path / "none.toy").write_text("")
    return tmp_path


def service(contract: str) -> str:
    return BASE + f"services: {{s: {{contract: '{contract}', remote: {{addresses: ['pipe://127.0.0.1:7000']}}}}}}\n"


@pytest.mark.parametrize(
    ("written", "name"),
    [("idl/one.toy", "demo.One"), ("idl/two.toy#demo.One", "demo.One"), ("idl/two.toy#demo.Two", "demo.Two")],
)
def test_a_file_is_a_contract(plugins: FakePlugins, folder: Path, written: str, name: str) -> None:
    examined = examine_text(service(written), "x.yaml", plugins, {}, folder)

    assert examined.problems == ()
    assert examined.config is not None
    contract = load_contract(examined.config.services["s"])
    assert contract is not None
    assert (contract.name, [each.name for each in contract.methods]) == (name, ["count"])


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("idl/two.toy", "idl/two.toy has 2 services; say which: idl/two.toy#demo.One"),
        ("idl/one.toy#demo.Onne", "idl/one.toy has no service 'demo.Onne', did you mean 'demo.One'?"),
        ("idl/none.toy", "idl/none.toy' cannot be read: No such file or directory"),
        ("none.toy", "none.toy describes no service"),
        ("wrong.toy", "wrong.toy:2: 'servise' means nothing"),
        ("rule.toy", "'1.2' is no name for a service"),
        ("web.toy", "web.toy refers to http://127.0.0.1:9/x.toy, which is not read from the web here"),
        ("http://127.0.0.1:9/x.toy", "http://127.0.0.1:9/x.toy is not read from the web here"),
        ("shop.yot", "'shop.yot' is neither package.module:Name nor a file with contracts (.toy)"),
        ("demo.Catalog", "'demo.Catalog' is neither package.module:Name nor a file with contracts (.toy)"),
        ("shop", "'shop' is neither package.module:Name nor a file with contracts"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_once_and_at_its_place(
    plugins: FakePlugins, folder: Path, written: str, expected: str
) -> None:
    examined = examine_text(service(written), "x.yaml", plugins, {}, folder)

    assert [each.path for each in examined.problems] == ["services.s.contract"]
    assert expected in examined.problems[0].message.replace(f"{folder}/", "")


def test_the_types_of_a_file_are_the_same_for_all_who_name_it(plugins: FakePlugins, folder: Path) -> None:
    both = [examine_text(service("idl/one.toy"), "x.yaml", plugins, {}, folder).config for _ in range(2)]
    contracts = [load_contract(each.services["s"]) for each in both if each is not None]

    assert contracts[0] is contracts[1] is not None


def test_a_class_of_a_file_is_a_contract_class(plugins: FakePlugins, folder: Path) -> None:
    from gateway.config.contract_file import file_services

    classes = file_services("idl/two.toy", plugins, folder)

    assert {name: contract_of(each).name for name, each in classes.items()} == {
        "demo.One": "demo.One",
        "demo.Two": "demo.Two",
    }
