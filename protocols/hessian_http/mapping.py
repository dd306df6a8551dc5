"""Contract types on hessian://, and what this wire cannot carry of a contract.

The forms are those of `protocols.hessian.typed` in Caucho's dialect (`protocols.hessian.caucho`), in Hessian 1 what
`protocols.hessian_http.from_hessian1` makes of them:

| type | Hessian 2 | Hessian 1 |
| --- | --- | --- |
| null, bool | native | native |
| i8, i16, i32 | int; read also: long, integral double, `ByteHandle` and `ShortHandle` | int |
| i64 | long | long |
| f32, f64 | double; read also: `FloatHandle` | double |
| bigint | object of BigInteger, `signum` and `mag` | map of that class |
| decimal | object of BigDecimal, field `value`; by option text. Read: both | the same |
| char, string | string, lone surrogates too | string |
| bytes | binary | binary |
| datetime | object of `java.time.Instant`; by hint or option date. Read: both, and RFC 3339 text | the same |
| date, time, local_datetime, duration | object of its class of java.time; by option text. Read: both | the same |
| uuid | object of UUID, two longs; read also: its text | the same |
| list | list without a type; arrays with theirs | list |
| set | list of `java.util.HashSet` | list of that type |
| map | map | map |
| enum | object of its class, field `name` | map of that class |
| struct | object of its class; read also: map | map of that class |
| exception | detail of a fault, as its Java class | the same |
| any | what describes itself | the same |
| callback | refused when the contract is checked | refused |

What peers cannot carry themselves, by their own codecs (JDK 17; Node 20), as `tests/interop` shows without us:

| peer | type | what it does |
| --- | --- | --- |
| Caucho 4.0.38, 4.0.66 | f64 | writes -0.0 as 0.0 in Hessian 2 |
| Caucho 4.0.38, 4.0.66 | java.time | reads it, fails to write it (`StackOverflowError`): it sends dates and texts |
| Caucho 4.0.38 | `BigDecimal` | writes it without its value, reads every one as 0: use texts (option `decimal: text`) |
| Caucho 4.0.38, 4.0.66 | `List.of()`, records | fails to read what it writes (`java.util.CollSer`) |
| hessian.js 2.11 | i64 beyond 2^53 | reads it from Hessian 2 as a number or text that is no long any more |
| hessian.js 2.11 | f64 without a fraction, NaN | writes the one as an int or long in Hessian 2, the other as null |
| hessian.js 2.11 | map | keys are texts |

Attachments, the deadline, the trace and the caller's name are header fields (`protocols.http.context`); of Dubbo's
callers also `header<key>` (apache/dubbo: dubbo-rpc/dubbo-rpc-hessian/.../DubboHessianURLConnectionFactory.java).
"""

from __future__ import annotations

from gateway.model.contract import ServiceContract
from protocols import java

__all__ = ["check_contract"]


def check_contract(contract: ServiceContract) -> list[str]:
    """What keeps a contract from being carried by hessian://; empty means fine. Its names must be possible in Java."""
    problems = [
        f"{method.attribute}({method.params[at].name}): a callback; over hessian:// a service cannot call its caller"
        for method in contract.methods
        for at in method.callbacks
    ]
    return problems + java.check_contract(contract)
