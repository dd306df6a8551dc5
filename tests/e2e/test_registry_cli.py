"""`polyport registry` against a real Redis and a real ZooKeeper, and what it says when it cannot do what is asked."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dubbo_instance import instance, metadata
from tests.support.program import inside, polyport, start
from tests.support.redis_server import RedisServer, redis_server
from tests.support.zookeeper_client import other_client
from tests.support.zookeeper_server import zookeeper_server

PROVIDER = "dubbo://10.0.0.1:20880/demo.Catalog?application=shop&token=hunter2"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
def announced(server: RedisServer) -> Iterator[str]:
    """The URL of the registry, with one provider in it as long as the test runs."""
    with start("registry", "register", server.url, PROVIDER) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        yield server.url
        running.send_signal(signal.SIGINT)
        rest, errors = running.communicate(timeout=20)
    assert first.startswith("announced dubbo://10.0.0.1:20880/demo.Catalog?")
    assert (rest, errors, running.returncode) == ("withdrawn\n", "", 0)
    assert "hunter2" not in first


def test_a_provider_is_listed_as_long_as_it_is_announced(announced: str) -> None:
    done = inside("registry", "ls", announced)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "SERVICE       ROLE      PROTOCOL  ADDRESS         WEIGHT  APPLICATION",
        "demo.Catalog  provider  dubbo     10.0.0.1:20880  100     shop",
        "1 providers and 0 consumers of 1 services",
    ]
    rows = json.loads(inside("registry", "ls", announced, "--json", "--service", "demo.Catalog").out)
    assert [each["address"] for each in rows["entries"]] == ["10.0.0.1:20880"]
    assert "hunter2" not in rows["entries"][0]["url"]
    assert json.loads(inside("registry", "ls", announced, "--json", "--service", "demo.Other").out)["entries"] == []


def test_what_is_registered_by_application_is_listed_as_such(tmp_path: Path) -> None:
    with zookeeper_server(tmp_path) as server:
        with other_client(server.address) as other:
            for path, data in {
                "/dubbo/mapping/demo.Catalog": b"shop",
                "/dubbo/metadata/shop/r1": metadata(("demo.Catalog", "", "")),
                "/services/shop/127.0.0.1:20880": instance("shop", 20880),
                "/services/shop/127.0.0.1:20881": b"{",
            }.items():
                other.create(path, data, makepath=True)
        done = inside("registry", "ls", f"zookeeper://{server.address}")
        assert done.code == 0, done.err
        assert done.out.splitlines()[:2] == [
            "SERVICE       ROLE                      PROTOCOL  ADDRESS          WEIGHT  APPLICATION",
            "demo.Catalog  provider, by application  dubbo     127.0.0.1:20880  100     shop",
        ]
        assert done.err.startswith("skipped: /services/shop/127.0.0.1:20881: it is no JSON")
        (row,) = json.loads(inside("registry", "ls", f"zookeeper://{server.address}", "--json").out)["entries"]
        assert row["registered"] == "application"


def test_what_a_provider_says_makes_no_lines_of_its_own_in_a_listing(server: RedisServer) -> None:
    url = "dubbo://10.0.0.2:20880/demo.Odd?application=red%1b%5b31m%0aX"
    with start("registry", "register", server.url, url) as running:
        assert running.stdout is not None
        running.stdout.readline()
        done = inside("registry", "ls", server.url)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=20)
    assert done.code == 0, done.err
    (line,) = [each for each in done.out.splitlines() if "10.0.0.2" in each]
    assert line.endswith(r"red\x1b[31m\nX")


def test_a_watch_shows_what_is_there_and_every_change(announced: str) -> None:
    done = polyport("registry", "watch", announced, "demo.Catalog", "--for", "2")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].endswith("unknown, 0 providers")
    assert lines[1].endswith("fresh, 1 providers")
    assert lines[2].startswith("  + dubbo://10.0.0.1:20880/demo.Catalog?")
    assert "hunter2" not in done.out


def test_what_somebody_else_announced_is_taken_back(server: RedisServer) -> None:
    with start("registry", "register", server.url, "dubbo://10.0.0.2:20880/demo.Dead") as running:
        assert running.stdout is not None
        assert "announced" in running.stdout.readline()
        # Killed, it can take nothing back itself.
        running.kill()
    done = inside("registry", "unregister", server.url, "dubbo://10.0.0.2:20880/demo.Dead")
    assert (done.code, done.out.split("?")[0]) == (0, "withdrawn dubbo://10.0.0.2:20880/demo.Dead")
    again = inside("registry", "unregister", server.url, "dubbo://10.0.0.2:20880/demo.Dead")
    assert (again.code, again.err) == (2, "error: there is no dubbo://10.0.0.2:20880 of demo.Dead\n")


def test_the_doctor_finds_a_registry_well(server: RedisServer) -> None:
    done = inside("registry", "doctor", server.url)
    assert done.code == 0, done.out
    last = done.out.splitlines()[-1].split()
    assert last[0] == last[2] != "0"
    assert all(each["well"] for each in json.loads(inside("registry", "doctor", server.url, "--json").out))


def test_the_doctor_names_a_registry_that_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = inside("registry", "doctor", f"redis://127.0.0.1:{port}")
    assert done.code == 1
    assert f"127.0.0.1:{port}" in done.out
    assert "BAD" in done.out


def test_a_registry_of_a_configuration_file_is_named(announced: str, tmp_path: Path) -> None:
    file = tmp_path / "conf.yaml"
    file.write_text(
        json.dumps({"registries": {"home": {"type": "redis", "options": {"address": announced}}}, "services": {}})
    )
    done = inside("registry", "ls", "home", "--config", str(file))
    assert "10.0.0.1:20880" in done.out
    wrong = inside("registry", "ls", "hom", "-c", str(file))
    assert (wrong.code, wrong.err) == (2, f"error: no registry 'hom' in {file}; there is home\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ls", "nowhere"), "'nowhere' is no URL of a registry"),
        (("ls", "etcd://127.0.0.1:1"), "no kind of registry 'etcd'; there is "),
        (("ls", "redis://127.0.0.1:1?sesion=3s"), "options.sesion: unknown option, did you mean 'session'?"),
        (("ls", "redis://127.0.0.1:1?session=3"), "options.session: "),
        (("watch", "redis://127.0.0.1:1", "/"), "not a service key: '/'"),
        (("register", "redis://127.0.0.1:1", "dubbo://10.0.0.1"), "is not host:port"),
        (("unregister", "multicast://224.5.6.7:1234", "dubbo://10.0.0.1:1/a.B"), "nobody takes back"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = inside("registry", *arguments)
    assert done.code == 2, done.out + done.err
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_registry_that_does_not_answer_is_no_mistake_of_the_caller() -> None:
    done = inside("registry", "ls", "redis://127.0.0.1:1", "--wait", "2")
    assert done.code == 1
    assert "127.0.0.1:1" in done.err
    assert len(done.err.splitlines()) == 1
