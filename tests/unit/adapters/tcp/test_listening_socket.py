"""Where a listener listens: all addresses of a name, one port, and what the machine does not have left out."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import pytest

from adapters.tcp import listening_socket
from adapters.tcp.listening_socket import listen


class Resolver:
    """Stands in for a loop; knows one host name."""

    def __init__(self, *addresses: tuple[socket.AddressFamily, str]) -> None:
        self.addresses = addresses

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port) if family == socket.AF_INET else (address, port, 0, 0))
            for family, address in self.addresses
        ]


async def open_on(*addresses: tuple[socket.AddressFamily, str], port: int = 0) -> list[tuple[str, int]]:
    sockets = await listen(Resolver(*addresses), "toy.example", port)  # type: ignore[arg-type]
    names = [each.getsockname()[:2] for each in sockets]
    for each in sockets:
        assert not each.getblocking()
        each.close()
    return names


async def test_all_addresses_of_a_name_share_one_port() -> None:
    names = await open_on((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"))
    assert [host for host, _ in names] == ["127.0.0.1", "127.0.0.2"]
    assert len({port for _, port in names}) == 1


async def test_address_that_is_named_twice_is_bound_once() -> None:
    assert len(await open_on((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.1"))) == 1


async def test_address_this_machine_does_not_have_is_left_out() -> None:
    # 192.0.2.0/24 is nobody's (RFC 5737).
    names = await open_on((socket.AF_INET, "192.0.2.1"), (socket.AF_INET, "127.0.0.1"))
    assert [host for host, _ in names] == ["127.0.0.1"]


async def test_family_this_machine_does_not_have_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real = listening_socket._bind

    def without_ipv6(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, kind, protocol, address)

    monkeypatch.setattr(listening_socket, "_bind", without_ipv6)
    names = await open_on((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1"))
    assert [host for host, _ in names] == ["127.0.0.1"]


async def test_no_address_left_is_an_error_that_names_one() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1:4242: ") as caught:
        await open_on((socket.AF_INET, "192.0.2.1"), port=4242)
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_port_that_is_taken_on_a_second_address_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    real = listening_socket._bind
    refused: list[int] = []

    def unlucky(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
        if address[0] == "127.0.0.2" and len(refused) < 3:
            refused.append(address[1])
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return real(family, kind, protocol, address)

    monkeypatch.setattr(listening_socket, "_bind", unlucky)
    names = await open_on((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"))
    assert len(refused) == 3
    assert names[0][1] == names[1][1]


async def test_port_that_was_asked_for_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = 0

    def taken(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
        nonlocal attempts
        attempts += 1
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(listening_socket, "_bind", taken)
    with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:4242: Address already in use"):
        await open_on((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"), port=4242)
    assert attempts == 1


async def test_localhost_can_be_listened_on() -> None:
    sockets = await listen(asyncio.get_running_loop(), "localhost", 0)
    assert len({each.getsockname()[1] for each in sockets}) == 1
    for each in sockets:
        each.close()
