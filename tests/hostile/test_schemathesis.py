"""schemathesis, which reads our OpenAPI document and looks for what does not hold, finds nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.abuse import REPEATS
from tests.support.http_gateway import DRIVERS, serving

EXAMPLES: Final = max(3, REPEATS // 200)
"""Generated for each operation, beside those that are counted out from the schema."""
LEFT_OUT: Final = "/slow$|/fail_undeclared$|/echo_struct_map$|^/routed/.*/reserve$"
"""The first two do what a schemathesis must complain about: wait for centuries, and raise what nobody declared. The
third has pairs in its answer, whose `prefixItems` schemathesis 4 takes for a schema that is none. The last is there
once more without a group, with what `schemathesis.toml` says about it."""
LIMIT_S: Final = 1_200.0
ROUTED: Final = """
  routed:
    contract: gateway.demo.catalog:Catalog
    implementation: gateway.demo.catalog:DemoCatalog
    group: routed
    listeners: [web]
    protocols:
      http:
        routes:
          find: "GET /products/{product_id} -> 200 ProductNotFound=404"
          search: "GET /products?q={text}&tag={tags} header:X-Limit={limit}"
          put: "PUT /products body={product} -> 201"
          remove: "DELETE /products/{product_id}"
          price_history: "GET /products/{product_id}/prices -> 200 ProductNotFound=404"
"""
"""A service with an address of its own for each method: parameters in path, query, header and body."""
SERVICES: Final = {"by name": "", "by route": ROUTED}


@pytest.mark.timeout(LIMIT_S + 30)
@pytest.mark.parametrize(("driver", "services"), [(DRIVERS[0], "by name"), (DRIVERS[1], "by route")])
async def test_the_document_holds(driver: str, services: str, tmp_path: Path) -> None:
    """Each driver with one set of services: what the document says does not come from the driver."""
    async with serving(driver, SERVICES[services]) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli",
            "--config-file", str(Path(__file__).with_name("schemathesis.toml")),
            "run", f"http://{address}/openapi.json", "--url", f"http://{address}",
            "--checks", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES),
            "--exclude-path-regex", LEFT_OUT, "--suppress-health-check", "all", "--generation-database", "none",
            "--seed", "1", "--continue-on-failure", "--no-color",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(LIMIT_S):
                said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, said.decode()
