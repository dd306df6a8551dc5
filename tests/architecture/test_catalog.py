"""Every plug-in that ships can be loaded and is what its kind must be."""

from __future__ import annotations

import pytest

from gateway.plugins.builtin import BUILTIN
from gateway.plugins.catalog import GROUPS, Catalog
from gateway.spi.plugin import FilterPlugin, ProtocolPlugin, RegistryPlugin

NAMES = [(kind, name) for kind, targets in BUILTIN.items() for name in targets]


@pytest.mark.parametrize(("kind", "name"), NAMES)
def test_built_in_plugins_load(kind: str, name: str) -> None:
    found = Catalog([]).load(kind, name)  # type: ignore[arg-type]

    if isinstance(found, ProtocolPlugin | RegistryPlugin | FilterPlugin):
        assert found.name == name


def test_every_kind_has_an_entry_point_group() -> None:
    assert set(BUILTIN) == set(GROUPS)


@pytest.mark.parametrize("name", sorted(BUILTIN["protocol"]))
def test_defaults_of_options_keep_their_own_bounds(name: str) -> None:
    plugin = Catalog([]).protocol(name)

    for option in [*plugin.listener_options.values(), *plugin.reference_options.values()]:
        assert option.doc
        if option.default is not None:
            assert option.minimum is None or option.default >= option.minimum
            assert option.maximum is None or option.default <= option.maximum
            assert not option.choices or option.default in option.choices
