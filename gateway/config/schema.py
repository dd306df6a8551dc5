"""The JSON schema of configuration files, for editors.

Wider than the loader in places (any text may come from the environment), never narrower: what the loader takes, the
schema takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter

from gateway.config.findings import PluginKind, Plugins
from gateway.config.model import GatewayConfig
from gateway.config.scalar import INTERPOLATED_SCHEMA, Count, Flag, Name, Text
from gateway.config.units import Bytes, Seconds, Share, format_bytes, format_seconds, format_share
from gateway.model.errors import GatewayError
from gateway.spi.plugin import Option, OptionKind

__all__ = ["build_schema", "format_schema"]

_KINDS: Final[Mapping[OptionKind, Any]] = {
    OptionKind.DURATION: Seconds,
    OptionKind.SIZE: Bytes,
    OptionKind.COUNT: Count,
    OptionKind.FLAG: Flag,
    OptionKind.TEXT: Text,
    OptionKind.CREDENTIAL: Text,
    OptionKind.CREDENTIALS: Text,
    OptionKind.TEXTS: Text,
    OptionKind.TABLES: Text,
}


_PATTERN_OF_SECONDS: Final[str] = TypeAdapter(Seconds).json_schema()["pattern"]
_PATTERN_OF_BYTES: Final[str] = TypeAdapter(Bytes).json_schema()["pattern"]
_PATTERN_OF_SHARE: Final[str] = TypeAdapter(Share).json_schema()["pattern"]


def format_schema(plugins: Plugins) -> str:
    """`build_schema` as the text of a file."""
    return json.dumps(build_schema(plugins), indent=2, ensure_ascii=False) + "\n"


def build_schema(plugins: Plugins) -> dict[str, Any]:
    """The schema, with the options of these plug-ins; plug-ins that cannot be imported are left out."""
    schema = GatewayConfig.model_json_schema()
    definitions = schema["$defs"]
    wires = _loaded(plugins, "protocol")
    protocols = {name: _whole(each.listener_options) for name, each in wires.items()}
    references = {name: _object(each.reference_options) for name, each in wires.items()}
    services = {name: _object(each.service_options) for name, each in wires.items()}
    registries = {name: _whole(each.options) for name, each in _loaded(plugins, "registry").items()}
    filters: dict[str, Any] = {}
    for name, plugin in _loaded(plugins, "filter").items():
        filters[name] = _model(plugin.options, definitions)
    _options_by(definitions["ListenerConfig"], "protocol", protocols)
    _options_by(definitions["RemoteConfig"], "protocol", references)
    _options_by(definitions["RegistryConfig"], "type", registries)
    _options_by(definitions["FilterConfig"], "type", filters)
    _options_of(definitions["RemoteConfig"], references)
    _options_of(definitions["ServiceConfig"], services)
    _chosen_by_name(definitions, "cluster", "ClusterChoice", plugins)
    _chosen_by_name(definitions, "balance", "BalanceChoice", plugins)
    for name in ("RemoteConfig", "MethodConfig"):
        _or_text(definitions[name]["properties"]["mock"])
    _tidy(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Polyport configuration",
        **schema,
    }


def _loaded(plugins: Plugins, kind: PluginKind) -> dict[str, Any]:
    found = {}
    for name in plugins.names(kind):
        try:
            found[name] = plugins.load(kind, name)
        except GatewayError:
            continue
    return found


def _object(options: Mapping[str, Option]) -> dict[str, Any]:
    return {"type": "object", "properties": {name: _option(each) for name, each in options.items()}}


def _whole(options: Mapping[str, Option]) -> dict[str, Any]:
    """As `_object`, where what is required is asked for."""
    required = [name for name, each in options.items() if each.required]
    return _object(options) | ({"required": required} if required else {})


def _option(option: Option) -> dict[str, Any]:
    schema: dict[str, Any] = TypeAdapter(_KINDS[option.kind]).json_schema()
    if option.choices:
        schema = {"anyOf": [{"enum": list(option.choices)}, INTERPOLATED_SCHEMA]}
    if option.kind is OptionKind.TABLES:
        schema = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": schema}}
    elif option.kind is OptionKind.TEXTS and option.named:
        schema = {"type": "object", "additionalProperties": schema}
    elif option.kind in (OptionKind.TEXTS, OptionKind.CREDENTIALS):
        schema = {"type": "array", "items": schema}
    schema["description"] = option.doc
    if option.default is not None:
        schema["default"] = option.default
    return schema


def _model(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions.update(schema.pop("$defs", {}))
    return schema


def _options_by(section: dict[str, Any], key: str, schemas: Mapping[str, dict[str, Any]]) -> None:
    """Says what `options` may hold, by the value of `key` beside it; for unknown plug-ins, anything."""
    section["properties"][key]["examples"] = list(schemas)
    section["allOf"] = [
        {
            "if": {"properties": {key: {"const": name}}, "required": [key]},
            "then": {"properties": {"options": schema | {"additionalProperties": False}}}
            | ({"required": ["options"]} if schema.get("required") else {}),
        }
        for name, schema in schemas.items()
    ]


def _chosen_by_name(definitions: dict[str, Any], kind: PluginKind, choice: str, plugins: Plugins) -> None:
    """A cluster mode or balancer is named alone, or stands in a mapping beside its options."""
    options = {name: _model(plugin.options, definitions) for name, plugin in _loaded(plugins, kind).items()}
    _options_by(definitions[choice], "type", options)
    for section in ("RemoteConfig", "MethodConfig"):
        written = definitions[section]["properties"][kind]
        by_name = {**TypeAdapter(Name).json_schema(), "examples": list(plugins.names(kind))}
        alternatives = [each for each in written.pop("anyOf", []) if each.get("type") == "null"]
        written.pop("$ref", None)
        written["anyOf"] = [by_name, {"$ref": f"#/$defs/{choice}"}, *alternatives]


def _or_text(written: dict[str, Any]) -> None:
    """A mock may be a text, or `false`, in place of a mapping."""
    written["anyOf"] = [{"type": ["string", "boolean"]}, *written["anyOf"]]


def _options_of(section: dict[str, Any], schemas: Mapping[str, dict[str, Any]]) -> None:
    """Says what `protocols` may hold, by protocol; for unknown plug-ins, anything."""
    section["properties"]["protocols"]["properties"] = {
        # A copy, because what stands in two places would be tidied twice.
        name: deepcopy(schema) | {"additionalProperties": False}
        for name, schema in schemas.items()
    }


def _tidy(node: Any) -> None:
    """Removes pydantic's titles, writes defaults as in a file, and lets a key have nothing behind it."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
        return
    if not isinstance(node, dict):
        return
    if node.get("type") in ("object", ["object", "null"]) or "properties" in node:
        node.pop("title", None)
    entries = node.pop("patternProperties", None)
    if entries is not None:
        (node["additionalProperties"],) = entries.values()
    for name, schema in node.get("properties", {}).items():
        if "const" in schema:
            continue
        schema.pop("title", None)
        if schema.get("default") is not None:
            schema["default"] = _written(schema)
        elif "default" in schema:
            del schema["default"]
        if name not in node.get("required", ()):
            _allow_nothing(schema)
    for item in node.values():
        _tidy(item)


def _written(schema: dict[str, Any]) -> Any:
    pattern, default = schema.get("pattern"), schema["default"]
    if pattern == _PATTERN_OF_SECONDS:
        return format_seconds(default)
    if pattern == _PATTERN_OF_SHARE:
        return format_share(default)
    return format_bytes(default) if pattern == _PATTERN_OF_BYTES else default


def _allow_nothing(schema: dict[str, Any]) -> None:
    if "anyOf" in schema:
        if {"type": "null"} not in schema["anyOf"]:
            schema["anyOf"].append({"type": "null"})
    elif "$ref" in schema:
        schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"type": "null"}]
    elif "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = kinds if "null" in kinds else [*kinds, "null"]
