"""Clients that an independent generator made, from our OpenAPI document and from one of somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.curl_peer import require_curl, run_curl
from tests.support.generated_client import OPENAPI, generate_client, require_generator, use_client
from tests.support.http_gateway import DRIVERS, LISTENER, serving
from tests.support.peer_program import BUILD_TIMEOUT

pytestmark = [pytest.mark.interop, BUILD_TIMEOUT]

each_driver = pytest.mark.parametrize("driver", DRIVERS)

LIBRARY = f"""
  library:
    contract: tests.support.library_service:Library
    implementation: tests.support.library_service:MemoryLibrary
    listeners: [{LISTENER}]"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the generated packages are; each is made once."""
    require_generator()
    return tmp_path_factory.mktemp("generated")


@pytest.mark.direction("client of a foreign document → us", wire="http", peer="openapi-python-client", quick=True)
@each_driver
async def test_a_service_of_somebody_else_can_be_served(driver: str, generated: Path) -> None:
    if not (generated / "library_client").exists():
        await generate_client(OPENAPI / "library.yaml", generated / "library_client")
    async with serving(driver, LIBRARY) as address:
        report = await use_client("use_library.py", generated, f"http://{address}")
    report.check()


@pytest.mark.direction("client of our document → us", wire="http", peer="openapi-python-client", quick=True)
@each_driver
async def test_a_client_of_our_own_document(driver: str, generated: Path) -> None:
    require_curl()
    async with serving(driver) as address:
        if not (generated / "demo_client").exists():
            document = generated / "openapi.json"
            document.write_bytes(await run_curl("--fail", f"http://{address}/openapi.json"))
            await generate_client(document, generated / "demo_client")
        report = await use_client("use_demo.py", generated, f"http://{address}")
    report.check()
