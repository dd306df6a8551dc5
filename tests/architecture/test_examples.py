"""The example configurations can be used as they are, and the schema for editors is current."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from gateway.config import examine
from gateway.config.schema import build_schema, format_schema
from gateway.plugins.catalog import Catalog

CONF = Path(__file__).parents[2] / "conf"
EXAMPLES = sorted(CONF.glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_configurations_have_neither_problems_nor_warnings(path: Path) -> None:
    found = examine(path, Catalog([]), {})

    assert [*map(str, found.problems), *map(str, found.warnings)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_configurations_name_the_schema(path: Path) -> None:
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=schema.json\n")


def test_the_demo_shows_every_section_and_every_protocol() -> None:
    document = yaml.safe_load((CONF / "demo.yaml").read_text("utf-8"))

    assert set(document) == set(build_schema(Catalog([]))["properties"])
    assert {each["protocol"] for each in document["listeners"].values()} == set(Catalog([]).names("protocol"))


def test_the_schema_for_editors_is_current() -> None:
    current = format_schema(Catalog([]))

    assert (CONF / "schema.json").read_text("utf-8") == current, "run: polyport schema -o conf/schema.json"
