"""The command line and http://: calls with and without a contract, errors, and the document of a configuration."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import Server, inside, polyport, serving

CATALOG = "gateway.demo.catalog:Catalog"
CONFIG = """
listeners:
  web: {{protocol: http, port: {port}}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [web]
  demo.Types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [web]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli-http")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    (folder / "serve.yaml").write_text(CONFIG.format(port=0))
    with serving(str(folder / "serve.yaml")) as running:
        yield running


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    return server.url("web")


@pytest.fixture(scope="module")
def config(folder: Path, url: str) -> str:
    """The configuration of the server, with the port it got."""
    path = folder / "client.yaml"
    path.write_text(CONFIG.format(port=url.rpartition(":")[2]))
    return str(path)


def test_a_typed_call_prints_the_answer(url: str) -> None:
    done = polyport("call", f"{url}/demo.Catalog", "find", "1", "--contract", CATALOG)

    assert done.code == 0, done.err
    assert json.loads(done.out)["status"] == "ACTIVE"


def test_a_service_of_a_configuration_is_called_by_name(config: str) -> None:
    def answer(*arguments: str) -> object:
        done = inside("call", *arguments, "--config", config)
        assert done.code == 0, done.err
        return json.loads(done.out)

    assert answer("demo.Catalog", "count") == 3
    assert answer("demo.Types", "echo_i64", "9223372036854775807") == 9223372036854775807
    assert answer("demo.Types", "echo_decimal", "1.10") == "1.10"
    assert answer("demo.Types", "echo_string", "größe 😀") == "größe 😀"
    assert answer("demo.Types", "echo_f64", "NaN") == "NaN"
    assert answer("demo.Types", "echo_attachments", "User", "-a", "User=ann=x") == "ann=x"


def test_calls_without_a_contract_go_by_position(url: str) -> None:
    found = inside("call", f"{url}/demo.Catalog", "find", "1")
    by_name = inside("call", f"{url}/demo.Catalog", "find_by_name", '"Desk lamp"')
    nothing = inside("call", f"{url}/demo.Catalog", "count")

    assert (found.code, json.loads(found.out)["name"]) == (0, "Desk lamp")
    assert (by_name.code, json.loads(by_name.out)["id"]) == (0, 1)
    assert (nothing.code, nothing.out) == (0, "3\n")


def test_a_declared_exception_exits_with_3_and_shows_its_fields(config: str) -> None:
    plain = inside("call", "demo.Catalog", "find", "99", "--config", config)
    as_json = inside("call", "demo.Catalog", "find", "99", "--config", config, "--json")

    assert (plain.code, plain.out) == (3, "")
    assert plain.err.splitlines()[0].startswith("demo.ProductNotFound: ")
    assert "  product_id: 99" in plain.err.splitlines()
    assert json.loads(as_json.out)["fault"]["fields"] == {"product_id": 99}


def test_an_exception_is_one_without_a_contract_too(url: str) -> None:
    done = inside("call", f"{url}/demo.Catalog", "find", "99")

    assert done.code == 3
    assert done.err.startswith("demo.ProductNotFound: ")


@pytest.mark.parametrize(
    ("path", "arguments", "code", "message"),
    [
        ("/demo.Nope", ["count"], "no-such-service", ""),
        ("/demo.Catalog", ["nope"], "no-such-method", "nope"),
        ("/demo.Types", ["echo_i8", "1000"], "bad-request", "i8"),
        ("/demo.Catalog", ["find", "1", "2"], "bad-request", ""),
        ("/demo.Catalog", ["slow", "60000", "--timeout", "300ms"], "deadline-exceeded", ""),
    ],
)
def test_no_answer_is_one_readable_line(url: str, path: str, arguments: list[str], code: str, message: str) -> None:
    done = inside("call", f"{url}{path}", *arguments)

    assert done.code == 1
    assert done.err.startswith(f"{code}: ")
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_port_where_nobody_listens_is_one_readable_line() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = inside("call", f"http://127.0.0.1:{unused.getsockname()[1]}/demo.Catalog", "count")

    assert done.code == 1
    assert done.err.startswith("connect-failed: ")
    assert done.err.count("\n") == 1


def test_a_url_without_a_service_needs_a_contract(url: str) -> None:
    assert inside("call", url, "count").code == 2
    assert inside("call", url, "count", "--contract", CATALOG).out == "3\n"


def test_the_document_of_a_configuration_goes_to_standard_output_or_into_a_folder(config: str, tmp_path: Path) -> None:
    printed = inside("export", "openapi", config)
    written = inside("export", "openapi", config, "--output", str(tmp_path))
    of_contract = inside("export", "openapi", CATALOG)

    assert (printed.code, written.code, of_contract.code) == (0, 0, 0), printed.err
    document = json.loads(printed.out)
    assert document["openapi"].startswith("3.1.")
    assert {"/demo.Catalog/count", "/demo.Types/echo_i8"} <= set(document["paths"])
    (path,) = written.out.splitlines()
    assert Path(path).read_text("utf-8") == printed.out
    assert not any(path.startswith("/demo.Types/") for path in json.loads(of_contract.out)["paths"])
