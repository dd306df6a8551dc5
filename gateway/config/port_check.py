"""Checks of ports that several listeners share: each can be there, and callers of one cannot be taken for another's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from gateway.config.document import Path
from gateway.config.findings import Findings
from gateway.config.model import GatewayConfig
from gateway.config.plugin_check import PluginCheck
from gateway.config.sections.port import PortConfig
from gateway.model.recognition import PLAIN_TEXTS, Recognition
from gateway.spi.plugin import ProtocolPlugin

__all__ = ["check_shared_ports", "check_texts", "port_misfits"]


def check_shared_ports(config: GatewayConfig, findings: Findings, plugins: PluginCheck) -> None:
    """Every listener that a port names is there, can be told from the others, and is behind no other port."""
    placed: dict[str, str] = {}
    for name, port in config.ports.items():
        path: Path = ("ports", name)
        members: dict[str, tuple[Path, ProtocolPlugin, Mapping[str, Any]]] = {}
        for index, listener in enumerate(port.listeners):
            at = findings.item((*path, "listeners"), index)
            if listener not in findings.names("listeners"):
                _no_listener(at, listener, findings)
            elif listener in port.listeners[:index]:
                findings.problem(at, f"{listener!r} is listed twice")
            elif listener in placed:
                findings.problem(at, f"{listener!r} is behind port {placed[listener]!r} already")
            elif listener in config.listeners:
                placed[listener] = name
                written = config.listeners[listener]
                if written.port is None and findings.written(("listeners", listener, "host")):
                    what = f"has no address of its own behind port {name!r}; write its port too, or leave host out"
                    findings.problem(("listeners", listener, "host"), what, at_key=True)
                plugin = plugins.loaded("protocol", written.protocol)
                if plugin is not None:
                    members[listener] = at, plugin, written.options
        for listener, text in port_misfits(port.host, {each: rest[1:] for each, rest in members.items()}):
            findings.problem(members[listener][0], text)
        if port.text is not None and port.text not in port.listeners:
            findings.unknown((*path, "text"), "listener here", port.text, port.listeners)
        elif port.text in members and not _texts(members[port.text][1]):
            findings.problem((*path, "text"), f"{port.text!r} takes no lines of text")


def port_misfits(
    host: str, members: Mapping[str, tuple[ProtocolPlugin, Mapping[str, Any]]]
) -> Iterator[tuple[str, str]]:
    """Listeners that cannot share a port at this address, and why; `members`: their plug-ins and converted options."""
    seen: dict[str, str] = {}
    for listener, (plugin, options) in members.items():
        wire = plugin.name
        if plugin.recognize is None:
            yield listener, f"{listener!r} speaks {wire}, which cannot be recognised by its first bytes"
            continue
        if not plugin.listens(options):
            yield listener, f"{listener!r} takes no connections with these options"
            continue
        if wire in seen:
            yield (
                listener,
                f"{listener!r} and {seen[wire]!r} both speak {wire}; a port can tell wires apart only",
            )
            continue
        seen[wire] = listener
        for misfit in plugin.check_listener(host, options):
            yield listener, misfit.text
        sharing = plugin.sharing
        others = [other for other in members if other != listener and members[other][0].sharing is sharing]
        if sharing is not None and others and (why := sharing.refusal(options)):
            yield listener, f"{listener!r} would share connections with {others[0]!r}, and {why}"


def check_texts(config: GatewayConfig, findings: Findings, plugins: PluginCheck) -> None:
    """Warns where text may be of several and nobody gets it, or somebody would get it and no text is like that."""
    for name, port in config.ports.items():
        path: Path = ("ports", name)
        alike = _alike(config, port, plugins)
        if alike is not None and port.text is None:
            first, second = alike
            what = f"text that {first!r} and {second!r} both take for theirs is closed; text: {first} gives it to one"
            findings.warning(path, what)
        elif alike is None and port.text is not None:
            findings.warning((*path, "text"), "no text here may be of several listeners")


def _alike(config: GatewayConfig, port: PortConfig, plugins: PluginCheck) -> tuple[str, str] | None:
    """Two listeners that both take the same text for theirs."""
    texts = {each: _texts(plugins.loaded("protocol", config.listeners[each].protocol)) for each in port.listeners}
    for first, second in combinations(texts, 2):
        if texts[first] & texts[second]:
            return first, second
    return None


def _texts(plugin: ProtocolPlugin) -> set[bytes]:
    """Lines that mean something to several wires, as far as this one takes them for its own."""
    recognize = plugin.recognize
    return set() if recognize is None else {each for each in PLAIN_TEXTS if recognize(each) is Recognition.MAYBE}


def _no_listener(at: Path, name: str, findings: Findings) -> None:
    if name in findings.names("ports"):
        findings.problem(at, f"{name!r} is a port itself; a port leads to listeners")
    else:
        findings.unknown(at, "listener", name, findings.names("listeners"))
