"""Contract types as bytes in memcached, and what memcached:// cannot carry of a contract.

| type | in a block, and as a value | flags |
| --- | --- | --- |
| null, and every value that is null | JSON `null` | JSON |
| bool, i8 … i64, bigint, decimal | text: `true`, `-12`, `19.90` | 0 |
| f32, f64 | text, with `NaN`, `Infinity`, `-Infinity` and `-0.0` | 0 |
| string, char | UTF-8; U+0000 and lone surrogates as any other character | 0 |
| bytes | as they are | bytes |
| date, time, datetime, local_datetime, duration, uuid | text, see `gateway.jsonform.scalar_text` | 0 |
| enum | text: the constant's name | 0 |
| list, set, map, struct, exception, any | JSON, see `gateway.jsonform` | JSON |
| callback | refused when the contract is checked | |

The flags are those of `protocols.memcached.form`; the bytes are made by `protocols.texts.value`. JSON has no form for a
lone surrogate: it is refused inside of a list, set, map, struct or any, with its path. As an argument null has no bytes
but its place among the sizes (`protocols.memcached.block`); under a mount null is a miss.

A service without a contract is not carried: the bytes do not say what they are.
"""

from __future__ import annotations

from gateway.model.contract import ServiceContract

__all__ = ["check_contract"]


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by memcached://; empty means fine."""
    return [
        f"{method.attribute}({method.params[at].name}): a callback; over memcached:// a service cannot call its caller"
        for method in contract.methods
        for at in method.callbacks
    ]
