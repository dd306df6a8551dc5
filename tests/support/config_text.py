"""Configurations written as text in a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from gateway.config import Examined, GatewayConfig, examine_text
from gateway.config.findings import Plugins
from tests.support.fake_plugins import FakePlugins

__all__ = ["BASE", "examined", "problems", "usable"]

BASE = """\
listeners:
  pipe: {protocol: pipe}
registries:
  local: {type: list}
"""
"""One listener and one registry; services may follow."""


def examined(
    text: str,
    environ: Mapping[str, str] | None = None,
    plugins: Plugins | None = None,
    folder: Path | None = None,
) -> Examined:
    return examine_text(dedent(text), "f.yaml", plugins or FakePlugins(), environ or {}, folder)


def problems(text: str, environ: Mapping[str, str] | None = None, plugins: Plugins | None = None) -> list[str]:
    """The problems without the name of the file."""
    return [str(each).removeprefix("f.yaml:") for each in examined(text, environ, plugins).problems]


def usable(text: str, environ: Mapping[str, str] | None = None, plugins: Plugins | None = None) -> GatewayConfig:
    found = examined(text, environ, plugins)
    assert found.problems == ()
    assert found.config is not None
    return found.config
