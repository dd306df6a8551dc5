"""Contracts from Python type hints, and what follows from them: checked values, JSON forms, faults."""

from gateway.contracts.annotation import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    BigInt,
    Char,
    Doc,
    Hint,
    JavaType,
    LocalDateTime,
    Withdrawn,
)
from gateway.contracts.call import NO_CALL, Call
from gateway.contracts.declaration import enum, method, service, struct
from gateway.contracts.implementation import check_implementation
from gateway.contracts.python import contract_of
from gateway.model.fault import RemoteError, ServiceError

__all__ = [
    "F32",
    "F64",
    "I8",
    "I16",
    "I32",
    "I64",
    "NO_CALL",
    "BigInt",
    "Call",
    "Char",
    "Doc",
    "Hint",
    "JavaType",
    "LocalDateTime",
    "RemoteError",
    "ServiceError",
    "Withdrawn",
    "check_implementation",
    "contract_of",
    "enum",
    "method",
    "service",
    "struct",
]
