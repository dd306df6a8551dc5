"""`make interop`: the tests of this folder, summed up as a table of wire, peer and direction.

With QUICK=1 one short test for each row. Ends with `N of M peers and directions passed`, and with 0 only when all did
and no other test failed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from rich.table import Table

from tests.support.browser import require_browser
from tests.support.curl_peer import curl_version
from tests.support.firefox import firefox_version
from tests.support.generated_client import generator_version
from tests.support.go_peer import dubbo_go_version, go_thrift_version, go_version, og_rek_version
from tests.support.gsoap_peer import gsoap_version
from tests.support.java_peer import DUBBO_VERSIONS, java_version, library_file, library_version
from tests.support.node_peer import module_version, node_version
from tests.support.php_peer import php_version
from tests.support.python_peer import package_version
from tests.support.thrift_peers import rust_thrift_version

HERE: Final = Path(__file__).parent
WIDTH: Final = 120

_ORACLES: Final = {"oracle-hl3": "hessian-lite 3.2.13", "oracle-hl4": "hessian-lite 4.0.4"}

_PEERS: Final[Mapping[str, Callable[[], str]]] = {
    "chromium": lambda: _browser_version(),
    "curl": lambda: f"curl {curl_version()}",
    "firefox": lambda: f"Firefox {firefox_version()}",
    "fetch": lambda: f"Node {node_version()} fetch",
    "go": lambda: f"Go {go_version()} net/http",
    "httpclient": lambda: f"Java {java_version()} HttpClient",
    "jayson": lambda: f"jayson {module_version('jayson')}",
    "node": lambda: f"Node {node_version()} http",
    "jsonrpc4j": lambda: f"Java, jsonrpc4j {library_version('http', 'jsonrpc4j')}",
    "openapi-python-client": lambda: f"openapi-python-client {generator_version()}",
    "hessian.js": lambda: f"Node, hessian.js {module_version('hessian.js')}",
    "python-hessian": lambda: f"python-hessian {package_version('python-hessian')}",
    "hessian-4038": lambda: f"Java, Caucho {library_version('hessian-4038', 'hessian')} ({_origin('hessian-4038')})",
    "hessian-4066": lambda: f"Java, Caucho {library_version('hessian-4066', 'hessian')}",
    "dubbo hessian": lambda: f"Java, Dubbo {library_version('dubbo-27-hessian', 'dubbo-rpc-hessian')}",
    "razorvine pickle": lambda: f"Java, net.razorvine:pickle {library_version('rmi', 'pickle')}",
    "og-rek": lambda: f"Go, og-rek {og_rek_version()}",
    "soap-ri": lambda: f"Java, JAX-WS RI {library_version('soap-ri', 'jaxws-rt')}",
    "soap-cxf": lambda: f"Java, Apache CXF {library_version('soap-cxf', 'cxf-core')}",
    "gsoap": lambda: f"C, gSOAP {gsoap_version()}",
    "spyne": lambda: f"Python, spyne {package_version('spyne')}",
    "dubbo webservice": lambda: f"Java, Dubbo {library_version('dubbo-27-webservice', 'dubbo-rpc-webservice')}",
    "node-soap": lambda: f"Node, soap {module_version('soap')}",
    "php": lambda: f"PHP {php_version()} SoapClient",
    "zeep": lambda: f"Python, zeep {distribution_version('zeep')}",
    "plain python": lambda: f"Python {platform.python_version()}, its pickle and hmac",
    "dubbo-go": lambda: f"Go, dubbo-go {dubbo_go_version()}",
    "dubbo2.js": lambda: f"Node, dubbo2.js {module_version('dubbo2.js')}",
    "apache thrift": lambda: f"Apache's thrift {distribution_version('thrift')}",
    "thrift go": lambda: f"Go, Apache's thrift {go_thrift_version()}",
    "thrift rust": lambda: f"Rust, Apache's thrift {rust_thrift_version()}",
    "thrift java": lambda: f"Java, Apache's thrift {library_version('thrift', 'libthrift')}",
    "thrift node": lambda: f"Node, Apache's thrift {module_version('thrift')}",
    "dubbo thrift": lambda: f"Java, Dubbo {library_version('dubbo-27-thrift', 'dubbo')}: thrift and native-thrift",
    "thriftpy2": lambda: f"thriftpy2 {distribution_version('thriftpy2')}",
    "dubbo http": lambda: f"Java, Dubbo {library_version('dubbo-27-http', 'dubbo-rpc-http')}",
}
"""Titles of the peers that a mark names, with the version they tell; asked when they have been used."""

Row = tuple[str, str, str]
"""Wire, peer, direction."""


@dataclass
class Tally:
    """The tests of a row: how many there are, how many passed, and how long they took."""

    total: int = 0
    passed: int = 0
    seconds: float = 0.0

    @property
    def is_passed(self) -> bool:
        return 0 < self.total == self.passed


class PeerTable:
    """Watches the tests of a run; a pytest plug-in."""

    def __init__(self, quick: bool) -> None:
        self._quick = quick
        self._rows: dict[str, Row] = {}
        self.tallies: dict[Row, Tally] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Gives each test its row; with `quick` drops all but one test for each."""
        kept: list[pytest.Item] = []
        for item in items:
            mark = item.get_closest_marker("direction")
            if mark is None:
                kept += [] if self._quick else [item]
                continue
            row = _row(item, mark)
            tally = self.tallies.setdefault(row, Tally())
            if self._quick and (tally.total or not mark.kwargs.get("quick")):
                continue
            tally.total += 1
            self._rows[item.nodeid] = row
            kept.append(item)
        dropped = [item for item in items if item not in set(kept)]
        items[:] = kept
        config.hook.pytest_deselected(items=dropped)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test that passed, and adds the time of all its phases."""
        row = self._rows.get(report.nodeid)
        if row is None:
            return
        tally = self.tallies[row]
        tally.seconds += report.duration
        if report.when == "call":
            tally.passed += report.passed
        elif report.when == "teardown" and report.failed:
            tally.passed -= 1

    def show(self, console: Console) -> None:
        """Prints the table and its last line."""
        table = Table("wire", "peer", "direction", "tests", "seconds", "", box=None, pad_edge=False)
        for (wire, peer, direction), tally in sorted(self.tallies.items(), key=lambda pair: (pair[0][0], pair[0][2])):
            said = "passed" if tally.is_passed else "FAILED"
            table.add_row(
                wire,
                _title(peer),
                direction,
                f"{tally.passed} of {tally.total}",
                f"{tally.seconds:.1f}",
                f"[{'green' if tally.is_passed else 'red'}]{said}",
            )
        console.print(table)
        passed = sum(tally.is_passed for tally in self.tallies.values())
        console.print(f"{passed} of {len(self.tallies)} peers and directions passed", highlight=False)


def _browser_version() -> str:
    """As the browser says it, `Chromium 120.0.1`."""
    said = subprocess.run([require_browser(), "--version"], capture_output=True, text=True, check=True).stdout
    return " ".join(said.split()[:2])


def _origin(module: str) -> str:
    """Whose build of Hessian a module uses."""
    return "libhessian-java" if library_file(module, "hessian").is_relative_to("/usr/share/java") else "Maven Central"


def _title(peer: str) -> str:
    if peer not in _PEERS:
        return peer
    try:
        return _PEERS[peer]()
    except (OSError, subprocess.CalledProcessError):
        return peer  # it could not be had, and its tests have failed


def _row(item: pytest.Item, mark: pytest.Mark) -> Row:
    direction = mark.args[0]
    if "peer" in mark.kwargs:
        return mark.kwargs["wire"], mark.kwargs["peer"], direction
    assert isinstance(item, pytest.Function)
    params = {name: str(value) for name, value in item.callspec.params.items()}
    if "module" in params:
        return "hessian 2", f"Java, {_ORACLES[params['module']]}", direction
    versions = [params[name] for name in ("version", "consumer", "provider") if name in params]
    return "dubbo", "Java, Dubbo " + " → ".join(DUBBO_VERSIONS[version] for version in versions), direction


def main() -> int:
    """Runs the tests and returns the exit code."""
    rows = PeerTable(quick=bool(os.environ.get("QUICK")))
    code = pytest.main(["-q", str(HERE)], plugins=[rows])
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    rows.show(console)
    all_passed = bool(rows.tallies) and all(tally.is_passed for tally in rows.tallies.values())
    return int(code) or int(not all_passed)


if __name__ == "__main__":
    sys.exit(main())
