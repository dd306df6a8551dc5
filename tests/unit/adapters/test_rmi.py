"""What a configuration may say about rmi://."""

from __future__ import annotations

import pytest

from gateway.config.load import load_text
from gateway.model.errors import ConfigError
from gateway.plugins.catalog import Catalog

CONFIG = """
listeners:
  rmi: {{protocol: rmi, host: "{host}", port: 0, options: {{{options}}}}}
credentials:
  shop: {{env: HOME}}
services: {{}}
"""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_listener_beyond_loopback_needs_a_secret(host: str) -> None:
    with pytest.raises(ConfigError, match=r":3:\d+: listeners\.rmi\.host: rmi:// listens beyond loopback"):
        load_text(CONFIG.format(host=host, options=""), "wide.yaml", Catalog([]))
    load_text(CONFIG.format(host=host, options="secrets: [shop]"), "wide.yaml", Catalog([]))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_a_listener_on_loopback_needs_none(host: str) -> None:
    load_text(CONFIG.format(host=host, options=""), "narrow.yaml", Catalog([]))
