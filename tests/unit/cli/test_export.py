"""Exports: what is written, and that it stays in the folder it is meant for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.export import _inside
from gateway.cli.outcome import Misuse
from gateway.model.exposure import Exposure
from gateway.plugins.catalog import Catalog
from tests.support.program import inside


def test_files_are_placed_below_the_folder() -> None:
    assert _inside(Path("out"), "demo/Catalog.java") == Path("out/demo/Catalog.java")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", ""])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(Misuse):
        _inside(Path("out"), name)


def test_one_file_may_go_to_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Exposure] = []

    def write(exposures: Sequence[Exposure]) -> dict[str, str]:
        seen.extend(exposures)
        return {"doc.txt": "text\n"}

    plugin = replace(Catalog([]).protocol("dubbo"), exports={"doc": write})
    monkeypatch.setattr(Catalog, "protocol", lambda *_: plugin)
    done = inside("export", "doc", "conf/demo.yaml")

    assert (done.code, done.out) == (0, "text\n")
    keys = {str(each.service): each for each in seen}
    assert {"demo.Catalog", "bridged/demo.Catalog"} <= set(keys)
    assert not keys["demo.Catalog"].forwarded
    assert keys["bridged/demo.Catalog"].forwarded


def test_several_files_need_a_folder() -> None:
    done = inside("export", "java", "gateway.demo.catalog:Catalog")

    assert done.code == 2
    assert re.fullmatch(r"error: java takes \d+ files; name a folder with --output\n", done.err)


def test_a_language_nobody_knows_is_misuse() -> None:
    done = inside("export", "jva", "conf/demo.yaml")

    assert done.code == 2
    assert done.err == "error: no installed protocol exports 'jva', did you mean 'java'?\n"
