"""The multicast registry: everybody hears everybody, and there is no server.

Dubbo's packets, with two additions that its own registry does not mind. Ours announce again every half session, so that
silence means something; and Java providers, which say a thing once, are asked again as often.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, Identity, ServiceKey, masked
from gateway.model.errors import RegistryError
from gateway.spi.registry import Freshness, Snapshot
from gateway.spi.registry_ability import Finding, Listing
from gateway.telemetry.logs import shorten
from gateway.telemetry.once_per import OncePer
from registry.entries import CONFIGURATORS, ROUTERS
from registry.feed import Feed
from registry.multicast.diagnosis import Echoes, diagnosed
from registry.multicast.group import Address, Group
from registry.multicast.hearsay import Hearsay, Verdict
from registry.multicast.pace import Pace
from registry.multicast.packet import Verb, decode_packet, encode_packet
from registry.multicast.presence import Presence, Step
from registry.multicast.question import EVERYTHING, Question, question_url
from registry.multicast.rules import Rule, Rules

__all__ = ["DEFAULT_ADDRESS", "DEFAULT_SESSION_S", "MulticastRegistry"]

_LOG: Final = logging.getLogger("polyport.registry")

DEFAULT_ADDRESS: Final = ("224.5.6.7", 1234)
DEFAULT_SESSION_S: Final = 60.0
"""Source of both: apache/dubbo, MulticastRegistry.java and its documentation."""
_FIRST_WORD_S: Final = 1.0
"""How long answers to a first question are waited for, as in Java."""
_LONGEST_TICK_S: Final = 0.25
_GATHER_S: Final = 0.01
"""How long changes are gathered before watches are told, so that a flood of them is one."""
_ANSWERS_A_SECOND: Final = 200
_MAX_ANSWERS_WAITING: Final = 2_000
_ANNOUNCEMENTS_A_SECOND: Final = 500
_SAME_TROUBLE_S: Final = 60.0
_REOPEN_S: Final = 2.0


class MulticastRegistry:
    """Implements `Registry`, `ConsumerRegistry`, `ListedRegistry` and `DiagnosableRegistry`; belongs to one event loop.

    `address`: group and port. `interfaces`: addresses of the network cards; empty for all. `ttl`: 1 stays in the local
    network. `session_s`: see `registry.multicast.hearsay`. `clock` (monotonic), `wall` (since 1970) and `sleep` are for
    tests; all in seconds.
    """

    def __init__(
        self,
        address: tuple[str, int] = DEFAULT_ADDRESS,
        *,
        interfaces: Sequence[str] = (),
        ttl: int = 1,
        session_s: float = DEFAULT_SESSION_S,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._session_s, self._clock, self._sleep = session_s, clock, sleep
        self._echoes = Echoes()
        self._group = Group(*address, interfaces, ttl, self._received, self._echoes.came_back)
        self._heard = Hearsay(session_s)
        self._rules = Rules(session_s)
        self._own = Presence(session_s, wall)
        self._feeds: dict[ServiceKey, Feed] = {}
        self._first_words: dict[ServiceKey, float] = {}
        """Services nobody has answered for yet, and when that is an answer too."""
        self._answers: Pace[tuple[str, Address | None]] = Pace(_ANSWERS_A_SECOND, _MAX_ANSWERS_WAITING, clock)
        self._round: Pace[tuple[Verb, str, ServiceKey | None]] = Pace(_ANNOUNCEMENTS_A_SECOND, 0, clock)
        self._next_round = 0.0
        self._reopen_at = 0.0
        self._changed: set[ServiceKey] = set()
        self._withdrawn: set[Identity] = set()
        self._telling: asyncio.TimerHandle | None = None
        self._troubles = OncePer(_SAME_TROUBLE_S, clock=clock)
        self._tending: asyncio.Task[None] | None = None
        self._is_open = False
        self._closed = False

    async def start(self) -> None:
        """Joins the group.

        Raises:
            RegistryError: it cannot be joined, or nothing can be sent to it; the text says what to do.
        """
        await self._open()
        self._tending = asyncio.create_task(self._tend(), name=f"multicast registry {self._group}")

    async def register(self, endpoint: Endpoint) -> None:
        """See `Registry.register`.

        Raises:
            RegistryError: its URL does not fit into what Java reads of a packet.
            RuntimeError: after `aclose`.
        """
        self._announce(endpoint)
        self._note(self._heard.put_own(endpoint))
        await self._told()

    async def unregister(self, endpoint: Endpoint) -> None:
        """See `Registry.unregister`."""
        self._carry_out(self._own.withdraw(endpoint.identity))
        self._note(self._heard.drop_own(endpoint))
        await self._told()

    async def register_consumer(self, consumer: Consumer) -> None:
        """As `register`."""
        self._announce(consumer)

    async def unregister_consumer(self, consumer: Consumer) -> None:
        """As `unregister`."""
        self._carry_out(self._own.withdraw(consumer.identity))

    async def watch(self, service: ServiceKey) -> AsyncGenerator[Snapshot, None]:
        """See `Registry.watch`. UNKNOWN until somebody answers, or a second has passed: then nobody is there."""
        feed = self._feeds.get(service)
        if feed is None:
            feed = self._feeds[service] = Feed(service)
            if self._closed:
                feed.close()
            self._heard.watch(service)
            self._first_words[service] = self._clock() + _FIRST_WORD_S
            if self._heard.providers(service):
                self._tell(service)
            self._ask(service)
        try:
            async with aclosing(feed.watch()) as snapshots:
                async for snapshot in snapshots:
                    yield snapshot
        finally:
            if not feed.is_watched and self._feeds.get(service) is feed:
                del self._feeds[service]
                self._first_words.pop(service, None)
                self._heard.unwatch(service)
                self._rules.keep(self._heard.is_watched)
                self._send(Verb.UNSUBSCRIBE, self._question(service))

    async def listing(self) -> Listing:
        """Asks everybody, and gives what is known after a second.

        Raises:
            RegistryError: it is not joined, or nothing can be sent.
        """
        if not self._is_open or not self._send(Verb.SUBSCRIBE, self._question(EVERYTHING)):
            raise RegistryError(f"nothing can be sent to the multicast group {self._group}")
        await self._sleep(_FIRST_WORD_S)
        consumers = [*self._own.consumers, *self._heard.all_consumers]
        return Listing(self._heard.all_providers, consumers, tuple(self._heard.skipped.values()))

    async def diagnose(self) -> Sequence[Finding]:
        """Whether each card is joined, whether packets come back on it, and who answers a `subscribe`."""
        opened_here = self._tending is None
        if opened_here:
            try:
                await self._open()
            except RegistryError as exc:
                return [
                    Finding(f"joining {self._group}", False, str(exc).partition(";")[0], str(exc).partition("; ")[2])
                ]
        try:
            return await diagnosed(self._group, self._echoes, self._question(EVERYTHING), self._sleep)
        finally:
            if opened_here:
                self._is_open = False
                await self._group.aclose()

    async def aclose(self) -> None:
        """Withdraws everything announced here, ends all watches, and closes every socket."""
        self._closed = True
        tending, self._tending = self._tending, None
        if tending is not None:
            tending.cancel()
            await asyncio.wait([tending])
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._carry_out(self._own.withdraw_all())
        for feed in self._feeds.values():
            self._send(Verb.UNSUBSCRIBE, self._question(feed.current.service))
            feed.close()
        self._is_open = False
        await self._group.aclose()

    async def _open(self) -> None:
        await self._group.open(self._greeting())
        self._is_open = True
        self._next_round = self._clock()

    def _greeting(self) -> bytes:
        """A packet that nobody minds."""
        return encode_packet(Verb.UNSUBSCRIBE, self._question(EVERYTHING))

    def _announce(self, entry: Endpoint | Consumer) -> None:
        if self._closed:
            raise RuntimeError("the registry is closed")
        self._carry_out(self._own.announce(entry))

    def _carry_out(self, steps: Sequence[Step]) -> None:
        for verb, url in steps:
            self._send(verb, url)
            if verb is Verb.UNREGISTER:
                self._round.discard((Verb.REGISTER, url, None))

    def _question(self, service: ServiceKey) -> str:
        cards = self._group.cards
        return question_url(service, cards[0].address.partition("%")[0] if cards else "0.0.0.0")

    def _ask(self, service: ServiceKey) -> None:
        if self._send(Verb.SUBSCRIBE, self._question(service)):
            self._asked(service, self._clock())

    def _asked(self, service: ServiceKey, now: float) -> None:
        self._heard.asked(service, now)
        self._rules.asked(service, now)

    def _send(self, verb: Verb, url: str) -> bool:
        if not self._is_open:
            return False
        sent = self._group.send(encode_packet(verb, url))
        if not sent:
            self._lose()
        return sent

    def _lose(self) -> None:
        self._is_open = False
        _LOG.warning("nothing can be sent to the multicast group %s; what was heard last stays", self._group)
        for feed in self._feeds.values():
            feed.lose()

    async def _tend(self) -> None:
        tick_s = min(_LONGEST_TICK_S, self._session_s / 16)
        while True:
            try:
                if self._is_open:
                    self._turn(self._clock())
                else:
                    await self._reopen()
            except Exception:  # The loop is what keeps everybody here announced.
                if self._troubles.admit("turn") is not None:
                    _LOG.exception("the multicast registry %s stumbled and goes on", self._group)
            await self._sleep(tick_s)

    async def _reopen(self) -> None:
        if self._clock() < self._reopen_at:
            return
        self._reopen_at = self._clock() + _REOPEN_S
        await self._group.aclose()
        try:
            await self._open()
        except RegistryError:
            return
        _LOG.warning("the multicast group %s can be used again", self._group)
        now = self._clock()
        self._heard.excuse(now)
        self._rules.excuse()
        for service, feed in self._feeds.items():
            if feed.current.freshness is Freshness.UNKNOWN:
                self._first_words[service] = now + _FIRST_WORD_S
            else:
                self._tell(service)

    def _turn(self, now: float) -> None:
        if now >= self._next_round:
            self._next_round = now + self._session_s / 2
            self._group.refresh(self._greeting())
            for url in self._own.urls:
                self._round.put((Verb.REGISTER, url, None))
            for service in self._feeds:
                self._round.put((Verb.SUBSCRIBE, self._question(service), service))
        for verb, url, asked in self._round.take():
            if self._send(verb, url) and asked is not None:
                self._asked(asked, now)
        self._give_answers()
        self._forget_silent(now)
        for service, until in list(self._first_words.items()):
            if now >= until:
                self._tell(service)
            elif now >= until - _FIRST_WORD_S / 2 and self._is_open:
                # A packet may be lost, and the next round is far.
                self._send(Verb.SUBSCRIBE, self._question(service))

    def _forget_silent(self, now: float) -> None:
        silent, again = self._heard.expire(now)
        for service in silent | self._rules.expire(now):
            self._note(Verdict(changed=service))
        for watched in [each for each in self._feeds if any(each.covers(other) for other in again)]:
            self._ask(watched)

    def _received(self, data: bytes, sender: Address) -> None:
        host, now = sender[0], self._clock()
        try:
            packet = decode_packet(data)
            if packet.verb is Verb.REGISTER:
                self._echoes.answered(host)
                verdict = self._registered(packet.url, host, now)
            elif packet.verb is Verb.UNREGISTER:
                verdict = self._unregistered(packet.url, host, now)
            elif packet.verb is Verb.SUBSCRIBE:
                self._answer(Question.parse(packet.url), sender)
                return
            else:
                return
        except ValueError as exc:
            self._log_once(logging.INFO, host, str(exc), data)
            return
        if verdict.refused:
            self._log_once(logging.WARNING, host, verdict.refused, data)
        elif verdict.skipped:
            self._log_once(logging.INFO, host, verdict.skipped, data)
        self._note(verdict)

    def _registered(self, url: str, host: str, now: float) -> Verdict:
        rule = Rule.parse(url)
        if rule is None:
            return self._heard.registered(url, host, now)
        return self._rules.registered(rule, host) if self._heard.is_watched(rule.service) else Verdict()

    def _unregistered(self, url: str, host: str, now: float) -> Verdict:
        rule = Rule.parse(url)
        return self._heard.unregistered(url, host, now) if rule is None else self._rules.unregistered(rule, host)

    def _answer(self, question: Question, sender: Address) -> None:
        peer = sender if question.unicast and not self._group.is_here(sender[0]) else None
        for url in self._own.answers(question):
            if not self._answers.put((url, peer)):
                self._log_once(logging.WARNING, sender[0], "more questions than can be answered", b"")
                break
        self._give_answers()

    def _give_answers(self) -> None:
        announced = self._own.urls
        for url, peer in self._answers.take():
            if url not in announced:
                continue  # Withdrawn while it waited.
            if peer is None:
                self._send(Verb.REGISTER, url)
            else:
                self._group.answer(encode_packet(Verb.REGISTER, url), peer)

    def _log_once(self, level: int, host: str, reason: str, data: bytes) -> None:
        if (held_back := self._troubles.admit((host, reason))) is not None:
            shown = shorten(masked(data[:400].decode(errors="replace").strip()))
            _LOG.log(
                level,
                "multicast packet from %s ignored, %s (%d more since the last line): %s",
                host,
                shorten(reason),
                held_back,
                shown,
                extra={"registry": str(self._group)},
            )

    def _note(self, verdict: Verdict) -> None:
        if verdict.changed is None:
            return
        self._changed.add(verdict.changed)
        if verdict.withdrawn is not None:
            self._withdrawn.add(verdict.withdrawn)
        if self._telling is None and not self._closed:
            self._telling = asyncio.get_running_loop().call_later(_GATHER_S, self._tell_all)

    async def _told(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._tell_all()
        await asyncio.sleep(0)

    def _tell_all(self) -> None:
        self._telling = None
        changed, self._changed = self._changed, set()
        withdrawn, self._withdrawn = self._withdrawn, set()
        by_interface: dict[str, list[ServiceKey]] = {}
        for each in changed:
            by_interface.setdefault(each.interface, []).append(each)
        for watched in list(self._feeds):
            if any(watched.covers(each) for each in by_interface.get(watched.interface, ())):
                self._tell(watched, withdrawn)

    def _tell(self, service: ServiceKey, withdrawn: set[Identity] | None = None) -> None:
        providers = self._heard.providers(service)
        if not providers and self._first_words.get(service, 0.0) > self._clock():
            return
        self._first_words.pop(service, None)
        present = {each.identity for each in providers}
        gone = [each for each in withdrawn or () if service.covers(each[3]) and each not in present]
        self._feeds[service].publish(
            providers,
            withdrawn=gone,
            routers=self._rules.of(service, ROUTERS),
            configurators=self._rules.of(service, CONFIGURATORS),
        )
        if not self._is_open:
            self._feeds[service].lose()
