"""Rules heard over multicast: what they are, whose they are, and how long they stand."""

from __future__ import annotations

import pytest

from gateway.model.endpoint import ServiceKey
from registry.entries import CONFIGURATORS, MAX_ENTRY, ROUTERS
from registry.multicast.hearsay import Verdict
from registry.multicast.rules import MAX_RULES, Rule, Rules

SERVICE = ServiceKey("demo.Catalog")
HOST, OTHER, STRANGER = "10.0.0.5", "10.0.0.6", "10.0.0.66"
SESSION_S = 60.0
# As Dubbo's documentation writes them: "Write routing rules" and "Write configuration rules" of 2.6.
OVERRIDE = "override://0.0.0.0/demo.Catalog?category=configurators&dynamic=false&application=foo&timeout=1000"
ROUTE = "route://0.0.0.0/demo.Catalog?category=routers&dynamic=false&rule=host+%3D+10.20.153.10+%3D%3E+host+%3D+10.20.153.11"


def read(url: str) -> Rule:
    rule = Rule.parse(url)
    assert rule is not None
    return rule


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (OVERRIDE, (CONFIGURATORS, SERVICE)),
        (ROUTE, (ROUTERS, SERVICE)),
        ("override://10.0.0.7:20880/demo.Catalog?weight=0", (CONFIGURATORS, SERVICE)),
        ("script://0.0.0.0/demo.Catalog?rule=x", (ROUTERS, SERVICE)),
        ("dubbo://0.0.0.0/demo.Catalog?category=routers", (ROUTERS, SERVICE)),
        (f"{ROUTE}&group=blue&version=1.2", (ROUTERS, ServiceKey("demo.Catalog", "blue", "1.2"))),
        ("override://0.0.0.0/x?interface=demo.Catalog", (CONFIGURATORS, SERVICE)),
        ("dubbo://10.0.0.5:1/demo.Catalog?interface=demo.Catalog", None),
        ("dubbo://10.0.0.5:1/demo.Catalog?note=category=routers&category=providers", None),
        ("consumer://10.0.0.5/demo.Catalog?category=consumers", None),
        ("override://0.0.0.0/demo.Catalog?category=providers", None),
        ("x", None),
    ],
)
def test_rules_are_told_by_what_they_say_or_by_their_scheme(url: str, expected: tuple[str, ServiceKey] | None) -> None:
    rule = Rule.parse(url)
    assert (rule and (rule.category, rule.service)) == expected
    assert rule is None or rule.url == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("override://0.0.0.0/?timeout=1", "no service in particular"),
        ("override://0.0.0.0/*?timeout=1", "no service in particular"),
        (f"{ROUTE}&x=\u202e", "cannot be printed"),
        (f"{ROUTE}&x={'x' * MAX_ENTRY}", f"{MAX_ENTRY} are read"),
        ("RULE://0.0.0.0/demo.Catalog?category=routers", "no URL"),
        ("route://[::1/demo.Catalog", "Invalid IPv6 URL"),
    ],
)
def test_what_is_no_use_says_why(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Rule.parse(url)


def test_rules_come_and_go_by_the_word_of_who_says_them() -> None:
    rules = Rules(SESSION_S)
    assert rules.registered(read(OVERRIDE), HOST) == Verdict(changed=SERVICE)
    assert rules.registered(read(ROUTE), HOST) == Verdict(changed=SERVICE)
    assert rules.registered(read(ROUTE), HOST) == Verdict()
    assert rules.of(SERVICE, CONFIGURATORS) == (OVERRIDE,)
    assert rules.of(SERVICE, ROUTERS) == (ROUTE,)
    assert rules.unregistered(read(ROUTE), HOST) == Verdict(changed=SERVICE)
    assert rules.unregistered(read(ROUTE), HOST) == Verdict()
    assert rules.of(SERVICE, ROUTERS) == ()


def test_nobody_else_takes_a_rule_back() -> None:
    rules = Rules(SESSION_S)
    rules.registered(read(ROUTE), HOST)
    assert "takes back" in rules.unregistered(read(ROUTE), STRANGER).refused
    # Another one that says it, too, may take back its own word only.
    rules.registered(read(ROUTE), OTHER)
    assert rules.unregistered(read(ROUTE), OTHER) == Verdict()
    assert rules.of(SERVICE, ROUTERS) == (ROUTE,)
    assert rules.unregistered(read(ROUTE), HOST) == Verdict(changed=SERVICE)


def test_rules_are_for_those_whom_they_name() -> None:
    rules = Rules(SESSION_S)
    blue = f"{ROUTE}&group=blue"
    rules.registered(read(ROUTE), HOST)
    rules.registered(read(blue), HOST)
    assert rules.of(ServiceKey("demo.Catalog", "blue"), ROUTERS) == (blue,)
    assert rules.of(ServiceKey("demo.Catalog", "*"), ROUTERS) == (ROUTE, blue)
    assert rules.of(ServiceKey("demo.Types"), ROUTERS) == ()


def test_who_does_not_answer_three_questions_says_it_no_more() -> None:
    rules = Rules(SESSION_S)
    rules.registered(read(ROUTE), HOST)
    for now in (0.0, 0.1, 30.0, 60.0):
        rules.asked(SERVICE, now)
        assert rules.expire(now + 0.5) == set()
    assert rules.of(SERVICE, ROUTERS) == (ROUTE,)
    assert rules.expire(61.5) == {SERVICE}
    assert rules.of(SERVICE, ROUTERS) == ()


def test_an_answer_and_an_excuse_count() -> None:
    rules = Rules(SESSION_S)
    rules.registered(read(ROUTE), HOST)
    rules.registered(read(ROUTE), OTHER)
    for now in (0.0, 30.0, 60.0):
        rules.asked(SERVICE, now)
    rules.registered(read(ROUTE), OTHER)
    assert rules.expire(61.5) == set()
    assert "takes back" in rules.unregistered(read(ROUTE), HOST).refused  # It is silent, and so forgotten.
    for now in (90.0, 120.0, 150.0):
        rules.asked(SERVICE, now)
    rules.excuse()
    assert rules.expire(200.0) == set()


def test_a_flood_finds_a_table_of_bounded_size() -> None:
    rules = Rules(SESSION_S)
    for number in range(MAX_RULES):
        assert rules.registered(read(f"{ROUTE}&n={number}"), STRANGER).changed == SERVICE
    assert str(MAX_RULES) in rules.registered(read(f"{ROUTE}&n=more"), STRANGER).refused
    for number in range(1_000):
        rules.registered(read(f"{ROUTE}&n=0"), f"10.0.{number // 250}.{number % 250}")
    (most,) = {
        len(saying.unanswered) for rule, saying in rules._known["demo.Catalog"].items() if rule.url.endswith("n=0")
    }
    assert most <= 16


def test_rules_that_nobody_wants_to_know_are_forgotten() -> None:
    rules = Rules(SESSION_S)
    rules.registered(read(ROUTE), HOST)
    rules.registered(read(f"{ROUTE}&group=blue"), HOST)
    rules.keep(SERVICE.covers)
    assert rules.of(ServiceKey("demo.Catalog", "*"), ROUTERS) == (ROUTE,)
    rules.keep(lambda _: False)
    assert rules._known == {}
