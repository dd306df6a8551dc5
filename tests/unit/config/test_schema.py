"""The schema for editors, as far as options of plug-ins decide it."""

from __future__ import annotations

from gateway.config.schema import build_schema
from gateway.spi.plugin import Option, OptionKind
from tests.support.fake_plugins import FakePlugins


def test_options_by_protocol_are_described_where_they_are_written() -> None:
    definitions = build_schema(FakePlugins())["$defs"]

    for section in ("ServiceConfig", "RemoteConfig"):
        protocols = definitions[section]["properties"]["protocols"]
        assert sorted(protocols["properties"]) == ["drum", "pipe"]
        pipe = protocols["properties"]["pipe"]
        assert pipe["additionalProperties"] is False
        routes = pipe["properties"]["routes"]
        assert "object" in routes["type"]
        assert routes["additionalProperties"]["type"] == ["string", "number", "boolean"]
        assert routes["description"] == "an even number for each method"


def test_lists_of_texts_and_credentials_are_arrays() -> None:
    listener = build_schema(FakePlugins())["$defs"]["ListenerConfig"]
    (options,) = [
        each["then"]["properties"]["options"]["properties"]
        for each in listener["allOf"]
        if each["if"]["properties"]["protocol"]["const"] == "pipe"
    ]

    for name in ("keys", "origins"):
        assert "array" in options[name]["type"]
        assert options[name]["items"]["type"] == ["string", "number", "boolean"]


def test_tables_are_objects_of_objects() -> None:
    listener = build_schema(FakePlugins())["$defs"]["ListenerConfig"]
    tables = listener["allOf"][0]["then"]["properties"]["options"]["properties"]["tables"]

    assert "object" in tables["type"]
    assert tables["additionalProperties"]["type"] == "object"
    assert tables["additionalProperties"]["additionalProperties"]["type"] == ["string", "number", "boolean"]


def test_what_is_required_must_be_written() -> None:
    plugins = FakePlugins()
    plugins.change("registry", "list", options={"ttl": Option(OptionKind.DURATION, "x", required=True)})
    registry = build_schema(plugins)["$defs"]["RegistryConfig"]
    (then,) = [each["then"] for each in registry["allOf"]]

    assert then["required"] == ["options"]
    assert then["properties"]["options"]["required"] == ["ttl"]
    assert then["properties"]["options"]["type"] == "object"


def test_a_fallback_is_a_list_or_false() -> None:
    definitions = build_schema(FakePlugins())["$defs"]

    for section in ("ConsumerConfig", "ConsumedServiceConfig", "RemoteConfig"):
        allowed = definitions[section]["properties"]["fallback"]["anyOf"]
        assert {"const": False} in allowed
        assert {"type": "array", "items": {"type": "string"}} in allowed
