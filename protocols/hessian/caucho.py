"""The dialect of Caucho's own Hessian 2, com.caucho:hessian 4.0, which hessian:// speaks.

Its writers fail on every class of java.time (`StackOverflowError`), so interfaces of such peers have `java.util.Date`
and texts in their place: both are read here. Its readers fill the fields of any class, those of java.time too, so
that is how times are written, unless the peer is known to expect date and text (`plain_time`). 4.0.38 loses the value
of every `BigDecimal`, in both directions and without an error (its own bytes come back as 0): interfaces that serve it
have texts there as well (`decimal_text`). 4.0.66 has both directions right.

Source: com.caucho:hessian 4.0.38 and 4.0.66, run: com/caucho/hessian/io (`SerializerFactory`, `UnsafeDeserializer`,
`BigDecimalDeserializer`, `ByteHandle`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from gateway.jsonform.scalar_text import (
    format_duration,
    format_local_datetime,
    format_time,
    parse_date,
    parse_datetime,
    parse_decimal,
    parse_duration,
    parse_local_datetime,
    parse_time,
    parse_uuid,
)
from gateway.model.typeref import Kind
from protocols.hessian.dialect import Dialect, make_dialect
from protocols.hessian.java_types import decimal_text as format_decimal

__all__ = ["CAUCHO", "caucho_dialect"]

_PARSE: Final[Mapping[Kind, Callable[[str], Any]]] = MappingProxyType(
    {
        Kind.DECIMAL: parse_decimal,
        Kind.UUID: parse_uuid,
        Kind.DATE: parse_date,
        Kind.TIME: parse_time,
        Kind.DATETIME: parse_datetime,
        Kind.LOCAL_DATETIME: parse_local_datetime,
        Kind.DURATION: parse_duration,
    }
)

_FORMAT_TIME: Final[Mapping[Kind, Callable[[Any], str]]] = MappingProxyType(
    {
        Kind.DATE: date.isoformat,
        Kind.TIME: format_time,
        Kind.LOCAL_DATETIME: format_local_datetime,
        Kind.DURATION: format_duration,
    }
)

CAUCHO: Final = make_dialect(
    "java.time.{}".format, ("mostSigBits", "leastSigBits"), reads_boxes=True, parse_text=_PARSE
)
"""For peers that read java.time."""


def caucho_dialect(*, plain_time: bool = False, decimal_text: bool = False) -> Dialect:
    """For peers whose interfaces have other types than the contract's.

    `plain_time`: `java.util.Date` for a datetime (what is finer than milliseconds is refused), ISO 8601 text for other
    times. `decimal_text`: a text for a decimal.
    """
    texts = dict(_FORMAT_TIME) if plain_time else {}
    if decimal_text:
        texts[Kind.DECIMAL] = format_decimal
    return replace(CAUCHO, dates=plain_time, format_text=MappingProxyType(texts)) if texts else CAUCHO
