"""ZooKeeper servers of its own for a test: the program that apt installs, on free ports of the loopback."""

from __future__ import annotations

import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

__all__ = ["ZookeeperServer", "zookeeper_ensemble", "zookeeper_server"]

_ROOT: Final = Path(__file__).parents[2]
_JAR: Final = "/usr/share/java/zookeeper.jar"
_INSTALL_S: Final = 600
_READY_S: Final = 30.0
_TICK_MS: Final = 100
"""Sessions are at least twice as long, and expire at the tick after."""


@functools.cache
def _require_zookeeper() -> None:
    """Installs the server; skips the test where it cannot be had (with CI=true that is a failure)."""
    log = _ROOT / ".cache" / "interop-zookeeper.log"
    log.parent.mkdir(exist_ok=True)
    # The package has no server in the path, only its inspector.
    install = [_ROOT / "tests" / "interop" / "apt.sh", log, "zooinspector:zookeeper"]
    done = subprocess.run(install, stderr=subprocess.PIPE, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(done.stderr.strip())


class ZookeeperServer:
    """`stop` and `start` it as often as wanted; it keeps its data until `wipe`. `peers`: lines of an ensemble."""

    def __init__(self, folder: Path, *, identity: int = 1, peers: Sequence[str] = ()) -> None:
        _require_zookeeper()
        self._folder = folder
        self._identity = identity
        (self.port,) = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            *(f"tickTime={_TICK_MS}", f"dataDir={folder / 'data'}", "initLimit=100", "syncLimit=50"),
            *(f"clientPort={self.port}", "clientPortAddress=127.0.0.1", "maxClientCnxns=0"),
            *("maxSessionTimeout=60000", "admin.enableServer=false", "4lw.commands.whitelist=ruok,srvr,mntr"),
            *peers,
        ]
        (folder / "zoo.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._command = [
            *("java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-cp", f"/etc/zookeeper/conf_example:{_JAR}", "org.apache.zookeeper.server.quorum.QuorumPeerMain"),
            str(folder / "zoo.cfg"),
        ]

    def launch(self) -> None:
        """Starts it without waiting: one of an ensemble is not ready before the others."""
        (self._folder / "data").mkdir(exist_ok=True)
        (self._folder / "data" / "myid").write_text(str(self._identity), encoding="utf-8")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)

    def await_ready(self) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            assert self._process is not None
            assert self._process.poll() is None, "ZooKeeper ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0) as connection:
                connection.sendall(b"srvr")
                # Before it is part of an ensemble it says that it does not serve requests.
                if b"Mode:" in connection.recv(1_000):
                    return
            assert time.monotonic() < deadline, "ZooKeeper does not answer"
            time.sleep(0.02)

    def start(self) -> None:
        self.launch()
        self.await_ready()

    def stop(self) -> None:
        """Ends it as an administrator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """From now on it keeps its connections and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def wipe(self) -> None:
        """Deletes what it kept; it must not run."""
        assert self._process is None
        shutil.rmtree(self._folder / "data")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait(_READY_S)
            self._process = None


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listened on just now."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


@contextmanager
def zookeeper_server(folder: Path) -> Iterator[ZookeeperServer]:
    """A server that answers; it is gone afterwards."""
    server = ZookeeperServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@contextmanager
def zookeeper_ensemble(folder: Path, size: int = 3) -> Iterator[list[ZookeeperServer]]:
    """Servers that are one; all are gone afterwards."""
    ports = free_ports(2 * size)
    peers = [f"server.{n + 1}=127.0.0.1:{ports[2 * n]}:{ports[2 * n + 1]}" for n in range(size)]
    servers = [ZookeeperServer(folder / str(n + 1), identity=n + 1, peers=peers) for n in range(size)]
    try:
        for each in servers:
            each.launch()
        for each in servers:
            each.await_ready()
        yield servers
    finally:
        for each in servers:
            each.kill()
