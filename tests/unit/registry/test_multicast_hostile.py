"""Whatever a network sends, nothing but `ValueError` comes of it, and nothing that cannot be shown is kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.endpoint import ServiceKey
from registry.multicast.hearsay import Hearsay
from registry.multicast.packet import Verb, decode_packet
from registry.multicast.question import Question
from registry.multicast.rules import Rule, Rules

VERBS = st.sampled_from([each.value for each in Verb])
SCHEMES = st.sampled_from(["dubbo://", "consumer://", "http://", "override://", "route://", "x", "DUBBO://", "://", ""])
HOSTS = st.sampled_from(
    ["10.0.0.5:1", "[fd00::1]:1", "[fd00::1%25eth0]:1", "[::1", "host:99999", "host:-1", "u:p@h:1", "h:٣", ":"]
)
PARAMETERS = st.lists(
    st.tuples(
        st.sampled_from(
            ["group", "version", "weight", "timestamp", "category", "enabled", "interface", "polyport.session", "token"]
        )
        | st.text(max_size=5),
        st.sampled_from(
            ["*", "", "0", "-1", "1e9", "9" * 30, "providers", "routers", "false", "%", "%zz", "%00", "a,b", "\u202e"]
        )
        | st.text(max_size=8),
    ),
    max_size=6,
)


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    query = "&".join(f"{key}={value}" for key, value in draw(PARAMETERS))
    url = draw(SCHEMES) + draw(HOSTS) + draw(st.sampled_from(["/demo.Catalog", "/*", "", "/"])) + "?" + query
    return f"{draw(VERBS)} {url}\n".encode(errors="surrogatepass")


@given(st.lists(packets() | st.binary(max_size=60), max_size=8), st.sampled_from(["10.0.0.5", "fe80::1%eth0"]))
def test_no_packet_does_harm(received: list[bytes], sender: str) -> None:
    hearsay, rules = Hearsay(60.0), Rules(60.0)
    hearsay.watch(ServiceKey("demo.Catalog", "*"))
    for now, data in enumerate(received):
        try:
            packet = decode_packet(data)
            rule = Rule.parse(packet.url)
            if rule is not None and packet.verb is Verb.REGISTER:
                rules.registered(rule, sender)
                assert rule.url.isprintable()
                assert rule.url in rules.of(rule.service, rule.category)
            elif rule is not None:
                rules.unregistered(rule, sender)
            elif packet.verb is Verb.REGISTER:
                hearsay.registered(packet.url, sender, float(now))
            elif packet.verb is Verb.UNREGISTER:
                hearsay.unregistered(packet.url, sender, float(now))
            else:
                Question.parse(packet.url)
        except ValueError:
            continue
    assert all(str(each).isprintable() and each.port for each in hearsay.all_providers)
    rules.keep(hearsay.is_watched)
    assert set(rules._known) <= {"demo.Catalog"}
    hearsay.expire(1e9)
    hearsay.expire(2e9)
    hearsay.unwatch(ServiceKey("demo.Catalog", "*"))
    assert hearsay._others == len(hearsay.all_providers)
    assert bool(hearsay._other_characters) == bool(hearsay.all_providers)
