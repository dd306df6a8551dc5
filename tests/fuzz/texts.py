"""What must hold for any text given to the configuration loader and to the descriptor parser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateway.config.load import examine_text
from gateway.plugins.catalog import Catalog
from protocols.java import check_contract, descriptor_to_type_name, method_descriptor, parse_descriptor
from protocols.testing import CONTRACT

__all__ = ["check_config", "check_descriptor", "config_seeds", "descriptor_seeds"]

_CONF = Path(__file__).parents[2] / "conf"
_PLUGINS = Catalog()


def config_seeds() -> Iterator[bytes]:
    """The example files."""
    for path in sorted(_CONF.glob("*.yaml")):
        yield path.read_bytes()


def check_config(data: bytes) -> None:
    """A configuration, or the list of what is wrong with it; never both and never an exception."""
    found = examine_text(data.decode("utf-8", "replace"), "fuzz.yaml", _PLUGINS, {})
    assert (found.config is None) == bool(found.problems)
    for problem in found.problems:
        assert len(str(problem)) < 5_000, "a message repeats the data"


def descriptor_seeds() -> Iterator[bytes]:
    """The descriptors of the corpus."""
    assert not check_contract(CONTRACT)
    for method in CONTRACT.methods:
        yield method_descriptor(method, CONTRACT).encode() or b"I"


def check_descriptor(data: bytes) -> None:
    """The parts put together are the whole, and each has a name; or a ValueError."""
    text = data.decode("utf-8", "replace")
    try:
        parts = parse_descriptor(text)
    except ValueError:
        return
    assert "".join(parts) == text
    for part in parts:
        assert descriptor_to_type_name(part)
