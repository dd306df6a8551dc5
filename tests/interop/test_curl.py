"""curl against our http:// listener."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.curl_peer import curl, require_curl, run_curl
from tests.support.http_gateway import DRIVERS, serving

pytestmark = [
    pytest.mark.interop,
    pytest.mark.direction("curl → us", wire="http", peer="curl", quick=True),
]

JSON = ("--header", "Content-Type: application/json")
MEBIBYTE = 1 << 20


@pytest.fixture(params=DRIVERS)
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    require_curl()
    async with serving(request.param) as address:
        yield f"http://{address}"


async def test_arguments_by_name_by_position_and_in_a_query(url: str) -> None:
    find = f"{url}/demo.Catalog/find"
    named = await curl(*JSON, "--data", '{"product_id": 1}', find)
    assert (named.status, named.headers["content-type"]) == (200, "application/json")
    assert (named.value["name"], named.value["price"]) == ("Desk lamp", "49.90")
    positional = await curl(*JSON, "--data", "[1]", find)
    queried = await curl("--get", "--data-urlencode", "product_id=1", find)
    assert named.body == positional.body == queried.body
    by_name = await curl("--get", "--data-urlencode", "name=Wandleuchte „Grün“ 🌿", find)
    assert by_name.value["id"] == 3


async def test_a_form_is_refused(url: str) -> None:
    # What curl says when nobody tells it more, and what a page of any origin may send without asking.
    answer = await curl("--data", '{"product_id": 1}', f"{url}/demo.Catalog/find")
    assert (answer.status, answer.headers["content-type"]) == (415, "application/problem+json")


async def test_no_answer_has_no_body(url: str) -> None:
    nothing = await curl(*JSON, "--data", "{}", f"{url}/demo.Types/echo_nothing")
    assert (nothing.status, nothing.body) == (204, b"")
    assert "content-length" not in nothing.headers


async def test_head_has_the_headers_of_get(url: str) -> None:
    asked = await curl(f"{url}/demo.Catalog/find?product_id=1")
    head = await curl("--head", f"{url}/demo.Catalog/find?product_id=1")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == asked.headers["content-length"] == str(len(asked.body))
    assert head.headers["content-type"] == asked.headers["content-type"]


async def test_options_says_what_is_allowed(url: str) -> None:
    idempotent = await curl("--request", "OPTIONS", f"{url}/demo.Catalog/find")
    changing = await curl("--request", "OPTIONS", f"{url}/demo.Catalog/put")
    assert (idempotent.status, idempotent.body) == (204, b"")
    allowed = {verb.strip() for verb in idempotent.headers["allow"].split(",")}
    assert allowed >= {"GET", "HEAD", "OPTIONS", "POST"}
    assert "GET" not in changing.headers["allow"]


async def test_what_is_not_allowed_says_what_is(url: str) -> None:
    refused = await curl(f"{url}/demo.Catalog/put?product=1")
    assert refused.status == 405
    assert "POST" in refused.headers["allow"]
    assert refused.headers["content-type"] == "application/problem+json"


async def test_compressed_answers_only_where_they_are_accepted(url: str) -> None:
    text = "compressible " * 2_000
    echo = (*JSON, "--data", json.dumps([text]), f"{url}/demo.Types/echo_string")
    plain = await curl(*echo)
    packed = await curl("--compressed", *echo)
    raw = await curl("--header", "Accept-Encoding: gzip", *echo)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == raw.headers["content-encoding"] == "gzip"
    assert plain.value == packed.value == text
    assert gzip.decompress(raw.body) == plain.body
    assert len(raw.body) == int(raw.headers["content-length"]) < len(plain.body)


async def test_compressed_requests(url: str, tmp_path: Path) -> None:
    body = tmp_path / "body.gz"
    body.write_bytes(gzip.compress(json.dumps(["x" * 50_000]).encode()))
    answer = await curl(
        *JSON, "--header", "Content-Encoding: gzip", "--data-binary", f"@{body}", f"{url}/demo.Types/echo_string"
    )
    assert answer.value == "x" * 50_000


async def test_a_large_body_waits_for_its_invitation(url: str, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps(["x" * 3 * MEBIBYTE]))
    # curl itself expects an invitation from 1 MiB on.
    answer = await curl(*JSON, "--data-binary", f"@{body}", f"{url}/demo.Types/echo_string")
    assert answer.interim == (100,)
    assert answer.value == "x" * 3 * MEBIBYTE


async def test_a_body_that_is_too_large_is_not_invited(url: str, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps(["x" * 9 * MEBIBYTE]))
    sent = await run_curl(
        *JSON,
        *(
            "--data-binary",
            f"@{body}",
            "--output",
            str(tmp_path / "answer"),
            "--write-out",
            "%{http_code} %{size_upload}",
        ),
        f"{url}/demo.Types/echo_string",
    )
    assert sent == b"413 0"
    assert json.loads((tmp_path / "answer").read_text())["status"] == 413


async def test_a_chunked_body(url: str) -> None:
    body = json.dumps(["x" * 200_000]).encode()
    chunked = ("--header", "Transfer-Encoding: chunked", "--data-binary", "@-")
    answer = await curl(*JSON, *chunked, f"{url}/demo.Types/echo_string", stdin=body)
    assert answer.value == "x" * 200_000


async def test_http_1_0(url: str) -> None:
    answer = await curl("--http1.0", *JSON, "--data", "{}", f"{url}/demo.Catalog/count")
    assert (answer.status, answer.value) == (200, 3)
    assert "transfer-encoding" not in answer.headers


async def test_an_offer_of_http_2_is_not_taken(url: str) -> None:
    answer = await curl("--http2", *JSON, "--data", "{}", f"{url}/demo.Catalog/count")
    assert (answer.interim, answer.status, answer.value) == ((), 200, 3)


async def test_one_connection_for_several_requests(url: str) -> None:
    each = (*JSON, "--data", "{}", "--write-out", " %{num_connects}\n", f"{url}/demo.Catalog/count")
    printed = await run_curl(*each, "--next", "--silent", *each, "--next", "--silent", "--http1.1", *each)
    assert printed == b"3 1\n3 0\n3 0\n"


async def test_json_rpc_by_hand(url: str) -> None:
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "demo.Catalog.count"},
        {"jsonrpc": "2.0", "method": "demo.Catalog.touch", "params": [1]},
        {"jsonrpc": "2.0", "id": "a", "method": "demo.Catalog.slow", "params": {"millis": 1}},
    ]
    answer = await curl(*JSON, "--data", json.dumps(batch), f"{url}/jsonrpc")
    assert sorted(answer.value, key=lambda each: str(each["id"])) == [
        {"jsonrpc": "2.0", "id": 1, "result": 3},
        {"jsonrpc": "2.0", "id": "a", "result": "slept 1 ms"},
    ]
    silent = await curl(*JSON, "--data", json.dumps(batch[1:2]), f"{url}/jsonrpc")
    assert (silent.status, silent.body) == (204, b"")
