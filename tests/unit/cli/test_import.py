"""`polyport import`, and what else of the command line takes files of other languages."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.contracts import contract_of
from gateway.contracts.document import FileDocument
from gateway.plugins.catalog import Catalog
from tests.support.program import inside
from tests.support.toy_idl import read_toy


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file in a language that dubbo:// can read, for once."""
    load = Catalog.load

    def patched(self: Catalog, kind: str, name: str) -> object:
        plugin = load(self, kind, name)  # type: ignore[arg-type]
        return replace(plugin, imports={"toy": read_toy}) if (kind, name) == ("protocol", "dubbo") else plugin

    monkeypatch.setattr(Catalog, "load", patched)
    path = tmp_path / "shop.toy"
    path.write_text("service demo.One count\nservice demo.Two count find\n")
    return path


def test_a_file_becomes_python(toy: Path) -> None:
    done = inside("import", "toy", str(toy), "--output", str(toy.parent / "out" / "shop.py"))

    assert (done.code, done.out, done.err) == (0, f"{toy.parent}/out/shop.py\n", "")
    spec = importlib.util.spec_from_file_location("shop", toy.parent / "out" / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert [each.name for each in contract_of(module.Two).methods] == ["count", "find"]


def test_without_a_file_it_is_printed(toy: Path) -> None:
    done = inside("import", "toy", str(toy))

    assert done.code == 0
    assert '@service("demo.Two")\nclass Two(Protocol):\n' in done.out


def test_what_stands_behind_the_path_of_an_address_is_not_written_down(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.contracts.document.open_document", lambda *_, **__: FileDocument(toy, web=False))
    done = inside("import", "toy", "https://me:secret@example.org/shop.toy?key=secret")

    assert done.out.startswith('"""Contracts of shop.toy."""\n')
    assert "secret" not in done.out + done.err


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("toi", "", "error: no installed protocol imports 'toi', did you mean 'toy'?\n"),
        ("toy", "", "describes no service\n"),
        ("toy", "servise x\n", "shop.toy:1: 'servise' means nothing\n"),
        ("toy", "service demo.X from\n", "'from' is no name for a method\n"),
    ],
)
def test_what_is_wrong_is_one_line_of_misuse(toy: Path, language: str, text: str, expected: str) -> None:
    toy.write_text(text)
    done = inside("import", language, str(toy))

    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.endswith(expected)


def test_a_file_is_exported_without_python(toy: Path) -> None:
    done = inside("export", "java", str(toy), "--output", str(toy.parent / "java"))

    assert (done.code, done.err) == (0, "")
    assert sorted(done.out.splitlines()) == [f"{toy.parent}/java/demo/One.java", f"{toy.parent}/java/demo/Two.java"]
    assert inside("export", "java", f"{toy}#demo.One").out.count("interface One") == 1


def test_languages_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.cli import completion

    plugin = replace(Catalog([]).protocol("dubbo"), imports={"toy": read_toy})
    monkeypatch.setattr(completion, "_protocols", lambda: [plugin])

    assert completion.import_languages("t") == ["toy"]
    assert completion.export_languages("j") == ["java"]
