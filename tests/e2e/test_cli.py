"""The command line, from outside: processes, exit codes and what they print."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import ROOT, Server, inside, polyport, serving, start, until

CATALOG = "gateway.demo.catalog:Catalog"
TYPES = "gateway.demo.types:Types"


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


CONFIG = """
listeners: {{main: {{protocol: dubbo, port: {port}, filters: [explain]}}}}
registries: {{local: {{type: embedded}}}}
services:
  demo.Catalog:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    listeners: [main]
    announce: [local]
  demo.Types:
    contract: gateway.demo.types:Types
    implementation: gateway.demo.types:DemoTypes
    listeners: [main]
  bridged:
    contract: gateway.demo.catalog:Catalog
    group: bridged
    listeners: [main]
    remote: {{registries: [local], group: ""}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(write(folder / "serve.yaml", CONFIG.format(port=0))) as running:
        yield running


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    return server.url("main")


@pytest.fixture(scope="module")
def config(folder: Path, url: str) -> str:
    """The configuration of the server, with the port it got, and a service that only clients know."""
    text = CONFIG.format(port=url.rpartition(":")[2])
    text += f"""
  direct:
    contract: gateway.demo.catalog:Catalog
    interface: demo.Catalog
    remote: {{addresses: ["{url}"], timeout: 5s}}
  untyped:
    generic: true
    interface: demo.Catalog
    remote: {{addresses: ["{url}"], timeout: 5s}}
  doubtful:
    contract: gateway.demo.catalog:Catalog
    interface: demo.Catalog
    remote:
      addresses: ["{url}?weight=1000000", "dubbo://127.0.0.1:1?weight=0"]
      timeout: 5s
"""
    return write(folder / "client.yaml", text)


# Without a server.


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from gateway.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n"
        "    heavy = {'adapters', 'asyncio', 'gateway.runtime', 'protocols', 'pydantic', 'rich', 'uvloop'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0
    assert "serve" in done.stdout
    assert done.stderr == "[]\n"


def test_help_takes_less_than_a_third_of_a_second_of_cpu() -> None:
    # CPU time, because a busy machine says nothing about the program; the best of three, because of cold caches.
    spent = []
    for _ in range(3):
        before = os.times()
        assert polyport("--help").code == 0
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)

    assert min(spent) < 0.3


@pytest.mark.parametrize(
    "command", ["serve", "check", "call", "services", "plugins", "export", "schema", "completion", "version"]
)
def test_every_command_explains_itself(command: str) -> None:
    done = inside(*command.split(), "--help")

    assert done.code == 0
    assert f"Usage: polyport {command}" in done.out


def test_version() -> None:
    done = polyport("version")

    assert done.code == 0
    assert done.out.startswith("polyport ")
    assert f"CPython {sys.version.split()[0]}" in done.out


def test_wrong_usage_exits_with_2() -> None:
    for arguments in (
        ["serv"],
        ["serve"],
        ["serve", "--nope", "x"],
        ["call", "demo.Catalog", "find"],
        ["call", "a://b:1", "m", "-a", "x"],
    ):
        done = polyport(*arguments)
        assert done.code == 2, arguments
        assert "Traceback" not in done.err


def test_check_says_that_files_are_fine() -> None:
    done = inside("check", "conf/demo.yaml", "conf/minimal.yaml")

    assert (done.code, done.out, done.err) == (0, "", "2 files ok\n")


def test_check_prints_all_problems_and_exits_with_2(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.yaml", "listners: {}\nlisteners:\n  a: {protocol: dubo, port: 1e3}\nservices: {}\n")
    done = inside("check", path)

    assert done.code == 2
    assert done.out.splitlines() == [
        f"{path}:1:1: listners: unknown key, did you mean 'listeners'?",
        f"{path}:3:17: listeners.a.protocol: there is no protocol 'dubo', did you mean 'dubbo'?",
        f"{path}:3:29: listeners.a.port: expected a whole number, found '1e3'",
    ]
    assert done.err == "3 problems in 1 file\n"


def test_check_prints_json(tmp_path: Path) -> None:
    path = write(tmp_path / "bad.yaml", "listeners: {a: {protocol: dubbo}}\n")
    done = inside("check", path, "--json")

    assert done.code == 0
    assert [(each["severity"], each["path"], each["line"]) for each in json.loads(done.out)] == [
        ("warning", "services", 1),
        ("warning", "listeners.a", 1),
    ]


def test_check_does_not_print_secrets(tmp_path: Path) -> None:
    text = "application: {drain: '${env:TOKEN}'}\ncredentials: {t: {env: TOKEN}, u: {env: '${env:TOKEN}'}}\n"
    done = polyport("check", write(tmp_path / "c.yaml", text), environ={"TOKEN": "hunter2!"})

    assert done.code == 2
    assert "hunter2" not in done.out + done.err


def test_a_file_that_does_not_exist_is_one_line() -> None:
    for command in ("check", "serve", "services"):
        done = polyport(command, "nope.yaml")
        assert done.code == 2
        assert "nope.yaml: cannot be read: No such file or directory" in done.out + done.err
        assert "Traceback" not in done.err


def test_debug_shows_where_an_error_comes_from() -> None:
    assert "Traceback" in polyport("--debug", "services", "nope.yaml").err
    assert "Traceback" in polyport("services", "nope.yaml", environ={"POLYPORT_DEBUG": "1"}).err


def test_services_shows_a_table_and_json() -> None:
    table = inside("services", "conf/demo.yaml").out.splitlines()
    rows = {row["service"]: row for row in json.loads(inside("services", "conf/demo.yaml", "--json").out)}

    assert table[0].split("  ")[0] == "SERVICE"
    assert len(table) == 1 + len(rows)
    assert rows["demo.Catalog"]["listeners"]["dubbo"] == "dubbo://127.0.0.1:20880"
    assert rows["bridged.Catalog"]["key"] == "bridged/demo.Catalog"
    assert rows["bridged.Catalog"]["registries"] == ["local"]
    assert "find(i64) -> demo.Product" in rows["demo.Catalog"]["methods"]


def test_contracts_are_found_where_the_command_is_run(tmp_path: Path) -> None:
    (tmp_path / "shop_here.py").write_text(
        "from gateway.contracts import service\n"
        "@service(name='shop.Here')\nclass Here:\n    async def ping(self) -> str: ...\n"
    )
    path = write(tmp_path / "c.yaml", "services: {s: {contract: shop_here:Here, remote: {addresses: ['dubbo://h:1']}}}")

    assert polyport("check", path, cwd=tmp_path).code == 0


def test_schema_is_printed_and_written(tmp_path: Path) -> None:
    printed = inside("schema")
    written = inside("schema", "-o", str(tmp_path / "schema.json"))

    assert (printed.code, written.code) == (0, 0)
    assert (tmp_path / "schema.json").read_text("utf-8") == printed.out
    assert json.loads(printed.out)["title"] == "Polyport configuration"


def test_export_writes_java_sources(tmp_path: Path) -> None:
    of_contract = inside("export", "java", CATALOG, "-o", str(tmp_path / "one"))
    of_config = inside("export", "java", "conf/demo.yaml", "-o", str(tmp_path / "all"))

    assert (of_contract.code, of_config.code) == (0, 0)
    assert "package demo;" in (tmp_path / "one/demo/Catalog.java").read_text()
    assert not (tmp_path / "one/demo/Types.java").exists()
    assert {"Catalog.java", "Types.java", "Product.java"} <= {path.name for path in (tmp_path / "all/demo").iterdir()}
    assert of_contract.out.splitlines() == sorted(str(path) for path in (tmp_path / "one").rglob("*.java"))


def test_export_of_what_does_not_exist_is_one_line(tmp_path: Path) -> None:
    done = inside("export", "java", "gateway.demo.catalog:Catlog", "-o", str(tmp_path))

    assert done.code == 2
    assert done.err == "error: gateway.demo.catalog has no 'Catlog', did you mean 'Catalog'?\n"


# Calls.


def test_a_typed_call_prints_the_answer(url: str) -> None:
    done = polyport("call", f"{url}/demo.Catalog", "find", "1", "--contract", CATALOG)

    assert done.code == 0
    assert json.loads(done.out)["id"] == 1
    assert json.loads(done.out)["status"] == "ACTIVE"


def test_arguments_are_json_names_or_bare_text(config: str) -> None:
    def answer(*arguments: str) -> object:
        done = inside("call", *arguments, "--config", config)
        assert done.code == 0, done.err
        return json.loads(done.out)

    assert answer("demo.Types", "echo_i32", "value=7") == 7
    assert answer("demo.Types", "echo_string", "42") == "42"
    assert answer("demo.Types", "echo_string", '"42"') == "42"
    assert answer("demo.Types", "echo_string", "größe 😀") == "größe 😀"
    assert answer("demo.Types", "echo_i64", "9223372036854775807") == 9223372036854775807
    assert answer("demo.Types", "echo_decimal", "1.10") == "1.10"
    assert answer("demo.Types", "echo_int_list", "[1, 2]") == [1, 2]
    assert answer("demo.Types", "echo_nullable", "null") is None
    assert answer("demo.Catalog", "count") == 3


def test_negative_numbers_follow_two_dashes(config: str) -> None:
    assert inside("call", "demo.Types", "echo_i32", "--config", config, "--", "-5").out == "-5\n"


def test_attachments_travel(config: str) -> None:
    done = inside("call", "demo.Types", "echo_attachments", "User", "-a", "User=ann=x", "--config", config)

    assert (done.code, done.out) == (0, '"ann=x"\n')


def test_json_output_is_one_object(config: str) -> None:
    done = inside("call", "demo.Catalog", "count", "--config", config, "--json")

    assert json.loads(done.out)["ok"] is True
    assert json.loads(done.out)["value"] == 3
    assert done.out.count("\n") == 1


def test_calls_without_a_contract(url: str) -> None:
    done = inside("call", f"{url}/demo.Catalog", "find(long)", "1")

    assert done.code == 0
    assert json.loads(done.out)["class"] == "demo.Product"


def test_generic_is_used_even_where_there_is_a_contract(config: str) -> None:
    done = inside("call", "demo.Catalog", "find(java.lang.String)", '"Desk lamp"', "--config", config, "--generic")

    assert done.code == 0, done.err
    assert json.loads(done.out)["id"] == 1


@pytest.mark.parametrize("service", ["demo.Catalog", "bridged", "direct"])
def test_services_of_a_configuration_are_called_by_name(config: str, service: str) -> None:
    assert inside("call", service, "count", "--config", config).out == "3\n"


def test_a_generic_service_of_a_configuration_is_called_by_name(config: str) -> None:
    assert inside("call", "untyped", "count", "--config", config).out == "3\n"


def test_a_declared_exception_exits_with_3_and_shows_its_fields(config: str) -> None:
    plain = inside("call", "bridged", "find", "99", "--config", config)
    as_json = inside("call", "demo.Catalog", "find", "99", "--config", config, "--json")

    assert plain.code == 3
    assert plain.out == ""
    assert plain.err.splitlines()[0].startswith("demo.ProductNotFound: ")
    assert "  product_id: 99" in plain.err.splitlines()
    assert as_json.code == 3
    fault = json.loads(as_json.out)["fault"]
    assert (fault["type"], fault["declared"], fault["fields"]) == ("demo.ProductNotFound", True, {"product_id": 99})


def test_an_undeclared_exception_exits_with_3(config: str) -> None:
    done = inside("call", "demo.Types", "fail_undeclared", "boo", "--config", config)

    assert done.code == 3
    assert "boo" in done.err
    assert "Traceback" not in done.err


def test_no_answer_exits_with_1(url: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        done = inside("call", f"dubbo://127.0.0.1:{port}/demo.Catalog", "count")
    assert done.code == 1
    assert done.err.startswith("connect-failed: ")
    assert done.err.count("\n") == 1

    done = inside("call", f"{url}/demo.Nope", "count", "--json")
    assert done.code == 1
    assert json.loads(done.out)["error"]["code"] == "no-such-service"


def test_a_call_that_lasts_too_long_exits_with_1(config: str) -> None:
    done = inside("call", "demo.Catalog", "slow", "60000", "--config", config, "--timeout", "300ms")

    assert done.code == 1
    assert done.err.startswith("deadline-exceeded: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo.Catalgo", "count"], "has no service 'demo.Catalgo', did you mean 'demo.Catalog'?"),
        (["demo.Catalog", "cuont"], "demo.Catalog has no method 'cuont', did you mean 'count'?"),
        (["demo.Catalog", "count", "1"], "takes 0 arguments"),
        (["demo.Catalog", "search", "textt=x"], "did you mean 'text'?"),
        (["demo.Types", "echo_i8", "128"], "args[0]"),
        (["demo.Types", "echo_int_list", "[1,"], "not JSON"),
        (["demo.Types", "echo_i32", "1", "--timeout", "5"], "--timeout: '5' has no unit"),
        (["demo.Types", "echo_i32", "1", "--group", "x"], "--group and --version belong to a URL"),
    ],
)
def test_what_cannot_be_called_exits_with_2_before_anything_is_sent(
    config: str, arguments: list[str], message: str
) -> None:
    done = inside("call", *arguments, "--config", config)

    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


# Serving.


def test_serve_says_where_it_listens(server: Server, url: str) -> None:
    assert server.lines[0].startswith("polyport ")
    assert url.startswith("dubbo://127.0.0.1:")
    (line,) = [each for each in server.lines if url in each]
    assert line.split(url)[1].strip() == "demo.Catalog, demo.Types, bridged/demo.Catalog"


def test_a_port_that_is_taken_is_one_line(tmp_path: Path, url: str) -> None:
    port = url.rpartition(":")[2]
    done = polyport("serve", write(tmp_path / "c.yaml", CONFIG.format(port=port)))

    assert done.code == 1
    assert done.out == ""
    (line,) = done.err.splitlines()
    assert "listener main (dubbo)" in line
    assert f"127.0.0.1:{port}" in line


def test_serve_prints_problems_and_exits_with_2(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", "listeners: {a: {protocol: x}}\nservices: 5\n")
    done = polyport("serve", path)

    assert done.code == 2
    assert done.err.splitlines()[-1] == "2 problems"
    assert f"{path}:2:11: services: expected a mapping, found '5'" in done.err


WAITING = """
application: {{drain: {drain}}}
listeners: {{main: {{protocol: dubbo, port: 0}}}}
services:
  waiting:
    contract: tests.support.waiting:Waiting
    implementation: tests.support.waiting:Waiter
    options: {{folder: "{folder}"}}
    listeners: [main]
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_stops_at_the_first_signal_when_idle(tmp_path: Path, number: signal.Signals) -> None:
    with serving(write(tmp_path / "c.yaml", WAITING.format(drain="10s", folder=tmp_path))) as server:
        server.signal(number)
        assert server.wait() == 0
    assert any("stopping" in line for line in server.errors)
    assert not any("Traceback" in line for line in server.errors)


@contextmanager
def holding(server: Server, folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """A call that waits inside the service."""
    call = start(
        "call", f"{server.url('main')}/test.Waiting", "hold", name, "--contract", "tests.support.waiting:Waiting",
        "--timeout", "60s",
    )  # fmt: skip
    with call:
        try:
            until((folder / f"{name}.entered").exists, "the call to reach the service")
            yield call
        finally:
            if call.poll() is None:
                call.kill()


def test_calls_in_progress_are_finished_when_serve_stops(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", WAITING.format(drain="60s", folder=tmp_path))
    with serving(path) as server, holding(server, tmp_path, "a") as call:
        server.signal(signal.SIGTERM)
        until(lambda: any("stopping" in line for line in server.errors), "the server to say that it stops")
        assert server.process.poll() is None
        (tmp_path / "a.release").touch()
        out, err = call.communicate(timeout=30)
        assert (call.returncode, out, err) == (0, '"released a"\n', "")
        assert server.wait() == 0


def test_a_second_signal_ends_calls_in_progress(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", WAITING.format(drain="600s", folder=tmp_path))
    with serving(path) as server, holding(server, tmp_path, "b") as call:
        server.signal(signal.SIGINT)
        until(lambda: any("stopping" in line for line in server.errors), "the server to say that it stops")
        server.signal(signal.SIGINT)
        assert server.wait() == 130
        call.communicate(timeout=30)
        assert call.returncode == 1
    assert not any("Traceback" in line for line in server.errors)


def test_calls_in_progress_are_ended_after_the_drain_time(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", WAITING.format(drain="100ms", folder=tmp_path))
    with serving(path) as server, holding(server, tmp_path, "c") as call:
        server.signal(signal.SIGINT)
        assert server.wait() == 0
        call.communicate(timeout=30)
        assert call.returncode == 1


def test_a_call_explains_why_it_went_where_it_went(config: str, url: str) -> None:
    done = inside("call", "doubtful", "count", "--config", config, "--explain")

    assert (done.code, done.out) == (0, "3\n")
    counts, attempt, there = done.err.splitlines()
    assert counts == "explain: registry 2, after rules 2, healthy 2, available 2"
    assert re.fullmatch(
        rf"explain: attempt 1: {url} \(random: weight 1e\+06 of 1e\+06\) at [\d.]+ ms: ok after [\d.]+ ms", attempt
    )
    assert there == "explain: there: hosted here, nothing to choose"


def test_a_gateway_explains_what_it_did_with_the_call(config: str, url: str) -> None:
    done = inside("call", "bridged", "count", "--config", config, "--explain", "--json")

    report = json.loads(done.out)
    counts, attempt = report["explanation"]["there"]
    assert "attachments" not in report
    assert counts == "registry 1, after rules 1, healthy 1, available 1"
    assert re.fullmatch(rf"attempt 1: {url} at [\d.]+ ms: ok after [\d.]+ ms", attempt)


def test_a_call_without_an_answer_explains_itself_too(config: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        done = inside("call", f"dubbo://127.0.0.1:{port}/demo.Catalog", "count", "--explain", "--json")

    explanation = json.loads(done.out)["explanation"]
    assert done.code == 1
    assert explanation["candidates"] == "registry 1, after rules 1, healthy 1, available 1"
    assert explanation["attempts"][0]["outcome"] == "connect-failed"
    assert {each["provider"] for each in explanation["attempts"]} == {f"dubbo://127.0.0.1:{port}"}
    assert explanation["there"] == []
