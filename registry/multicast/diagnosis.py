"""What can be found out about a multicast group from one of its members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from gateway.spi.registry_ability import Finding
from gateway.telemetry.logs import shorten
from registry.multicast.card import Card
from registry.multicast.group import Group
from registry.multicast.packet import Verb, encode_packet

__all__ = ["Echoes", "diagnosed"]

_WAIT_S: Final = 1.0
_MAX_SHOWN: Final = 10


class Echoes:
    """Which cards heard us, and who answered, since `forget`."""

    def __init__(self) -> None:
        self.cards: set[Card] = set()
        self.hosts: dict[str, None] = {}

    def forget(self) -> None:
        """Begins anew."""
        self.cards.clear()
        self.hosts.clear()

    def came_back(self, _: bytes, card: Card) -> None:
        """A packet of ours was heard."""
        self.cards.add(card)

    def answered(self, host: str) -> None:
        """Somebody announced something."""
        if len(self.hosts) < _MAX_SHOWN:
            self.hosts[shorten(host)] = None


async def diagnosed(
    group: Group, echoes: Echoes, question: str, sleep: Callable[[float], Awaitable[object]]
) -> Sequence[Finding]:
    """Asks everybody on every card, and says what came of it within a second. The group is open."""
    if not group.cards:
        return [
            Finding(f"joining {group}", False, "it was lost, and cannot be joined again", "look at the network cards")
        ]
    echoes.forget()
    sent = group.send(encode_packet(Verb.SUBSCRIBE, question))
    await sleep(_WAIT_S)
    findings = [Finding(f"joining {group} on {card}", True, "joined") for card in group.cards]
    findings += [
        Finding(f"joining {group} on {card}", False, reason, "name the cards to use under `interfaces`")
        for card, reason in group.refused.items()
    ]
    for card in group.cards:
        came = card in echoes.cards
        findings.append(
            Finding(
                f"packets sent to {group} on {card}",
                came,
                "they come back" if came else ("they do not come back" if sent else "they cannot be sent"),
                "" if came else "look for a firewall that drops UDP to this group and port, or name another card",
            )
        )
    others = ", ".join(echoes.hosts)
    findings.append(
        Finding(
            "answers to a subscribe",
            True,
            f"from {others}"
            if others
            else "from nobody: no provider is in reach, or none that uses this group and port",
        )
    )
    return findings
