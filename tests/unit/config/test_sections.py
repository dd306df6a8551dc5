"""Sections on their own: direct addresses, what adapters get, credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config.secret import Secret
from gateway.config.sections.credential import CredentialConfig
from gateway.config.sections.listener import LimitsConfig, ListenerConfig
from gateway.config.sections.remote import RemoteConfig, parse_provider
from gateway.model.endpoint import Endpoint, ServiceKey
from gateway.spi.adapter import ListenerOptions

SERVICE = ServiceKey("shop.Orders", "blue", "1.0.0")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("dubbo://h:20880", Endpoint("dubbo", "h", 20880, SERVICE)),
        ("dubbo://h:20880/", Endpoint("dubbo", "h", 20880, SERVICE)),
        ("dubbo://[::1]:20880", Endpoint("dubbo", "::1", 20880, SERVICE)),
        ("dubbo://h:1/other.Orders", Endpoint("dubbo", "h", 1, ServiceKey("other.Orders", "blue", "1.0.0"))),
        ("dubbo://h:1?weight=5", Endpoint("dubbo", "h", 1, SERVICE, 5)),
        ("dubbo://h:1/x.Y?group=&version=2", Endpoint("dubbo", "h", 1, ServiceKey("x.Y", "", "2"))),
        # RFC 9110, sections 4.2.1 and 4.2.2: the ports that web addresses may leave out.
        ("http://h", Endpoint("http", "h", 80, SERVICE)),
        ("HTTP://h:/", Endpoint("http", "h", 80, SERVICE)),
        ("http://[::1]?weight=5", Endpoint("http", "::1", 80, SERVICE, 5)),
        ("http://[::1]:8080", Endpoint("http", "::1", 8080, SERVICE)),
        ("https://h", Endpoint("http", "h", 443, SERVICE, parameters={"tls": "true"})),
        ("https://h:8443?a=b", Endpoint("http", "h", 8443, SERVICE, parameters={"a": "b", "tls": "true"})),
    ],
)
def test_addresses_leave_out_what_the_service_says(address: str, expected: Endpoint) -> None:
    assert parse_provider(address, SERVICE) == expected


@pytest.mark.parametrize(
    "address",
    [
        "h:20880",
        "dubbo://h",
        "dubbo://:1",
        "dubbo://",
        "dubbo://u:p@h:1",
        "dubbo://h:1#x",
        "dubbo://h:99999",
        "dubbo://h:1?weight=x",
        "http://:80",
        "http://u:p@h",
        "http://h:x",
    ],
)
def test_other_texts_are_no_addresses(address: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_provider(address, SERVICE)


def test_a_service_may_be_called_otherwise_at_its_providers() -> None:
    shown = ServiceKey("demo.Catalog", "bridged")

    assert RemoteConfig().provided(shown) == shown
    assert RemoteConfig(group="").provided(shown) == ServiceKey("demo.Catalog")
    assert RemoteConfig(interface="com.acme.Catalog", version="2").provided(shown) == ServiceKey(
        "com.acme.Catalog", "bridged", "2"
    )
    assert RemoteConfig(addresses=("dubbo://h:1",), group="").endpoints(shown) == (
        Endpoint("dubbo", "h", 1, ServiceKey("demo.Catalog")),
    )


def test_protocols_are_those_of_the_addresses_unless_one_is_written() -> None:
    addresses = ("dubbo://h:1", "rmi://h:2", "dubbo://h:3")

    assert RemoteConfig(addresses=addresses).own_protocols() == ("dubbo", "rmi")
    assert RemoteConfig(addresses=addresses, protocol="dubbo").own_protocols() == ("dubbo",)
    assert RemoteConfig(protocol="rmi", fallback=("dubbo", "rmi")).own_protocols() == ("rmi", "dubbo")
    assert RemoteConfig().own_protocols() == ()


def test_adapters_get_all_limits_of_a_listener() -> None:
    limits = LimitsConfig(
        connections=1, connections_per_address=2, calls_per_connection=3, calls=4, frame=5000, write_buffer=6000,
        first_byte=7, frame_time=8, idle=9,
    )  # fmt: skip
    listener = ListenerConfig(protocol="pipe", host="h", port=0, limits=limits, options={"token": Secret("s"), "n": 1})

    assert listener.listener_options("in", "me", 7000) == ListenerOptions(
        name="in", protocol="pipe", host="h", port=0, application="me", max_connections=1,
        max_connections_per_address=2, max_calls_per_connection=3, max_calls=4, max_frame_bytes=5000,
        max_write_buffer_bytes=6000, first_byte_timeout_s=7.0, frame_timeout_s=8.0, idle_timeout_s=9.0,
        options={"token": "s", "n": 1},
    )  # fmt: skip
    assert ListenerConfig(protocol="pipe").listener_options("in", "me", 7000).port == 7000


def test_the_defaults_of_the_file_are_those_of_the_interface() -> None:
    assert ListenerConfig(protocol="pipe", port=1).listener_options("in", "polyport", 0) == ListenerOptions(
        name="in", protocol="pipe", host="127.0.0.1", port=1
    )


def test_a_credential_is_not_known_before_it_is_read() -> None:
    credential = CredentialConfig(env="TOKEN")

    with pytest.raises(LookupError):
        _ = credential.secret
    read = credential.read({"TOKEN": "x"}, Path())
    assert read.secret == Secret("x")
    assert not credential.is_read
    assert "x" not in repr(read).replace("TOKEN", "")


@pytest.mark.parametrize(("content", "secret"), [(b"a\n", "a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b" a ", " a ")])
def test_one_line_end_of_a_secret_file_is_dropped(tmp_path: Path, content: bytes, secret: str) -> None:
    (tmp_path / "s").write_bytes(content)

    assert CredentialConfig(file="s").read({}, tmp_path).secret.reveal() == secret
