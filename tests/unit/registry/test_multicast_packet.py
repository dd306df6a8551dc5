from __future__ import annotations

import pytest

from gateway.model.consumer import Consumer
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.model.errors import RegistryError
from registry.multicast.announcement import announced_consumer, announced_provider, lease_s, plain, stamp
from registry.multicast.packet import JAVA_BUFFER, Packet, Verb, decode_packet, encode_packet

SERVICE = ServiceKey("demo.Catalog", "blue", "1.2.0")
URL = "dubbo://10.0.0.5:20880/demo.Catalog?interface=demo.Catalog&timestamp=1700000000000"


@pytest.mark.parametrize("verb", ["register", "unregister", "subscribe", "unsubscribe"])
def test_packets_are_those_of_dubbo(verb: str) -> None:
    data = f"{verb} {URL}\n".encode()
    assert decode_packet(data) == Packet(Verb(verb), URL)
    assert encode_packet(Verb(verb), URL) == data


@pytest.mark.parametrize(
    "data",
    [
        f"register {URL}".encode(),
        f"  register   {URL} \r\n".encode(),
        f"register {URL}\nunregister {URL}\n".encode(),
        f"register {URL}\n".encode().ljust(2048, b"\0"),
    ],
)
def test_blanks_zeros_and_further_lines_do_not_count(data: bytes) -> None:
    assert decode_packet(data) == Packet(Verb.REGISTER, URL)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no verb"),
        (b"\n", "no verb"),
        (b"register", "no URL"),
        (b"register \n", "no URL"),
        (b"REGISTER dubbo://a:1/b\n", "no verb"),
        (b"hello world\n", "no verb"),
        (b"register \xff\xfe\n", "not UTF-8 at byte 9"),
        (b"register " + b"x" * 65_600, "65609 bytes"),
    ],
)
def test_what_is_no_packet_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode_packet(data)


def test_a_provider_is_announced_as_java_reads_it() -> None:
    parameters = {"methods": "find,count", "token": "secret", "timestamp": "1700000000000"}
    endpoint = Endpoint("dubbo", "10.0.0.5", 20880, SERVICE, 50, parameters)
    assert announced_provider(endpoint, 60.0, 1700000000123) == (
        "dubbo://10.0.0.5:20880/demo.Catalog?category=providers&dubbo=2.0.2&dynamic=true&group=blue"
        "&interface=demo.Catalog&methods=find,count&polyport.revision=1700000000123&polyport.session=60000"
        "&side=provider&timestamp=1700000000000&token=secret&version=1.2.0&weight=50"
    )


def test_a_consumer_is_announced_as_java_reads_it() -> None:
    consumer = Consumer(ServiceKey("demo.Catalog"), "shop", "10.0.0.7", "dubbo")
    assert announced_consumer(consumer, 30.0, 7) == (
        "consumer://10.0.0.7/demo.Catalog?application=shop&category=consumers&check=false&interface=demo.Catalog"
        "&polyport.revision=7&polyport.session=30000&protocol=dubbo&side=consumer"
    )


def test_what_we_say_to_each_other_is_read_and_taken_out() -> None:
    url = announced_provider(Endpoint("dubbo", "10.0.0.5", 1, SERVICE), 60.0, 12)
    assert (lease_s(url), stamp(url)) == (60.0, 12)
    assert plain(url) == url.replace("&polyport.revision=12&polyport.session=60000", "")
    assert plain("dubbo://h:1/a?polyport.session=x&b=1&polyport.revision=2") == "dubbo://h:1/a?b=1&"


@pytest.mark.parametrize(
    ("parameters", "lease", "order"),
    [
        ({}, None, 0),
        ({"timestamp": "1700000000000"}, None, 1700000000000),
        ({"timestamp": "1700000000000", "polyport.revision": "1700000000001"}, None, 1700000000001),
        ({"timestamp": "soon", "polyport.session": "soon"}, None, 0),
        ({"timestamp": "9" * 5000, "polyport.session": "-1"}, None, 0),
        ({"polyport.session": "0"}, 1.0, 0),
        ({"polyport.session": "999999999999"}, 3600.0, 0),
    ],
)
def test_hostile_numbers_are_bounded(parameters: dict[str, str], lease: float | None, order: int) -> None:
    url = "dubbo://10.0.0.5:1/demo.Catalog?" + "&".join(f"{key}={value}" for key, value in parameters.items())
    assert (lease_s(url), stamp(url)) == (lease, order)


def packet_of(**parameters: str) -> str:
    url = announced_provider(Endpoint("dubbo", "10.0.0.5", 20880, SERVICE, 100, parameters), 60.0, 1)
    assert len(encode_packet(Verb.UNREGISTER, url)) <= JAVA_BUFFER
    return url


def test_long_urls_lose_what_no_call_needs_one_after_the_other() -> None:
    parameters = {
        "methods": "m" * 600,
        "pid": "1" * 600,
        "release": "r" * 600,
        "timestamp": "1" * 600,
        "token": "secret",
    }
    url = packet_of(**parameters, application="a" * 400)
    assert "methods=" not in url
    assert "pid=" not in url
    assert "release=" in url
    assert "timestamp=" in url
    url = packet_of(**parameters, application="a" * 1400)
    assert [each for each in ("release=", "timestamp=", "token=secret") if each in url] == ["token=secret"]


def test_urls_that_are_still_too_long_are_refused() -> None:
    with pytest.raises(RegistryError, match=r"blue/demo\.Catalog:1\.2\.0 makes a packet of \d+ bytes; Java reads 2048"):
        packet_of(application="a" * 2000)
