"""What shells are offered while a command line is typed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.program import ROOT, inside

CATALOG = "gateway.demo.catalog:Catalog"


def completed(line: str, tmp_path: Path) -> list[str]:
    """What bash would show for a line, by its own rules: it cuts words at colons and equals signs."""
    program = tmp_path / "polyport"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gateway.cli.main "$@"\n')
    program.chmod(0o755)
    words: list[str] = []
    for word in line.split(" "):
        parts = word.replace(":", "\0:\0").replace("=", "\0=\0").split("\0")
        words += [part for part in parts if part] or [""]
    script = inside("completion", "bash").out + "\n".join(
        (
            f"COMP_LINE={shlex.quote(line)}",
            f"COMP_POINT={len(line)}",
            f"COMP_WORDS=({' '.join(map(shlex.quote, words))})",
            f"COMP_CWORD={len(words) - 1}",
            "_polyport polyport",
            "printf '%s\\n' \"${COMPREPLY[@]}\"",
        )
    )
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("polyport ser", ["serve", "services"]),
        ("polyport call du", ["dubbo://"]),
        ("polyport call dubbo:", ["//"]),
        ("polyport call --config conf/demo.yaml demo.", ["demo.Catalog", "demo.Types", "demo.Store", "demo.Reports"]),
        ("polyport call -c conf/demo.yaml demo.Catalog fi", ["find"]),
        ("polyport call -c conf/demo.yaml demo.Catalog find ", ["product_id=", "name="]),
        (f"polyport call --contract {CATALOG} dubbo://127.0.0.1:20880 price", ["price_history"]),
        (f"polyport call --contract {CATALOG} dubbo://127.0.0.1:20880 search lamp li", ["limit="]),
        ("polyport export j", ["java"]),
        ("polyport completion ", ["bash", "zsh", "fish"]),
        ("polyport call -c conf/nope.yaml d", []),
        ("polyport call -c conf/demo.yaml demo.Nope f", []),
    ],
)
def test_bash_is_offered(line: str, offered: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == offered


def test_half_a_configuration_offers_what_can_be_read(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("listners: 5\nservices: {shop.Orders: , shop.Other: 7}\n")
    bad.write_text("services: {broken\n")

    assert completed(f"polyport call -c {good} shop.", tmp_path) == ["shop.Orders", "shop.Other"]
    assert completed(f"polyport call -c {good} shop.Orders f", tmp_path) == []
    assert completed(f"polyport call -c {bad} shop.", tmp_path) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: str) -> None:
    done = inside("completion", shell)

    assert done.code == 0
    assert f"complete_{shell}" in done.out


def test_an_unknown_shell_is_misuse() -> None:
    assert inside("completion", "csh").code == 2
