"""Strings of Thrift: UTF-8, nothing else."""

from __future__ import annotations

from gateway.model.errors import ValueMappingError

__all__ = ["read_text", "write_text"]


def read_text(data: bytes) -> str:
    """Raises `ValueMappingError` when it is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as exc:
        raise ValueMappingError(f"not UTF-8 from byte {exc.start} on") from None


def write_text(value: str) -> bytes:
    """Raises `ValueMappingError` for what UTF-8 has no bytes for."""
    try:
        return value.encode()
    except UnicodeEncodeError as exc:
        raise ValueMappingError(f"the lone surrogate at character {exc.start} has no form in Thrift") from None
