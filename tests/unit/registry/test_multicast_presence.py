from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from registry.multicast.announcement import stamp
from registry.multicast.packet import Verb
from registry.multicast.presence import Presence
from registry.multicast.question import EVERYTHING, Question, question_url

SERVICE = ServiceKey("demo.Catalog")
PROVIDER = Endpoint("dubbo", "10.0.0.5", 1, SERVICE)
CONSUMER = Consumer(SERVICE, "shop", "10.0.0.7")


def test_what_changes_is_announced_before_what_it_replaces_is_taken_back() -> None:
    presence = Presence(60.0, lambda: 1_700_000_000.0)
    ((verb, first),) = presence.announce(PROVIDER)
    assert verb is Verb.REGISTER
    assert presence.announce(PROVIDER) == [(Verb.REGISTER, first)]
    (_, second), former = presence.announce(replace(PROVIDER, weight=5))
    assert former == (Verb.UNREGISTER, first)
    # Although the clock stands still: others see by it which one is the later.
    assert stamp(second) == stamp(first) + 1
    assert presence.withdraw(PROVIDER.identity) == [(Verb.UNREGISTER, second)]
    assert presence.withdraw(PROVIDER.identity) == []


def test_questions_are_answered_with_what_they_ask_for() -> None:
    presence = Presence(60.0, lambda: 0.0)
    ((_, provider),) = presence.announce(PROVIDER)
    ((_, consumer),) = presence.announce(CONSUMER)
    assert list(presence.answers(Question.parse(question_url(SERVICE, "10.0.0.9")))) == [provider]
    assert list(presence.answers(Question.parse(question_url(EVERYTHING, "10.0.0.9")))) == [provider, consumer]
    assert presence.consumers == [CONSUMER]
    assert presence.urls == {provider, consumer}
    assert presence.withdraw_all() == [(Verb.UNREGISTER, provider), (Verb.UNREGISTER, consumer)]
    assert presence.urls == set()


def test_what_is_refused_is_not_announced_later() -> None:
    presence = Presence(60.0, lambda: 0.0)
    with pytest.raises(RegistryError, match="2048"):
        presence.announce(replace(PROVIDER, parameters={"application": "a" * 3_000}))
    assert presence.urls == set()
