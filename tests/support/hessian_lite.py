"""Loads the byte samples recorded from hessian-lite; their format is described in ``tests/wire/hessian/README.md``."""

import base64
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[1] / "wire" / "hessian"

HESSIAN_LITE_3 = FIXTURES / "hessian-lite-3.2.13.jsonl"
HESSIAN_LITE_4 = FIXTURES / "hessian-lite-4.0.4.jsonl"


@dataclass(frozen=True, slots=True)
class Sample:
    """One recorded stream.

    ``values`` and ``decoded`` are in the value notation. ``data`` is None where hessian-lite refused to write, and
    ``decoded`` is None where it failed to read its own bytes (values without declared types); ``error`` says why.
    """

    name: str
    origin: str
    values: list[Any]
    data: bytes | None
    decoded: list[Any] | None
    error: str | None


def load_samples(path: Path) -> list[Sample]:
    """Reads one fixture file, in the order of its lines."""
    with path.open(encoding="ascii") as lines:
        return [_parse_sample(json.loads(line)) for line in lines]


def _parse_sample(record: dict[str, Any]) -> Sample:
    if "zlib" in record:
        record |= json.loads(zlib.decompress(base64.b64decode(record["zlib"])))
    error = record.get("encode_error") or record.get("decode_error")
    return Sample(
        name=record["name"],
        origin=record["origin"],
        values=record["values"],
        data=bytes.fromhex(record["hex"]) if "hex" in record else None,
        decoded=None if error else record.get("decoded", record["values"]),
        error=error,
    )
