"""What a `subscribe` asks for: which of the URLs announced here are an answer, and how to give it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from gateway.model.endpoint import ServiceKey, format_query
from registry.entries import CONFIGURATORS, CONSUMERS, MAX_ENTRY, PROVIDERS, ROUTERS

__all__ = ["EVERYTHING", "Answer", "Question", "question_url"]

_ANY: Final = "*"
_NO_VERSION: Final = frozenset({"", "0.0.0"})

EVERYTHING: Final = ServiceKey(_ANY)
"""What an administrator subscribes to."""


def question_url(service: ServiceKey, host: str, application: str = "polyport") -> str:
    """The URL of a `subscribe`.

    It asks for answers to the group and not to this host: of several processes that share the port here, a packet to
    the host would reach one.
    """
    everything = service == EVERYTHING
    query = {
        "application": application,
        "category": f"{PROVIDERS},{CONSUMERS}" if everything else f"{PROVIDERS},{CONFIGURATORS},{ROUTERS}",
        "check": "false",
        "interface": service.interface,
        "side": "consumer",
        "unicast": "false",
    }
    if everything:
        query |= {"classifier": _ANY, "enabled": _ANY, "group": _ANY, "version": _ANY}
    else:
        query |= {"group": service.group} if service.group else {}
        query |= {"version": service.version} if service.version else {}
    shown = f"[{host}]" if ":" in host else host
    # Commas and stars as they are: Java takes the values as they stand.
    return f"consumer://{shown}/{quote(service.interface, safe='*')}?{format_query(query)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is compared of a URL that is announced here."""

    interface: str
    group: str
    version: str
    classifier: str
    category: str
    is_enabled: bool

    @staticmethod
    def parse(url: str) -> Answer:
        """Reads a URL of ours."""
        interface, parameters = _read(url)
        return Answer(
            interface,
            parameters.get("group", ""),
            _version(parameters),
            parameters.get("classifier", _ANY),
            parameters.get("category", PROVIDERS),
            parameters.get("enabled") != "false",
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A subscriber's URL, read. `unicast`: whether it wants the answer sent to its host alone."""

    interface: str
    group: str
    version: str
    classifier: str
    categories: str
    disabled_too: bool
    unicast: bool

    @staticmethod
    def parse(url: str) -> Question:
        """Reads it.

        Raises:
            ValueError: it is no URL of bounded length with an interface; the text says why.
        """
        interface, parameters = _read(url)
        return Question(
            interface,
            parameters.get("group", ""),
            _version(parameters),
            parameters.get("classifier", _ANY),
            parameters.get("category", "") or PROVIDERS,
            parameters.get("enabled") == _ANY,
            parameters.get("unicast", "true") != "false",
        )

    def wants(self, answer: Answer) -> bool:
        """Whether it is an answer.

        Source: apache/dubbo: dubbo-common/.../utils/UrlUtils.java, `isMatch` and `isMatchCategory`.
        """
        return (
            self.interface in (_ANY, answer.interface)
            and self._takes_category(answer.category)
            and (self.disabled_too or answer.is_enabled)
            and (self.group in (_ANY, answer.group) or bool(answer.group and answer.group in self.group.split(",")))
            and self.version in (_ANY, answer.version)
            and self.classifier in (_ANY, answer.classifier)
        )

    def _takes_category(self, category: str) -> bool:
        if _ANY in self.categories:
            return True
        if "-" in self.categories:
            return f"-{category}" not in self.categories
        return category in self.categories


def _version(parameters: Mapping[str, str]) -> str:
    version = parameters.get("version", "")
    return "" if version in _NO_VERSION else version


def _read(url: str) -> tuple[str, dict[str, str]]:
    if len(url) > MAX_ENTRY:
        raise ValueError(f"it has {len(url)} characters; {MAX_ENTRY} are read")
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    interface = parameters.get("interface") or parts.path.lstrip("/")
    if not parts.scheme or not interface:
        raise ValueError("it names no interface")
    return interface, parameters
