"""A binding inside aiohttp applications: alone, and mounted under a prefix of somebody's own."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from adapters.http.site import web_application
from gateway.spi.adapter import ListenerOptions
from tests.support.echo_binding import EchoBinding, EchoService

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[[web.Application], Awaitable[Client]]


def application(service: EchoService, binding: EchoBinding | None = None, **options: Any) -> web.Application:
    return web_application(binding or EchoBinding(), service, ListenerOptions("web", "http", "127.0.0.1", 0, **options))


@pytest.fixture
def service() -> EchoService:
    return EchoService()


@pytest.fixture
async def client(service: EchoService, aiohttp_client: MakeClient) -> Client:
    return await aiohttp_client(application(service))


async def test_a_request_becomes_a_call_and_its_answer_the_response(client: Client) -> None:
    async with client.post("/echo", data=b"hello") as response:
        assert (response.status, await response.text()) == (200, "hello")


async def test_the_binding_sees_the_request_as_it_was_sent(client: Client) -> None:
    async with client.get("/a%20b/c?d=%20&d=e", headers={"X-MiXed": "1", "Content-Encoding": "identity"}) as response:
        seen = await response.json()

    assert (seen["method"], seen["path"], seen["query"]) == ("GET", "/a%20b/c", "d=%20&d=e")
    names = [name for name, _ in seen["headers"]]
    assert "X-MiXed" in names
    assert "Content-Encoding" not in names
    assert seen["peer"].startswith("127.0.0.1:")


async def test_head_gets_the_headers_of_get_and_no_body(client: Client) -> None:
    async with client.get("/x") as got:
        await got.read()
    async with client.head("/x") as response:
        assert response.status == 200
        assert response.content_type == got.content_type
        assert await response.read() == b""


async def test_several_calls_of_one_request_run_at_the_same_time(client: Client, service: EchoService) -> None:
    asking = asyncio.create_task(client.post("/batch", data="hold\nhold\necho"))
    await service.held.wait()
    assert service.started.count("hold") == 2
    service.release.set()

    assert await (await asking).text() == "hold\nhold\necho"


async def test_oneway_calls_are_not_waited_for(client: Client, service: EchoService) -> None:
    async with client.post("/batch", data="!hold") as response:
        assert response.status == 202
    await service.held.wait()
    assert service.ended == []
    service.release.set()


async def test_what_was_never_meant_to_be_raised_is_not_told(client: Client) -> None:
    async with client.post("/fail") as response:
        assert await response.text() == "provider-failed: internal error"


async def test_a_timeout_of_the_service_is_not_the_deadline_of_the_call(client: Client) -> None:
    async with client.post("/timeout") as response:
        assert await response.text() == "provider-failed: internal error"


async def test_a_call_is_cancelled_at_its_deadline(service: EchoService, aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(application(service, EchoBinding(timeout_s=0.05)))

    async with client.post("/hold") as response:
        assert (await response.text()).startswith("deadline-exceeded: ")
    assert service.cancelled == ["hold"]


async def test_calls_beyond_the_limit_are_refused(service: EchoService, aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(application(service, max_calls=2))
    asking = asyncio.create_task(client.post("/batch", data="hold\nhold\necho"))
    await service.held.wait()
    service.release.set()

    assert await (await asking).text() == "hold\nhold\noverloaded: too many calls in progress here"


async def test_a_body_beyond_the_limit_is_refused_by_its_length(
    service: EchoService, aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(application(service, max_frame_bytes=1_000))

    async with client.post("/echo", data=b"x" * 1_001, expect100=True) as response:
        assert response.status == 413
    assert service.started == []


async def test_a_body_beyond_the_limit_is_refused_while_it_arrives(
    service: EchoService, aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(application(service, max_frame_bytes=1_000))

    async def chunks() -> Any:
        for _ in range(3):
            yield b"x" * 500

    async with client.post("/echo", data=chunks()) as response:
        assert response.status == 413


async def test_the_body_is_asked_for_when_the_client_waits(client: Client) -> None:
    async with client.post("/echo", data=b"hello", expect100=True) as response:
        assert (response.status, await response.text()) == (200, "hello")


async def test_other_expectations_are_refused(client: Client) -> None:
    async with client.post("/echo", data=b"hello", headers={"Expect": "a miracle"}) as response:
        assert response.status == 417


async def test_bodies_travel_compressed_both_ways(client: Client) -> None:
    text = b"hello " * 1_000
    headers = {"Content-Encoding": "gzip", "Accept-Encoding": "gzip"}

    async with client.post("/echo", data=gzip.compress(text), headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert await response.read() == text


async def test_a_body_that_inflates_beyond_the_limit_is_refused(
    service: EchoService, aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(application(service, max_frame_bytes=100_000))

    async with client.post(
        "/echo", data=gzip.compress(bytes(1_000_000)), headers={"Content-Encoding": "gzip"}
    ) as response:
        assert response.status == 413


async def test_unknown_codings_are_refused(client: Client) -> None:
    async with client.post("/echo", data=b"x", headers={"Content-Encoding": "lzw"}) as response:
        assert response.status == 415


async def test_mounted_under_a_prefix_the_binding_sees_paths_without_it(
    service: EchoService, aiohttp_client: MakeClient
) -> None:
    own = web.Application()
    outer = web.Application()

    async def health(_: web.Request) -> web.Response:
        return web.Response(text="fine")

    own.router.add_get("/health", health)
    own.add_subapp("/api/", application(service))
    outer.add_subapp("/outer", own)
    client = await aiohttp_client(outer)

    async with client.get("/outer/api/a%2Fb") as response:
        assert (await response.json())["path"] == "/a%2Fb"
    async with client.post("/outer/api/echo", data="x") as response:
        assert await response.text() == "x"
    async with client.get("/outer/health") as response:
        assert await response.text() == "fine"


async def test_calls_end_when_the_application_that_holds_them_shuts_down(
    service: EchoService, aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(application(service))
    async with client.post("/batch", data="!hold") as response:
        assert response.status == 202
    await service.held.wait()
    await client.close()

    assert service.cancelled == ["hold"]


async def test_calls_are_cancelled_soon_after_their_caller_went_away(client: Client, service: EchoService) -> None:
    asking = asyncio.create_task(client.post("/hold"))
    await service.held.wait()
    asking.cancel()
    async with asyncio.timeout(5):
        while not service.cancelled:
            await asyncio.sleep(0.01)

    assert service.cancelled == ["hold"]
