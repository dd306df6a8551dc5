"""Checks against the plug-ins: they exist, and their options are what they take. Gives the converted options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from gateway.config.document import Path
from gateway.config.findings import Findings, PluginKind, Plugins
from gateway.config.model import GatewayConfig
from gateway.config.scalar import Count, Flag, Text, describe
from gateway.config.sections.credential import CredentialConfig
from gateway.config.sections.remote import RemoteConfig
from gateway.config.structure import validation_problems
from gateway.config.suggestion import suggestion
from gateway.config.units import Bytes, Seconds, format_bytes, format_seconds
from gateway.model.errors import GatewayError
from gateway.spi.plugin import Option, OptionKind

__all__ = ["PluginCheck"]

_READERS: Final[Mapping[OptionKind, TypeAdapter[Any]]] = {
    OptionKind.DURATION: TypeAdapter(Seconds),
    OptionKind.SIZE: TypeAdapter(Bytes),
    OptionKind.COUNT: TypeAdapter(Count),
    OptionKind.FLAG: TypeAdapter(Flag),
    OptionKind.TEXT: TypeAdapter(Text),
    OptionKind.CREDENTIAL: TypeAdapter(Text),
}
_NOUNS: Final[Mapping[PluginKind, str]] = {
    "protocol": "protocol",
    "registry": "registry type",
    "cluster": "cluster mode",
    "balance": "load balancer",
    "filter": "filter type",
}


class PluginCheck:
    """One pass over a configuration. `credentials`: with their secrets, for options that name one.

    `used_credentials`: names of those, once the pass is over.
    """

    def __init__(self, plugins: Plugins, findings: Findings, credentials: Mapping[str, CredentialConfig]) -> None:
        self.used_credentials: set[str] = set()
        self._plugins = plugins
        self._findings = findings
        self._credentials = credentials
        self._loaded: dict[tuple[PluginKind, str], Any] = {}

    def complete(self, config: GatewayConfig) -> GatewayConfig:
        """The configuration with all options converted; what is wrong is reported and stays as it was written."""
        listeners = {}
        for name, listener in config.listeners.items():
            path: Path = ("listeners", name)
            self._check_filters(config, (*path, "filters"), listener.filters)
            plugin = self.find("protocol", listener.protocol, (*path, "protocol"))
            known = None if plugin is None else plugin.listener_options
            options = self._options((*path, "options"), listener.options, known)
            listeners[name] = listener.model_copy(update={"options": options})
        registries = {}
        for name, registry in config.registries.items():
            path = ("registries", name)
            plugin = self.find("registry", registry.type, (*path, "type"))
            options = self._options((*path, "options"), registry.options, None if plugin is None else plugin.options)
            registries[name] = registry.model_copy(update={"options": options})
        services = {}
        for name, service in config.services.items():
            path = ("services", name)
            self._check_filters(config, (*path, "filters"), service.filters)
            remote = service.remote and self._complete_remote(config, (*path, "remote"), service.remote)
            services[name] = service.model_copy(update={"remote": remote})
        for name, consumer in config.consumers.items():
            path = ("consumers", name)
            if consumer.protocol is not None:
                self.find("protocol", consumer.protocol, (*path, "protocol"))
            for used, choice in consumer.services.items():
                self.find("protocol", choice.protocol, (*path, "services", used, "protocol"))
        filters = {
            name: each.model_copy(update=self._filter_options(name, each.type, each.options))
            for name, each in config.filters.items()
        }
        return config.model_copy(
            update={"listeners": listeners, "registries": registries, "services": services, "filters": filters}
        )

    def ports(self, config: GatewayConfig) -> dict[str, int]:
        """The port of each listener, as far as it can be known; without the ones the system chooses."""
        found = {}
        for name, listener in config.listeners.items():
            plugin = self.loaded("protocol", listener.protocol)
            port = listener.port if listener.port is not None else getattr(plugin, "default_port", None)
            if port:
                found[name] = port
        return found

    def loaded(self, kind: PluginKind, name: str) -> Any:
        """A plug-in that was found before, else None; says nothing."""
        return self._loaded.get((kind, name))

    def find(self, kind: PluginKind, name: str, path: Path) -> Any:
        """The plug-in, or None after reporting at `path` why there is none."""
        known = self._loaded.get((kind, name))
        if known is not None:
            return known
        names = self._plugins.names(kind)
        if name not in names:
            self._findings.unknown(path, _NOUNS[kind], name, names)
            return None
        try:
            found = self._loaded[kind, name] = self._plugins.load(kind, name)
        except GatewayError as exc:
            self._findings.problem(path, str(exc))
            return None
        return found

    def _complete_remote(self, config: GatewayConfig, path: Path, remote: RemoteConfig) -> RemoteConfig:
        self._check_filters(config, (*path, "filters"), remote.filters)
        self.find("cluster", remote.cluster, (*path, "cluster"))
        self.find("balance", remote.balance, (*path, "balance"))
        for name, method in remote.methods.items():
            inside: Path = (*path, "methods", name)
            if method.cluster is not None:
                self.find("cluster", method.cluster, (*inside, "cluster"))
            if method.balance is not None:
                self.find("balance", method.balance, (*inside, "balance"))
        known: dict[str, Option] = {}
        protocols: list[str] = []
        if remote.protocol is not None:
            protocols.append(remote.protocol)
            plugin = self.find("protocol", remote.protocol, (*path, "protocol"))
            known.update({} if plugin is None else plugin.reference_options)
        for index, address in enumerate(remote.addresses):
            protocol = address.partition("://")[0]
            if protocol in protocols:
                continue
            at = self._findings.item((*path, "addresses"), index)
            if remote.protocol is not None:
                self._findings.problem(at, f"is not an address of protocol {remote.protocol!r}")
                continue
            protocols.append(protocol)
            plugin = self._find_scheme(protocol, at)
            known.update({} if plugin is None else plugin.reference_options)
        if not protocols and remote.options:
            self._findings.problem((*path, "options"), "options need a protocol beside them", at_key=True)
            return remote
        options = self._options((*path, "options"), remote.options, known)
        return remote.model_copy(update={"options": options})

    def _find_scheme(self, protocol: str, path: Path) -> Any:
        names = self._plugins.names("protocol")
        if protocol in names:
            return self.find("protocol", protocol, path)
        self._findings.problem(path, f"there is no protocol {protocol!r}{suggestion(protocol, names)}")
        return None

    def _check_filters(self, config: GatewayConfig, path: Path, names: tuple[str, ...]) -> None:
        known = self._findings.names("filters")
        for index, name in enumerate(names):
            at = self._findings.item(path, index)
            if name in names[:index]:
                self._findings.problem(at, f"{name!r} is listed twice")
            elif name in known:
                continue
            elif name not in self._plugins.names("filter"):
                self._findings.unknown(at, "filter", name, {*known, *self._plugins.names("filter")})
            elif (plugin := self.find("filter", name, at)) is not None:
                try:
                    plugin.options.model_validate({})
                except ValidationError:
                    self._findings.problem(at, f"filter {name!r} needs options: name it under filters, with its type")

    def _filter_options(self, name: str, type_name: str, written: Any) -> dict[str, Any]:
        path: Path = ("filters", name)
        plugin = self.find("filter", type_name, (*path, "type"))
        if plugin is None or self._findings.is_damaged(path):
            return {}
        try:
            read = plugin.options.model_validate(written)
            return {"options": {key: getattr(read, key) for key in sorted(read.model_fields_set)}}
        except ValidationError as exc:
            base: Path = (*path, "options")
            self._findings.problems += validation_problems(exc, self._findings.document, plugin.options, base)
            return {}

    def _options(self, path: Path, written: Mapping[str, Any], known: Mapping[str, Option] | None) -> Mapping[str, Any]:
        """The converted options. `known`: None when the plug-in could not be found, which was reported."""
        if known is None:
            return written
        made = {}
        for name, value in written.items():
            at: Path = (*path, name)
            option = known.get(name)
            if option is None:
                self._findings.problem(at, f"unknown option{suggestion(name, known)}", at_key=True)
                continue
            try:
                made[name] = self._convert(option, value)
            except ValueError as exc:
                self._findings.problem(at, str(exc))
        return made

    def _convert(self, option: Option, value: Any) -> Any:
        try:
            found = _READERS[option.kind].validate_python(value)
        except ValidationError as exc:
            raise ValueError(str(exc.errors()[0]["ctx"]["error"])) from None
        if option.kind is OptionKind.CREDENTIAL:
            credential = self._credentials.get(found)
            if credential is None:
                names = self._findings.names("credentials")
                if found in names:
                    return found
                raise ValueError(f"there is no credential {describe(value)}{suggestion(found, names)}")
            self.used_credentials.add(found)
            return credential.secret if credential.is_read else found
        if option.choices and found not in option.choices:
            near = suggestion(str(found), option.choices, listed=0)
            raise ValueError(f"{describe(value)} is not one of {', '.join(option.choices)}{near}")
        if option.minimum is not None and found < option.minimum:
            raise ValueError(f"{describe(value)} must be at least {_form(option, option.minimum)}")
        if option.maximum is not None and found > option.maximum:
            raise ValueError(f"{describe(value)} must be at most {_form(option, option.maximum)}")
        return found


def _form(option: Option, bound: float) -> str:
    if option.kind is OptionKind.DURATION:
        return format_seconds(bound)
    return format_bytes(int(bound)) if option.kind is OptionKind.SIZE else f"{bound:g}"
