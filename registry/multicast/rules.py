"""Rules (`route://`, `override://` …) that were heard over multicast, and who says them. None is carried out here.

A rule has no host of its own: it names those it is for. So it stands as long as somebody says it, and is taken back by
those who said it, never by others. Only rules of services that somebody here watches are kept: those of others are
asked for when that begins.

Source: apache/dubbo: dubbo-common/.../utils/UrlUtils.java (`isRoute`, `isConfigurator`), MulticastRegistry.java.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from gateway.model.endpoint import ServiceKey
from registry.entries import CONFIGURATORS, ROUTERS, read_rules
from registry.multicast.hearsay import QUESTIONS, Verdict, answer_s

__all__ = ["MAX_RULES", "Rule", "Rules"]

MAX_RULES: Final = 200
"""Of one interface."""
_MAX_SAYING: Final = 16
_CATEGORIES: Final = {
    "override": CONFIGURATORS,
    "route": ROUTERS,
    "condition": ROUTERS,
    "script": ROUTERS,
    "tag": ROUTERS,
}
"""By scheme, for those that do not say it."""


class Rule(NamedTuple):
    """A rule as it was heard. `url`: all of it, which says which rule it is."""

    category: str
    service: ServiceKey
    url: str

    @staticmethod
    def parse(url: str) -> Rule | None:
        """Reads a URL; None where it is no rule.

        Raises:
            ValueError: it is one, and no use; the text says why.
        """
        scheme, mark, _ = url.partition("://")
        said = scheme in _CATEGORIES or (mark and any(f"category={each}" in url for each in (ROUTERS, CONFIGURATORS)))
        if not said:
            return None
        _, skipped = read_rules([url])
        if skipped:
            raise ValueError(skipped[0].reason)
        parts = urlsplit(url)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
        category = parameters.get("category") or _CATEGORIES.get(scheme, "")
        if category not in (ROUTERS, CONFIGURATORS):
            return None
        interface = parameters.get("interface") or parts.path.lstrip("/")
        if interface in ("", "*"):
            raise ValueError("it is a rule for no service in particular")
        return Rule(category, ServiceKey(interface, parameters.get("group", ""), parameters.get("version", "")), url)


@dataclass(slots=True)
class _Saying:
    """Who says a rule, by host, and how many questions each has not answered since."""

    unanswered: dict[str, int] = field(default_factory=dict)
    asked_at: float = float("-inf")


class Rules:
    """Belongs to one event loop. Times are seconds of one monotonic clock. `session_s`: of this process."""

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._known: dict[str, dict[Rule, _Saying]] = {}
        """By interface."""

    def of(self, service: ServiceKey, category: str) -> tuple[str, ...]:
        """Those of a category for a service, as they are written, in the order they came."""
        known = self._known.get(service.interface, ())
        return tuple(each.url for each in known if each.category == category and service.covers(each.service))

    def registered(self, rule: Rule, sender: str) -> Verdict:
        """A host says it."""
        known = self._known.setdefault(rule.service.interface, {})
        saying = known.get(rule)
        if saying is None:
            if len(known) >= MAX_RULES:
                return Verdict(refused=f"{MAX_RULES} rules of one interface are known already")
            saying = known[rule] = _Saying()
        is_news = not saying.unanswered
        if sender in saying.unanswered or len(saying.unanswered) < _MAX_SAYING:
            saying.unanswered[sender] = 0
        return Verdict(changed=rule.service if is_news else None)

    def unregistered(self, rule: Rule, sender: str) -> Verdict:
        """A host says it no more."""
        saying = self._known.get(rule.service.interface, {}).get(rule)
        if saying is None:
            return Verdict()
        if sender not in saying.unanswered:
            return Verdict(refused="it takes back what another host announced")
        del saying.unanswered[sender]
        return Verdict(changed=self._dropped(rule, saying))

    def asked(self, service: ServiceKey, now: float) -> None:
        """A `subscribe` for it goes out now."""
        for rule, saying in self._known.get(service.interface, {}).items():
            # Several watches may ask for one rule in one round; that is one question.
            if now - saying.asked_at >= self._session_s / 4 and service.covers(rule.service):
                saying.asked_at = now
                for host in saying.unanswered:
                    saying.unanswered[host] += 1

    def expire(self, now: float) -> set[ServiceKey]:
        """Forgets who is silent. Gives the services whose rules are others now."""
        changed = set()
        for known in list(self._known.values()):
            for rule, saying in list(known.items()):
                if now - saying.asked_at < answer_s(self._session_s):
                    continue
                saying.unanswered = {host: count for host, count in saying.unanswered.items() if count < QUESTIONS}
                if (service := self._dropped(rule, saying)) is not None:
                    changed.add(service)
        return changed

    def excuse(self) -> None:
        """Nobody could be heard until now, so nobody's silence counts."""
        for known in self._known.values():
            for saying in known.values():
                saying.unanswered = dict.fromkeys(saying.unanswered, 0)

    def keep(self, is_watched: Callable[[ServiceKey], bool]) -> None:
        """Forgets the rules that nobody here wants to know any more."""
        for known in list(self._known.values()):
            for rule in [each for each in known if not is_watched(each.service)]:
                self._dropped(rule, _Saying())

    def _dropped(self, rule: Rule, saying: _Saying) -> ServiceKey | None:
        """Its service where nobody says it any more; then it is forgotten."""
        if saying.unanswered:
            return None
        known = self._known[rule.service.interface]
        del known[rule]
        if not known:
            del self._known[rule.service.interface]
        return rule.service
