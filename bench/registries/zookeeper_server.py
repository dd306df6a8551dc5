"""ZooKeeper servers: the program that apt installs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.apt import install
from bench.ports import free_port
from bench.registries.server import Server

__all__ = ["ZookeeperServer"]

_CLASSES: Final = "/etc/zookeeper/conf_example:/usr/share/java/zookeeper.jar"
_MAIN: Final = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
_TICK_MS: Final = 100
"""Sessions are at least twice as long, and expire at the tick after."""


class ZookeeperServer(Server):
    """It keeps its data until `wipe`. `peers`: lines of an ensemble. `memory_mb`: of the heap.
    `host`: where it listens.

    Raises Unavailable where the program cannot be had.
    """

    def __init__(
        self,
        folder: Path,
        *,
        identity: int = 1,
        peers: Sequence[str] = (),
        memory_mb: int = 128,
        host: str = "127.0.0.1",
    ) -> None:
        # The package has no server in the path, only its inspector.
        install("zooinspector:zookeeper")
        port = free_port()
        self._data = folder / "data"
        self._identity = identity
        self._lines = [
            *(f"tickTime={_TICK_MS}", f"dataDir={self._data}", "initLimit=100", "syncLimit=50"),
            *(f"clientPort={port}", f"clientPortAddress={host}", "maxClientCnxns=0"),
            *("maxSessionTimeout=60000", "admin.enableServer=false", "4lw.commands.whitelist=ruok,srvr,mntr"),
            *peers,
        ]
        command = [
            *("java", f"-Xmx{memory_mb}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-cp", _CLASSES, _MAIN, str(folder / "zoo.cfg")),
        ]
        # Before it is part of an ensemble it says that it does not serve requests.
        super().__init__(port, folder, command, b"srvr", [b"Mode:"])

    def launch(self) -> None:
        """See `Server.launch`."""
        self._data.mkdir(parents=True, exist_ok=True)
        (self._data / "myid").write_text(str(self._identity), encoding="utf-8")
        (self._folder / "zoo.cfg").write_text("\n".join(self._lines) + "\n", encoding="utf-8")
        super().launch()

    def wipe(self) -> None:
        """Deletes what it kept; it must not run."""
        assert not self.is_running
        shutil.rmtree(self._data)
