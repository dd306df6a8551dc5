"""Checks against the plug-ins: they exist, and their options are what they take. Gives the converted options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from gateway.config.document import Path
from gateway.config.findings import Findings, PluginKind, Plugins
from gateway.config.model import GatewayConfig
from gateway.config.option import OptionReader
from gateway.config.sections.choice import ChoiceConfig, ClusterChoice
from gateway.config.sections.credential import CredentialConfig
from gateway.config.sections.filter import FilterConfig
from gateway.config.sections.registry import RegistryConfig
from gateway.config.sections.remote import RemoteConfig, parse_provider
from gateway.config.structure import validation_problems
from gateway.config.suggestion import suggestion
from gateway.model.endpoint import ServiceKey
from gateway.model.errors import GatewayError
from gateway.spi.plugin import Option

__all__ = ["PluginCheck"]

_NOUNS: Final[Mapping[PluginKind, str]] = {
    "protocol": "protocol",
    "registry": "registry type",
    "cluster": "cluster mode",
    "balance": "load balancer",
    "filter": "filter type",
}
_NOBODY: Final = ServiceKey("interface")
_C = TypeVar("_C", bound=ChoiceConfig)


class PluginCheck:
    """One pass over a configuration. `credentials`: with their secrets, for options that name one."""

    def __init__(self, plugins: Plugins, findings: Findings, credentials: Mapping[str, CredentialConfig]) -> None:
        self._plugins = plugins
        self._findings = findings
        self._option_reader = OptionReader(findings, credentials)
        self._loaded: dict[tuple[PluginKind, str], Any] = {}
        self._filters_of_calls: list[tuple[Path, str]] = []

    @property
    def protocols(self) -> Sequence[str]:
        """Names of all protocols."""
        return self._plugins.names("protocol")

    @property
    def used_credentials(self) -> set[str]:
        """Names of the credentials that options of plug-ins name; known once `complete` was called."""
        return self._option_reader.used_credentials

    def complete(self, config: GatewayConfig) -> GatewayConfig:
        """The configuration with all options converted; what is wrong is reported and stays as it was written."""
        listeners = {}
        for name, listener in config.listeners.items():
            path: Path = ("listeners", name)
            self._check_filters(config, (*path, "filters"), listener.filters)
            plugin = self.find("protocol", listener.protocol, (*path, "protocol"))
            known = None if plugin is None else plugin.listener_options
            options = self._options((*path, "options"), listener.options, known)
            has_address = config.shared_port(name) is None or listener.port is not None
            for misfit in () if plugin is None or not has_address else plugin.check_listener(listener.host, options):
                self._findings.problem((*path, *misfit.path), misfit.text)
            listeners[name] = listener.model_copy(update={"options": options})
        registries = {}
        for name, registry in config.registries.items():
            path = ("registries", name)
            plugin = self.find("registry", registry.type, (*path, "type"))
            registries[name] = registry.model_copy(update={"options": self._registry_options(path, plugin, registry)})
        services = {}
        for name, service in config.services.items():
            path = ("services", name)
            self._check_filters(config, (*path, "filters"), service.filters)
            remote = service.remote and self._complete_remote(config, (*path, "remote"), service.remote)
            protocols = self._options_by_protocol((*path, "protocols"), service.protocols, "service_options")
            services[name] = service.model_copy(update={"remote": remote, "protocols": protocols})
        for name, consumer in config.consumers.items():
            self._check_choice(("consumers", name), consumer.protocol, consumer.fallback)
            for used, choice in consumer.services.items():
                self._check_choice(("consumers", name, "services", used), choice.protocol, choice.fallback)
        filters = {
            name: each.model_copy(update=self._filter_options(name, each.type, each.options))
            for name, each in config.filters.items()
        }
        self._check_places(filters)
        return config.model_copy(
            update={"listeners": listeners, "registries": registries, "services": services, "filters": filters}
        )

    def ports(self, config: GatewayConfig) -> dict[str, int]:
        """The port of each listener, as far as it can be known; without the ones the system chooses."""
        found = {}
        for name, listener in config.listeners.items():
            plugin = self.loaded("protocol", listener.protocol)
            is_shared = config.shared_port(name) is not None
            port = listener.port if plugin is None else listener.port_taken(plugin, is_shared=is_shared)
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
        self._check_filters(config, (*path, "filters"), remote.filters, around_attempts=True)
        cluster = self._chosen("cluster", remote.cluster, (*path, "cluster"))
        balance = self._chosen("balance", remote.balance, (*path, "balance"))
        methods = {}
        for name, method in remote.methods.items():
            inside: Path = (*path, "methods", name)
            mode = method.cluster and self._chosen("cluster", method.cluster, (*inside, "cluster"))
            balancer = method.balance and self._chosen("balance", method.balance, (*inside, "balance"))
            methods[name] = method.model_copy(update={"cluster": mode, "balance": balancer})
        self._check_choice(path, remote.protocol, remote.fallback)
        if remote.protocol is None and remote.fallback:
            self._findings.problem((*path, "fallback"), "needs a protocol beside it", at_key=True)
        own = remote.own_protocols()
        self._check_addresses(path, remote)
        protocols = self._options_by_protocol((*path, "protocols"), remote.protocols, "reference_options")
        options = remote.options
        if options and len(own) != 1:
            what = "need a protocol beside them" if not own else f"are for one protocol, not for {' and '.join(own)}"
            message = f"options {what}; with several, write protocols: {{<protocol>: {{…}}}}"
            self._findings.problem((*path, "options"), message, at_key=True)
        elif options:
            if own[0] in remote.protocols:
                self._findings.problem((*path, "protocols", own[0]), "its options stand under options too", at_key=True)
            plugin = self.loaded("protocol", own[0])
            options = self._options((*path, "options"), options, None if plugin is None else plugin.reference_options)
        return remote.model_copy(
            update={
                "cluster": cluster,
                "balance": balance,
                "methods": methods,
                "options": options,
                "protocols": protocols,
            }
        )

    def _chosen(self, kind: PluginKind, choice: _C, path: Path) -> _C:
        """The choice with its options converted; what is wrong with it was reported."""
        by_name = self._findings.document.scalar(path) is not None
        plugin = self.find(kind, choice.type, path if by_name else (*path, "type"))
        made = self._model_options(plugin, choice.options, path)
        if "options" in made:
            # Modes that are made of others name them in their options.
            made["options"] = {
                name: self._chosen("cluster", value, (*path, "options", name))
                if isinstance(value, ClusterChoice)
                else value
                for name, value in made["options"].items()
            }
        return choice.model_copy(update=made)

    def _check_addresses(self, path: Path, remote: RemoteConfig) -> None:
        """Each is of a protocol that exists, and of one that is asked for where one is."""
        own = remote.own_protocols()
        seen = set()
        for index, address in enumerate(remote.addresses):
            protocol = parse_provider(address, _NOBODY).protocol
            at = self._findings.item((*path, "addresses"), index)
            if remote.protocol is not None and protocol not in own:
                self._findings.problem(at, f"is not an address of protocol {' or '.join(map(repr, own))}")
            elif remote.protocol is None and protocol not in seen:
                seen.add(protocol)
                self._find_scheme(protocol, at)

    def _check_choice(self, path: Path, protocol: str | None, fallback: Sequence[str] | None) -> None:
        """The protocols of a first choice and of what follows it exist, and each is named once."""
        if protocol is not None:
            self.find("protocol", protocol, (*path, "protocol"))
        named = [] if protocol is None else [protocol]
        for index, name in enumerate(fallback or ()):
            at = self._findings.item((*path, "fallback"), index)
            if name in named:
                self._findings.problem(at, f"{name!r} is tried before already")
            elif self.find("protocol", name, at) is not None:
                named.append(name)

    def _options_by_protocol(
        self, path: Path, written: Mapping[str, Mapping[str, Any]], attribute: str
    ) -> Mapping[str, Mapping[str, Any]]:
        made = {}
        for protocol, options in written.items():
            plugin = self.find("protocol", protocol, (*path, protocol))
            known = None if plugin is None else getattr(plugin, attribute)
            made[protocol] = self._options((*path, protocol), options, known)
        return made

    def _find_scheme(self, protocol: str, path: Path) -> Any:
        names = self._plugins.names("protocol")
        if protocol in names:
            return self.find("protocol", protocol, path)
        self._findings.problem(path, f"there is no protocol {protocol!r}{suggestion(protocol, names)}")
        return None

    def _check_filters(
        self, config: GatewayConfig, path: Path, names: tuple[str, ...], *, around_attempts: bool = False
    ) -> None:
        known = self._findings.names("filters")
        for index, name in enumerate(names):
            at = self._findings.item(path, index)
            if name in names[:index]:
                self._findings.problem(at, f"{name!r} is listed twice")
            elif name in known:
                if not around_attempts:
                    self._filters_of_calls.append((at, name))
            elif name not in self._plugins.names("filter"):
                self._findings.unknown(at, "filter", name, {*known, *self._plugins.names("filter")})
            elif (plugin := self.find("filter", name, at)) is not None:
                try:
                    plugin.options.model_validate({})
                except ValidationError:
                    self._findings.problem(at, f"filter {name!r} needs options: name it under filters, with its type")

    def _check_places(self, filters: Mapping[str, FilterConfig]) -> None:
        """A filter that needs to know the provider does not stand where there is none."""
        for path, name in self._filters_of_calls:
            entry = filters.get(name)
            plugin = None if entry is None else self.loaded("filter", entry.type)
            if entry is None or plugin is None:
                continue
            # What is wrong with the filter itself was reported with its entry.
            with suppress(ValidationError):
                if plugin.attempts_only(plugin.options.model_validate(entry.options)):
                    self._findings.problem(path, f"{name!r} is per provider: name it in the filters of a remote")

    def _filter_options(self, name: str, type_name: str, written: Any) -> dict[str, Any]:
        path: Path = ("filters", name)
        return self._model_options(self.find("filter", type_name, (*path, "type")), written, path)

    def _model_options(self, plugin: Any, written: Any, path: Path) -> dict[str, Any]:
        """The converted `options` of a plug-in that describes them by a model, as a change to what stands at `path`.

        `plugin`: None when it could not be found, which was reported.
        """
        if plugin is None or self._findings.is_damaged(path):
            return {}
        try:
            read = plugin.options.model_validate(written)
            return {"options": {key: getattr(read, key) for key in sorted(read.model_fields_set)}}
        except ValidationError as exc:
            base: Path = (*path, "options")
            self._findings.problems += validation_problems(exc, self._findings.document, plugin.options, base)
            return {}

    def _registry_options(self, path: Path, plugin: Any, registry: RegistryConfig) -> Mapping[str, Any]:
        problems = len(self._findings.problems)
        options = self._options((*path, "options"), registry.options, None if plugin is None else plugin.options)
        if plugin is not None and len(self._findings.problems) == problems and not self._findings.is_damaged(path):
            for misfit in plugin.check(options):
                self._findings.problem((*path, "options", *misfit.path), misfit.text, at_key=not misfit.path)
        return options

    def _options(self, path: Path, written: Mapping[str, Any], known: Mapping[str, Option] | None) -> Mapping[str, Any]:
        """The converted options. `known`: None when the plug-in could not be found, which was reported."""
        return written if known is None else self._option_reader.read(path, written, known)
