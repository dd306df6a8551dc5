"""Contract types as arguments and replies of redis://, and what it cannot carry of a contract.

Arguments are strings of bytes, as in `protocols.texts.value`: texts and bytes as they are, other scalars as text,
lists, maps and structs as JSON. An argument that is a null text or null bytes has no form in a string; `WITH null` says
which ones are (`protocols.redis.context`).

| type | RESP3 | RESP2 |
| --- | --- | --- |
| null (a method that returns nothing) | `+OK` | `+OK` |
| null elsewhere | `_` | `$-1`; `*-1` for a list, set, map or struct |
| bool | `#t`, `#f` | `:1`, `:0` |
| i8, i16, i32, i64 | `:` | `:` |
| f32, f64, with NaN, infinities and -0.0 | `,` | string |
| bigint | `(` | string |
| decimal, date, time, datetime, local_datetime, duration, uuid | string, see `gateway.jsonform.scalar_text` | string |
| char, string | string in UTF-8; a lone surrogate as the three bytes its number has there | string |
| bytes | string | string |
| list | `*` | `*` |
| set | `~` | `*` |
| map | `%` with keys of any type | `*` of keys and values in turn |
| enum | string, the constant's name | string |
| struct, exception | `%` from names of fields; an exception's text as `message` | `*` in turn |
| callback | refused when the contract is checked | |

A value of type `any` says what it is:

| value | RESP3 |
| --- | --- |
| null, bool, f64, bytes, list, set | as above |
| text | verbatim string, `=…txt:` |
| integer of up to 64 bits; `BigInt`, and integers beyond | `:`; `(` |
| map | `%` with keys of any type |
| struct, exception, `Record` | `%` whose first key is the simple string `+class`, with its name |
| `TypedMap`, `TypedList` | `%` of `+class` with its name, and `+map` or `+list` with the rest |
| anything else | verbatim string of the format `jsn`: JSON as in `gateway.jsonform.generic` |

Texts are never simple strings there, so no map can be taken for one of these. RESP2 has plain strings for verbatim
ones, which does for people. With `WITH reply json` an answer is one string of JSON in either version.

A service without a contract is not carried: nothing would say what the words of a command are.
"""

from __future__ import annotations

from gateway.model.contract import ServiceContract

__all__ = ["check_contract"]


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by redis://; empty means fine."""
    return [
        f"{method.attribute}({method.params[at].name}): a callback; over redis:// a service cannot call its caller"
        for method in contract.methods
        for at in method.callbacks
    ]
