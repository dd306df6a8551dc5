"""What plug-ins provide: factories, and descriptions of their own options that the config loader can check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from gateway.model.contract import MethodContract, ServiceContract
from gateway.model.document import Document, Importer
from gateway.model.exposure import Exposure
from gateway.model.recognition import Recognizer
from gateway.spi.adapter import ClientAdapter, ListenerOptions, ServerAdapter
from gateway.spi.cluster import Cluster, LoadBalancer
from gateway.spi.handler import Filter, Handler
from gateway.spi.registry import Registry

__all__ = [
    "BalancerPlugin",
    "ClusterPlugin",
    "FilterPlugin",
    "Misfit",
    "Option",
    "OptionKind",
    "ProtocolPlugin",
    "RegistryPlugin",
    "Sharing",
]


class OptionKind(Enum):
    """How an option is written in the configuration file, and what the adapter gets."""

    DURATION = "duration"
    """Written with a unit (`60s`); the adapter gets seconds as `float`."""
    SIZE = "size"
    """Written with a unit (`64KiB`); the adapter gets bytes as `int`."""
    COUNT = "count"
    """A whole number."""
    FLAG = "flag"
    """`true` or `false`."""
    TEXT = "text"
    """Text; one of `Option.choices` when there are any."""
    CREDENTIAL = "credential"
    """The name of a credential; the adapter gets the secret itself as `str`."""
    CREDENTIALS = "credentials"
    """A list of names of credentials; the adapter gets a mapping of name to secret."""
    TEXTS = "texts"
    """A mapping of names to texts, or a list of texts; the adapter gets it as `Mapping[str, Any]` or `tuple[Any, ...]`
    with each text as `Option.parse` read it."""
    TABLES = "tables"
    """A mapping of names to mappings of names to texts; the adapter gets it as `Mapping[str, Mapping[str, Any]]` with
    each text as `Option.parse` read it."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option only this protocol knows. The config loader checks and converts what the file says.

    `default`: in the adapter's terms (seconds, bytes); for documentation, the adapter applies it itself.
    `minimum` / `maximum`: inclusive bounds of a duration, size or count, in the adapter's terms.
    `named`: a TEXTS option is a mapping; a list otherwise.
    `required`: a listener or registry without it cannot be made. What a service or a remote has to say, `check_service`
    and `check_reference` look for: they know whether the wire is used at all.
    `parse`: reads one text of a TEXT, TEXTS or TABLES option; raises `ValueError` with what is wrong, which is shown
    with its place in the file. None leaves texts as they are.
    """

    kind: OptionKind
    doc: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    named: bool = False
    required: bool = False
    parse: Callable[[str], Any] | None = None


class Misfit(NamedTuple):
    """Options that do not fit a contract.

    `path`: which of them, below the options as they are written (`("routes", "find")`); empty for all together.
    `text`: what is wrong.
    """

    path: tuple[str | int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """How wires answer beside each other on one connection, which a port of several wires hands to all of them.

    Plug-ins with the same object here share connections. `serve`: `(options, servers)` to one server, not started, that
    answers for all of them on the connections it adopts; they were started, and each keeps its handler and the limits
    of its messages and calls. `options` are the port's. `refusal`: converted listener options to why a listener with
    them can share no connection; empty where it can.
    """

    serve: Callable[[ListenerOptions, Sequence[ServerAdapter]], ServerAdapter]
    refusal: Callable[[Mapping[str, Any]], str]


def _nothing_to_check(_: ServiceContract, __: Mapping[str, Any]) -> Sequence[Misfit]:
    return ()


def _suits_all(_: Any, __: ServiceContract, ___: Sequence[MethodContract]) -> Sequence[Misfit]:
    return ()


def _stands_alone(_: Mapping[str, Any]) -> Sequence[Misfit]:
    return ()


def _anywhere(_: str, __: Mapping[str, Any]) -> Sequence[Misfit]:
    return ()


def _always(_: Mapping[str, Any]) -> bool:
    return True


def _always_anywhere(_: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ProtocolPlugin:
    """One wire. Found by name through the catalogue (`gateway.plugins.catalog`); importing it has no side effects.

    `default_port`: what the field expects for this protocol.
    `server` / `client`: build the adapter; neither touches the network.
    `check_contract`: lists what this wire cannot carry of a contract, one text per finding; empty means fine.
    `listener_options` / `reference_options`: protocol options by name, for the config loader, `polyport check` and
    the editor schema; the adapter gets only those that were written, and only names that stand here.
    """

    name: str
    default_port: int
    server: Callable[[ListenerOptions], ServerAdapter]
    client: Callable[[], ClientAdapter]
    check_contract: Callable[[ServiceContract], list[str]]
    listener_options: Mapping[str, Option]
    reference_options: Mapping[str, Option]
    client_snippet: Callable[[str, Any], str]
    """`(address, service) -> one shell line` that calls the service with something a user has at hand."""
    listens: Callable[[Mapping[str, Any]], bool] = _always
    """Whether a listener with these options takes its address; not where its services are only mounted."""
    callbacks: bool = False
    """Whether services of this wire can call objects of their callers (`gateway.model.callback`)."""
    generic: bool = True
    """Whether it carries services without a contract, which takes a wire whose values say themselves what they are."""
    exports: Mapping[str, Callable[[Sequence[Exposure]], Mapping[str, str]]] = field(default_factory=dict)
    """What users of this wire need in other languages: language to a function that gives the text of files by path
    (relative, with `/`), as `polyport export` writes it. It gets the services with their contracts, keys and
    `service_options`; those without a contract are left out before."""
    imports: Mapping[str, Importer] = field(default_factory=dict)
    """What this wire can read contracts from: language, which is also the suffix of its files, to its reader."""
    omits: Mapping[str, Callable[[Document], Sequence[str]]] = field(default_factory=dict)
    """Of the languages of `imports`, those whose readers leave out what no contract can say: language to a function
    that lists it, one text with its reason for each operation."""
    service_options: Mapping[str, Option] = field(default_factory=dict)
    """What a service may say about how it looks on this wire (`services.<name>.protocols.<protocol>`), by name; the
    adapter finds them in `Exposure.options`."""
    check_service: Callable[[ServiceContract, Mapping[str, Any]], Sequence[Misfit]] = _nothing_to_check
    """`(contract, options)` to what is wrong with converted service options beside this contract. Asked with empty
    options as well, and not at all for services without a contract."""
    check_reference: Callable[[ServiceContract, Mapping[str, Any]], Sequence[Misfit]] = _nothing_to_check
    """The same for reference options."""
    check_listener: Callable[[str, Mapping[str, Any]], Sequence[Misfit]] = _anywhere
    """`(host, options)` to what is wrong with a listener there; paths are below the listener. Credentials are names
    still. The adapter refuses it all the same when it starts: a listener may be made without a configuration."""
    mount: Callable[[ListenerOptions, Handler, Sequence[Exposure]], Any] | None = None
    """For wires over HTTP: `(options, handler, exposures)` to an `aiohttp.web.Application` that answers as a listener
    would, to be added to somebody's own application."""
    recognize: Recognizer | None = None
    """Tells this wire by the first bytes of a connection, so that others can be spoken on the same port. The server
    must be able to take connections then (`gateway.spi.adapter.Adopts`) and keep to `ListenerOptions.listens`."""
    sharing: Sharing | None = None
    """For wires that begin alike and are told apart by each request, as those over HTTP are."""

    def refusals(self, contract: ServiceContract) -> list[str]:
        """What `check_contract` finds, and callbacks where the wire carries none and did not say so itself."""
        found = self.check_contract(contract)
        if contract.callbacks and not self.callbacks and not found:
            return [f"{', '.join(contract.callbacks)}: {self.name} carries no callbacks"]
        return found


@dataclass(frozen=True, slots=True)
class FilterPlugin:
    """One kind of filter.

    `options`: a frozen pydantic model, the type of what `build` takes. A filter whose options all have defaults can be
    named in a listener or service without an entry under `filters`. What else a filter may be able to do is in
    `gateway.spi.filter_ability`.
    """

    name: str
    options: type[Any]
    build: Callable[[Any], Filter]
    attempts_only: Callable[[Any], bool] = _always_anywhere
    """Whether a filter of these options needs to know the provider (`EndpointFilter`), so that it can stand in
    `remote.filters` only."""


@dataclass(frozen=True, slots=True)
class BalancerPlugin:
    """One kind of load balancer.

    `options`: a frozen pydantic model, the type of what `build` takes; where all of them have defaults the name alone
    will do. `build` is called once for each method policy of a reference.
    """

    name: str
    options: type[Any]
    build: Callable[[Any], LoadBalancer]


@dataclass(frozen=True, slots=True)
class ClusterPlugin:
    """One fault-tolerance mode.

    `options`: as for a balancer. `build`: gets them, and the `gateway.cluster.context.ClusterContext` that says what
    the mode works for. Options of the type `gateway.config.sections.choice.Cluster` name other modes, which the context
    builds.
    """

    name: str
    options: type[Any]
    build: Callable[[Any, Any], Cluster]
    check: Callable[[Any, ServiceContract, Sequence[MethodContract]], Sequence[Misfit]] = _suits_all
    """`(options, contract, methods)` to what is wrong with the mode for these methods of the contract, whose calls it
    would get. Not asked for services without a contract."""


@dataclass(frozen=True, slots=True)
class RegistryPlugin:
    """One kind of registry.

    `options`: by name, as for a protocol. `build`: takes the converted ones that were written; does not connect.
    """

    name: str
    options: Mapping[str, Option]
    build: Callable[[Mapping[str, Any]], Registry]
    is_local: bool = False
    """Whether everything it names is known in this process anyway, so that nothing need be remembered of it."""
    names: str = ""
    """Whose names of services stand there: `java` in a registry that is shared with Dubbo, empty for those of the
    contracts."""
    check: Callable[[Mapping[str, Any]], Sequence[Misfit]] = _stands_alone
    """Converted options to what is wrong with them together; each for itself was found to be right, and none that is
    `required` is missing."""
